import type pg from 'pg';
import type { Store } from './store.js';
import { currentNumbers, type PresentNumbers } from './tenant-state.js';

/** What a feed reports to. */
export interface ChangeListener {
  /** The tenants to watch. */
  watched(): readonly string[];
  /** A tenant may have moved on. */
  changed(tenant: string): void;
  /** The numbers of a watched tenant, read from the database. */
  seen(tenant: string, numbers: PresentNumbers): void;
  /** A watched tenant is not there any more. */
  gone(tenant: string): void;
}

const RECONNECT_MS = 1000;

/**
 * Tells when tenants change: at once by LISTEN, and at the latest after `pollMs` by asking. Notifications get lost;
 * nothing but speed depends on them.
 */
export class ChangeFeed {
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly store: Store,
    private readonly listener: ChangeListener,
    private readonly pollMs = 1000,
  ) {}

  async start(): Promise<void> {
    await this.#listen();
    this.#schedulePoll();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  async #listen(): Promise<void> {
    if (this.#closed) return;
    const client = this.store.client('feed');
    let lost = false;
    const reconnect = () => {
      if (lost || this.#closed) return;
      lost = true;
      client.end().catch(() => undefined);
      setTimeout(() => void this.#listen(), RECONNECT_MS).unref();
    };
    client.on('error', reconnect);
    client.on('end', reconnect);
    client.on('notification', ({ payload }) => payload && this.listener.changed(payload));
    try {
      await client.connect();
      await client.query('listen placet');
      this.#client = client;
    } catch {
      reconnect();
    }
  }

  #schedulePoll(): void {
    this.#timer = setTimeout(() => void this.#poll(), this.pollMs);
    this.#timer.unref();
  }

  async #poll(): Promise<void> {
    const tenants = this.listener.watched();
    try {
      const numbers =
        tenants.length > 0 ? await currentNumbers(this.store, tenants) : new Map<string, PresentNumbers>();
      for (const tenant of tenants) {
        const found = numbers.get(tenant);
        if (found) this.listener.seen(tenant, found);
        else this.listener.gone(tenant);
      }
    } catch {
      // The database is away: there is nothing to tell. Decisions find out by themselves, at their commit.
    }
    if (!this.#closed) this.#schedulePoll();
  }
}
