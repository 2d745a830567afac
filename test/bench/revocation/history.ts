/** What happened, as the callers saw it. Times are of one monotonic clock, in milliseconds. */
export class History {
  /** When the call that took a right away had returned, by whose right it was. */
  readonly #revoked = new Map<string, number>();
  readonly #decisions: { readonly who: string; readonly sentAt: number; readonly allowed: boolean }[] = [];

  revoked(who: string): void {
    this.#revoked.set(who, performance.now());
  }

  decided(who: string, sentAt: number, allowed: boolean): void {
    this.#decisions.push({ who, sentAt, allowed });
  }

  /** Decisions that were sent after the revocation had returned and were allows all the same. There may be none. */
  violations(): number {
    return this.#decisions.filter(
      ({ who, sentAt, allowed }) => allowed && sentAt > (this.#revoked.get(who) ?? Infinity),
    ).length;
  }

  /** Decisions that were sent after the revocation they concern had returned: those that could have been wrong. */
  askedAfterwards(): number {
    return this.#decisions.filter(({ who, sentAt }) => sentAt > (this.#revoked.get(who) ?? Infinity)).length;
  }

  /** What came of the decisions about one: allows in all, and how many were sent after the revocation had returned. */
  about(one: string): { readonly allows: number; readonly askedAfterwards: number } {
    const own = this.#decisions.filter(({ who }) => who === one);
    const revokedAt = this.#revoked.get(one) ?? Infinity;
    return {
      allows: own.filter(({ allowed }) => allowed).length,
      askedAfterwards: own.filter(({ sentAt }) => sentAt > revokedAt).length,
    };
  }

  get decisions(): number {
    return this.#decisions.length;
  }

  get allows(): number {
    return this.#decisions.filter(({ allowed }) => allowed).length;
  }

  get revocations(): number {
    return this.#revoked.size;
  }
}
