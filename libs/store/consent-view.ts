import type { JsonObject } from '#policy';
import type { ConsentRow, StoredConsentRequest } from './consent-reader.js';
import type { Store, TenantView } from './store.js';
import { CONSENT, REQUEST } from './consent-columns.js';

/** Where a consent stands. One whose time is over is expired, whatever its row says. */
export const CONSENT_STATES = ['live', 'used', 'revoked', 'superseded', 'expired'] as const;
type ConsentState = (typeof CONSENT_STATES)[number];

/** A consent with what it was asked for. Times in ms since 1970. */
export interface ConsentListing extends ConsentRow {
  readonly state: ConsentState;
  readonly agreed: readonly string[];
  readonly host: string;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  /** Where a listing goes on after it. */
  readonly place: string;
}

/** A consent with the request that it came of, and what has become of it. */
export interface ConsentDetail {
  readonly consent: ConsentListing;
  readonly request: StoredConsentRequest;
  readonly history: readonly ConsentEvent[];
}

/** Something that became of a request or of its consents. */
interface ConsentEvent {
  readonly kind: string;
  /** Who did it: a person, `host:…`, `system:…`, or as in a change. */
  readonly by: string;
  /** In ms since 1970. */
  readonly at: number;
  readonly content: JsonObject;
}

/** Which consents are listed: those of which all that is given is so. */
export interface ListedConsents {
  /** About one of these names. */
  readonly subjects?: readonly string[] | undefined;
  readonly agent?: string | undefined;
  readonly server?: string | undefined;
  readonly live?: boolean | undefined;
  /** Only those that are about somebody, by any of their names, or to which they have agreed. */
  readonly mine?: WhosePerson | undefined;
}

/** A person, by the id of their sign-in and all of their names. */
export interface WhosePerson {
  readonly person: string;
  readonly names: readonly string[];
}

/** What a live consent was given for that a change of documents can take away. */
export interface GivenFor {
  readonly id: string;
  readonly requirement: number;
  readonly content: JsonObject;
  readonly shown: string;
  readonly agent: string;
  readonly server: string | null;
  readonly resourceType: string;
  readonly resourceId: string;
}

const LISTING = `
  ${CONSENT}, c.agreed, r.host, r.action, r.resource_type as "resourceType", r.resource_id as "resourceId",
  to_json(c.created_at) #>> '{}' as place,
  case
    when c.ended_for is not null then c.ended_for
    when c.ended_at is not null or c.expires_at <= clock_timestamp() then 'expired'
    else 'live'
  end as state`;

const JOINED = 'placet.consent c join placet.consent_request r on r.tenant = c.tenant and r.id = c.request';

/** Reads consents for whoever looks at them: people, and administrators. */
export class ConsentView {
  constructor(private readonly store: Store) {}

  /** Consents, the newest first, after one; one more than `size`, if there are. */
  async list(
    tenant: string,
    { subjects, agent, server, live, mine }: ListedConsents,
    after: { readonly place: string; readonly id: string } | undefined,
    size: number,
  ): Promise<readonly ConsentListing[]> {
    const values: unknown[] = [tenant];
    const value = (given: unknown): string => `$${values.push(given)}`;
    const conditions = ['c.tenant = $1'];
    if (subjects !== undefined) conditions.push(`c.subject = any (${value(subjects)})`);
    if (agent !== undefined) conditions.push(`c.agent = ${value(agent)}`);
    if (server !== undefined) conditions.push(`c.server = ${value(server)}`);
    if (live === true) conditions.push('c.ended_at is null and c.expires_at > clock_timestamp()');
    if (live === false) conditions.push('(c.ended_at is not null or c.expires_at <= clock_timestamp())');
    if (mine) conditions.push(`c.id in (select placet.consents_of($1, ${value(mine.names)}, ${value(mine.person)}))`);
    if (after) conditions.push(`(c.created_at, c.id) < (${value(after.place)}::timestamptz, ${value(after.id)})`);
    return this.#rows<ConsentListing>(
      tenant,
      `select ${LISTING} from ${JOINED} where ${conditions.join(' and ')}
       order by c.created_at desc, c.id desc limit ${value(size + 1)}`,
      values,
    );
  }

  /**
   * One consent with its request and its history; undefined if there is none.
   * @param mine only if it is about this person, or they have agreed to it
   */
  async find(tenant: string, id: string, mine?: WhosePerson): Promise<ConsentDetail | undefined> {
    return this.store.read(tenant, async (view) => {
      const [consent] = await view.query<ConsentListing[]>(
        `select ${LISTING} from ${JOINED} where c.tenant = $1 and c.id = $2
           and ($3::text is null or c.subject = any ($4) or $3 = any (c.agreed))`,
        [tenant, id, mine?.person ?? null, mine?.names ?? []],
      );
      if (!consent) return undefined;
      const [request] = await view.query<StoredConsentRequest[]>(
        `select ${REQUEST} from placet.consent_request r where r.tenant = $1 and r.id = $2`,
        [tenant, consent.request],
      );
      const history = await view.query<ConsentEvent[]>(
        `select e.kind, e.by, (extract(epoch from e.at) * 1000)::float8 as at, e.content from placet.consent_event e
         where e.tenant = $1 and e.request = $2 and (not e.content ? 'consents' or e.content -> 'consents' ? $3)
         order by e.number`,
        [tenant, consent.request, id],
      );
      return { consent, request: request!, history };
    });
  }

  /** Up to which revision it was looked at which consents can never apply any more. */
  async settledUpTo(tenant: string): Promise<number> {
    const [row] = await this.#rows<{ revision: number }>(
      tenant,
      'select s.revision from placet.consents_settled s where s.tenant = $1',
      [tenant],
    );
    return Number(row?.revision ?? 0);
  }

  /** Documents that consents rest on, and that were written after a revision. */
  async changedSince(
    tenant: string,
    revision: number,
  ): Promise<readonly { readonly kind: 'Host' | 'Server' | 'Policy' | 'Tenant'; readonly name: string }[]> {
    return this.#rows(
      tenant,
      `select d.kind, d.name from placet.document d
       where d.tenant = $1 and d.revision > $2 and d.kind in ('Host', 'Server', 'Policy', 'Tenant') order by d.kind, d.name`,
      [tenant, revision],
    );
  }

  /**
   * Live consents that rest on a document, by their ids, after one.
   * @param of an application, a server, a policy, or null: the tenant's default
   */
  async restingOn(
    tenant: string,
    of: { readonly agent: string } | { readonly server: string } | { readonly policy: string | null },
    after: string,
    size: number,
  ): Promise<readonly GivenFor[]> {
    const [column, name] = Object.entries(of)[0] as ['agent' | 'server' | 'policy', string | null];
    return this.#rows(
      tenant,
      `select c.id, c.requirement, r.content, r.shown, c.agent, c.server, r.resource_type as "resourceType",
         r.resource_id as "resourceId"
       from ${JOINED}
       where c.tenant = $1 and c.ended_at is null and c.expires_at > clock_timestamp() and c.id > $3
         and ${name === null ? `c.${column} is null and $2::text is null` : `c.${column} = $2`}
       order by c.id limit $4`,
      [tenant, name, after, size],
    );
  }

  async #rows<Row>(tenant: string, statement: string, values: readonly unknown[]): Promise<Row[]> {
    return this.store.read(tenant, (view: TenantView) => view.query<Row[]>(statement, [...values]));
  }
}
