import type { IncomingMessage } from 'node:http';
import type { AbuseLimits } from '#http';
import {
  DEFAULT_LIMITS,
  endOfSession,
  isPersonSuspended,
  readCookie,
  SESSION_COOKIE,
  sessionMac,
  type KeyCheck,
  type SessionLimits,
  type SignInAssurance,
} from '#identity';
import { identityOf, subjectKey, unmetRequirement, type JsonObject, type PolicySet } from '#policy';
import type { Snapshots, TenantSnapshot } from '#snapshot';
import type { FoundSession, SessionStore, Store, StoredSession, TenantNumbers } from '#store';
import type { ClientAddresses } from '../http/client-address.js';

/** A person who is signed in, as it is at this moment. */
export interface PersonSession {
  readonly tenant: string;
  readonly tenantName: string;
  /** The session's id. */
  readonly id: string;
  /** The subject that the person is, as in `user:entra/3f2c`. */
  readonly person: string;
  readonly subject: { readonly type: string; readonly id: string };
  /** The name of the Issuer. */
  readonly issuer: string;
  /** What the identity provider said last, with how the person signed in for this session. */
  readonly claims: JsonObject;
  readonly name: string | null;
  readonly email: string | null;
  readonly assurance: SignInAssurance;
  /** When the session ends if nobody does anything, in ms since 1970. */
  readonly validUntil: number;
  /** The tenant's numbers at the moment at which the session was read. */
  readonly numbers: TenantNumbers;
  /** Of its cookie, hexadecimal. */
  readonly mac: string;
  /** Hexadecimal. */
  readonly sealedHint: string | null;
}

/** How long after the last note of a session's use another one is made, in ms. */
const TOUCH_EVERY = 60_000;

/** Sessions whose tenant is remembered. A session never changes its tenant. */
const REMEMBERED = 10_000;

/** Finds out who is signed in, by what the database says at this moment and not by a snapshot. */
export class PersonSessions {
  readonly #tenants = new Map<string, string>();

  constructor(
    private readonly store: Store,
    private readonly sessions: SessionStore,
    private readonly snapshots: Snapshots,
    private readonly check: KeyCheck,
    private readonly limits: AbuseLimits,
    private readonly addresses: Pick<ClientAddresses, 'of'>,
  ) {}

  /**
   * The person whose session a request's cookie is; undefined if it is none, or none any more. Whoever is suspended has no
   * session, nor has anybody of a suspended tenant, or of an Issuer that nobody signs in by any more. Throws Refusal for
   * an address from which too many cookies came that are none.
   */
  async of(request: IncomingMessage): Promise<PersonSession | undefined> {
    const value = readCookie(request.headers.cookie, SESSION_COOKIE);
    const mac = value === undefined ? undefined : sessionMac(value, this.check);
    if (!mac) return undefined;
    const tenant = await this.#tenantOf(mac, request);
    return tenant === undefined ? undefined : this.#found(tenant, await this.sessions.find(tenant, { mac }));
  }

  /** The live session of an id. */
  async byId(tenant: string, id: string): Promise<PersonSession | undefined> {
    return this.#found(tenant, await this.sessions.find(tenant, { id }));
  }

  async #found(tenant: string, found: FoundSession | undefined): Promise<PersonSession | undefined> {
    if (!found) return undefined;
    await this.snapshots.refresh(tenant, found.numbers.revision);
    const snapshot = await this.snapshots.of(tenant);
    const limits = limitsOf(snapshot.policies);
    const now = this.store.clock.now();
    const { session } = found;
    if (!stands(snapshot, session, limits, now)) return undefined;
    if (now - session.seenAt > TOUCH_EVERY) await this.sessions.touch(tenant, session.id, limits.idleMs);
    return {
      tenant,
      tenantName: found.tenantName,
      id: session.id,
      person: session.person,
      subject: subjectOf(session.person),
      issuer: session.issuer,
      claims: { ...session.claims, ...claimsOfSignIn(session) },
      name: session.name,
      email: session.email,
      assurance: { acr: session.acr, amr: session.amr, authTime: session.authenticatedAt },
      validUntil: endOfSession(session, limits),
      numbers: found.numbers,
      mac: session.mac,
      sealedHint: session.sealedHint,
    };
  }

  /** Cookies that never were one are counted; those of sessions that are over are not, for people do have them. */
  async #tenantOf(mac: Buffer, request: IncomingMessage): Promise<string | undefined> {
    const key = mac.toString('base64');
    const known = this.#tenants.get(key);
    if (known !== undefined) return known;
    const address = this.addresses.of(request);
    this.limits.check('session', address);
    const tenant = await this.sessions.tenantOf(mac);
    if (tenant === undefined) {
      this.limits.failed('session', address);
      return undefined;
    }
    if (this.#tenants.size >= REMEMBERED) this.#tenants.clear();
    this.#tenants.set(key, tenant);
    return tenant;
  }
}

/** How long a tenant lets sessions last. */
export function limitsOf({ documents }: PolicySet): SessionLimits {
  const [tenant] = documents.all('Tenant');
  const { idleMinutes, absoluteHours } = tenant?.document.signIn ?? {};
  return {
    idleMs: idleMinutes === undefined ? DEFAULT_LIMITS.idleMs : idleMinutes * 60_000,
    absoluteMs: absoluteHours === undefined ? DEFAULT_LIMITS.absoluteMs : absoluteHours * 3_600_000,
  };
}

/** Whether a session that is live in the database is one by the documents of now. */
function stands(snapshot: TenantSnapshot, session: StoredSession, limits: SessionLimits, now: number): boolean {
  if (!(endOfSession(session, limits) > now)) return false;
  if (isSuspended(snapshot, subjectOf(session.person))) return false;
  if (snapshot.denies([denialKey(session.person)], session.createdAt)) return false;
  return isPersonOf(snapshot.policies, session);
}

/** Whether claims of a sign-in would still make the same person by the Issuer of now: it may be another one by that name. Of a directory that has not been heard of for too long nobody is anybody. */
export function isPersonOf(
  { documents, silent }: PolicySet,
  { person, issuer: name, claims }: Pick<StoredSession, 'person' | 'issuer' | 'claims'>,
): boolean {
  const issuer = documents.find('Issuer', name)?.document;
  if (silent.has(name)) return false;
  if (!issuer?.signIn || claims['iss'] !== issuer.issuer) return false;
  if (unmetRequirement(issuer, claims) !== undefined) return false;
  const identity = identityOf(issuer, claims);
  return identity !== undefined && subjectKey(identity.type, identity.id) === person;
}

/**
 * Whether a person is suspended, under any of their names, or the tenant is by its operator. A tenant that has stopped
 * itself decides nothing, and its administrators can let it go on.
 */
export function isSuspended(
  { policies, suspended }: Pick<TenantSnapshot, 'policies' | 'suspended'>,
  person: { readonly type: string; readonly id: string },
): boolean {
  return suspended || isPersonSuspended(policies, person);
}

/** The key under which a person's tokens and sessions are denied that began before a moment. */
export const denialKey = (person: string): string => `subject:${subjectOf(person).id}`;

/** A person's id taken apart: a type has no colon. */
export function subjectOf(person: string): { type: string; id: string } {
  const colon = person.indexOf(':');
  return { type: person.slice(0, colon), id: person.slice(colon + 1) };
}

const claimsOfSignIn = ({ acr, amr, authenticatedAt }: StoredSession): JsonObject => ({
  ...(acr === null ? {} : { acr }),
  ...(amr.length === 0 ? {} : { amr }),
  ...(authenticatedAt === null ? {} : { auth_time: Math.floor(authenticatedAt / 1000) }),
});
