import type { DocumentSet } from '#policy';
import type { StoredCredential } from '#store';
import { administratorRightsSchema } from '../rights.js';
import { isOwner } from './roles.js';

/** Names of an administrator's roles, as its credential has them; none for what is not that of an administrator. */
export function rolesOfCredential({
  principalKind,
  rights,
}: Pick<StoredCredential, 'principalKind' | 'rights'>): string[] {
  if (principalKind !== 'administrator') return [];
  return administratorRightsSchema.safeParse(rights).data?.roles ?? [];
}

/**
 * Whether there is an owner: a credential of one that is good at a moment, or somebody bound to it. Whom claims would make
 * one is not known before they sign in.
 * @param now ms since 1970
 */
export function hasOwner(credentials: Iterable<StoredCredential>, documents: DocumentSet, now: number): boolean {
  for (const credential of credentials) {
    const isGood = !credential.disabled && (credential.expiresAt === null || credential.expiresAt > now);
    if (isGood && isOwner(rolesOfCredential(credential), documents)) return true;
  }
  for (const { document } of documents.all('AdministratorBinding')) {
    const isGood = document.expires === undefined || Date.parse(document.expires) > now;
    if (isGood && isOwner(document.roles, documents)) return true;
  }
  return false;
}
