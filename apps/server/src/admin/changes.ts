import { Refusal } from '#http';
import type { Snapshots } from '#snapshot';
import { commitChange, type Change, type ChangeOutcome, type Store } from '#store';

/** Attempts at a change that others keep coming before. */
const ATTEMPTS = 8;

/** Makes changes of tenants, as often as it takes, and brings this replica up to them. */
export class Changes {
  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
  ) {}

  /**
   * Plans a change on the newest state and makes it; if another change came first, plans anew. Undefined from `plan`
   * means that there is nothing to do. Returns the revision after it. Throws what `plan` throws.
   */
  async make(tenant: string, plan: () => Promise<Change | undefined>): Promise<number> {
    let isCurrent = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const change = await plan().catch((error: unknown) => {
        if (isCurrent || !(error instanceof Refusal)) throw error;
        return undefined;
      });
      if (!change) {
        if (isCurrent) return (await this.snapshots.of(tenant)).revision;
        // A replica that has not heard of the last change may only believe that there is nothing to do, or that it is wrong.
        await this.snapshots.refresh(tenant, Infinity);
        isCurrent = true;
        continue;
      }
      const outcome = await commitChange(this.store, change);
      if (outcome.outcome === 'committed') {
        await this.snapshots.refresh(tenant, outcome.revision);
        return outcome.revision;
      }
      await this.#afterRefusal(tenant, outcome);
    }
    throw new Refusal('too_many_changes', 'others keep changing the same things: try again');
  }

  async #afterRefusal(tenant: string, outcome: Exclude<ChangeOutcome, { outcome: 'committed' }>): Promise<void> {
    if (outcome.outcome === 'principal') {
      throw new Refusal('forbidden', 'the key was disabled or expired while the change was being made');
    }
    if (outcome.outcome === 'missing') throw new Refusal('not_found', 'there is no such key, or no such host any more');
    await this.snapshots.refresh(tenant, Infinity);
  }
}
