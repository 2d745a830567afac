import type { ConsentActor } from './consent-store.js';
import type { Store } from './store.js';
import type { JsonObject } from '#policy';

/** Somebody who answers in the place of another, until a time. Times in ms since 1970. */
export interface Delegation {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
}

/** Somebody in whose place another may answer, as their identity provider vouched for them last. */
export interface Delegator {
  readonly delegation: string;
  readonly person: string;
  readonly issuer: string;
  readonly claims: JsonObject;
}

const DELEGATION = `d.id, d.from_person as "from", d.to_person as "to",
  (extract(epoch from d.created_at) * 1000)::float8 as "createdAt",
  (extract(epoch from d.expires_at) * 1000)::float8 as "expiresAt",
  (extract(epoch from d.ended_at) * 1000)::float8 as "endedAt"`;

/** Who answers in whose place. */
export class DelegationStore {
  constructor(private readonly store: Store) {}

  /** What somebody has given and was given, the newest first, with what is over. */
  async of(tenant: string, person: string): Promise<readonly Delegation[]> {
    return this.store.read(tenant, (view) =>
      view.query<Delegation[]>(
        `select ${DELEGATION} from placet.delegation d
         where d.tenant = $1 and (d.from_person = $2 or d.to_person = $2) order by d.created_at desc, d.id limit 500`,
        [tenant, person],
      ),
    );
  }

  /** Those in whose place somebody may answer at this moment. */
  async delegatorsOf(tenant: string, person: string): Promise<readonly Delegator[]> {
    return this.store.read(tenant, (view) =>
      view.query<Delegator[]>(
        `select d.id as delegation, d.from_person as person, p.issuer, p.claims
         from placet.delegation d join placet.person p on p.tenant = d.tenant and p.id = d.from_person
         where d.tenant = $1 and d.to_person = $2 and d.ended_at is null and d.expires_at > clock_timestamp()
         order by d.created_at, d.id limit 500`,
        [tenant, person],
      ),
    );
  }

  async delegate(
    tenant: string,
    { principal, proof }: ConsentActor,
    delegation: { readonly id: string; readonly from: string; readonly to: string; readonly until: string },
  ): Promise<'delegated' | 'principal' | 'rights' | 'unknown' | 'full' | 'over'> {
    const [row] = await this.store.call<{ outcome: 'delegated' }>('select placet.delegate($1, $2, $3, $4) as outcome', [
      tenant,
      principal,
      JSON.stringify(proof),
      JSON.stringify(delegation),
    ]);
    return row!.outcome;
  }

  async end(
    tenant: string,
    { principal, proof }: ConsentActor,
    from: string,
    id: string,
  ): Promise<'ended' | 'principal' | 'rights' | 'missing'> {
    const [row] = await this.store.call<{ outcome: 'ended' }>(
      'select placet.end_delegation($1, $2, $3, $4, $5) as outcome',
      [tenant, principal, JSON.stringify(proof), from, id],
    );
    return row!.outcome;
  }
}
