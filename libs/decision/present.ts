import type { HostScope } from '#identity';
import { Refusal, tenantSuspended } from '#http';
import { DecisionLedger, type CommitPort, type LedgerMetrics, type Refresh } from '#ledger';
import type { Snapshots } from '#snapshot';
import type { DatabaseClock } from '#store';
import { checkScope } from './assertions.js';
import { hostAt, isGood } from './calling-host.js';
import type { Moment } from './moment.js';
import type { Call } from './question.js';
import { Rates } from './rate.js';

/** The present state of tenants, as calls find it: brought up to what they know of, for those who are good at this moment. */
export class Present {
  readonly #ledgers = new Map<string, DecisionLedger>();
  readonly #rates = new Rates();

  constructor(
    private readonly snapshots: Snapshots,
    private readonly commits: CommitPort,
    private readonly clock: DatabaseClock,
    private readonly metrics: LedgerMetrics,
  ) {
    snapshots.onForget((tenant) => {
      this.#ledgers.delete(tenant);
      this.#rates.forget(tenant);
    });
  }

  /** While a decision is under way, the state that it rests on stays in memory. */
  keep({ tenant }: Call): Disposable {
    return { [Symbol.dispose]: this.snapshots.hold(tenant) };
  }

  /** Loads the tenant if need be, and brings it to what the caller knows of: a revision, or a key that is new here. */
  async bringUp(call: Call): Promise<void> {
    const { tenant, atLeast } = call;
    let snapshot = this.snapshots.held(tenant) ?? (await this.snapshots.of(tenant));
    // What is known here of a directory may be older than what others have read of it.
    if (snapshot.policies.silent.size > 0) snapshot = await this.snapshots.of(tenant);
    if (!isGood(snapshot, call, this.clock.now())) await this.snapshots.refresh(tenant, Infinity);
    if (atLeast === undefined || snapshot.revision >= atLeast) return;
    await this.snapshots.refresh(tenant, atLeast);
    const revision = this.snapshots.held(tenant)?.revision ?? 0;
    if (revision >= atLeast) return;
    throw new Refusal('revision_not_reached', `at_least is ${atLeast}, and the newest revision is ${revision}`);
  }

  /** Takes its questions off what the tenant may ask of this process. Whoever is not good may not use that up. */
  admit(call: Call, scope: HostScope, questions: number): void {
    const perSecond = this.snapshots.held(call.tenant)?.decisionsPerSecond ?? null;
    if (perSecond === null) return;
    this.moment(call, scope);
    this.#rates.take(call.tenant, perSecond, questions);
  }

  /** The caller is looked at anew at each evaluation: a key that was disabled in between decides nothing any more. */
  moment({ tenant, key, address }: Call, scope: HostScope): Moment {
    const snapshot = this.snapshots.held(tenant);
    if (!snapshot) throw new Refusal('too_many_changes', 'the state of the tenant is being loaded: ask again');
    const now = this.clock.now();
    const principal = hostAt(snapshot, { key, address }, now);
    checkScope(scope, principal);
    if (snapshot.suspended) throw tenantSuspended();
    const { revision, epoch, guardrails } = snapshot;
    return { snapshot, revision, epoch, guardrails, principal, now };
  }

  /** Whether a moment is of the state that there is now. */
  isHeld(tenant: string, { snapshot, revision, guardrails }: Moment): boolean {
    const isSame = snapshot.revision === revision && snapshot.guardrails === guardrails;
    return this.snapshots.held(tenant) === snapshot && isSame;
  }

  /** Where decisions of a tenant are committed. */
  ledger(tenant: string): DecisionLedger {
    let ledger = this.#ledgers.get(tenant);
    if (!ledger) {
      const refresh: Refresh = (of, revision, guardrails) => this.snapshots.refresh(of, revision, guardrails);
      this.#ledgers.set(tenant, (ledger = new DecisionLedger(tenant, this.commits, refresh, this.metrics)));
    }
    return ledger;
  }

  /** Resolves when no decision is under way any more. */
  async drain(): Promise<void> {
    await Promise.all([...this.#ledgers.values()].map((ledger) => ledger.drain()));
  }
}
