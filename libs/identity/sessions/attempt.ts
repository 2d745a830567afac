import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { sameMac } from '../api-key.js';
import type { KeyCheck } from '../authenticate.js';

/** The cookie that binds a sign-in under way to the browser that began it. */
export const ATTEMPT_COOKIE = '__Host-placet-attempt';

/** For how long a sign-in may be under way, in seconds. */
export const ATTEMPT_SECONDS = 600;

const attemptSchema = z.strictObject({
  tenant: z.string(),
  connector: z.string(),
  /** Where the browser goes afterwards: a path of ours. */
  returnTo: z.string(),
  /** Asked of the identity provider besides: how old the proof may be, in seconds, and of which class it must be. */
  maxAge: z.number().nullable(),
  acr: z.array(z.string()),
  begunAt: z.number(),
  /** The id of the test that it is; left out: it is meant to begin a session. A service that knows of no tests takes it for nothing. */
  test: z.string().optional(),
  /** 256 random bits, from which everything is derived that must be secret. */
  seed: z.string(),
});

/** A sign-in under way, as the browser carries it. Times in ms since 1970. */
export type SignInAttempt = z.output<typeof attemptSchema>;

/** What is derived from an attempt under the key of the service, so that the cookie alone gives none of it. */
export interface AttemptSecrets {
  readonly state: string;
  readonly nonce: string;
  /** The code verifier of PKCE (RFC 7636). */
  readonly verifier: string;
  /** Under which it is marked as used. */
  readonly mac: Buffer;
}

/** Begins an attempt. */
export const newAttempt = (members: Omit<SignInAttempt, 'seed'>): SignInAttempt => ({
  ...members,
  seed: randomBytes(32).toString('base64url'),
});

/** The value of the cookie: nobody else can make one, or change it. */
export function writeAttempt(attempt: SignInAttempt, check: KeyCheck): string {
  const body = Buffer.from(JSON.stringify(attempt)).toString('base64url');
  return `${body}.${derive(check, 'attempt', body).toString('base64url')}`;
}

/** The attempt in a cookie; undefined if it is not one of ours, or is over. `now` in ms since 1970. */
export function readAttempt(value: string | undefined, check: KeyCheck, now: number): SignInAttempt | undefined {
  const [body, mac, ...rest] = (value ?? '').split('.');
  if (!body || !mac || rest.length > 0) return undefined;
  if (!sameMac(Buffer.from(mac, 'base64url'), derive(check, 'attempt', body))) return undefined;
  const { data: attempt } = attemptSchema.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString()));
  return attempt && now < attempt.begunAt + ATTEMPT_SECONDS * 1000 ? attempt : undefined;
}

/**
 * The secrets of an attempt; the same every time.
 *
 * INVARIANT: a test shares none of them with any sign-in, be the seed the same: an answer for the one is none for the other.
 */
export function attemptSecrets({ seed, test }: SignInAttempt, check: KeyCheck): AttemptSecrets {
  const text = test === undefined ? seed : `${seed}\n${test}`;
  const secret = (purpose: string) => derive(check, purpose, text).toString('base64url');
  return {
    state: secret('state'),
    nonce: secret('nonce'),
    verifier: secret('verifier'),
    mac: derive(check, 'used', text),
  };
}

const derive = ({ pepper, environment }: KeyCheck, purpose: string, text: string): Buffer =>
  createHmac('sha256', pepper).update(`sign-in ${purpose}\n${environment}\n${text}`).digest();
