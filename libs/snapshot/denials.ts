import type { StoredDenial } from '#store';

/** Denials that are kept before those that are over are looked for. */
const SWEPT_FROM = 1000;

/** What was issued and is refused. One that is over, as every token that it concerns has expired, is dropped in time. */
export class Denials {
  readonly #kept = new Map<string, { before: number; expiresAt: number }>();
  #sweepAt = SWEPT_FROM;

  /** Whether something of a key that was issued at a moment (ms since 1970) is refused. */
  denies(key: string, issuedAt: number): boolean {
    return !(issuedAt > (this.#kept.get(key)?.before ?? -Infinity));
  }

  /**
   * Takes over denials: of two of a key, whatever one of them refuses is refused.
   * @param now ms since 1970, by the database's clock
   */
  add(denials: Iterable<StoredDenial>, now: number): void {
    for (const { key, before, expiresAt } of denials) {
      const known = this.#kept.get(key) ?? { before, expiresAt };
      this.#kept.set(key, {
        before: Math.max(before, known.before),
        expiresAt: Math.max(expiresAt, known.expiresAt),
      });
    }
    if (this.#kept.size < this.#sweepAt) return;
    for (const [key, { expiresAt }] of this.#kept) if (expiresAt <= now) this.#kept.delete(key);
    // Each is looked at a few times in all, however many there are.
    this.#sweepAt = Math.max(SWEPT_FROM, 2 * this.#kept.size);
  }

  get size(): number {
    return this.#kept.size;
  }
}
