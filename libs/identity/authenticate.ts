import type { z } from 'zod';
import type { RightsProof, StoredCredential } from '#store';
import { macOf, parseApiKey, sameMac, type ApiKey } from './api-key.js';
import { Networks } from './networks.js';
import type { ConnectorPrincipal, HostPrincipal, ProvenAdministrator } from './principal.js';
import { administratorRightsSchema, hostRightsSchema, type AdministratorRights, type HostRights } from './rights.js';

/** What is wrong with a credential. For the log and the ledger; whoever called is not told. */
export type RefusedReason =
  'unknown' | 'other_environment' | 'wrong_secret' | 'disabled' | 'expired' | 'outside_network' | 'rights_unreadable';

/** A credential by its public id, what is wrong with it, and whose it is, if there is one of that id. */
export interface RefusedCredential {
  readonly credential: string;
  readonly reason: RefusedReason;
  readonly tenant?: string;
}

/** Why a call has no principal. What is wrong with a key is not told to the caller, only logged. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError';

  constructor(
    readonly code: 'credentials_missing' | 'credentials_invalid',
    /** For the log. */
    readonly detail: string,
    /** Where a credential was shown that could be one of ours. */
    readonly about?: RefusedCredential,
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
  if (key.environment !== environment) throw refusedKey({ credential: key.id, reason: 'other_environment' });
  return { id: key.id, mac: macOf(key, pepper) };
}

const DETAIL: Readonly<Record<RefusedReason, string>> = {
  unknown: 'no such key',
  other_environment: 'a key of another environment',
  wrong_secret: 'wrong secret',
  disabled: 'disabled',
  expired: 'expired',
  outside_network: 'not from one of its networks',
  rights_unreadable: 'rights of an unknown shape',
};

/** The error for a credential that is not good. */
export const refusedKey = (about: RefusedCredential): UnauthenticatedError =>
  new UnauthenticatedError('credentials_invalid', DETAIL[about.reason], about);

/**
 * The principal that a stored credential makes of a presented key at a moment. Throws UnauthenticatedError if the key is
 * not there, disabled, expired, shown from elsewhere than it may be, or its secret is not one of the live ones.
 * @param now ms since 1970, by the database's clock
 * @param epoch at which the credential was read
 * @param address of the client, normalised
 */
export function principalOf(
  tenant: string,
  stored: StoredCredential | undefined,
  presented: PresentedKey,
  now: number,
  epoch: number,
  address: string,
): HostPrincipal | ProvenAdministrator {
  if (stored?.id !== presented.id || stored.kind !== 'api_key')
    throw refusedKey({ tenant, credential: presented.id, reason: 'unknown' });
  const secret = stored.secrets.find(({ mac }) => sameMac(mac, presented.mac));
  if (!secret) throw refusedKey({ tenant, credential: stored.id, reason: 'wrong_secret' });
  return holderOf(tenant, stored, secret.expiresAt, now, epoch, address);
}

/**
 * The connector (SCIM) whose token was presented: it provisions one Issuer and does nothing else. Throws UnauthenticatedError
 * as `principalOf`, which knows no connector.
 */
export function connectorOf(
  tenant: string,
  stored: StoredCredential | undefined,
  presented: PresentedKey,
  now: number,
  address: string,
): ConnectorPrincipal {
  if (stored?.id !== presented.id || stored.kind !== 'scim' || stored.issuer === null)
    throw refusedKey({ tenant, credential: presented.id, reason: 'unknown' });
  const secret = stored.secrets.find(({ mac }) => sameMac(mac, presented.mac));
  if (!secret) throw refusedKey({ tenant, credential: stored.id, reason: 'wrong_secret' });
  endOf(tenant, stored, secret.expiresAt, now, address);
  return { kind: 'connector', tenant, credential: stored.id, issuer: stored.issuer };
}

/** Whether a presented key is somebody's, or a connector's, by a state that may not be the newest. */
export function isGood(...given: Parameters<typeof principalOf>): boolean {
  const [tenant, stored, presented, now, , address] = given;
  try {
    if (stored?.kind === 'scim') return connectorOf(tenant, stored, presented, now, address) !== undefined;
    return principalOf(...given) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Until when a credential whose secret is known is good, in ms since 1970; null: for good. Throws UnauthenticatedError if it
 * is disabled, expired or used from elsewhere.
 */
function endOf(
  tenant: string,
  stored: StoredCredential,
  secretExpiresAt: number | null,
  now: number,
  address: string,
): number | null {
  const refuse = (reason: RefusedReason): never => {
    throw refusedKey({ tenant, credential: stored.id, reason });
  };
  if (stored.disabled) return refuse('disabled');
  const ends = [stored.expiresAt, secretExpiresAt].filter((end) => end !== null);
  if (ends.some((end) => end <= now)) return refuse('expired');
  if (!mayBeUsedFrom(stored, address)) return refuse('outside_network');
  return ends.length > 0 ? Math.min(...ends) : null;
}

/** Whose a key is that has proven itself. Throws UnauthenticatedError if it is disabled, expired or used from elsewhere. */
function holderOf(
  tenant: string,
  stored: StoredCredential,
  secretExpiresAt: number | null,
  now: number,
  epoch: number,
  address: string,
): HostPrincipal | ProvenAdministrator {
  const validUntil = endOf(tenant, stored, secretExpiresAt, now, address);
  const rights = rightsOf(stored);
  if (rights === undefined) throw refusedKey({ tenant, credential: stored.id, reason: 'rights_unreadable' });
  const { cidrs } = stored;
  const common = {
    via: 'key' as const,
    tenant,
    credential: stored.id,
    validUntil,
    ...(cidrs === null ? {} : { cidrs }),
  };
  if (!('roles' in rights)) return { kind: 'host', ...common, host: stored.principal, rights };
  return {
    kind: 'administrator',
    ...common,
    name: stored.principal,
    subject: null,
    roles: rights.roles,
    assurance: null,
    address,
    proof: proofOf(stored.id, epoch),
  };
}

/**
 * What an administrator that has proven itself with a key is now. Throws UnauthenticatedError if the key is gone, disabled
 * or expired, or may not be used from where it was.
 */
export function administratorAgain(
  before: ProvenAdministrator,
  stored: StoredCredential | undefined,
  now: number,
  epoch: number,
): ProvenAdministrator {
  const isSame = stored?.id === before.credential && stored.kind === 'api_key';
  const holder = isSame ? holderOf(before.tenant, stored, before.validUntil, now, epoch, before.address) : undefined;
  if (holder?.kind === 'administrator') return holder;
  throw refusedKey({ tenant: before.tenant, credential: before.credential, reason: 'unknown' });
}

/** Of a key: it, and everything that says what administrators may do. */
const proofOf = (credential: string, epoch: number): RightsProof => ({
  epoch,
  keys: ['administration', `credential:${credential}`],
});

/** Networks that were read once, as are rights. */
const networks = new WeakMap<StoredCredential, Networks>();

/** Whether a credential may be used from an address: from anywhere, if it names no networks. */
export function mayBeUsedFrom(stored: StoredCredential, address: string): boolean {
  if (stored.cidrs === null) return true;
  let from = networks.get(stored);
  if (!from) networks.set(stored, (from = new Networks(stored.cidrs)));
  return from.contains(address);
}

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
