import type { z } from 'zod';
import type { RightsProof, StoredCredential } from '#store';
import { macOf, parseApiKey, sameMac, type ApiKey } from './api-key.js';
import type { HostPrincipal, ProvenAdministrator } from './principal.js';
import { administratorRightsSchema, hostRightsSchema, type AdministratorRights, type HostRights } from './rights.js';

/** Why a call has no principal. What is wrong with a key is not told to the caller, only logged. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError';

  constructor(
    readonly code: 'credentials_missing' | 'credentials_invalid',
    /** For the log. */
    readonly detail: string,
  ) {
    super(code === 'credentials_missing' ? 'the call carries no key' : 'the key is not valid');
  }
}

/** The key in an Authorization header: `Bearer placet_...`. Throws UnauthenticatedError. */
export function keyFromHeader(header: string | undefined): ApiKey {
  if (header === undefined || header === '')
    throw new UnauthenticatedError('credentials_missing', 'no Authorization header');
  const token = /^Bearer +([^ ]+)$/i.exec(header)?.[1];
  if (token === undefined) throw new UnauthenticatedError('credentials_invalid', 'not a bearer token');
  const key = parseApiKey(token);
  if (!key) throw new UnauthenticatedError('credentials_invalid', 'not a key of ours, or mistyped');
  return key;
}

/** What a key is held against. */
export interface KeyCheck {
  readonly pepper: Buffer;
  /** The environment that this service runs in. */
  readonly environment: string;
}

/** A presented key with its MAC, so that checking it again against a newer snapshot costs next to nothing. */
export interface PresentedKey {
  readonly id: string;
  readonly mac: Buffer;
}

/** Takes the MAC of a presented key. Throws UnauthenticatedError for a key of another environment. */
export function presentedKey(key: ApiKey, { pepper, environment }: KeyCheck): PresentedKey {
  if (key.environment !== environment)
    throw new UnauthenticatedError('credentials_invalid', 'a key of another environment');
  return { id: key.id, mac: macOf(key, pepper) };
}

/**
 * The principal that a stored credential makes of a presented key at a moment. Throws UnauthenticatedError if the key is
 * not there, disabled, expired, or its secret is not one of the live ones.
 * @param now ms since 1970, by the database's clock
 * @param epoch at which the credential was read
 */
export function principalOf(
  tenant: string,
  stored: StoredCredential | undefined,
  presented: PresentedKey,
  now: number,
  epoch: number,
): HostPrincipal | ProvenAdministrator {
  const refuse = (detail: string): never => {
    throw new UnauthenticatedError('credentials_invalid', detail);
  };
  if (!stored || stored.id !== presented.id || stored.kind !== 'api_key') return refuse('no such key');
  const secret = stored.secrets.find(({ mac }) => sameMac(mac, presented.mac));
  if (!secret) return refuse('wrong secret');
  return holderOf(tenant, stored, secret.expiresAt, now, epoch);
}

/** Whose a key is that has proven itself. Throws UnauthenticatedError if it is disabled or expired. */
function holderOf(
  tenant: string,
  stored: StoredCredential,
  secretExpiresAt: number | null,
  now: number,
  epoch: number,
): HostPrincipal | ProvenAdministrator {
  if (stored.disabled) throw new UnauthenticatedError('credentials_invalid', 'disabled');
  const ends = [stored.expiresAt, secretExpiresAt].filter((end) => end !== null);
  if (ends.some((end) => end <= now)) throw new UnauthenticatedError('credentials_invalid', 'expired');
  const rights = rightsOf(stored);
  if (rights === undefined) throw new UnauthenticatedError('credentials_invalid', 'rights of an unknown shape');
  const validUntil = ends.length > 0 ? Math.min(...ends) : null;
  const common = { via: 'key' as const, tenant, credential: stored.id, validUntil };
  if (!('roles' in rights)) return { kind: 'host', ...common, host: stored.principal, rights };
  return {
    kind: 'administrator',
    ...common,
    name: stored.principal,
    subject: null,
    roles: rights.roles,
    assurance: null,
    proof: proofOf(stored.id, epoch),
  };
}

/**
 * What an administrator that has proven itself with a key is now. Throws UnauthenticatedError if the key is gone, disabled
 * or expired.
 */
export function administratorAgain(
  before: ProvenAdministrator,
  stored: StoredCredential | undefined,
  now: number,
  epoch: number,
): ProvenAdministrator {
  const isSame = stored?.id === before.credential && stored.kind === 'api_key';
  const holder = isSame ? holderOf(before.tenant, stored, before.validUntil, now, epoch) : undefined;
  if (holder?.kind === 'administrator') return holder;
  throw new UnauthenticatedError('credentials_invalid', 'no such key');
}

/** Of a key: it, and everything that says what administrators may do. */
const proofOf = (credential: string, epoch: number): RightsProof => ({
  epoch,
  keys: ['administration', `credential:${credential}`],
});

type Rights = HostRights | AdministratorRights;

/** Rights that were read once; a credential that changes is another object. */
const known = new WeakMap<StoredCredential, Rights>();

export function rightsOf(stored: StoredCredential): Rights | undefined {
  const read = known.get(stored);
  if (read) return read;
  const schema: z.ZodType<Rights> = stored.principalKind === 'host' ? hostRightsSchema : administratorRightsSchema;
  const parsed = schema.safeParse(stored.rights);
  if (parsed.success) known.set(stored, parsed.data);
  return parsed.data;
}
