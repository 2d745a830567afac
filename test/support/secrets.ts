import { API_KEY_PATTERN } from '#identity';

/** What looks like a secret in whatever goes over the wire of a test: keys, and members that hold secrets by their names. */
const MEMBER =
  /^(key|client_secret|access_token|refresh_token|id_token|device_code|code_verifier|client_assertion|assertion|csrf_token)$/;

/** Shorter texts would be found where they are no secret. */
const SHORTEST = 20;

/** Collects the secrets that a test makes or sends, and finds them where they must not be. */
export class MadeSecrets {
  readonly #secrets = new Set<string>();

  add(...secrets: readonly (string | undefined)[]): void {
    for (const secret of secrets) if (secret !== undefined && secret.length >= SHORTEST) this.#secrets.add(secret);
  }

  /** Adds every secret in a value that was sent or answered. */
  addFrom(value: unknown): void {
    if (typeof value === 'string') this.add(...(value.match(new RegExp(API_KEY_PATTERN, 'g')) ?? []));
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (MEMBER.test(name) && typeof member === 'string') this.add(member);
      this.addFrom(member);
    }
  }

  /** The places in which a secret, or a long part of one, is found; never the secret itself. */
  foundIn(texts: readonly string[]): string[] {
    const needles = [...this.#secrets].flatMap(partsOf);
    return texts.flatMap((text) =>
      needles.filter((needle) => text.includes(needle)).map((needle) => text.replaceAll(needle, '<SECRET>')),
    );
  }
}

/**
 * A secret and its tell-tale parts. Of a key that is what comes behind its id, which is public; of anything else both halves.
 */
function partsOf(secret: string): string[] {
  const [, ofKey] = new RegExp(`^(?:placet_[a-z0-9]+_[0-9a-z]{19}_)([0-9A-Za-z]{43})`).exec(secret) ?? [];
  if (ofKey !== undefined) return [ofKey, ofKey.slice(0, 24), ofKey.slice(-24)];
  const half = Math.floor(secret.length / 2);
  return secret.length < 2 * SHORTEST ? [secret] : [secret, secret.slice(0, half), secret.slice(half)];
}
