import type { AbuseLimits } from '#http';
import type { RefusedCredential, UnauthenticatedError } from '#identity';
import type { Log } from '../operations/log.js';

/** Adds a record to a tenant's ledger. */
export type Recorder = (tenant: string, content: object) => Promise<void>;

/** How long, in ms, refusals of one kind are counted before they are recorded again. */
const WINDOW_MS = 60_000;

/** Kinds of refusals that are counted apart, for one tenant at a time. What is more is recorded as others. */
const MOST_KINDS = 60;

interface Counted {
  /** What is recorded besides the numbers. */
  readonly content: object;
  count: number;
  since: number;
}

/** A refusal whose tenant is known. */
type Known = RefusedCredential & { readonly tenant: string };

/**
 * Counts refused credentials against the limits, and has them recorded in the ledger of the tenant whose they are: the
 * first at once, further ones of the same credential, reason and address once a minute, with their number. What cannot be
 * recorded is told in the log; the answer neither waits for the record nor depends on it.
 */
export class RefusedCredentials {
  readonly #counted = new Map<string, Map<string, Counted>>();
  readonly #writing = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly limits: AbuseLimits,
    private readonly record: Recorder,
    private readonly log: Log,
    private readonly now: () => number = () => Date.now(),
  ) {
    this.#timer = setInterval(() => this.flush(), WINDOW_MS / 4).unref();
  }

  /** What is answered: the error, or a Refusal where too many have failed; those are not recorded one by one any more. */
  refused(error: UnauthenticatedError, address: string): Error {
    // Nothing was tried out.
    if (error.code === 'credentials_missing') return error;
    const { about } = error;
    const known = about?.tenant === undefined ? undefined : { ...about, tenant: about.tenant };
    try {
      this.limits.check('api_key', address, known?.credential);
    } catch (refusal) {
      if (known) this.note(known, address);
      return refusal as Error;
    }
    this.limits.failed('api_key', address, known?.credential);
    if (known) this.note(known, address);
    return error;
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

  /** Counts a refusal for the record alone. */
  note({ tenant, credential, reason }: Known, address: string): void {
    let kinds = this.#counted.get(tenant);
    if (!kinds) this.#counted.set(tenant, (kinds = new Map<string, Counted>()));
    const kind = `${credential} ${reason} ${address}`;
    const counted = kinds.get(kind);
    if (counted) counted.count++;
    else if (kinds.size < MOST_KINDS) this.#begin(tenant, kinds, kind, { credential, reason, address });
    else {
      const others = kinds.get(OTHERS);
      if (others) others.count++;
      else kinds.set(OTHERS, { content: { others: true }, count: 1, since: this.now() });
    }
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
      .catch((error: unknown) => this.log.error('a refused credential could not be recorded', error, { count }))
      .finally(() => this.#writing.delete(written));
    this.#writing.add(written);
  }
}

const OTHERS = 'others';
