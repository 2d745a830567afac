import { KeyReader, UnauthenticatedError, type KeyCheck, type Presented } from '#identity';
import type { Store } from '#store';
import { TokenReader, type FindToken } from './token-reader.js';

/** A caller that has shown a key or an access token: which tenant it belongs to, and what is to be held against its state. */
export interface Caller {
  readonly tenant: string;
  readonly key: Presented;
}

/** Keys whose tenant is remembered. A key never changes its tenant. */
const REMEMBERED = 10_000;

/** Finds the tenant of a key. Whether the key is good is found out on that tenant's state, at each decision anew. */
export class Gate {
  readonly #tenants = new Map<string, string>();

  readonly #keys: KeyReader;
  readonly #tokens: TokenReader;

  constructor(
    private readonly store: Store,
    check: KeyCheck,
    findToken: FindToken,
  ) {
    this.#keys = new KeyReader(check);
    this.#tokens = new TokenReader(findToken, () => store.clock.now());
  }

  /** Throws UnauthenticatedError. */
  async callerOf(authorization: string | undefined): Promise<Caller> {
    const token = this.#tokens.read(authorization);
    if (token) return token;
    const key = this.#keys.read(authorization);
    const tenant = this.#tenants.get(key.id) ?? (await this.#tenantOf(key.id));
    return { tenant, key };
  }

  async #tenantOf(id: string): Promise<string> {
    const tenant = await this.store.tenantOfCredential(id);
    if (tenant === undefined) throw new UnauthenticatedError('credentials_invalid', 'no such key');
    if (this.#tenants.size >= REMEMBERED) this.#tenants.clear();
    this.#tenants.set(id, tenant);
    return tenant;
  }
}
