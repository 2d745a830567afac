/** Looks that are remembered; of more, the oldest are forgotten. */
const MOST = 10_000;

/**
 * When people were first shown what they are asked, by this replica. Only metrics hang on it, so it is kept in memory: of an answer
 * that comes to another replica than the look, it is not known how long it took.
 */
export class FirstLooks {
  readonly #looks = new Map<string, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  note(tenant: string, request: string, person: string): void {
    const key = keyOf(tenant, request, person);
    if (this.#looks.has(key)) return;
    this.#looks.set(key, this.now());
    if (this.#looks.size > MOST) this.#looks.delete(this.#looks.keys().next().value!);
  }

  /** How long ago it was, in ms, and forgets it; null where it is not known. */
  take(tenant: string, request: string, person: string): number | null {
    const key = keyOf(tenant, request, person);
    const at = this.#looks.get(key);
    this.#looks.delete(key);
    return at === undefined ? null : this.now() - at;
  }
}

const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts);
