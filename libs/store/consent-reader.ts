import type { JsonObject } from '#policy';
import { AGREED, CONSENT, REQUEST } from './consent-columns.js';
import type { Store, TenantView } from './store.js';

/** Where a request for consent stands. One that nobody answered in time is expired, whatever its row says. */
export type ConsentRequestStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';

/** What a person has answered, and how they had signed in. Times in ms since 1970. */
interface ConsentAnswer {
  readonly person: string;
  readonly answer: 'agreed' | 'refused';
  readonly choice: JsonObject | null;
  /** Why, where they broke the glass. */
  readonly brokeGlass: string | null;
  /** In whose place they answered; null: their own. */
  readonly forPerson: string | null;
  readonly session: string;
  readonly acr: string | null;
  readonly amr: readonly string[];
  readonly authenticatedAt: number | null;
  readonly at: number;
}

/** Who asks whom for what, and what people are shown of it. */
export interface AskedConsent {
  readonly evaluation: string;
  readonly credential: string;
  /** The host that asked, and the one that it asked for. */
  readonly host: string;
  readonly agent: string;
  /** The key of the person that it is about. */
  readonly subject: string;
  readonly server: string | null;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly session: string | null;
  readonly shown: string;
}

/** A request for consent as it is stored. Times in ms since 1970. */
export interface StoredConsentRequest extends AskedConsent {
  readonly id: string;
  readonly content: JsonObject;
  /** SHA-256 of `shown`, in hexadecimal. */
  readonly shownDigest: string;
  readonly status: ConsentRequestStatus;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
  readonly answers: readonly ConsentAnswer[];
}

/** Somebody who agreed, with what their identity provider said of them last; no claims where they are unknown. */
interface AgreedRow {
  readonly person: string;
  readonly issuer: string;
  readonly claims: JsonObject;
  readonly acr: string | null;
  readonly brokeGlass: string | null;
  /** In whose place they answered; null: their own. */
  readonly for: Pick<AgreedRow, 'person' | 'issuer' | 'claims'> | null;
}

/** A consent as it is stored. Times in ms since 1970. */
export interface ConsentRow {
  readonly id: string;
  readonly request: string;
  readonly requirement: number;
  /** In hexadecimal. */
  readonly binding: string;
  readonly policy: string | null;
  readonly rule: string | null;
  /** Null: any number. */
  readonly usesLeft: number | null;
  readonly session: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
  readonly endedFor: 'used' | 'revoked' | 'superseded' | null;
  readonly subject: string;
  readonly agent: string;
  readonly server: string | null;
  readonly lastUsedAt: number | null;
}

/** A consent with those who agreed to it. */
export interface AgreedConsentRow extends ConsentRow {
  readonly agreed: readonly AgreedRow[];
}

/** A consent of which a decision took a use: when (in ms since 1970), and how often its operation has gone on since. */
export interface UsedConsentRow extends AgreedConsentRow {
  readonly usedAt: number;
  readonly retries: number;
}

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

/** Live consents to one and the same thing that are looked at, the newest: more than one is there only for different sessions. */
const MOST_FOR_ONE = 100;

/** Live consents, in one consistent view with the epoch. */
export interface LiveConsents {
  readonly epoch: number;
  readonly rows: readonly AgreedConsentRow[];
}

/** Reads what people were asked and have agreed to. */
export class ConsentReader {
  constructor(private readonly store: Store) {}

  /**
   * Live consents to what decisions ask, by their bindings (in hexadecimal), with those who agreed, and the tenant's epoch at
   * that moment: what is known of these people is as old as that.
   */
  async live(tenant: string, bindings: readonly string[]): Promise<LiveConsents> {
    const [row] = await this.store.call<{ epoch: number; consents: readonly AgreedConsentRow[] | null }>(
      'select epoch, consents from placet.live_consents($1, $2, $3)',
      [tenant, bindings, MOST_FOR_ONE * bindings.length],
    );
    return { epoch: row?.epoch ?? 0, rows: row?.consents ?? [] };
  }

  /** A request by its id; undefined if there is none. */
  async request(tenant: string, id: string): Promise<StoredConsentRequest | undefined> {
    const [row] = await this.#rows<StoredConsentRequest>(
      tenant,
      `select ${REQUEST} from placet.consent_request r where r.tenant = $1 and r.id = $2`,
      [tenant, id],
    );
    return row;
  }

  /** The consents that came of a request, and of each the id of the evaluation that took its last use. */
  async ofRequest(
    tenant: string,
    request: string,
  ): Promise<readonly (ConsentRow & { readonly usedBy: string | null })[]> {
    return this.#rows(
      tenant,
      `select ${CONSENT}, (
         select l.body::json ->> 'evaluation_id'
         from placet.consent_use u join placet.ledger_record l using (tenant, writer, seq)
         where u.tenant = c.tenant and u.consent = c.id order by u.at desc limit 1
       ) as "usedBy"
       from placet.consent c where c.tenant = $1 and c.request = $2 order by c.requirement`,
      [tenant, request],
    );
  }

  /** The consents of which a decision took a use, by the place of its record. */
  async usedBy(
    tenant: string,
    { writer, seq }: { readonly writer: number; readonly seq: number },
  ): Promise<readonly UsedConsentRow[]> {
    return this.#rows<UsedConsentRow>(
      tenant,
      `select ${CONSENT}, ${AGREED}, ${ms('u.at')} as "usedAt", (
         select count(*)::integer from placet.consent_retry t
         where t.tenant = u.tenant and t.consent = u.consent and t.of_writer = u.writer and t.of_seq = u.seq
       ) as retries
       from placet.consent_use u join placet.consent c on c.tenant = u.tenant and c.id = u.consent
       where u.tenant = $1 and u.writer = $2 and u.seq = $3`,
      [tenant, writer, seq],
    );
  }

  /** The text of the record of a decision, by its place; undefined where there is none. */
  async record(
    tenant: string,
    { writer, seq }: { readonly writer: number; readonly seq: number },
  ): Promise<string | undefined> {
    const [row] = await this.#rows<{ body: string }>(
      tenant,
      'select body from placet.ledger_record where tenant = $1 and writer = $2 and seq = $3',
      [tenant, writer, seq],
    );
    return row?.body;
  }

  /**
   * Open requests, the oldest first, after one; one more than `size`, if there are.
   * @param subject only those about this person
   */
  async pending(
    tenant: string,
    subject: string | undefined,
    after: { readonly createdAt: number; readonly id: string } | undefined,
    size: number,
  ): Promise<readonly StoredConsentRequest[]> {
    return this.#rows(
      tenant,
      `select ${REQUEST} from placet.consent_request r
       where r.tenant = $1 and r.status = 'pending' and r.expires_at > clock_timestamp()
         and ($2::text is null or r.subject = $2)
         and ($3::float8 is null or (${ms('r.created_at')}, r.id) > ($3, $4))
       order by ${ms('r.created_at')}, r.id limit $5`,
      [tenant, subject ?? null, after?.createdAt ?? null, after?.id ?? '', size + 1],
    );
  }

  async #rows<Row>(tenant: string, statement: string, values: readonly unknown[]): Promise<Row[]> {
    return this.store.read(tenant, (view: TenantView) => view.query<Row[]>(statement, [...values]));
  }
}
