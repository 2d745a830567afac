import type { ClaimedNotification, NotificationQueue, SettledNotification } from '#store';
import { deliver, type Delivery, type DeliveryMeans, type DeliveryOutcome } from './delivery.js';
import { waitAfter } from './waits.js';

/** How often a replica looks for what is due, in ms, where nobody says otherwise. */
const EVERY_MS = 1000;

/** How often it counts what waits, in ms. */
const COUNT_EVERY_MS = 15_000;

/** For how long nobody else takes what a replica is about to deliver: longer than an attempt can take, in ms. */
const LEASE_MS = 30_000;

/** Tenants that are told at once, and what of each. */
const TENANTS = 16;
const BATCH = 10;

/** Told what becomes of deliveries. */
interface NotifierEvents {
  /** After each attempt that was settled. */
  readonly attempted: (
    tenant: string,
    told: ClaimedNotification,
    delivery: Delivery,
    state: SettledNotification,
  ) => void;
  readonly queued: (waiting: number) => void;
  readonly failed: (error: unknown) => void;
}

export interface NotifierOptions extends DeliveryMeans {
  readonly events: NotifierEvents;
  /** In ms; left out: a second. */
  readonly everyMs?: number | undefined;
  /** In ms; left out: 30 seconds. */
  readonly leaseMs?: number | undefined;
}

/**
 * Tells receivers what is queued for them, at least once: every replica looks on an interval, takes what is due for a while, tries, and
 * writes down what came of it. What a replica took that was then killed is taken by another once the while is over. A tenant whose
 * receivers are slow holds up itself.
 */
export class Notifier {
  readonly #busy = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;
  #countedAt = -Infinity;

  constructor(
    private readonly queue: NotificationQueue,
    private readonly options: NotifierOptions,
  ) {}

  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then(() => this.start());
    }, this.options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  /** Waits for the attempts that are under way, and begins no other. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await Promise.all(this.#busy.values());
  }

  /** Takes one batch of every tenant that has something due and is not being told already. Never rejects. */
  async #look(): Promise<void> {
    const { failed, queued } = this.options.events;
    try {
      if (performance.now() - this.#countedAt >= COUNT_EVERY_MS) {
        queued(await this.queue.waiting());
        this.#countedAt = performance.now();
      }
      const due = await this.queue.tenants(2 * TENANTS);
      for (const tenant of due) {
        if (this.#closed || this.#busy.size >= TENANTS) return;
        if (this.#busy.has(tenant)) continue;
        const told = this.#tell(tenant)
          .catch(failed)
          .finally(() => this.#busy.delete(tenant));
        this.#busy.set(tenant, told);
      }
    } catch (error) {
      failed(error);
    }
  }

  /** Tells all that is due for a tenant, one batch after the other. */
  async #tell(tenant: string): Promise<void> {
    for (;;) {
      const claimed = await this.queue.claim(tenant, BATCH, this.options.leaseMs ?? LEASE_MS);
      await Promise.all(claimed.map((told) => this.#attempt(tenant, told)));
      if (claimed.length < BATCH || this.#closed) return;
    }
  }

  async #attempt(tenant: string, told: ClaimedNotification): Promise<void> {
    const delivery = await deliver(tenant, told, this.options);
    const retryMs = FINAL.includes(delivery.outcome) ? null : waitAfter(told.attempt, Math.random());
    const state = await this.queue.settle(tenant, told, delivery.outcome, retryMs);
    this.options.events.attempted(tenant, told, delivery, state);
  }
}

/** Outcomes after which there is nothing to be tried again. */
const FINAL: readonly DeliveryOutcome[] = ['delivered', 'gone'];
