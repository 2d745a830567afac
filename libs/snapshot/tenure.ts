/** How long what is not used is kept, and what is in use meanwhile. Times in ms by the clock of the process. */
export class Tenure {
  readonly #used = new Map<string, number>();
  readonly #holds = new Map<string, number>();

  /** @param keep what is never given up */
  constructor(
    private readonly idleMs: number,
    private readonly keep: (key: string) => boolean,
  ) {}

  use(key: string): void {
    this.#used.set(key, performance.now());
  }

  /** Keeps something until the function that is returned is called. */
  hold(key: string): () => void {
    this.use(key);
    this.#holds.set(key, (this.#holds.get(key) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.use(key);
      const others = this.#holds.get(key)! - 1;
      if (others === 0) this.#holds.delete(key);
      else this.#holds.set(key, others);
    };
  }

  /** Whether something has been out of use for long enough to be given up. */
  isOver(key: string): boolean {
    if (this.#holds.has(key) || this.keep(key)) return false;
    return performance.now() - (this.#used.get(key) ?? -Infinity) >= this.idleMs;
  }

  forget(key: string): void {
    this.#used.delete(key);
  }
}
