import { BUILT_IN_ADMINISTRATION, isBuiltInAdministration } from './administration.js';
import { checkNoCycle, checkRoleExists } from './check-roles.js';
import type { DocumentProblem, SourceDocument } from './parse.js';
import { problemAt, type Report } from './report.js';
import {
  documentName,
  type AdministratorRoleDocument,
  type AnyDocument,
  type IssuerDocument,
  type MappingDocument,
} from './schema.js';
import type { DocumentSet } from './set.js';

/** What is wrong with a Mapping beside the other documents: an issuer or a role that is not there. */
export function checkMapping(after: DocumentSet, mapping: MappingDocument, report: Report): void {
  if (!after.find('Issuer', mapping.issuer))
    report('unknown_issuer', `there is no issuer '${mapping.issuer}': add an Issuer document`, ['issuer']);
  const names = new Set<string>();
  mapping.rules.forEach((rule, index) => {
    const path = ['rules', index] as const;
    if (names.has(rule.name))
      report('duplicate_name', `there is another rule named '${rule.name}'`, [...path, 'name'], { rule: rule.name });
    names.add(rule.name);
    rule.roles?.forEach((role, at) => checkRoleExists(after, role, report, [...path, 'roles', at], rule.name));
    checkAdministration(after, rule.administration ?? [], report, [...path, 'administration'], rule.name);
  });
}

/** Whether every one of some roles of administrators is built in, or there as a document. */
export function checkAdministration(
  after: DocumentSet,
  roles: readonly string[],
  report: Report,
  path: readonly PropertyKey[],
  rule?: string,
): void {
  roles.forEach((role, index) => {
    if (isBuiltInAdministration(role) || after.find('AdministratorRole', role)) return;
    const known = BUILT_IN_ADMINISTRATION.join(', ');
    const message = `there is no role of administrators '${role}': add an AdministratorRole document, or name one of ${known}`;
    report('unknown_role', message, [...path, index], { rule });
  });
}

export function checkAdministratorRole(after: DocumentSet, role: AdministratorRoleDocument, report: Report): void {
  if (isBuiltInAdministration(role.name))
    report('duplicate_name', `'${role.name}' is the name of a built-in role: choose another`, ['name']);
  checkAdministration(after, role.inherits ?? [], report, ['inherits']);
  checkNoCycle(role, (name) => after.find('AdministratorRole', name)?.document.inherits ?? [], report);
}

/**
 * Two Issuers may stand for the same party only where no token could be of both: by the audiences of its tokens. And people
 * with addresses of a domain are led to one of them: another one that claims the domain is told so, and takes nobody away.
 */
export function checkIssuers(
  after: DocumentSet,
  { documents }: { readonly documents: readonly SourceDocument[] },
): DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  for (const source of documents) {
    const { document } = source;
    if (document.kind !== 'Issuer') continue;
    for (const { document: other } of after.all('Issuer')) {
      if (other.name === document.name) continue;
      const domain = document.signIn?.domains?.find((each) => other.signIn?.domains?.includes(each));
      if (domain !== undefined) {
        const path = ['signIn', 'domains'];
        const message = `people of ${domain} are led to the Issuer '${other.name}': leave the domain out of one of them`;
        problems.push(problemAt(source, 'identity_taken', message, path, { position: source.position(path) }));
      }
      const path = other.issuer === document.issuer ? overlap(document, other) : undefined;
      if (path === undefined) continue;
      const message = `a token of ${document.issuer} could also be one of the Issuer '${other.name}': give them audiences of which none is in both`;
      problems.push(problemAt(source, 'identity_taken', message, path, { position: source.position(path) }));
    }
  }
  return problems;
}

/** Where two Issuers of the same text take the same tokens; undefined if they never do. */
function overlap(one: IssuerDocument, other: IssuerDocument): string[] | undefined {
  const theirs = other.subjectTokens?.audiences ?? [];
  if (one.subjectTokens?.audiences.some((audience) => theirs.includes(audience))) return ['subjectTokens', 'audiences'];
  if (!one.workloads || !other.workloads) return undefined;
  const [mine, others] = [one.workloads.audiences, other.workloads.audiences];
  const isApart = mine && others && !mine.some((audience) => others.includes(audience));
  return isApart ? undefined : ['workloads'];
}

/** The issuer of a Mapping, and the roles of administrators that a document names. */
function identityNamedIn(document: AnyDocument): { readonly issuer?: string; readonly roles: Set<string> } {
  switch (document.kind) {
    case 'Mapping':
      return { issuer: document.issuer, roles: new Set(document.rules.flatMap((rule) => rule.administration ?? [])) };
    case 'AdministratorRole':
      return { roles: new Set(document.inherits) };
    case 'AdministratorBinding':
      return { roles: new Set(document.roles) };
    default:
      return { roles: new Set() };
  }
}

/** An issuer, or a role of administrators, that is deleted may not be named any more. */
export function checkDeletedIdentity(
  after: DocumentSet,
  deletions: readonly { readonly kind: string; readonly name: string }[],
): DocumentProblem[] {
  const gone = (kind: 'Issuer' | 'AdministratorRole') =>
    new Set(deletions.filter((each) => each.kind === kind && !after.find(kind, each.name)).map(({ name }) => name));
  const [issuers, roles] = [gone('Issuer'), gone('AdministratorRole')];
  if (issuers.size === 0 && roles.size === 0) return [];
  const problems: DocumentProblem[] = [];
  const inUse = (kind: string, name: string, by: AnyDocument) => {
    const what = kind === 'Issuer' ? 'issuer' : 'role of administrators';
    const message = `the ${what} '${name}' is still named by the ${by.kind} '${documentName(by)}'`;
    problems.push({ code: 'in_use', message, document: { kind, name } });
  };
  for (const kind of ['Mapping', 'AdministratorRole', 'AdministratorBinding'] as const) {
    for (const { document } of after.all(kind)) {
      const named = identityNamedIn(document);
      if (named.issuer !== undefined && issuers.has(named.issuer)) inUse('Issuer', named.issuer, document);
      for (const role of named.roles) if (roles.has(role)) inUse('AdministratorRole', role, document);
    }
  }
  return problems;
}
