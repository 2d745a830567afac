import { PolicySet } from '#policy';
import type { StoredCredential, TenantDelta } from '#store';

/** One tenant at one revision, in memory. Moved forward in place, between two evaluations. */
export class TenantSnapshot {
  #revision: number;
  #epoch: number;
  #suspended = false;
  #decisionsPerSecond: number | null = null;
  readonly #credentials = new Map<string, StoredCredential>();
  /** Until when what was issued is refused, by the key of the denial, in ms since 1970. */
  readonly #denials = new Map<string, number>();
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
    return keys.some((key) => !(issuedAt > (this.#denials.get(key) ?? -Infinity)));
  }

  /** Takes over what is new. If this throws, the snapshot is unusable. */
  apply(delta: TenantDelta): void {
    this.policies.apply(delta.documents);
    for (const credential of delta.credentials) this.#credentials.set(credential.id, credential);
    for (const { key, before } of delta.denials)
      this.#denials.set(key, Math.max(before, this.#denials.get(key) ?? before));
    this.#suspended = delta.suspended;
    this.#decisionsPerSecond = delta.decisionsPerSecond;
    this.#revision = delta.revision;
    this.#epoch = delta.epoch;
  }
}
