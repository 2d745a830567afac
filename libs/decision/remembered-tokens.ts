import type { VerifiedToken } from '#identity';

/** A token that was verified, until when that is believed (ms since 1970), and how large it was as a text. */
export interface RememberedToken {
  readonly token: VerifiedToken;
  readonly until: number;
  readonly bytes: number;
}

/** What is remembered at most: how many tokens, and how large they may be together as texts, in bytes. */
export interface RememberedBounds {
  readonly tokens: number;
  readonly bytes: number;
}

/** What is read of a token takes a few times the memory of its text. Of the usual size, ten thousand fit in. */
const BOUNDS: RememberedBounds = { tokens: 10_000, bytes: 16 * 1024 * 1024 };

/** Verified tokens, in bounded memory: the one that was used longest ago goes first. */
export class RememberedTokens {
  readonly #tokens = new Map<string, RememberedToken>();
  #bytes = 0;

  constructor(private readonly bounds: RememberedBounds = BOUNDS) {}

  get(digest: string): RememberedToken | undefined {
    const found = this.#tokens.get(digest);
    if (!found) return undefined;
    this.#tokens.delete(digest);
    this.#tokens.set(digest, found);
    return found;
  }

  set(digest: string, token: RememberedToken): void {
    this.delete(digest);
    this.#tokens.set(digest, token);
    this.#bytes += token.bytes;
    for (const oldest of this.#tokens.keys()) {
      if (this.#tokens.size <= this.bounds.tokens && this.#bytes <= this.bounds.bytes) return;
      this.delete(oldest);
    }
  }

  delete(digest: string): void {
    this.#bytes -= this.#tokens.get(digest)?.bytes ?? 0;
    this.#tokens.delete(digest);
  }
}
