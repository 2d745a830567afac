import { recordEvent, type EventKind } from './events.js';
import type { Store } from './store.js';

/** How long events of one kind are counted before they are recorded again, in ms. */
const WINDOW_MS = 60_000;

/** Kinds that are counted at a time. What is more is counted as one of its tenant. */
const MAX_KINDS = 1000;

interface Counting {
  readonly tenant: string;
  readonly content: object;
  count: number;
  since: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Records events that anybody may cause, however often: the first of a kind at once, and after that one record a minute
 * with how many there were. Nothing waits for a record, and nothing depends on one.
 */
export class CountedEvents {
  readonly #counting = new Map<string, Counting>();
  readonly #writing = new Set<Promise<void>>();

  constructor(
    private readonly store: Store,
    private readonly event: EventKind,
    private readonly onError: (error: unknown) => void,
    private readonly windowMs: number = WINDOW_MS,
  ) {}

  /** @param content what tells one kind from another: few different ones, and nothing that a caller can make up */
  note(tenant: string, content: Readonly<Record<string, string | null>>): void {
    const isCrowded = this.#counting.size >= MAX_KINDS;
    const kind = this.#kindOf(tenant, content);
    if (isCrowded && !this.#counting.has(kind)) return this.#count(tenant, this.#kindOf(tenant, OTHERS), OTHERS);
    this.#count(tenant, kind, content);
  }

  /** Records what has been counted, and waits for it. */
  async close(): Promise<void> {
    for (const [kind, counting] of this.#counting) this.#end(kind, counting);
    for (const { timer } of this.#counting.values()) clearTimeout(timer);
    this.#counting.clear();
    await Promise.all(this.#writing);
  }

  readonly #kindOf = (tenant: string, content: object): string => JSON.stringify([tenant, content]);

  #count(tenant: string, kind: string, content: object): void {
    const counting = this.#counting.get(kind);
    if (counting) {
      counting.count++;
      return;
    }
    const since = Date.now();
    this.#begin(tenant, kind, content);
    this.#write(tenant, { ...content, count: 1, since: new Date(since).toISOString() });
  }

  #begin(tenant: string, kind: string, content: object): void {
    const timer = setTimeout(() => this.#end(kind, this.#counting.get(kind)!), this.windowMs).unref();
    this.#counting.set(kind, { tenant, content, count: 0, since: Date.now(), timer });
  }

  #end(kind: string, { tenant, content, count, since, timer }: Counting): void {
    clearTimeout(timer);
    this.#counting.delete(kind);
    if (count === 0) return;
    this.#write(tenant, { ...content, count, since: new Date(since).toISOString() });
    this.#begin(tenant, kind, content);
  }

  #write(tenant: string, content: object): void {
    const written = recordEvent(this.store, tenant, this.event, content)
      .catch(this.onError)
      .finally(() => this.#writing.delete(written));
    this.#writing.add(written);
  }
}

const OTHERS = { others: 'true' };
