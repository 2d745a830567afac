import { createHmac } from 'node:crypto';

/** `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks writes a symmetric secret. */
const SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;

/**
 * The keys that sign, by a secret as it is set: one, or several with blanks between them, all of which sign, so that a
 * receiver can change over. Undefined for what is not so written.
 */
export function signingKeysOf(secret: string): readonly Buffer[] | undefined {
  const keys = secret.split(/\s+/).map((word) => {
    const text = SECRET.exec(word)?.[1];
    const key = text === undefined ? undefined : Buffer.from(text, 'base64');
    return key && key.length <= 64 ? key : undefined;
  });
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

/**
 * The headers by which a receiver knows that a body is ours and is new (Standard Webhooks, "Signature scheme").
 * @param now ms since 1970: each attempt says when it was made
 */
export function signedHeaders(
  keys: readonly Buffer[],
  id: string,
  body: string,
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
