import { partyOf } from '#identity';
import { Refusal } from './problem.js';

/** Where somebody can try out credentials. */
export type AttemptClass =
  /** API keys, on every route. */
  | 'api_key'
  /** The token endpoint, and introspection and revocation: secrets and assertions of clients. */
  | 'token'
  /** Starts of a sign-in, and what comes back from the identity provider. */
  | 'sign_in'
  /** Passwords of one account in a directory. */
  | 'password'
  /** The short codes that people type to sign a device in. */
  | 'user_code'
  /** Cookies of sessions, and access tokens. */
  | 'session';

/** How often in a minute somebody may fail before nothing of theirs is looked at for a while. */
export type AttemptLimits = Readonly<Record<AttemptClass, number>>;

export const DEFAULT_ATTEMPT_LIMITS: AttemptLimits = {
  api_key: 60,
  token: 30,
  sign_in: 30,
  password: 5,
  user_code: 10,
  session: 60,
};

/** Who failed lately, of one class. The one that failed longest ago is forgotten first. */
const REMEMBERED = 20_000;

/** What many attempts at once can owe at most, in minutes of waiting. */
const MOST_OWED = 10;

interface Bucket {
  left: number;
  at: number;
}

/**
 * Counts failed attempts: as many as the limit at once, and as many a minute from then on, of one class and one address
 * (of IPv6 the /64, which one party has whole), and apart from those for each credential that exists. Successes do not
 * count and give nothing back. Counted in this process alone: with n replicas there are n times as many attempts.
 */
export class AbuseLimits {
  readonly #failures = new Map<AttemptClass, Map<string, Bucket>>();
  readonly #limits: AttemptLimits;

  /** @param now in ms, from any beginning */
  constructor(
    limits: Partial<AttemptLimits> = {},
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#limits = { ...DEFAULT_ATTEMPT_LIMITS, ...limits };
  }

  /**
   * Throws Refusal (`too_many_attempts`) where too many have failed. To be called before anything is looked up.
   * @param credential the public id of one that exists: so that others at the same address are not shut out with it
   */
  check(of: AttemptClass, address: string, credential?: string): void {
    const seconds = this.secondsToWait(of, address, credential);
    if (seconds === 0) return;
    throw new Refusal('too_many_attempts', `too many attempts with credentials have failed: wait ${seconds} s`, {
      retry_after: seconds,
    });
  }

  /**
   * Counts one as failed before it is looked at, so that of many at once no more are than there may be. Throws Refusal
   * (`too_many_attempts`). Returns what gives it back, where it did not fail.
   */
  take(of: AttemptClass, address: string, credential?: string): () => void {
    this.check(of, address, credential);
    this.failed(of, address, credential);
    let isTaken = true;
    return () => {
      const bucket = this.#failures.get(of)?.get(keyOf(address, credential));
      if (isTaken && bucket) bucket.left += 1;
      isTaken = false;
    };
  }

  /** How long nothing is looked at any more, in whole seconds; 0: it is. */
  secondsToWait(of: AttemptClass, address: string, credential?: string): number {
    const bucket = this.#failures.get(of)?.get(keyOf(address, credential));
    if (!bucket) return 0;
    const left = this.#left(of, bucket);
    return left >= 1 ? 0 : Math.ceil(((1 - left) / this.#limits[of]) * 60);
  }

  /**
   * Counts one that failed. Several that were looked at side by side may all fail: what is too much is owed, so that the
   * rate holds in the long run whatever happens at once.
   */
  failed(of: AttemptClass, address: string, credential?: string): void {
    let buckets = this.#failures.get(of);
    if (!buckets) this.#failures.set(of, (buckets = new Map<string, Bucket>()));
    const key = keyOf(address, credential);
    const known = buckets.get(key);
    const left = known ? this.#left(of, known) : this.#limits[of];
    // Put in anew, it is the youngest.
    buckets.delete(key);
    buckets.set(key, { left: Math.max(left - 1, -MOST_OWED * this.#limits[of]), at: this.now() });
    if (buckets.size > REMEMBERED) buckets.delete(buckets.keys().next().value!);
  }

  #left(of: AttemptClass, { left, at }: Bucket): number {
    const limit = this.#limits[of];
    return Math.min(limit, left + ((this.now() - at) / 60_000) * limit);
  }
}

const keyOf = (address: string, credential = ''): string => `${partyOf(address)} ${credential}`;
