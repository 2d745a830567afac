/** Tenants whose highest epoch is remembered: some 10 MB. */
const REMEMBERED = 100_000;

/**
 * The highest epoch seen of each tenant, also of those that are not in memory any more: a database that has lost what it
 * had confirmed is noticed by it. Where there are too many, those that were seen the longest ago are forgotten.
 */
export class HighestEpochs {
  readonly #seen = new Map<string, number>();

  constructor(private readonly most = REMEMBERED) {}

  of(tenant: string): number {
    return this.#seen.get(tenant) ?? 0;
  }

  see(tenant: string, epoch: number): void {
    this.#seen.delete(tenant);
    this.#seen.set(tenant, epoch);
    if (this.#seen.size <= this.most) return;
    const [oldest] = this.#seen.keys();
    this.#seen.delete(oldest!);
  }
}
