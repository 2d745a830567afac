import { Refusal } from '#http';

interface Bucket {
  level: number;
  at: number;
}

/**
 * How many decisions a second each tenant gets out of this process. A call is let in while there is anything left, and takes
 * as much as it has questions, so that a large one passes and is paid for afterwards.
 */
export class Rates {
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Throws Refusal (`quota_exceeded`) where a tenant has had its share.
   * @param now in ms, by a clock that never goes back
   */
  take(tenant: string, perSecond: number, questions: number, now = performance.now()): void {
    const before = this.#buckets.get(tenant) ?? { level: perSecond, at: now };
    const level = Math.min(perSecond, before.level + ((now - before.at) / 1000) * perSecond);
    const isIn = level > 0;
    this.#buckets.set(tenant, { level: isIn ? level - questions : level, at: now });
    if (isIn) return;
    throw new Refusal(
      'quota_exceeded',
      `the tenant has had its ${perSecond} decisions of this second: ask again, or ask its operator for more`,
    );
  }

  forget(tenant: string): void {
    this.#buckets.delete(tenant);
  }
}
