import { lookup, type LookupAddress, type LookupAllOptions, type LookupOptions } from 'node:dns';

/** The system's way to ask for every address of a name: in a thread of the process, and not to be broken off. */
export type SystemLookup = (name: string, how: LookupAllOptions, done: Found) => void;

type Found = (error: Error | null, addresses: LookupAddress[]) => void;

/** Names of one tenant that wait at most. */
const WAITING = 100;

/** For how long a name may wait for its turn, in ms: by then nobody waits for it. */
const PATIENCE_MS = 5000;

interface Turn {
  readonly since: number;
  readonly begin: () => void;
  readonly refuse: (error: Error) => void;
}

/**
 * Resolves names, one after the other for each tenant: documents of a tenant say which name servers are asked, and one that
 * does not answer holds a thread for as long as the system waits for it.
 *
 * libuv itself gives at most half of its threads to lookups, so that they never hold up files or cryptography; of that half
 * one tenant has one thread at most here, and so does not hold up the lookups of others alone.
 */
export class Lookups {
  /** Of each tenant with a lookup under way, those that wait. */
  readonly #waiting = new Map<string, Turn[]>();

  constructor(
    private readonly system: SystemLookup = lookup,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Asks for every address of a name. */
  resolve(tenant: string, name: string, how: LookupOptions, done: Found): void {
    const begin = (): void =>
      this.system(name, { ...how, all: true }, (error, addresses) => {
        // First, as the next one must not depend on what is done with this.
        this.#next(tenant);
        done(error, addresses);
      });
    const waiting = this.#waiting.get(tenant);
    if (!waiting) {
      this.#waiting.set(tenant, []);
      return begin();
    }
    const refuse = (error: Error): void => done(error, []);
    if (waiting.length < WAITING) waiting.push({ since: this.now(), begin, refuse });
    else refuse(new Error(`too many names wait before ${name}`));
  }

  #next(tenant: string): void {
    const waiting = this.#waiting.get(tenant)!;
    for (let turn = waiting.shift(); turn; turn = waiting.shift()) {
      if (this.now() - turn.since < PATIENCE_MS) return turn.begin();
      turn.refuse(new Error('the names before it took too long'));
    }
    this.#waiting.delete(tenant);
  }
}
