import type { AbuseLimits } from '#http';
import {
  isGood,
  KeyReader,
  refusedKey,
  UnauthenticatedError,
  type KeyCheck,
  type Presented,
  type PresentedKey,
  type RefusedCredential,
} from '#identity';
import type { Snapshots } from '#snapshot';
import type { Store } from '#store';
import type { RefusedCredentials } from './refused-credentials.js';
import { TokenReader, type FindToken } from './token-reader.js';

/** A caller that has shown a key or an access token: which tenant it belongs to, and what is to be held against its state. */
export interface Caller {
  readonly tenant: string;
  readonly key: Presented;
  /** From where it calls, normalised. */
  readonly address: string;
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
    private readonly snapshots: Snapshots,
    check: KeyCheck,
    private readonly limits: AbuseLimits,
    private readonly refusals: RefusedCredentials,
    findToken: FindToken,
  ) {
    this.#keys = new KeyReader(check);
    this.#tokens = new TokenReader(findToken, () => store.clock.now());
  }

  /**
   * Throws UnauthenticatedError, and Refusal (`too_many_attempts`) for what need not be looked at any more.
   *
   * A key that is good by what is in memory is let in however often others at its address have failed, and however often
   * it has itself, with the secret of before its rotation: a company behind one address is not shut out by one host.
   */
  async callerOf(authorization: string | undefined, address: string): Promise<Caller> {
    const token = this.#tokens.read(authorization, () => this.limits.check('api_key', address));
    if (token) return { ...(await token), address };
    const key = this.#keys.read(authorization);
    const tenant = this.#tenants.get(key.id) ?? (await this.#tenantOf(key.id, address));
    if (!this.#mayTry(tenant, key, address)) this.limits.check('api_key', address, key.id);
    return { tenant, key, address };
  }

  /** Forgets the keys of a tenant that was deleted. */
  forget(tenant: string): void {
    for (const [id, of] of this.#tenants) if (of === tenant) this.#tenants.delete(id);
  }

  /**
   * What a caller is told whose request failed: the error itself, or that it failed too often. Every failure to
   * authenticate at an API of ours comes through here, to be counted and recorded.
   */
  told(error: unknown, address: string): unknown {
    if (!(error instanceof UnauthenticatedError)) return error;
    const told = this.refusals.refused(error, address);
    if (told === error && error.about?.reason === 'other_environment') void this.#noteNamesake(error.about, address);
    return told;
  }

  /** A key of another environment may have a namesake here; then it is known whose ledger is to have it. */
  async #noteNamesake(about: RefusedCredential, address: string): Promise<void> {
    const { credential } = about;
    const tenant = this.#tenants.get(credential) ?? (await this.store.tenantOfCredential(credential).catch(none));
    if (tenant !== undefined) this.refusals.note({ ...about, tenant }, address);
  }

  async #tenantOf(id: string, address: string): Promise<string> {
    const tenant = await this.#findTenant(id, address);
    if (tenant === undefined) throw refusedKey({ credential: id, reason: 'unknown' });
    if (this.#tenants.size >= REMEMBERED) this.#tenants.clear();
    this.#tenants.set(id, tenant);
    return tenant;
  }

  /** The database is not asked for whoever has failed too often; what is in memory is looked through even then. */
  async #findTenant(id: string, address: string): Promise<string | undefined> {
    if (this.limits.secondsToWait('api_key', address) === 0) return this.store.tenantOfCredential(id);
    const held = this.snapshots.watched().find((tenant) => this.snapshots.held(tenant)?.credential(id) !== undefined);
    if (held === undefined) this.limits.check('api_key', address);
    return held;
  }

  #mayTry(tenant: string, key: PresentedKey, address: string): boolean {
    if (this.limits.secondsToWait('api_key', address, key.id) === 0) return true;
    const snapshot = this.snapshots.held(tenant);
    const now = this.store.clock.now();
    return snapshot !== undefined && isGood(tenant, snapshot.credential(key.id), key, now, snapshot.epoch, address);
  }
}

const none = (): undefined => undefined;
