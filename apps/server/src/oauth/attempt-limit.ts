/** Addresses or names that are counted. */
const COUNTED = 10_000;

/** Counts attempts at guessing something short, in the memory of this process. */
export class AttemptLimit {
  readonly #counts = new Map<string, { count: number; readonly since: number }>();

  /** @param now ms, from any beginning, that never goes back */
  constructor(
    private readonly most: number,
    private readonly perMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether there may be another attempt. */
  allows(key: string): boolean {
    const counted = this.#counted(key);
    return counted === undefined || counted.count < this.most;
  }

  /** Counts one. */
  count(key: string): void {
    const counted = this.#counted(key);
    if (counted) counted.count++;
    else {
      if (this.#counts.size >= COUNTED) this.#counts.delete(this.#counts.keys().next().value!);
      this.#counts.set(key, { count: 1, since: this.now() });
    }
  }

  #counted(key: string): { count: number } | undefined {
    const counted = this.#counts.get(key);
    if (!counted || this.now() - counted.since < this.perMs) return counted;
    this.#counts.delete(key);
    return undefined;
  }
}
