import { checkStands, checkTokenScope, isToken, principalAt, type HostPrincipal } from '#identity';
import { Refusal } from '#http';
import type { TenantSnapshot } from '#snapshot';
import type { Call } from './question.js';

/** What a caller shows, and from where. */
type Shown = Pick<Call, 'key' | 'address'>;

/** The host that a key or token is of. Throws UnauthenticatedError, ScopeError, and Refusal where it is of somebody else. */
export function hostAt(snapshot: TenantSnapshot, { key, address }: Shown, now: number): HostPrincipal {
  if (isToken(key) && key.token.person !== null) {
    checkStands(snapshot, key.token, now);
    throw new Refusal('not_a_host', 'only a host can ask for decisions, and this is the access token of a person');
  }
  const principal = principalAt(snapshot, key, now, address);
  if (principal.kind !== 'host') throw new Refusal('not_a_host', 'only the key of a host can ask for decisions');
  if (isToken(key)) checkTokenScope(key.token, 'decide');
  return principal;
}

/** Whether whoever calls is good by a state. */
export function isGood(snapshot: TenantSnapshot, { key, address }: Shown, now: number): boolean {
  try {
    return principalAt(snapshot, key, now, address) !== undefined;
  } catch {
    return false;
  }
}
