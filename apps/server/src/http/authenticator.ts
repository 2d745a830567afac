import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '#http';
import { administratorAgain, isToken, principalOf, type AdministratorPrincipal, type Principal } from '#identity';
import type { Snapshots } from '#snapshot';
import { loadCredential, type Store } from '#store';
import type { Gate } from './gate.js';
import type { TokenPrincipals } from './token-principals.js';

/** Finds out who calls the administration API, by what the database says at this moment and not by a snapshot. */
export class Authenticator {
  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly gate: Gate,
    private readonly tokens: TokenPrincipals,
  ) {}

  /** Throws UnauthenticatedError. */
  async principalOf(authorization: string | undefined): Promise<Principal> {
    const { tenant, key } = await this.gate.callerOf(authorization);
    if (isToken(key)) return this.tokens.principalOf(tenant, key);
    const { credential, numbers } = await loadCredential(this.store, tenant, key.id);
    const principal = principalOf(tenant, credential, key, this.store.clock.now(), numbers.epoch);
    // Rights are read from the snapshot, which must not be older than the credential.
    await this.snapshots.refresh(tenant, numbers.revision);
    return principal;
  }

  /**
   * Looks an administrator up anew, whose rights may have changed since. Throws UnauthenticatedError if it is none any
   * more, and Refusal if its rights are not the same.
   */
  async again(before: AdministratorPrincipal): Promise<AdministratorPrincipal> {
    const after = before.via === 'token' ? await this.tokens.again(before) : await this.#keyAgain(before);
    if (isDeepStrictEqual(after.rights, before.rights)) return after;
    throw new Refusal('forbidden', 'the rights of the caller were changed while the change was being made');
  }

  async #keyAgain(before: AdministratorPrincipal): Promise<AdministratorPrincipal> {
    const { credential, numbers } = await loadCredential(this.store, before.tenant, before.credential);
    return administratorAgain(before, credential, this.store.clock.now(), numbers.epoch);
  }
}
