import { parsePrincipal } from '#policy';
import type { StoredCredential } from '#store';
import { administratorRightsSchema } from '../rights.js';
import { isPersonSuspended, type SuspendingState } from '../suspended.js';
import { isOwner } from './roles.js';

/** Names of an administrator's roles, as its credential has them; none for what is not that of an administrator. */
export function rolesOfCredential({
  principalKind,
  rights,
}: Pick<StoredCredential, 'principalKind' | 'rights'>): string[] {
  if (principalKind !== 'administrator') return [];
  return administratorRightsSchema.safeParse(rights).data?.roles ?? [];
}

/** Who counts as an owner: good credentials of one, and people who are bound to it and can sign in. */
export interface Owning {
  readonly credentials: Iterable<StoredCredential>;
  readonly policies: SuspendingState;
}

/**
 * The owners at a moment, as `key:<id>` and as bindings name them.
 *
 * INVARIANT: whoever is not known to have a way in does not count. So groups do not, nor what claims give, for nobody knows
 * whom that makes an owner before they sign in; nor do people whom no Issuer lets sign in, or who are suspended. What ends
 * sessions and lets people sign in anew does not matter, nor does a suspension of the tenant, which its owners can lift.
 * @param now ms since 1970
 */
export function* ownersOf({ credentials, policies }: Owning, now: number): Generator<string> {
  const { documents } = policies;
  for (const credential of credentials) {
    const isGood = !credential.disabled && (credential.expiresAt === null || credential.expiresAt > now);
    if (isGood && isOwner(rolesOfCredential(credential), documents)) yield `key:${credential.id}`;
  }
  for (const { document } of documents.all('AdministratorBinding')) {
    const isGood = document.expires === undefined || Date.parse(document.expires) > now;
    if (isGood && isOwner(document.roles, documents)) yield* document.to.filter((ref) => canSignIn(ref, policies));
  }
}

/** Whether there is an owner. @param now ms since 1970 */
export function hasOwner(owning: Owning, now: number): boolean {
  return ownersOf(owning, now).next().done === false;
}

/** Whether a binding names a person whom an Issuer of the tenant lets sign in, as `user:<issuer>/<id>`. */
function canSignIn(ref: string, policies: SuspendingState): boolean {
  const named = parsePrincipal(ref);
  if (named?.kind !== 'subject') return false;
  const slash = named.id.indexOf('/');
  if (slash < 1 || slash === named.id.length - 1) return false;
  const issuer = policies.documents.find('Issuer', named.id.slice(0, slash))?.document;
  return issuer?.signIn !== undefined && issuer.subjectType === named.type && !isPersonSuspended(policies, named);
}
