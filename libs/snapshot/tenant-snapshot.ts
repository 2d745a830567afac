import { PolicySet } from '#policy';
import type { StoredCredential, TenantDelta } from '#store';
import { Denials } from './denials.js';

/** One tenant at one revision, in memory. Moved forward in place, between two evaluations. */
export class TenantSnapshot {
  #revision: number;
  #epoch: number;
  #guardrails = -1;
  #suspended = false;
  #decisionsPerSecond: number | null = null;
  readonly #credentials = new Map<string, StoredCredential>();
  readonly #denials = new Denials();
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

  /** The epoch of the guardrails that stand above the tenant here. */
  get guardrails(): number {
    return this.#guardrails;
  }

  /** Whether the operator has suspended the tenant: nothing is allowed in it, and nobody of it may administer. */
  get suspended(): boolean {
    return this.#suspended;
  }

  /** How many decisions a second this replica is to answer it; null: as many as it can. */
  get decisionsPerSecond(): number | null {
    return this.#decisionsPerSecond;
  }

  credential(id: string): StoredCredential | undefined {
    return this.#credentials.get(id);
  }

  /** Every credential, the disabled and expired ones as well. */
  credentials(): Iterable<StoredCredential> {
    return this.#credentials.values();
  }

  /**
   * Whether a token is refused by one of some keys (`token:...`, `client:...`, `subject:...`), though it has not expired.
   * @param issuedAt ms since 1970
   */
  denies(keys: readonly string[], issuedAt: number): boolean {
    return keys.some((key) => this.#denials.denies(key, issuedAt));
  }

  /** Takes over what is new. If this throws, the snapshot is unusable. */
  apply(delta: TenantDelta): void {
    this.policies.apply(delta.documents);
    if (delta.guardrails.changed !== null) this.policies.guard(delta.guardrails.changed);
    this.#guardrails = delta.guardrails.epoch;
    this.policies.provision(delta.people);
    for (const credential of delta.credentials) this.#credentials.set(credential.id, credential);
    this.#denials.add(delta.denials, delta.now);
    this.#suspended = delta.suspended;
    this.#decisionsPerSecond = delta.decisionsPerSecond;
    this.#revision = delta.revision;
    this.#epoch = delta.epoch;
  }
}
