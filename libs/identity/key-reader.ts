import { hash } from 'node:crypto';
import { keyFromHeader, presentedKey, type KeyCheck, type PresentedKey } from './authenticate.js';

/** Headers whose key is remembered. */
const REMEMBERED = 10_000;

/**
 * Reads keys from Authorization headers. A host shows the same key with every call, and its MAC costs more than a
 * decision: it is remembered under a digest of the header. Whether the key is good is not.
 */
export class KeyReader {
  readonly #read = new Map<string, PresentedKey>();

  constructor(private readonly check: KeyCheck) {}

  /** Throws UnauthenticatedError. */
  read(header: string | undefined): PresentedKey {
    if (header === undefined) return this.#take(header);
    const digest = hash('sha256', header, 'base64url');
    const known = this.#read.get(digest);
    if (known) return known;
    const presented = this.#take(header);
    if (this.#read.size >= REMEMBERED) this.#read.clear();
    this.#read.set(digest, presented);
    return presented;
  }

  #take(header: string | undefined): PresentedKey {
    return presentedKey(keyFromHeader(header), this.check);
  }
}
