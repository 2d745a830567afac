import { isJsonObject, own, type Json, type JsonObject } from '#policy';
import { TokenRefused } from './refusal.js';

/** Longest token that is looked at, in characters. */
const MAX_TOKEN = 16 * 1024;

/** Parses JSON strictly; throws for what two parsers could read differently, as for a key that is there twice. */
export type ParseJson = (bytes: Uint8Array) => unknown;

/** A token that was read and not believed. */
export interface UnverifiedToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  /** In lower case, without `application/`; null: none. */
  readonly type: string | null;
  readonly claims: JsonObject;
}

/**
 * Reads a signed token (RFC 7515, compact). Of its header `alg`, `kid` and `typ` are looked at and nothing else: no key, and
 * no address of one, is ever taken from a token. Throws TokenRefused.
 */
export function readToken(text: string, parse: ParseJson): UnverifiedToken {
  if (text.length > MAX_TOKEN) throw new TokenRefused('too_large', `longer than ${MAX_TOKEN} characters`);
  const parts = text.split('.');
  if (parts.length !== 3) throw notAJwt('it has not three parts');
  const [header, claims] = parts.map(decoded) as [Buffer, Buffer, Buffer];
  const head = objectOf(header, 'header', parse);
  // Whoever does not know what is critical must refuse it, and of all extensions we know none.
  for (const name of ['crit', 'b64'])
    if (Object.hasOwn(head, name)) throw new TokenRefused('critical_header', `the header has '${name}'`);
  const [algorithm, keyId, type] = ['alg', 'kid', 'typ'].map((name) => own(head, name));
  if (typeof algorithm !== 'string') throw notAJwt('the header has no alg');
  if (keyId !== undefined && typeof keyId !== 'string') throw notAJwt('the kid of the header is no text');
  if (type !== undefined && typeof type !== 'string') throw notAJwt('the typ of the header is no text');
  return {
    algorithm,
    keyId,
    type: type === undefined ? null : type.toLowerCase().replace(/^application\//, ''),
    claims: objectOf(claims, 'payload', parse),
  };
}

/** Only the one way to write bytes in base64url counts. */
function decoded(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (part === '' || bytes.toString('base64url') !== part) throw notAJwt('a part is empty, or not in base64url');
  return bytes;
}

function objectOf(bytes: Buffer, what: string, parse: ParseJson): JsonObject {
  let value: Json | undefined;
  try {
    value = parse(bytes) as Json;
  } catch (error) {
    throw notAJwt(`the ${what}: ${(error as Error).message}`);
  }
  if (!isJsonObject(value)) throw notAJwt(`the ${what} is no JSON object`);
  return value;
}

const notAJwt = (detail: string): TokenRefused => new TokenRefused('not_a_jwt', detail);
