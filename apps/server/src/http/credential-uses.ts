import type { Log } from '../operations/log.js';

/** Writes down when credentials of a tenant were used, as pairs of id and ms since 1970. */
export type UseWriter = (tenant: string, uses: readonly (readonly [credential: string, at: number])[]) => Promise<void>;

/** How old, in ms, what is written about a credential may grow before it is written again. */
const COARSE_MS = 5 * 60_000;

/** How long, in ms, uses are gathered, to be written at once. */
const GATHERED_MS = 10_000;

/** Credentials whose last written use is remembered. */
const REMEMBERED = 20_000;

/**
 * When credentials were last used, to within five minutes. Nobody waits for it: what could not be written, or was not yet
 * when the process ended, is lost.
 */
export class CredentialUses {
  /** When a use was last noted, by the id of the credential, which no other tenant has. */
  readonly #noted = new Map<string, number>();
  readonly #gathered = new Map<string, Map<string, number>>();
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly write: UseWriter,
    private readonly log: Log,
    private readonly now: () => number = () => Date.now(),
  ) {
    this.#timer = setInterval(() => this.flush(), GATHERED_MS).unref();
  }

  /** Notes that a credential has proven itself now. */
  used(tenant: string, credential: string): void {
    const now = this.now();
    const noted = this.#noted.get(credential);
    if (noted !== undefined && now - noted < COARSE_MS) return;
    if (this.#noted.size >= REMEMBERED) this.#noted.clear();
    this.#noted.set(credential, now);
    let gathered = this.#gathered.get(tenant);
    if (!gathered) this.#gathered.set(tenant, (gathered = new Map<string, number>()));
    gathered.set(credential, now);
  }

  /** Writes what was gathered, one tenant after the other. */
  flush(): void {
    const gathered = [...this.#gathered];
    this.#gathered.clear();
    if (gathered.length === 0) return;
    this.#writing = this.#writing.then(async () => {
      for (const [tenant, uses] of gathered) {
        await this.write(tenant, [...uses]).catch((error: unknown) =>
          this.log.warn('the last use of credentials could not be written', { reason: String(error) }),
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
