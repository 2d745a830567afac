import type { Store } from './store.js';

/** A signing key of a tenant. The private part is encrypted. */
export interface StoredSigningKey {
  readonly id: string;
  readonly algorithm: string;
  readonly publicJwk: object;
  readonly sealed: Buffer;
  /** Whether it signs; else it is only published still, for what it has signed. */
  readonly isCurrent: boolean;
}

/** A key that has signed receipts, or does. Times in ms since 1970. */
export interface ReceiptKey {
  readonly publicJwk: object;
  readonly madeAt: number;
  /** Null: it signs. */
  readonly replacedAt: number | null;
}

/** The signing keys of tenants. Replacing one is a change (`replace_signing_key`). */
export class SigningKeyStore {
  constructor(private readonly store: Store) {}

  /** Those that are published, the present ones first. */
  async list(tenant: string): Promise<StoredSigningKey[]> {
    return this.store.read(tenant, (view) =>
      view.query<StoredSigningKey[]>(
        `select k.id, k.algorithm, k.public_jwk as "publicJwk", k.sealed, k.retires_at is null as "isCurrent"
         from placet.signing_key k
         where k.tenant = $1 and (k.retires_at is null or k.retires_at > clock_timestamp())
         order by k.retires_at is null desc, k.algorithm, k.created_at desc`,
        [tenant],
      ),
    );
  }

  /** All that have ever signed receipts, the newest first: receipts must be verifiable for longer than a key signs. */
  async ofReceipts(tenant: string): Promise<ReceiptKey[]> {
    return this.store.read(tenant, (view) =>
      view.query<ReceiptKey[]>(
        `select k.public_jwk as "publicJwk", (extract(epoch from k.made_at) * 1000)::float8 as "madeAt",
           (extract(epoch from k.replaced_at) * 1000)::float8 as "replacedAt"
         from placet.receipt_key k where k.tenant = $1 order by k.made_at desc, k.id`,
        [tenant],
      ),
    );
  }

  /** Adds the first key of an algorithm; where there is one by now, that one stays. */
  async addFirst(tenant: string, key: Omit<StoredSigningKey, 'isCurrent'>): Promise<void> {
    await this.store.call('select placet.add_signing_key($1, $2, $3, $4, $5)', [
      tenant,
      key.id,
      key.algorithm,
      JSON.stringify(key.publicJwk),
      key.sealed,
    ]);
  }
}
