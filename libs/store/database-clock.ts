/**
 * The database's clock as this process can tell it: what the database last said, plus the time that has passed here
 * since. Good enough to evaluate by; the commit holds it against the real one and refuses what is off by a second.
 */
export class DatabaseClock {
  #reference: { readonly database: number; readonly here: number } | undefined;

  /**
   * Takes note of an answer of the database.
   * @param databaseNow its clock, in ms since 1970
   * @param sentAt when it was asked, by `performance.now()`
   */
  observe(databaseNow: number, sentAt: number): void {
    this.#reference = { database: databaseNow, here: (sentAt + performance.now()) / 2 };
  }

  /** The time by the database's clock, in ms since 1970. */
  now(): number {
    if (!this.#reference) return Date.now();
    return this.#reference.database + performance.now() - this.#reference.here;
  }
}
