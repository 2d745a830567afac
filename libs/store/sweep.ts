import type pg from 'pg';
import type { Store } from './store.js';

/** How often a replica looks for what is over, in ms, where nobody says otherwise. */
const EVERY_MS = 10 * 60_000;

/** Rows of each table that one transaction deletes at most. */
const BATCH = 500;

/** Transactions for one tenant at a time: what is more waits until the others have had their turn. */
const BATCHES = 100;

/** Tenants whose ids are read at once. */
const TENANTS = 500;

/** One number for "a Placet sweeps this database". */
const SWEEPING = 7_062_733_918_232;

/** After how long the database takes the turn away from a process that stands still. */
const STANDING_STILL = '1min';

/** How a sweep is tuned, and whom it tells what went wrong. */
export interface SweepOptions {
  readonly onError: (error: unknown) => void;
  /** In ms; left out: ten minutes. */
  readonly everyMs?: number | undefined;
  /** Rows of each table that one transaction deletes at most. */
  readonly batch?: number;
}

/**
 * Deletes what is over: people that a connector took away, a year after; sessions 30 days after their end; tokens, codes, denials, used-up things, retired keys and secrets
 * some time after they have expired; notifications a day after they were delivered or given up. Every replica tries on an interval; one at a time does it, on a connection of its own,
 * in small transactions, and the others do not wait. No request does any of it or waits for it.
 */
export class Sweep {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly store: Store,
    private readonly options: SweepOptions,
  ) {}

  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.run().then(() => this.start());
    }, this.options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  /** Waits for the transaction that is under way, and begins no other. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Sweeps every tenant, unless somebody else is at it. Never rejects. */
  async run(): Promise<void> {
    const client = this.store.client('sweep');
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(`select set_config('idle_session_timeout', $1, false)`, [STANDING_STILL]);
      const { rows } = await client.query<{ free: boolean }>('select pg_try_advisory_lock($1) as free', [SWEEPING]);
      if (rows[0]!.free) for await (const tenant of this.#tenants(client)) await this.#sweep(client, tenant);
    } catch (error) {
      this.options.onError(error);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async *#tenants(client: pg.Client): AsyncGenerator<string> {
    for (let last: string | null = null; ;) {
      const { rows }: pg.QueryResult<{ id: string }> = await client.query(
        'select id from placet.tenants_to_sweep($1, $2) id',
        [last, TENANTS],
      );
      for (const { id } of rows) {
        if (this.#closed) return;
        yield id;
        last = id;
      }
      if (rows.length < TENANTS) return;
    }
  }

  async #sweep(client: pg.Client, tenant: string): Promise<void> {
    for (let batch = 0; batch < BATCHES && !this.#closed; batch++) {
      const { rows } = await client.query<{ more: boolean }>(
        'select true = any (array[placet.sweep($1, $2), placet.sweep_notifications($1, $2), placet.sweep_scim($1, $2)]) as more',
        [tenant, this.options.batch ?? BATCH],
      );
      if (!rows[0]!.more) return;
    }
  }
}
