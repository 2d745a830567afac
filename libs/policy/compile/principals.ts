import { parsePrincipal, subjectKey } from '../documents/names.js';

/**
 * Who a request is about, as rules see it. `groups` is null where they are not known: then every question that depends
 * on a group is an error, never a no. So is the question about a group that is not among those that are known in part.
 */
export interface Principals {
  readonly key: string;
  readonly groups: ReadonlySet<string> | null;
  /** Whether it may be in groups that are not among these. */
  readonly mayBeInMore: boolean;
  /** Roles held by a live binding or by a mapping, directly or by inheritance. */
  readonly roles: ReadonlySet<string>;
  /** Roles that an unknown group, or a mapping rule in error, could bring. */
  readonly possibleRoles: ReadonlySet<string>;
  /** Whether no question about it is open: neither its groups nor its roles. */
  readonly isCertain: boolean;
  /** Every key under which a rule that names this subject, or may do so, stands in the index, where its groups are known. */
  readonly indexKeys: readonly string[];
}

/** Whether a subject is one of those that a rule names: the first that is true decides, else the first in error. */
export type PrincipalMatcher = (principals: Principals) => 'true' | 'false' | 'error';

/** Compiles the names in a rule's `to`. */
export function compilePrincipals(refs: readonly string[]): PrincipalMatcher {
  const keys = new Set(refs.map(principalKey));
  if (keys.has('any')) return () => 'true';
  const groups = [...keys].filter((key) => key.startsWith('group:')).map((key) => key.slice('group:'.length));
  const roles = [...keys].filter((key) => key.startsWith('role:')).map((key) => key.slice('role:'.length));
  return (principals) => {
    if (keys.has(principals.key)) return 'true';
    if (roles.some((role) => principals.roles.has(role))) return 'true';
    if (principals.groups !== null && groups.some((group) => principals.groups!.has(group))) return 'true';
    if (principals.mayBeInMore && groups.length > 0) return 'error';
    return roles.some((role) => principals.possibleRoles.has(role)) ? 'error' : 'false';
  };
}

/** The key under which a name is indexed: the same text in one spelling. Throws for what the schema refuses. */
export function principalKey(ref: string): string {
  const principal = parsePrincipal(ref);
  if (!principal) throw new Error(`'${ref}' names nobody`);
  if (principal.kind === 'any') return 'any';
  return principal.kind === 'subject'
    ? subjectKey(principal.type, principal.id)
    : `${principal.kind}:${principal.name}`;
}
