import type { z } from 'zod';
import type { StoredCredential } from '#store';
import { macOf, parseApiKey, sameMac, type ApiKey } from './api-key.js';
import type { Principal } from './principal.js';
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
 */
export function principalOf(
  tenant: string,
  stored: StoredCredential | undefined,
  presented: PresentedKey,
  now: number,
): Principal {
  const refuse = (detail: string): never => {
    throw new UnauthenticatedError('credentials_invalid', detail);
  };
  if (!stored || stored.id !== presented.id) return refuse('no such key');
  const secret = stored.secrets.find(({ mac }) => sameMac(mac, presented.mac));
  if (!secret) return refuse('wrong secret');
  if (stored.disabled) return refuse('disabled');
  const ends = [stored.expiresAt, secret.expiresAt].filter((end) => end !== null);
  if (ends.some((end) => end <= now)) return refuse('expired');
  const common = { tenant, credential: stored.id, validUntil: ends.length > 0 ? Math.min(...ends) : null };
  const rights = rightsOf(stored);
  if (rights === undefined) return refuse('rights of an unknown shape');
  return 'role' in rights
    ? { kind: 'administrator', ...common, name: stored.principal, rights }
    : { kind: 'host', ...common, host: stored.principal, rights };
}

type Rights = HostRights | AdministratorRights;

/** Rights that were read once; a credential that changes is another object. */
const known = new WeakMap<StoredCredential, Rights>();

function rightsOf(stored: StoredCredential): Rights | undefined {
  const read = known.get(stored);
  if (read) return read;
  const schema: z.ZodType<Rights> = stored.principalKind === 'host' ? hostRightsSchema : administratorRightsSchema;
  const parsed = schema.safeParse(stored.rights);
  if (parsed.success) known.set(stored, parsed.data);
  return parsed.data;
}
