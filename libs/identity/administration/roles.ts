import { isBuiltInAdministration, type DocumentSet } from '#policy';
import { BUILT_IN_GRANTS, type AdministrationGrant } from './built-in.js';

/** Some roles of administrators, and every one that they inherit. Names that are no role are among them and mean nothing. */
function inheritedRoles(roles: readonly string[], documents: DocumentSet): ReadonlySet<string> {
  const held = new Set<string>();
  const open = [...roles].sort();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (held.has(name)) continue;
    held.add(name);
    if (!isBuiltInAdministration(name))
      open.push(...(documents.find('AdministratorRole', name)?.document.inherits ?? []));
  }
  return held;
}

/** What some roles let their holders do. */
export function grantsOf(roles: readonly string[], documents: DocumentSet): readonly AdministrationGrant[] {
  return [...inheritedRoles(roles, documents)].flatMap((name) =>
    isBuiltInAdministration(name)
      ? BUILT_IN_GRANTS[name]
      : (documents.find('AdministratorRole', name)?.document.grants ?? []),
  );
}

/** Whether somebody with some roles is an owner, be it by a role that inherits it. */
export const isOwner = (roles: readonly string[], documents: DocumentSet): boolean =>
  inheritedRoles(roles, documents).has('owner');
