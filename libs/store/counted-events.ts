/** Adds a record of an event to a tenant's ledger. */
export type EventRecorder = (tenant: string, content: object) => Promise<void>;

/** How long, in ms, events of one kind are counted before they are recorded again. */
const WINDOW_MS = 60_000;

/** Kinds that are counted apart, for one tenant at a time. What is more is recorded as others. */
const MOST_KINDS = 60;

interface Counted {
  /** What is recorded besides the numbers. */
  readonly content: object;
  count: number;
  since: number;
}

/**
 * Records events that anybody may cause, however often: the first of a kind at once, and after that one record a minute
 * with how many there were. Nothing waits for a record, and nothing depends on one.
 */
export class CountedEvents {
  readonly #counted = new Map<string, Map<string, Counted>>();
  readonly #writing = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly record: EventRecorder,
    /** Told what could not be recorded, and how many it stands for. */
    private readonly onError: (error: unknown, count: number) => void,
    private readonly now: () => number = () => Date.now(),
  ) {
    this.#timer = setInterval(() => this.flush(), WINDOW_MS / 4).unref();
  }

  /** @param content what tells one kind from another, and is recorded */
  note(tenant: string, content: Readonly<Record<string, string | null>>): void {
    let kinds = this.#counted.get(tenant);
    if (!kinds) this.#counted.set(tenant, (kinds = new Map<string, Counted>()));
    const kind = JSON.stringify(content);
    const counted = kinds.get(kind);
    if (counted) counted.count++;
    else if (kinds.size < MOST_KINDS) this.#begin(tenant, kinds, kind, content);
    else {
      const others = kinds.get(OTHERS);
      if (others) others.count++;
      else kinds.set(OTHERS, { content: { others: true }, count: 1, since: this.now() });
    }
  }

  /** Records what has been counted for a minute. */
  flush(all = false): void {
    const until = all ? Infinity : this.now() - WINDOW_MS;
    for (const [tenant, kinds] of this.#counted) {
      for (const [kind, counted] of kinds) {
        if (counted.since > until) continue;
        if (counted.count === 0) kinds.delete(kind);
        else this.#write(tenant, counted);
      }
      if (kinds.size === 0) this.#counted.delete(tenant);
    }
  }

  /** Records what has been counted, and waits for it. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.flush(true);
    await Promise.all(this.#writing);
  }

  #begin(tenant: string, kinds: Map<string, Counted>, kind: string, content: object): void {
    const counted: Counted = { content, count: 1, since: this.now() };
    kinds.set(kind, counted);
    this.#write(tenant, counted);
  }

  /** Writes down what was counted, and counts anew. */
  #write(tenant: string, counted: Counted): void {
    const { content, count, since } = counted;
    counted.count = 0;
    counted.since = this.now();
    const written = this.record(tenant, { ...content, count, since: new Date(since).toISOString() })
      .catch((error: unknown) => this.onError(error, count))
      .finally(() => this.#writing.delete(written));
    this.#writing.add(written);
  }
}

/** No content is written so. */
const OTHERS = 'others';
