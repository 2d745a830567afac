import { type AnyDocument, type DocumentChange, type Kind } from '#policy';
import type { Store } from './store.js';

/** The numbers of a tenant at one moment. */
export interface TenantNumbers {
  readonly revision: number;
  readonly epoch: number;
}

/** A key as it is stored: whose it is, what it may do, and the MACs of its live secrets. Times in ms since 1970. */
export interface StoredCredential {
  readonly id: string;
  readonly principalKind: 'host' | 'administrator';
  readonly principal: string;
  readonly environment: string;
  readonly rights: object;
  readonly expiresAt: number | null;
  readonly disabled: boolean;
  readonly secrets: readonly { readonly mac: Buffer; readonly expiresAt: number | null }[];
}

/** What of a tenant is new since a revision (0: everything), in one consistent view with the numbers. */
export interface TenantDelta extends TenantNumbers {
  readonly documents: readonly DocumentChange[];
  readonly credentials: readonly StoredCredential[];
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
}

interface CredentialRow extends Omit<StoredCredential, 'secrets' | 'expiresAt'> {
  readonly expires: string | null;
  readonly secrets: readonly { readonly mac: string; readonly expires: string | null }[];
}

const CREDENTIALS = `
  select c.id, c.principal_kind as "principalKind", c.principal, c.environment, c.rights,
    to_json(c.expires_at) #>> '{}' as expires, c.disabled_at is not null as disabled,
    (select json_agg(json_build_object('mac', encode(s.mac, 'hex'), 'expires', s.expires_at) order by s.number)
     from placet.credential_secret s where s.tenant = c.tenant and s.credential = c.id) as secrets
  from placet.credential c where c.tenant = $1`;

const DELTA = `
  select s.revision, s.epoch, extract(epoch from clock_timestamp()) * 1000 as now,
    (select json_agg(json_build_object('kind', d.kind, 'name', d.name, 'version', d.version, 'body', d.body))
     from placet.document d where d.tenant = $1 and d.revision > $2) as documents,
    (select json_agg(c) from (${CREDENTIALS} and c.revision > $2) c) as credentials
  from placet.tenant_state s where s.tenant = $1`;

/** One key as it is stored at this moment, past every snapshot. */
export async function loadCredential(store: Store, tenant: string, id: string): Promise<StoredCredential | undefined> {
  const rows = await store.read(tenant, (view) =>
    view.query<CredentialRow[]>(`${CREDENTIALS} and c.id = $2`, [tenant, id]),
  );
  return rows.map(credentialOf)[0];
}

function credentialOf({ expires, secrets, ...row }: CredentialRow): StoredCredential {
  return {
    ...row,
    expiresAt: expires === null ? null : Date.parse(expires),
    secrets: secrets.map((secret) => ({
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
