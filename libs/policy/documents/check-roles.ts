import { pathBetween } from './inheritance.js';
import { parsePrincipal } from './names.js';
import type { DocumentProblem } from './parse.js';
import type { Report } from './report.js';
import { documentName, type AnyDocument, type ConsentBlock, type Kind, type RoleDocument } from './schema.js';
import type { DocumentSet } from './set.js';

/** Whether a role that a document names is there. */
export function checkRoleExists(
  after: DocumentSet,
  role: string,
  report: Report,
  path: readonly PropertyKey[],
  rule?: string,
): void {
  if (after.find('Role', role)) return;
  report('unknown_role', `there is no role '${role}': add a Role document`, path, { rule });
}

/** Whether the roles are there among whom a rule or a consent block names. */
export function checkRolesAmong(
  after: DocumentSet,
  refs: readonly string[],
  report: Report,
  path: readonly PropertyKey[],
  rule?: string,
): void {
  refs.forEach((ref, index) => {
    const principal = parsePrincipal(ref);
    if (principal?.kind === 'role') checkRoleExists(after, principal.name, report, [...path, index], rule);
  });
}

/** Whether the roles are there that a consent block names. */
export function checkConsent(
  after: DocumentSet,
  consent: ConsentBlock | undefined,
  report: Report,
  path: readonly PropertyKey[],
  rule?: string,
): void {
  for (const member of ['by', 'breakGlass'] as const) {
    checkRolesAmong(after, consent?.[member] ?? [], report, [...path, member], rule);
  }
}

/** Whether the roles from which a role inherits are there, and it is none of them itself. */
export function checkRole(after: DocumentSet, role: RoleDocument, report: Report): void {
  const parents = role.inherits ?? [];
  parents.forEach((parent, index) => checkRoleExists(after, parent, report, ['inherits', index]));
  checkNoCycle(role, (name) => after.find('Role', name)?.document.inherits ?? [], report);
}

/** Whether a role, of whatever kind, is none of those from which it inherits. */
export function checkNoCycle(
  { name, inherits = [] }: { readonly name: string; readonly inherits?: readonly string[] | undefined },
  parentsOf: (name: string) => readonly string[],
  report: Report,
): void {
  inherits.forEach((parent, index) => {
    const cycle = pathBetween(parentsOf, parent, name);
    if (cycle)
      report('role_cycle', `a role may not inherit itself: ${[name, ...cycle].join(' -> ')}`, ['inherits', index]);
  });
}

/** A role that is deleted may not be named any more. */
export function checkDeletedRoles(
  after: DocumentSet,
  deletions: readonly { readonly kind: Kind; readonly name: string }[],
): DocumentProblem[] {
  const deleted = deletions.filter(({ kind, name }) => kind === 'Role' && !after.find('Role', name));
  const gone = new Set(deleted.map(({ name }) => name));
  if (gone.size === 0) return [];
  const problems: DocumentProblem[] = [];
  for (const kind of ['Role', 'Binding', 'Policy', 'Tenant', 'Mapping'] as const) {
    for (const { document } of after.all(kind)) {
      for (const role of rolesNamedIn(document)) {
        if (!gone.has(role)) continue;
        problems.push({
          code: 'in_use',
          message: `the role '${role}' is still named by the ${kind} '${documentName(document)}'`,
          document: { kind: 'Role', name: role },
        });
      }
    }
  }
  return problems;
}

function rolesNamedIn(document: AnyDocument): Set<string> {
  switch (document.kind) {
    case 'Role':
      return new Set(document.inherits);
    case 'Binding':
      return new Set(document.roles);
    case 'Policy':
      return rolesAmong(
        document.rules.flatMap(({ to, consent }) => [...to, ...(consent?.by ?? []), ...(consent?.breakGlass ?? [])]),
      );
    case 'Tenant':
      return rolesAmong([...(document.defaults.consent?.by ?? []), ...(document.defaults.consent?.breakGlass ?? [])]);
    case 'Mapping':
      return new Set(document.rules.flatMap((rule) => rule.roles ?? []));
    default:
      return new Set();
  }
}

function rolesAmong(refs: readonly string[]): Set<string> {
  const principals = refs.map(parsePrincipal);
  return new Set(principals.flatMap((principal) => (principal?.kind === 'role' ? [principal.name] : [])));
}
