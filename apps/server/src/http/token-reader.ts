import { hash } from 'node:crypto';
import { UnauthenticatedError, type PresentedToken } from '#identity';

/** What is known of an access token, and of which tenant it is. */
export interface KnownToken {
  readonly tenant: string;
  readonly key: PresentedToken;
}

/** Finds an access token of ours by its value, in the database; undefined where there is none. */
export type FindToken = (value: string) => Promise<KnownToken | undefined>;

/** Tokens that are remembered. */
const REMEMBERED = 10_000;

/** An access token of ours in a header: 256 random bits, and so shorter than every key. */
const BEARER = /^Bearer +([A-Za-z0-9_-]{43})$/i;

/**
 * Reads access tokens from Authorization headers. What a token says never changes: it is read once, and remembered under a
 * digest of the header until it expires. Whether it is still good is found out at each use.
 */
export class TokenReader {
  readonly #read = new Map<string, KnownToken>();

  constructor(
    private readonly find: FindToken,
    private readonly now: () => number,
  ) {}

  /**
   * Undefined for a header with something else in it. Throws UnauthenticatedError for a token that is not there.
   * @param mayLook throws where the database is not to be asked
   */
  read(header: string | undefined, mayLook: () => void): Promise<KnownToken> | KnownToken | undefined {
    // The keys of hosts are longer by far: this costs them next to nothing.
    if (header === undefined || header.length > 64) return undefined;
    const value = BEARER.exec(header)?.[1];
    if (value === undefined) return undefined;
    const digest = hash('sha256', value, 'base64url');
    const known = this.#read.get(digest);
    if (known && known.key.token.expiresAt > this.now()) return known;
    mayLook();
    return this.#look(value, digest);
  }

  async #look(value: string, digest: string): Promise<KnownToken> {
    this.#read.delete(digest);
    const found = await this.find(value);
    if (!found) throw new UnauthenticatedError('credentials_invalid', 'no such access token');
    if (this.#read.size >= REMEMBERED) this.#read.clear();
    this.#read.set(digest, found);
    return found;
  }
}
