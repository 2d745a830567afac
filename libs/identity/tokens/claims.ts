import { own, type IssuerDocument, type JsonObject } from '#policy';
import type { UnverifiedToken } from './read-token.js';
import { TokenRefused, type TokenFault } from './refusal.js';

/** For what a token is shown: to prove a subject, to get a token as a workload, or to end sessions. */
export type TokenUse = 'subject' | 'workload' | 'logout';

/** How far the clocks of identity providers may be off, in ms. */
export const TOLERANCE_MS = 60_000;

/** Longest life of a token where the Issuer does not say, in seconds. */
const MAX_AGE_SECONDS = 86_400;

/** Back-channel logout, section 2.4. */
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** When a token was issued and until when it is good, in ms since 1970. */
export interface TokenTimes {
  readonly issuedAt: number;
  /** With the tolerance in it. */
  readonly expiresAt: number;
}

/** The audiences that a token names (RFC 7519, section 4.1.3). */
export function audiencesOf(claims: JsonObject): readonly string[] {
  const value = own(claims, 'aud');
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.every((audience) => typeof audience === 'string') ? list : [];
}

/**
 * Looks at the times of a token. Throws TokenRefused; one without an end or a beginning is refused, too.
 * @param now ms since 1970, by the database's clock
 */
export function checkTimes(
  { claims }: UnverifiedToken,
  issuer: IssuerDocument,
  use: TokenUse,
  now: number,
): TokenTimes {
  const refuse = refuserOf(issuer);
  const [exp, iat, nbf] = ['exp', 'iat', 'nbf'].map((name) => own(claims, name));
  if (!isTime(exp) || !isTime(iat)) return refuse('claims_missing', 'exp and iat must be there, in seconds');
  if (nbf !== undefined && !isTime(nbf)) return refuse('claims_missing', 'nbf is not in seconds');
  const [expiresAt, issuedAt] = [exp * 1000 + TOLERANCE_MS, iat * 1000];
  if (expiresAt <= now) return refuse('expired', `it expired ${secondsFrom(exp * 1000, now)} s ago`);
  if (issuedAt > now + TOLERANCE_MS) {
    return refuse('issued_in_future', `it was issued ${secondsFrom(now, issuedAt)} s from now`);
  }
  if (nbf !== undefined && nbf * 1000 > now + TOLERANCE_MS) {
    return refuse('not_yet_valid', `it is good in ${secondsFrom(now, nbf * 1000)} s`);
  }
  const longest = use === 'subject' ? issuer.subjectTokens!.maxAgeSeconds : MAX_AGE_SECONDS;
  if (exp - iat > longest) return refuse('lifetime', `it lives for ${exp - iat} s, and ${longest} s is the longest`);
  return { issuedAt, expiresAt };
}

/** Seconds that a date can have. */
const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 8.64e12;

const secondsFrom = (from: number, to: number): number => Math.round((to - from) / 1000);

/** Looks at what kind of token it is, as far as tokens say. Throws TokenRefused. */
export function checkType(token: UnverifiedToken, issuer: IssuerDocument, use: TokenUse): void {
  const refuse = refuserOf(issuer);
  const { type, claims } = token;
  const has = (name: string): boolean => Object.hasOwn(claims, name);
  if (use === 'logout') {
    if (!['logout+jwt', 'jwt', null].includes(type)) return refuse('type', `its typ is ${type}`);
    const events = own(claims, 'events');
    const isLogout = typeof events === 'object' && events !== null && Object.hasOwn(events, LOGOUT_EVENT);
    if (!isLogout || has('nonce')) return refuse('type', 'it is no logout token');
    return has('sub') || has('sid') ? undefined : refuse('claims_missing', 'it has neither sub nor sid');
  }
  const isMarked = type === 'at+jwt';
  if (!isMarked && use === 'subject' && issuer.subjectTokens!.type === 'at+jwt') {
    return refuse('type', `its typ is ${type ?? 'missing'}, and not at+jwt`);
  }
  if (!isMarked && type !== 'jwt' && type !== null) return refuse('type', `its typ is ${type}`);
  if (has('events')) return refuse('type', 'it tells of an event');
  const isOfSignIn = ['nonce', 'at_hash', 'c_hash'].some(has) && !['scp', 'scope', 'roles'].some(has);
  if (!isMarked && isOfSignIn) return refuse('type', 'it is an ID token');
  if (use === 'subject' && !isMarked) checkProfile(token, issuer);
}

/** What tells access tokens from ID tokens at providers that do not mark them. */
function checkProfile({ claims }: UnverifiedToken, issuer: IssuerDocument): void {
  const refuse = refuserOf(issuer);
  const has = (name: string): boolean => Object.hasOwn(claims, name);
  switch (issuer.profile) {
    // With roles of an app an ID token has `roles`, too; the client is named only by access tokens.
    case 'entra':
      return has('azp') || has('appid') ? undefined : refuse('type', 'it names no client in azp or appid');
    case 'okta':
      return has('cid') ? undefined : refuse('type', 'it names no client in cid');
    case 'keycloak': {
      const type = own(claims, 'typ');
      return type === undefined || type === 'Bearer' || type === 'DPoP'
        ? undefined
        : refuse('type', `the claim typ is ${JSON.stringify(type).slice(0, 40)}`);
    }
    case 'google':
    case 'generic':
  }
}

/** Throws for one Issuer. */
export const refuserOf =
  ({ name }: IssuerDocument) =>
  (fault: TokenFault, detail: string): never => {
    throw new TokenRefused(fault, detail, name);
  };
