import { ChangeFeed, loadTenant, type ChangeListener, type PresentNumbers, type Store, type TenantDelta } from '#store';
import { DirectoryReadings } from './directory-readings.js';
import { HighestEpochs } from './highest-epochs.js';
import { TenantSnapshot } from './tenant-snapshot.js';
import { Tenure } from './tenure.js';

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

/** Tenants that are brought up to new guardrails at each look, though nobody asks about them. */
const GUARDED_AT_ONCE = 8;

/** Which snapshots stay in memory. */
export interface Keeping {
  /** For how long one that is not used stays, in ms. */
  readonly idleMs: number;
  /** The tenant whose snapshot always stays. */
  readonly home: string | undefined;
}

/** Told which tenants are not in memory any more: what else is kept about them can go. */
export type ForgetListener = (tenant: string, why: 'idle' | 'gone') => void;

const FOREVER: Keeping = { idleMs: Infinity, home: undefined };

/** How often is looked for snapshots that are not used any more, at the most, in ms. */
const SWEEP_EVERY_MS = 60_000;

/** The snapshots of all tenants in use: loaded on demand, kept current, and given up when nobody has used them for long. */
export class Snapshots implements ChangeListener {
  readonly #held = new Map<string, TenantSnapshot>();
  readonly #underWay = new Map<string, Promise<TenantSnapshot>>();
  readonly #highest = new HighestEpochs();
  readonly #highestGuardrails = new HighestEpochs();
  readonly #tenure: Tenure;
  readonly #listeners: ForgetListener[] = [];
  #sweeping: NodeJS.Timeout | undefined;
  /** When each tenant was last brought up because of a change, by the clock of the process, and where that is due again. */
  readonly #followed = new Map<string, number>();
  readonly #following = new Map<string, NodeJS.Timeout>();
  readonly #feed: ChangeFeed;
  readonly #directories: DirectoryReadings;

  constructor(
    private readonly store: Store,
    private readonly onError: (error: unknown) => void = () => undefined,
    private readonly keeping: Keeping = FOREVER,
  ) {
    this.#tenure = new Tenure(keeping.idleMs, (tenant) => tenant === keeping.home || this.#underWay.has(tenant));
    this.#feed = new ChangeFeed(store, this);
    this.#directories = new DirectoryReadings(store, onError);
  }

  /** Begins to follow changes. */
  async start(): Promise<void> {
    await this.#feed.start();
    if (this.keeping.idleMs === Infinity) return;
    this.#sweeping = setInterval(() => this.sweep(), Math.min(this.keeping.idleMs / 2, SWEEP_EVERY_MS));
    this.#sweeping.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await this.#feed.close();
    for (const timer of this.#following.values()) clearTimeout(timer);
    this.#following.clear();
  }

  /** A tenant's snapshot, if it is in memory. */
  held(tenant: string): TenantSnapshot | undefined {
    const snapshot = this.#held.get(tenant);
    if (snapshot) this.#directories.mark(snapshot);
    return snapshot;
  }

  /** Tells a listener of every tenant that is given up. */
  onForget(listener: ForgetListener): void {
    this.#listeners.push(listener);
  }

  /** Keeps a tenant's snapshot, once it is loaded, until the function that is returned is called. */
  hold(tenant: string): () => void {
    return this.#tenure.hold(tenant);
  }

  /** Gives up what nobody has used for long. What changes meanwhile is loaded again with the rest. */
  sweep(): void {
    for (const tenant of this.#held.keys()) if (this.#tenure.isOver(tenant)) this.#forget(tenant, 'idle');
  }

  /** A tenant's snapshot, loaded if need be. Throws SnapshotError, or what the store throws. */
  async of(tenant: string): Promise<TenantSnapshot> {
    this.#tenure.use(tenant);
    const snapshot = this.#held.get(tenant) ?? (await this.#load(tenant));
    await this.#directories.bringUp(snapshot);
    return snapshot;
  }

  /**
   * Brings a tenant's snapshot to a revision or beyond; a revision that is not there yet leaves it at the newest.
   * @param guardrails the epoch to which those above it are to be brought; left out: what it has is enough
   */
  async refresh(tenant: string, revision: number, guardrails = -1): Promise<void> {
    const isThere = (held = this.#held.get(tenant)) =>
      held !== undefined && held.revision >= revision && held.guardrails >= guardrails;
    if (isThere()) return;
    // What is under way may have begun to read before that revision was there.
    await this.#underWay.get(tenant)?.catch(() => undefined);
    if (isThere()) return;
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
      this.#follow(tenant, Infinity);
    };
    const wait = last + FOLLOW_EVERY_MS - performance.now();
    if (wait <= 0) follow();
    else this.#following.set(tenant, setTimeout(follow, wait));
  }

  /** Guardrails concern all tenants at once: a few at a time are brought up, and who is asked before finds out at the commit. */
  seen(tenant: string, { revision, guardrails }: PresentNumbers): void {
    this.#follow(tenant, revision, this.#underWay.size < GUARDED_AT_ONCE ? guardrails : undefined);
  }

  gone(tenant: string): void {
    this.#follow(tenant, Infinity);
  }

  /** Only of what is in memory: what was given up meanwhile stays away. */
  #follow(tenant: string, revision: number, guardrails?: number): void {
    if (!this.#held.has(tenant)) return;
    this.refresh(tenant, revision, guardrails).catch((error: unknown) => {
      // A tenant that was deleted is no fault.
      if (!(error instanceof SnapshotError && error.code === 'tenant_unknown')) this.onError(error);
    });
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
    const delta = await loadTenant(this.store, tenant, held?.revision ?? 0, held?.guardrails);
    if (!delta) {
      this.#forget(tenant, 'gone');
      throw new SnapshotError('tenant_unknown', 'there is no such tenant any more');
    }
    this.#refuseThePast(tenant, delta);
    try {
      if (held) held.apply(delta);
      const snapshot = held ?? new TenantSnapshot(tenant, delta);
      if (!held) this.#tenure.use(tenant);
      this.#held.set(tenant, snapshot);
      return snapshot;
    } catch (error) {
      // Half applied: nothing may be evaluated on it. The next request loads anew.
      this.#held.delete(tenant);
      throw error;
    }
  }

  /** A database that has lost what it had confirmed (a failover without a synchronous standby) must not go unnoticed. */
  #refuseThePast(tenant: string, { epoch, guardrails }: TenantDelta): void {
    this.#refuseBelow(tenant, epoch, `tenant ${tenant}`);
    // Kept for each tenant, as loads of two of them may end in another order than they were read in.
    this.#refuseBelow(tenant, guardrails.epoch, `what stands above tenant ${tenant}`, this.#highestGuardrails);
  }

  #refuseBelow(tenant: string, epoch: number, what: string, highest = this.#highest): void {
    const before = highest.of(tenant);
    if (epoch < before) {
      this.#held.delete(tenant);
      throw new SnapshotError(
        'state_regressed',
        `${what} was at epoch ${before} and is at ${epoch} now: the database has lost changes; restore it, then restart`,
      );
    }
    highest.see(tenant, epoch);
  }

  #forget(tenant: string, why: 'idle' | 'gone'): void {
    this.#held.delete(tenant);
    this.#followed.delete(tenant);
    clearTimeout(this.#following.get(tenant));
    this.#following.delete(tenant);
    this.#tenure.forget(tenant);
    this.#directories.forget(tenant);
    for (const listener of this.#listeners) listener(tenant, why);
  }
}
