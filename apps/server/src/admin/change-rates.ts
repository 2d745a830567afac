import { Refusal } from '#http';
import type { AdministratorPrincipal } from '#identity';

/** Changes that somebody can make at once who has made none for a while, and how many more each second. */
const SAVED_UP = 20_000;
const PER_SECOND = 5;

/** Who made changes lately. The one who made none for longest is forgotten first: they have nearly all of theirs again. */
const REMEMBERED = 10_000;

interface Bucket {
  readonly left: number;
  readonly at: number;
}

/**
 * How many changes one person or key may make in this process. Every change leaves rows that are kept for good: so a stolen
 * key, however little it may do, does not fill the disk of all tenants; and whoever else may end it is not held up by it.
 */
export class ChangeRates {
  readonly #buckets = new Map<string, Bucket>();

  /** @param now in ms, by a clock that never goes back */
  constructor(
    private readonly savedUp = SAVED_UP,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Counts a change. Throws Refusal (`quota_exceeded`) for whoever has made too many. */
  take({ tenant, subject, credential }: Pick<AdministratorPrincipal, 'tenant' | 'subject' | 'credential'>): void {
    // A person stays the same one with each sign-in.
    const maker = JSON.stringify([tenant, subject ? `${subject.type}:${subject.id}` : credential]);
    const now = this.now();
    const before = this.#buckets.get(maker) ?? { left: this.savedUp, at: now };
    const left = Math.min(this.savedUp, before.left + ((now - before.at) / 1000) * PER_SECOND);
    if (left < 1) {
      const seconds = Math.ceil((1 - left) / PER_SECOND);
      throw new Refusal('quota_exceeded', `you have made too many changes: there are ${PER_SECOND} more each second`, {
        retry_after: seconds,
      });
    }
    this.#buckets.delete(maker);
    this.#buckets.set(maker, { left: left - 1, at: now });
    if (this.#buckets.size > REMEMBERED) this.#buckets.delete(this.#buckets.keys().next().value!);
  }
}
