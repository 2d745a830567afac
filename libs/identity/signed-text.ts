import type { KeyObject } from 'node:crypto';
import { compactVerify, CompactSign, createLocalJWKSet, errors, type JSONWebKeySet, type JWK } from 'jose';

/** Something is not signed by any of the keys that it was held against, or is no text of that kind. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

/** A key, and what it signs as. */
export interface Signer {
  readonly id: string;
  readonly algorithm: string;
  readonly key: KeyObject;
}

/** A text as a compact JWS (RFC 7515 §3.1). @param type of the header: what it is, so that it is never taken for a token */
export async function signText(text: string, type: string, { id, algorithm, key }: Signer): Promise<string> {
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ typ: type, alg: algorithm, kid: id })
    .sign(key);
}

/**
 * The text of a compact JWS, and the key that signed it as it stands in a JWK set. Throws SignatureError unless one of its
 * keys has, and as of that type.
 */
export async function verifiedText(
  jws: string,
  type: string,
  keys: unknown,
): Promise<{ readonly text: string; readonly key: JWK }> {
  let found: Awaited<ReturnType<typeof compactVerify>>;
  try {
    found = await compactVerify(jws, createLocalJWKSet(keys as JSONWebKeySet), { algorithms: ['ES256', 'RS256'] });
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey)
      throw new SignatureError('none of the keys is the one that signed it');
    if (error instanceof errors.JWKSInvalid) throw new SignatureError('the keys are no JWK set');
    throw new SignatureError('the signature does not hold: it was changed, or another key signed it', { cause: error });
  }
  const { typ, kid } = found.protectedHeader;
  if (typ !== type) throw new SignatureError(`it is signed, and is no ${type}`);
  const [key, ...others] = (keys as JSONWebKeySet).keys.filter((one) => one.kid === kid);
  if (kid === undefined || !key || others.length > 0)
    throw new SignatureError('it does not say which key has signed it');
  return { text: new TextDecoder().decode(found.payload), key };
}
