import { setTimeout as sleep } from 'node:timers/promises';

/** How often what is waited for is looked up, in ms. */
const LOOK_EVERY_MS = 500;

/** Waits of one host in this process at a time, and of all of them: each looks into the database twice a second. */
const MOST_OF_ONE = 50;
const MOST = 500;

/** What somebody waits for. */
interface Wanted<T> {
  /** Whose wait it is. */
  readonly by: string;
  /** In ms. */
  readonly longest: number;
  readonly look: () => Promise<T>;
  readonly isOver: (found: T) => boolean;
  /** Whether nobody is there any more to be told. */
  readonly isGone: () => boolean;
}

/**
 * Waits of hosts for people. One wait too many is none: it is answered with what there is, at once, as are all when the
 * process stops; and nothing is looked up for somebody who has gone away.
 */
export class Waits {
  readonly #waiting = new Map<string, number>();
  #all = 0;
  #closed = false;

  /** What is found in the end: what was waited for, or what there is when the time is over. */
  async for<T>({ by, longest, look, isOver, isGone }: Wanted<T>): Promise<T> {
    const until = performance.now() + longest;
    const found = await look();
    if (isOver(found) || longest <= 0 || !this.#begin(by)) return found;
    try {
      let last = found;
      for (
        let left = longest;
        left > 0 && !this.#closed && !isGone() && !isOver(last);
        left = until - performance.now()
      ) {
        await sleep(Math.min(LOOK_EVERY_MS, left));
        if (isGone()) break;
        last = await look();
      }
      return last;
    } finally {
      this.#end(by);
    }
  }

  /** Ends all waits soon, and lets nobody wait any more. */
  close(): void {
    this.#closed = true;
  }

  #begin(by: string): boolean {
    const own = this.#waiting.get(by) ?? 0;
    if (this.#closed || own >= MOST_OF_ONE || this.#all >= MOST) return false;
    this.#waiting.set(by, own + 1);
    this.#all++;
    return true;
  }

  #end(by: string): void {
    const own = this.#waiting.get(by)! - 1;
    if (own === 0) this.#waiting.delete(by);
    else this.#waiting.set(by, own);
    this.#all--;
  }
}
