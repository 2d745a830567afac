import {
  newSessionId,
  newSessionValue,
  seal,
  sessionMac,
  type KeyCheck,
  type SessionLimits,
  type SignInAttempt,
} from '#identity';
import { subjectKey } from '#policy';
import type { TenantSnapshot } from '#snapshot';
import type { SessionStore } from '#store';
import type { VerifiedSignIn } from './connector.js';
import { denialKey, limitsOf, type PersonSession } from './person-sessions.js';

/** Who somebody is, and the state at which it was looked at whether they may come in. */
export interface Proven {
  readonly verified: VerifiedSignIn;
  readonly snapshot: TenantSnapshot;
}

/** Where a browser and its request come from. */
export interface Browser {
  readonly address: string | null;
  readonly userAgent: string | null;
  /** The session that it has already. */
  readonly session: PersonSession | undefined;
}

/** A session that is to begin: what is written down of it and of its person, and the value and seconds of its cookie. */
export interface NewSession {
  readonly begin: Parameters<SessionStore['begin']>[0];
  readonly value: string;
  readonly seconds: number;
}

/** The session of somebody who has come in. Nothing is written by this. @param now ms since 1970 */
export function newSessionOf(
  tenant: string,
  attempt: SignInAttempt,
  { verified, snapshot }: Proven,
  askedAt: number,
  { address, userAgent, session: before }: Browser,
  { check, now }: { readonly check: KeyCheck; readonly now: number },
): NewSession {
  const limits = withinUpstream(limitsOf(snapshot.policies), verified, now);
  const person = subjectKey(verified.subject.type, verified.subject.id);
  const isStepUp = attempt.maxAge !== null || attempt.acr.length > 0;
  const goesOn = isStepUp && before?.tenant === tenant && before.person === person;
  const value = newSessionValue();
  const mac = sessionMac(value, check)!.toString('hex');
  const { logoutHint, assurance } = verified;
  const begin = {
    tenant,
    person: {
      id: person,
      issuer: verified.issuer,
      claims: verified.claims,
      name: verified.name,
      email: verified.email,
      denial: denialKey(person),
      askedAt: verified.readAt ?? askedAt,
      ofDirectory: verified.readAt !== undefined,
    },
    session: {
      id: newSessionId(),
      mac,
      upstreamSession: verified.upstreamSession,
      acr: assurance.acr,
      amr: assurance.amr,
      authenticatedAt: assurance.authTime,
      sealedHint: logoutHint === null ? null : seal(check.pepper, hintPlace(tenant, mac), logoutHint).toString('hex'),
      idleMs: limits.idleMs,
      absoluteMs: limits.absoluteMs,
      begunAt: attempt.begunAt,
      replaces: before?.tenant === tenant ? before.id : null,
      stepUp: goesOn,
      address,
      userAgent: userAgent?.slice(0, 256).replace(/[^\x20-\x7e]/g, '?') ?? null,
    },
    about: {
      person,
      issuer: verified.issuer,
      acr: assurance.acr,
      amr: assurance.amr,
      evidence: verified.evidence,
      address,
    },
  };
  return { begin, value, seconds: limits.absoluteMs / 1000 };
}

/** No session here outlasts the one that it rests on, where the identity provider says when that ends. */
function withinUpstream(limits: SessionLimits, { sessionEndsAt = null }: VerifiedSignIn, now: number): SessionLimits {
  if (sessionEndsAt === null) return limits;
  return { ...limits, absoluteMs: Math.max(0, Math.min(limits.absoluteMs, Math.floor(sessionEndsAt - now))) };
}

/** Where the hint of a session is sealed for. The session gets another MAC with each sign-in. */
export const hintPlace = (tenant: string, mac: string): string[] => [tenant, 'session', mac];
