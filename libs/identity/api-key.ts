import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** An API key, taken apart. */
export interface ApiKey {
  readonly environment: string;
  /** Public: names the key in lists, logs and records. */
  readonly id: string;
  readonly secret: string;
}

/**
 * What a key looks like, for scanners that search for leaked ones: `placet_<environment>_<id>_<secret><checksum>`, with
 * 96 random bits of id, 256 of secret and a CRC-32 over all before it.
 */
export const API_KEY_PATTERN = /placet_[a-z0-9]{1,16}_[0-9a-z]{19}_[0-9A-Za-z]{49}/;

const WHOLE = new RegExp(`^${API_KEY_PATTERN.source}$`);

/** What an environment may be called. */
export const ENVIRONMENT = /^[a-z0-9]{1,16}$/;

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Makes a new key. It is shown once; what is kept is its MAC. */
export function generateApiKey(environment: string): { readonly text: string; readonly key: ApiKey } {
  return compose(environment, toBase(randomBytes(12), 36, 19));
}

/** A new secret for a key that exists. */
export function generateSecret({ environment, id }: Omit<ApiKey, 'secret'>): {
  readonly text: string;
  readonly key: ApiKey;
} {
  return compose(environment, id);
}

function compose(environment: string, id: string): { text: string; key: ApiKey } {
  const secret = toBase(randomBytes(32), 62, 43);
  const head = `placet_${environment}_${id}_${secret}`;
  return { text: head + checksum(head), key: { environment, id, secret } };
}

/** Takes a key apart; undefined for what is none. The checksum tells a typing error from a wrong key without a look-up. */
export function parseApiKey(text: string): ApiKey | undefined {
  if (!WHOLE.test(text) || checksum(text.slice(0, -6)) !== text.slice(-6)) return undefined;
  const [, environment, id, rest] = text.split('_');
  return { environment: environment!, id: id!, secret: rest!.slice(0, -6) };
}

const checksum = (head: string): string => toBase(uint32(crc32(head)), 62, 6);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Bytes as digits of a base, in a fixed number of places. */
function toBase(bytes: Buffer, base: number, places: number): string {
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let digits = '';
  for (let place = 0; place < places; place++) {
    digits = BASE62[base === 36 ? Number(value % 36n) + (value % 36n > 9n ? 26 : 0) : Number(value % 62n)]! + digits;
    value /= BigInt(base);
  }
  return digits;
}

/**
 * What is stored of a key: an HMAC under a key that is not in the database (256 random bits need no slow hash). The
 * environment is part of it: a key of one environment is worth nothing in another, even with the same database.
 */
export function macOf({ environment, id, secret }: ApiKey, pepper: Buffer): Buffer {
  return createHmac('sha256', pepper).update(`${environment}\n${id}\n${secret}`).digest();
}

/** Compares two MACs in constant time. */
export const sameMac = (left: Buffer, right: Buffer): boolean =>
  left.length === right.length && timingSafeEqual(left, right);

/** Compares a text that somebody sent with one that only we can know, in constant time. */
export const sameSecret = (left: string, right: string): boolean => sameMac(Buffer.from(left), Buffer.from(right));
