import type { AnyDocument, DocumentChange, Kind, ProvisionedRow, StoredDocument } from '#policy';
import type { Store } from './store.js';

/** The numbers of a tenant at one moment. */
export interface TenantNumbers {
  readonly revision: number;
  readonly epoch: number;
}

/** The same, and the epoch of what stands above all tenants. */
export interface PresentNumbers extends TenantNumbers {
  readonly guardrails: number;
}

/** A credential as it is stored: whose it is, what it may do, and the MACs of its live secrets. Times in ms since 1970. */
export interface StoredCredential {
  readonly id: string;
  /** An API key, an OAuth client, a workload that an identity provider vouches for, or the token of a connector (SCIM). */
  readonly kind: 'api_key' | 'client' | 'federated' | 'scim';
  readonly principalKind: 'host' | 'administrator' | 'connector';
  readonly principal: string;
  readonly environment: string;
  readonly rights: object;
  readonly expiresAt: number | null;
  readonly disabled: boolean;
  /** From where it may be used; null: from anywhere. */
  readonly cidrs: readonly string[] | null;
  /** Of a client: its public keys, as a JWK set. */
  readonly jwks: object | null;
  /** Of a federated one and of a connector's: the name of its Issuer; of the former, whom the tokens must be about. */
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
  /** Which guardrails stand above it: their epoch, and, where they have changed, all of them. Of the home tenant there are none. */
  readonly guardrails: { readonly epoch: number; readonly changed: readonly StoredDocument<'Guardrail'>[] | null };
  readonly documents: readonly DocumentChange[];
  readonly credentials: readonly StoredCredential[];
  readonly denials: readonly StoredDenial[];
  readonly people: readonly ProvisionedRow[];
  /** The moment at which it was read, by the database's clock, in ms since 1970. */
  readonly now: number;
  /** Whether its operator has suspended it: nothing is allowed in it, and nobody of it may administer. */
  readonly suspended: boolean;
  /** How many decisions a second each replica answers it; null: as many as it can. */
  readonly decisionsPerSecond: number | null;
}

/**
 * Loads what changed after `since`. Undefined where there is no such tenant.
 * @param guardrailsSince the epoch of the guardrails that are known; left out: none are
 *
 * INVARIANT: numbers and contents are read by one statement, so contents are never older than the epoch that they are used
 * under.
 */
export async function loadTenant(
  store: Store,
  tenant: string,
  since: number,
  guardrailsSince = -1,
): Promise<TenantDelta | undefined> {
  const sentAt = performance.now();
  const given = [tenant, since, guardrailsSince];
  const [row] = await store.call<DeltaRow>('select * from placet.tenant_delta($1, $2, $3)', given);
  if (!row) return undefined;
  store.clock.observe(row.read_at, sentAt);
  return {
    revision: row.revision,
    epoch: row.epoch,
    documents: (row.documents ?? []).map(({ kind, name, version, body }) =>
      body ? { kind, name, stored: { document: body, version } } : { kind, name },
    ),
    credentials: (row.credentials ?? []).map(credentialOf),
    denials: row.denials ?? [],
    people: row.people ?? [],
    now: row.read_at,
    suspended: row.suspended,
    decisionsPerSecond: row.decisions_per_second,
    guardrails: { epoch: row.guardrail_epoch, changed: row.guardrails },
  };
}

interface DeltaRow extends TenantNumbers {
  readonly read_at: number;
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
  readonly people: readonly ProvisionedRow[] | null;
  readonly suspended: boolean;
  readonly decisions_per_second: number | null;
  readonly guardrail_epoch: number;
  readonly guardrails: readonly StoredDocument<'Guardrail'>[] | null;
}

interface CredentialRow extends Omit<StoredCredential, 'secrets' | 'expiresAt'> {
  readonly expires: string | null;
  readonly secrets: readonly { readonly mac: string; readonly expires: string | null }[] | null;
}

/**
 * One credential as it is stored at this moment, past every snapshot, and the tenant's numbers at that moment: rights that
 * rest on it are worked out on a snapshot that is at least as new.
 */
export async function loadCredential(
  store: Store,
  tenant: string,
  id: string,
): Promise<{ readonly credential: StoredCredential | undefined; readonly numbers: TenantNumbers }> {
  const [row] = await store.call<TenantNumbers & { credential: CredentialRow | null }>(
    'select * from placet.credential_now($1, $2)',
    [tenant, id],
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
export async function currentNumbers(store: Store, tenants: readonly string[]): Promise<Map<string, PresentNumbers>> {
  const rows = await store.call<PresentNumbers & { tenant: string }>(
    'select tenant, revision, epoch, g.guardrails from placet.revisions($1), placet.guardrail_epoch() as g (guardrails)',
    [tenants],
  );
  return new Map(rows.map(({ tenant, ...numbers }) => [tenant, numbers]));
}
