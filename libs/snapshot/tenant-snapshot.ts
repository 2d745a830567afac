import { PolicySet } from '#policy';
import type { StoredCredential, TenantDelta } from '#store';

/** One tenant at one revision, in memory. Moved forward in place, between two evaluations. */
export class TenantSnapshot {
  #revision: number;
  #epoch: number;
  readonly #credentials = new Map<string, StoredCredential>();
  readonly policies: PolicySet;

  constructor(
    readonly tenant: string,
    whole: TenantDelta,
  ) {
    this.policies = new PolicySet();
    this.#revision = 0;
    this.#epoch = 0;
    this.apply(whole);
  }

  get revision(): number {
    return this.#revision;
  }

  get epoch(): number {
    return this.#epoch;
  }

  credential(id: string): StoredCredential | undefined {
    return this.#credentials.get(id);
  }

  /** Takes over what is new. If this throws, the snapshot is unusable. */
  apply(delta: TenantDelta): void {
    this.policies.apply(delta.documents);
    for (const credential of delta.credentials) this.#credentials.set(credential.id, credential);
    this.#revision = delta.revision;
    this.#epoch = delta.epoch;
  }
}
