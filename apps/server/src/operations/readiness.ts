import type { Snapshots } from '#snapshot';
import type { Store } from '#store';

/** Whether this replica can decide: the database answers, and a tenant's snapshot is loaded. */
export class Readiness {
  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly tenant: string,
  ) {}

  async check(): Promise<{ readonly database: boolean; readonly snapshot: boolean }> {
    const database = await this.store.ping();
    return { database, snapshot: this.snapshots.held(this.tenant) !== undefined };
  }
}
