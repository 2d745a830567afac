import type { Log } from '../operations/log.js';

/** Writes down when things of a tenant were used, as pairs of id and ms since 1970. */
export type UseWriter = (tenant: string, uses: readonly (readonly [id: string, at: number])[]) => Promise<void>;

/** What is used, as the log calls it, and how old, in ms, what is written about one may grow before it is written again. */
interface Used {
  readonly what: string;
  readonly coarseMs: number;
}

const CREDENTIALS: Used = { what: 'credentials', coarseMs: 5 * 60_000 };

/** Agreements that any number of calls may rest on; those whose uses are counted are written with each use. */
export const CONSENT_USES: Used = { what: 'consents', coarseMs: 60_000 };

/** How long, in ms, uses are gathered, to be written at once. */
const GATHERED_MS = 10_000;

/** Things whose last written use is remembered. */
const REMEMBERED = 20_000;

/**
 * When things were last used, to within some minutes. Nobody waits for it: what could not be written, or was not yet
 * when the process ended, is lost.
 */
export class LastUses {
  /** When a use was last noted, by the id, which no other tenant has. */
  readonly #noted = new Map<string, number>();
  readonly #gathered = new Map<string, Map<string, number>>();
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly write: UseWriter,
    private readonly log: Log,
    private readonly now: () => number = () => Date.now(),
    private readonly of: Used = CREDENTIALS,
  ) {
    this.#timer = setInterval(() => this.flush(), GATHERED_MS).unref();
  }

  /** Notes that something is used now. */
  used(tenant: string, id: string): void {
    const now = this.now();
    const noted = this.#noted.get(id);
    if (noted !== undefined && now - noted < this.of.coarseMs) return;
    if (this.#noted.size >= REMEMBERED) this.#noted.clear();
    this.#noted.set(id, now);
    let gathered = this.#gathered.get(tenant);
    if (!gathered) this.#gathered.set(tenant, (gathered = new Map<string, number>()));
    gathered.set(id, now);
  }

  /** Writes what was gathered, one tenant after the other. */
  flush(): void {
    const gathered = [...this.#gathered];
    this.#gathered.clear();
    if (gathered.length === 0) return;
    this.#writing = this.#writing.then(async () => {
      for (const [tenant, uses] of gathered) {
        await this.write(tenant, [...uses]).catch((error: unknown) =>
          this.log.warn(`the last use of ${this.of.what} could not be written`, { reason: String(error) }),
        );
      }
    });
  }

  /** Writes what was gathered, and waits for it. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.flush();
    await this.#writing;
  }
}
