import { principalOf, type Principal } from '#identity';
import { loadCredential, type Store } from '#store';
import type { Gate } from './gate.js';

/** Finds out who calls the administration API, by what the database says at this moment and not by a snapshot. */
export class Authenticator {
  constructor(
    private readonly store: Store,
    private readonly gate: Gate,
  ) {}

  /** Throws UnauthenticatedError. */
  async principalOf(authorization: string | undefined): Promise<Principal> {
    const { tenant, key } = await this.gate.callerOf(authorization);
    const stored = await loadCredential(this.store, tenant, key.id);
    return principalOf(tenant, stored, key, this.store.clock.now());
  }
}
