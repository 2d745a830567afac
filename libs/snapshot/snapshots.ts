import { ChangeFeed, loadTenant, type ChangeListener, type Store, type TenantNumbers } from '#store';
import { TenantSnapshot } from './tenant-snapshot.js';

/** A tenant's state cannot be used: it is not there, or it is older than what was seen of it before. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';

  constructor(
    readonly code: 'tenant_unknown' | 'state_regressed',
    message: string,
  ) {
    super(message);
  }
}

/** Least time between two loads, in ms, that only notifications of changes have asked for. */
const FOLLOW_EVERY_MS = 50;

/** The snapshots of all tenants in use: loaded on demand, and kept current. */
export class Snapshots implements ChangeListener {
  readonly #held = new Map<string, TenantSnapshot>();
  readonly #underWay = new Map<string, Promise<TenantSnapshot>>();
  /** The highest epoch seen of each tenant, also of those that are not held any more. */
  readonly #highest = new Map<string, number>();
  /** When each tenant was last brought up because of a change, by the clock of the process, and where that is due again. */
  readonly #followed = new Map<string, number>();
  readonly #following = new Map<string, NodeJS.Timeout>();
  readonly #feed: ChangeFeed;

  constructor(
    private readonly store: Store,
    private readonly onError: (error: unknown) => void = () => undefined,
  ) {
    this.#feed = new ChangeFeed(store, this);
  }

  /** Begins to follow changes. */
  async start(): Promise<void> {
    await this.#feed.start();
  }

  async close(): Promise<void> {
    await this.#feed.close();
    for (const timer of this.#following.values()) clearTimeout(timer);
    this.#following.clear();
  }

  /** A tenant's snapshot, if it is in memory. */
  held(tenant: string): TenantSnapshot | undefined {
    return this.#held.get(tenant);
  }

  /** A tenant's snapshot, loaded if need be. Throws SnapshotError, or what the store throws. */
  async of(tenant: string): Promise<TenantSnapshot> {
    return this.#held.get(tenant) ?? this.#load(tenant);
  }

  /** Brings a tenant's snapshot to a revision or beyond; a revision that is not there yet leaves it at the newest. */
  async refresh(tenant: string, revision: number): Promise<void> {
    const before = this.#held.get(tenant);
    if (before && before.revision >= revision) return;
    // What is under way may have begun to read before that revision was there.
    await this.#underWay.get(tenant)?.catch(() => undefined);
    const between = this.#held.get(tenant);
    if (between && between.revision >= revision) return;
    await this.#load(tenant);
  }

  watched(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Follows at once, and then no more often than every so often: who must not be behind finds out at the commit. */
  changed(tenant: string): void {
    if (!this.#held.has(tenant) || this.#following.has(tenant)) return;
    const last = this.#followed.get(tenant) ?? -Infinity;
    const follow = () => {
      this.#following.delete(tenant);
      this.#followed.set(tenant, performance.now());
      if (this.#held.has(tenant)) this.refresh(tenant, Infinity).catch(this.onError);
    };
    const wait = last + FOLLOW_EVERY_MS - performance.now();
    if (wait <= 0) follow();
    else this.#following.set(tenant, setTimeout(follow, wait));
  }

  seen(tenant: string, { revision }: TenantNumbers): void {
    this.refresh(tenant, revision).catch(this.onError);
  }

  #load(tenant: string): Promise<TenantSnapshot> {
    const underWay = this.#underWay.get(tenant);
    if (underWay) return underWay;
    const load = this.#catchUp(tenant).finally(() => this.#underWay.delete(tenant));
    this.#underWay.set(tenant, load);
    return load;
  }

  async #catchUp(tenant: string): Promise<TenantSnapshot> {
    const held = this.#held.get(tenant);
    const delta = await loadTenant(this.store, tenant, held?.revision ?? 0);
    if (!delta) throw new SnapshotError('tenant_unknown', `there is no tenant ${tenant}`);
    this.#refuseThePast(tenant, delta);
    try {
      if (held) held.apply(delta);
      const snapshot = held ?? new TenantSnapshot(tenant, delta);
      this.#held.set(tenant, snapshot);
      return snapshot;
    } catch (error) {
      // Half applied: nothing may be evaluated on it. The next request loads anew.
      this.#held.delete(tenant);
      throw error;
    }
  }

  /** A database that has lost what it had confirmed (a failover without a synchronous standby) must not go unnoticed. */
  #refuseThePast(tenant: string, { epoch }: TenantNumbers): void {
    const highest = this.#highest.get(tenant) ?? 0;
    if (epoch < highest) {
      this.#held.delete(tenant);
      throw new SnapshotError(
        'state_regressed',
        `tenant ${tenant} was at epoch ${highest} and is at ${epoch} now: the database has lost changes; restore it, then restart`,
      );
    }
    this.#highest.set(tenant, epoch);
  }
}
