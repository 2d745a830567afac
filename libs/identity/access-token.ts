import type { StoredCredential } from '#store';
import {
  mayBeUsedFrom,
  principalOf,
  refusedKey,
  rightsOf,
  type PresentedKey,
  type RefusedReason,
} from './authenticate.js';
import type { HostPrincipal, ProvenAdministrator } from './principal.js';

/** An access token of our own authorization server, read once. Whether it is still good is found out at each use. */
export interface AccessToken {
  readonly id: string;
  /** The OAuth client that it was issued to. */
  readonly client: string;
  /** The person who let the client act for them; null: the client acts for itself. */
  readonly person: string | null;
  readonly scopes: readonly string[];
  /** ms since 1970, by the database's clock. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** A token as a caller shows it. */
export interface PresentedToken {
  /** The credential that it rests on: the client's. */
  readonly id: string;
  readonly token: AccessToken;
}

/** What a caller shows: a key, or an access token. */
export type Presented = PresentedKey | PresentedToken;

export const isToken = (presented: Presented): presented is PresentedToken => 'token' in presented;

/** What scopes let a token do: ask for decisions, or administer in the name of a person. */
export type Scope = 'decide' | 'administer';

/** A token is good, but not for this. */
export class ScopeError extends Error {
  override readonly name = 'ScopeError';
  readonly code = 'insufficient_scope';

  constructor(readonly scope: Scope) {
    super(`the access token does not have the scope '${scope}': ask for one that has`);
  }
}

/** Throws ScopeError. */
export function checkTokenScope({ scopes }: AccessToken, scope: Scope): void {
  if (!scopes.includes(scope)) throw new ScopeError(scope);
}

/** A tenant's state at a moment, as far as callers concern it. */
export interface CallerState {
  readonly tenant: string;
  readonly epoch: number;
  credential(id: string): StoredCredential | undefined;
  denies(keys: readonly string[], issuedAt: number): boolean;
}

/**
 * The principal of a key, or of a host's token, on a tenant's state. Throws UnauthenticatedError if it is none any more,
 * also for the token of a person: what a person may do is not found out here.
 * @param now ms since 1970, by the database's clock
 * @param address of the client, normalised
 */
export function principalAt(
  state: CallerState,
  presented: Presented,
  now: number,
  address: string,
): HostPrincipal | ProvenAdministrator {
  if (isToken(presented)) return hostOf(state, presented.token, now, address);
  return principalOf(state.tenant, state.credential(presented.id), presented, now, state.epoch, address);
}

/**
 * Whether a token stands: it has not expired, and neither it nor all of its client's or its person's are denied. Throws
 * UnauthenticatedError.
 */
export function checkStands(state: CallerState, token: AccessToken, now: number): void {
  const refused = (reason: RefusedReason) => refusedKey({ tenant: state.tenant, credential: token.client, reason });
  // What is not a number is past.
  if (!(token.expiresAt > now)) throw refused('expired');
  const person = token.person === null ? [] : [`subject:${token.person.slice(token.person.indexOf(':') + 1)}`];
  const keys = [`token:${token.id}`, `client:${token.client}`, ...person];
  if (state.denies(keys, token.issuedAt)) throw refused('disabled');
}

function hostOf(state: CallerState, token: AccessToken, now: number, address: string): HostPrincipal {
  checkStands(state, token, now);
  const refused = (reason: RefusedReason) => refusedKey({ tenant: state.tenant, credential: token.client, reason });
  const stored = state.credential(token.client);
  if (token.person !== null || !stored || stored.kind === 'api_key' || stored.principalKind !== 'host')
    throw refused('unknown');
  if (stored.disabled) throw refused('disabled');
  if (stored.expiresAt !== null && !(stored.expiresAt > now)) throw refused('expired');
  if (!mayBeUsedFrom(stored, address)) throw refused('outside_network');
  const rights = rightsOf(stored);
  if (!rights || 'roles' in rights) throw refused('rights_unreadable');
  return {
    kind: 'host',
    via: 'token',
    tenant: state.tenant,
    credential: stored.id,
    token: token.id,
    host: stored.principal,
    rights,
    ...(stored.cidrs === null ? {} : { cidrs: stored.cidrs }),
    validUntil: Math.min(token.expiresAt, stored.expiresAt ?? Infinity),
  };
}
