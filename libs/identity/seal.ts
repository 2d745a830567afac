import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** What was sealed cannot be opened: by another pepper, in another place, or changed. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key for one purpose, derived from the pepper (HKDF-SHA-256): what is known of one says nothing of another. */
export const derivedKey = (pepper: Buffer, ...purpose: readonly string[]): Buffer =>
  Buffer.from(hkdfSync('sha256', pepper, '', `placet ${JSON.stringify(purpose)}`, 32));

/**
 * Encrypts what is kept in the database and must not be readable there (AES-256-GCM).
 * @param place where it is kept, as tenant, kind and id: in another place it cannot be opened
 */
export function seal(pepper: Buffer, place: readonly string[], content: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, derivedKey(pepper, 'seal', ...place), nonce).setAAD(placeBytes(place));
  return Buffer.concat([nonce, cipher.update(content, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts what `seal` made of a content for this very place. Throws SealError. */
export function unseal(pepper: Buffer, place: readonly string[], sealed: Buffer): string {
  const end = sealed.length - TAG_BYTES;
  if (end < NONCE_BYTES) throw new SealError('what was sealed is cut off');
  try {
    const decipher = createDecipheriv(ALGORITHM, derivedKey(pepper, 'seal', ...place), sealed.subarray(0, NONCE_BYTES))
      .setAAD(placeBytes(place))
      .setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]).toString('utf8');
  } catch {
    throw new SealError('what was sealed cannot be opened: was PLACET_PEPPER changed?');
  }
}

const placeBytes = (place: readonly string[]): Buffer => Buffer.from(JSON.stringify(place));

/** How the database knows a random value that is a secret: it cannot be used by who reads it there. */
export const digestOf = (pepper: Buffer, purpose: string, value: string): string =>
  createHmac('sha256', derivedKey(pepper, 'digest', purpose))
    .update(value)
    .digest('base64url');
