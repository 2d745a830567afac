import { createHmac, randomBytes } from 'node:crypto';
import type { KeyCheck } from '../authenticate.js';

/**
 * The cookie of a session. The prefix makes browsers take it only with `Secure`, `Path=/` and without `Domain`: no other
 * host, also none of the same domain, can plant one.
 */
export const SESSION_COOKIE = '__Host-placet';

const VALUE = /^[A-Za-z0-9_-]{43}$/;

/** A new value for the cookie of a session: 256 random bits. What is kept of it is its MAC. */
export const newSessionValue = (): string => randomBytes(32).toString('base64url');

/** The name of a session in lists and records; it opens nothing. */
export const newSessionId = (): string => randomBytes(12).toString('hex');

/**
 * What is stored of a session's cookie: a MAC under a key that is not in the database. The environment is part of it, so
 * that a cookie of one is worth nothing in another. Undefined for what cannot be a cookie of ours.
 */
export function sessionMac(value: string, { pepper, environment }: KeyCheck): Buffer | undefined {
  if (!VALUE.test(value)) return undefined;
  return createHmac('sha256', pepper).update(`session\n${environment}\n${value}`).digest();
}

/** A text for the forms of our own pages that only this session's pages can have (a double-submit token). */
export const formToken = (value: string, { pepper, environment }: KeyCheck): string =>
  createHmac('sha256', pepper).update(`form\n${environment}\n${value}`).digest('base64url');
