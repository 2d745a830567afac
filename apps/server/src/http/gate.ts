import { KeyReader, UnauthenticatedError, type KeyCheck, type PresentedKey } from '#identity';
import type { Store } from '#store';

/** A caller that has shown a key: which tenant it belongs to, and what is to be held against the stored one. */
export interface Caller {
  readonly tenant: string;
  readonly key: PresentedKey;
}

/** Keys whose tenant is remembered. A key never changes its tenant. */
const REMEMBERED = 10_000;

/** Finds the tenant of a key. Whether the key is good is found out on that tenant's state, at each decision anew. */
export class Gate {
  readonly #tenants = new Map<string, string>();

  readonly #keys: KeyReader;

  constructor(
    private readonly store: Store,
    check: KeyCheck,
  ) {
    this.#keys = new KeyReader(check);
  }

  /** Throws UnauthenticatedError. */
  async callerOf(authorization: string | undefined): Promise<Caller> {
    const key = this.#keys.read(authorization);
    const tenant = this.#tenants.get(key.id) ?? (await this.#tenantOf(key.id));
    return { tenant, key };
  }

  /** Forgets the keys of a tenant that was deleted. */
  forget(tenant: string): void {
    for (const [id, of] of this.#tenants) if (of === tenant) this.#tenants.delete(id);
  }

  async #tenantOf(id: string): Promise<string> {
    const tenant = await this.store.tenantOfCredential(id);
    if (tenant === undefined) throw new UnauthenticatedError('credentials_invalid', 'no such key');
    if (this.#tenants.size >= REMEMBERED) this.#tenants.clear();
    this.#tenants.set(id, tenant);
    return tenant;
  }
}
