import type { JsonObject } from '#policy';
import type { Store } from './store.js';

/** A person who has signed in at least once. Times as in ISO 8601. */
export interface PersonListing {
  readonly id: string;
  readonly issuer: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly firstAt: string;
  readonly lastAt: string;
  /** Sessions that are live. */
  readonly sessions: number;
}

/** A person with what was said of them last. */
export interface PersonDetail extends PersonListing {
  readonly claims: JsonObject;
}

/** A live session, as its person or an administrator sees it. */
export interface SessionListing {
  readonly id: string;
  readonly createdAt: string;
  readonly seenAt: string;
  readonly endsAt: string;
  readonly acr: string | null;
  readonly amr: readonly string[];
  readonly authenticatedAt: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** As everywhere in the API: in UTC, with milliseconds. */
const time = (column: string, name: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "${name}"`;

const LIVE = `s.ended_at is null and s.idle_ends_at > clock_timestamp() and s.ends_at > clock_timestamp()`;

const PERSON = `
  p.id, p.issuer, p.name, p.email, ${time('p.first_at', 'firstAt')}, ${time('p.last_at', 'lastAt')},
  (select count(*)::int from placet.session s where s.tenant = p.tenant and s.person = p.id and ${LIVE}) as sessions`;

/** Reads people and their sessions. */
export class PersonReader {
  constructor(private readonly store: Store) {}

  /** People in the order of their ids, those after one; one more than `size`, if there are. */
  async list(tenant: string, after: string | undefined, size: number): Promise<readonly PersonListing[]> {
    return this.store.read(tenant, (view) =>
      view.query<PersonListing[]>(
        `select ${PERSON} from placet.person p where p.tenant = $1 and p.id > $2 order by p.id limit $3`,
        [tenant, after ?? '', size + 1],
      ),
    );
  }

  async find(tenant: string, id: string): Promise<PersonDetail | undefined> {
    const [row] = await this.store.read(tenant, (view) =>
      view.query<PersonDetail[]>(`select ${PERSON}, p.claims from placet.person p where p.tenant = $1 and p.id = $2`, [
        tenant,
        id,
      ]),
    );
    return row;
  }

  /** The live sessions of a person, the one that was used last first. */
  async sessions(tenant: string, person: string): Promise<readonly SessionListing[]> {
    return this.store.read(tenant, (view) =>
      view.query<SessionListing[]>(
        `select s.id, ${time('s.created_at', 'createdAt')}, ${time('s.seen_at', 'seenAt')},
           ${time('least(s.ends_at, s.idle_ends_at)', 'endsAt')}, s.acr, s.amr,
           ${time('s.authenticated_at', 'authenticatedAt')}, s.address, s.user_agent as "userAgent"
         from placet.session s where s.tenant = $1 and s.person = $2 and ${LIVE}
         order by s.seen_at desc, s.id limit 1000`,
        [tenant, person],
      ),
    );
  }
}
