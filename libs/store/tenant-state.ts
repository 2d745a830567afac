import { type AnyDocument, type DocumentChange, type Kind } from '#policy';
import type { Store } from './store.js';

/** The numbers of a tenant at one moment. */
export interface TenantNumbers {
  readonly revision: number;
  readonly epoch: number;
}

/** A credential as it is stored: whose it is, what it may do, and the MACs of its live secrets. Times in ms since 1970. */
export interface StoredCredential {
  readonly id: string;
  /** An API key, an OAuth client, or a workload that an identity provider vouches for. */
  readonly kind: 'api_key' | 'client' | 'federated';
  readonly principalKind: 'host' | 'administrator';
  readonly principal: string;
  readonly environment: string;
  readonly rights: object;
  readonly expiresAt: number | null;
  readonly disabled: boolean;
  /** From where it may be used; null: from anywhere. */
  readonly cidrs: readonly string[] | null;
  /** Of a client: its public keys, as a JWK set. */
  readonly jwks: object | null;
  /** Of a federated one: the name of its Issuer, and whom the tokens must be about. */
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly secrets: readonly { readonly mac: Buffer; readonly expiresAt: number | null }[];
}

/** Tokens that are refused though they have not expired: those of a key that were issued before a moment. Times in ms. */
export interface StoredDenial {
  /** `token:<id>`, `client:<credential>` or `subject:<issuer>/<identity>`. */
  readonly key: string;
  readonly before: number;
  readonly expiresAt: number;
}

/** What of a tenant is new since a revision (0: everything), in one consistent view with the numbers. */
export interface TenantDelta extends TenantNumbers {
  readonly documents: readonly DocumentChange[];
  readonly credentials: readonly StoredCredential[];
  readonly denials: readonly StoredDenial[];
  /** The moment at which it was read, by the database's clock, in ms since 1970. */
  readonly now: number;
  /** Whether its operator has suspended it: nothing is allowed in it, and nobody of it may administer. */
  readonly suspended: boolean;
  /** How many decisions a second each replica answers it; null: as many as it can. */
  readonly decisionsPerSecond: number | null;
}

/**
 * Loads what changed after `since`. Undefined where there is no such tenant.
 *
 * INVARIANT: numbers and contents come from one REPEATABLE READ transaction, so contents are never older than the epoch
 * that they are used under.
 */
export async function loadTenant(store: Store, tenant: string, since: number): Promise<TenantDelta | undefined> {
  return store.read(tenant, async (view) => {
    const sentAt = performance.now();
    const [row] = await view.query<DeltaRow[]>(DELTA, [tenant, since]);
    if (!row) return undefined;
    store.clock.observe(Number(row.now), sentAt);
    return {
      revision: row.revision,
      epoch: row.epoch,
      documents: (row.documents ?? []).map(({ kind, name, version, body }) =>
        body ? { kind, name, stored: { document: body, version } } : { kind, name },
      ),
      credentials: (row.credentials ?? []).map(credentialOf),
      denials: row.denials ?? [],
      now: Number(row.now),
      suspended: row.suspended,
      decisionsPerSecond: row.decisionsPerSecond,
    };
  });
}

interface DeltaRow extends TenantNumbers {
  readonly now: number;
  readonly documents:
    | readonly {
        readonly kind: Kind;
        readonly name: string;
        readonly version: number;
        readonly body: AnyDocument | null;
      }[]
    | null;
  readonly credentials: readonly CredentialRow[] | null;
  readonly denials: readonly StoredDenial[] | null;
  readonly suspended: boolean;
  readonly decisionsPerSecond: number | null;
}

interface CredentialRow extends Omit<StoredCredential, 'secrets' | 'expiresAt'> {
  readonly expires: string | null;
  readonly secrets: readonly { readonly mac: string; readonly expires: string | null }[] | null;
}

const CREDENTIALS = `
  select c.id, c.kind, c.cidrs, c.jwks, c.issuer, c.subject, c.principal_kind as "principalKind", c.principal, c.environment, c.rights,
    to_json(c.expires_at) #>> '{}' as expires, c.disabled_at is not null as disabled,
    (select json_agg(json_build_object('mac', encode(s.mac, 'hex'), 'expires', s.expires_at) order by s.number)
     from placet.credential_secret s where s.tenant = c.tenant and s.credential = c.id) as secrets
  from placet.credential c where c.tenant = $1`;

const DELTA = `
  select s.revision, s.epoch, extract(epoch from clock_timestamp()) * 1000 as now,
    t.suspended_at is not null as suspended, t.max_decisions_per_second as "decisionsPerSecond",
    (select json_agg(json_build_object('kind', d.kind, 'name', d.name, 'version', d.version, 'body', d.body))
     from placet.document d where d.tenant = $1 and d.revision > $2) as documents,
    (select json_agg(c) from (${CREDENTIALS} and c.revision > $2) c) as credentials,
    (select json_agg(json_build_object('key', d.key, 'before', extract(epoch from d.before) * 1000,
      'expiresAt', extract(epoch from d.expires_at) * 1000))
     from placet.denial d where d.tenant = $1 and d.revision > $2 and d.expires_at > clock_timestamp()) as denials
  from placet.tenant_state s join placet.tenant t on t.id = s.tenant where s.tenant = $1`;

/**
 * One credential as it is stored at this moment, past every snapshot, and the tenant's numbers at that moment: rights that
 * rest on it are worked out on a snapshot that is at least as new.
 */
export async function loadCredential(
  store: Store,
  tenant: string,
  id: string,
): Promise<{ readonly credential: StoredCredential | undefined; readonly numbers: TenantNumbers }> {
  const [row] = await store.read(tenant, (view) =>
    view.query<(TenantNumbers & { credential: CredentialRow | null })[]>(
      `select s.revision, s.epoch, (select to_json(c) from (${CREDENTIALS} and c.id = $2) c) as credential
       from placet.tenant_state s where s.tenant = $1`,
      [tenant, id],
    ),
  );
  return {
    credential: row?.credential ? credentialOf(row.credential) : undefined,
    numbers: { revision: row?.revision ?? 0, epoch: row?.epoch ?? 0 },
  };
}

function credentialOf({ expires, secrets, ...row }: CredentialRow): StoredCredential {
  return {
    ...row,
    expiresAt: expires === null ? null : Date.parse(expires),
    secrets: (secrets ?? []).map((secret) => ({
      mac: Buffer.from(secret.mac, 'hex'),
      expiresAt: secret.expires === null ? null : Date.parse(secret.expires),
    })),
  };
}

/** The numbers of several tenants. A tenant that is not there is left out. */
export async function currentNumbers(store: Store, tenants: readonly string[]): Promise<Map<string, TenantNumbers>> {
  const rows = await store.call<TenantNumbers & { tenant: string }>(
    'select tenant, revision, epoch from placet.revisions($1)',
    [tenants],
  );
  return new Map(rows.map(({ tenant, revision, epoch }) => [tenant, { revision, epoch }]));
}
