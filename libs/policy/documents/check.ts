import { argumentTypes, checkCondition } from '../cel/language.js';
import { compileGlob } from '../paths/glob.js';
import type { JsonObject } from '../model.js';
import {
  checkAdministration,
  checkAdministratorRole,
  checkDeletedIdentity,
  checkIssuers,
  checkMapping,
} from './check-identity.js';
import { pathBetween } from './inheritance.js';
import { parsePrincipal, subjectKey } from './names.js';
import type { DocumentProblem, SourceDocument } from './parse.js';
import { problemAt, type Report } from './report.js';
import {
  documentName,
  type AnyDocument,
  type ConsentBlock,
  type Kind,
  type PolicyDocument,
  type RoleDocument,
  type ServerDocument,
  type TenantDocument,
} from './schema.js';
import { serverIdentities } from './server-identity.js';
import type { DocumentSet } from './set.js';
import { schemaProblem } from './tool-schema.js';

/** What is about to be saved: new versions, and the names of what goes. */
export interface ProposedChange {
  readonly documents: readonly SourceDocument[];
  readonly deletions: readonly { readonly kind: Kind; readonly name: string }[];
}

/**
 * What is wrong with a set of documents after a change, beyond what each document's own schema says: conditions that do
 * not compile, roles that are not there, cycles, identities claimed twice. Looks only at what the change can affect.
 */
export function checkChange(after: DocumentSet, change: ProposedChange): DocumentProblem[] {
  return [
    ...change.documents.flatMap((proposed) => checkDocument(after, proposed)),
    ...checkIdentities(after, change),
    ...checkIssuers(after, change),
    ...checkDeletedRoles(after, change),
    ...checkDeletedIdentity(after, change.deletions),
    ...checkTests(after, change),
  ];
}

function checkDocument(after: DocumentSet, proposed: SourceDocument): DocumentProblem[] {
  const { document } = proposed;
  const problems: DocumentProblem[] = [];
  const report: Report = (code, message, path, { rule, offset } = {}) => {
    problems.push(problemAt(proposed, code, message, path, { rule, position: proposed.position(path, offset) }));
  };
  switch (document.kind) {
    case 'Role':
      checkRole(after, document, report);
      break;
    case 'Binding':
      document.roles.forEach((role, index) => checkRoleExists(after, role, report, ['roles', index]));
      break;
    case 'Policy':
      checkPolicy(after, document, report);
      break;
    case 'Tenant':
      checkOnlyTenant(after, document, report);
      checkConsent(after, document.defaults.consent, report, ['defaults', 'consent']);
      break;
    case 'Server':
      checkServer(after, document, report);
      break;
    case 'Mapping':
      checkMapping(after, document, report);
      break;
    case 'AdministratorRole':
      checkAdministratorRole(after, document, report);
      break;
    case 'AdministratorBinding':
      checkAdministration(after, document.roles, report, ['roles']);
      break;
    case 'Scope':
    case 'Subject':
    case 'Resource':
    case 'Host':
    case 'Test':
    case 'Issuer':
    case 'Suspension':
      break;
  }
  return problems;
}

/** With two of them it would be chance whose defaults hold. */
function checkOnlyTenant(after: DocumentSet, { name }: TenantDocument, report: Report): void {
  const other = [...after.all('Tenant')].find(({ document }) => document.name !== name);
  if (other)
    report('duplicate_name', `there is already the Tenant document '${other.document.name}': change that one`, [
      'name',
    ]);
}

function checkRoleExists(
  after: DocumentSet,
  role: string,
  report: Report,
  path: readonly PropertyKey[],
  rule?: string,
): void {
  if (after.find('Role', role)) return;
  report('unknown_role', `there is no role '${role}': add a Role document`, path, { rule });
}

function checkRole(after: DocumentSet, role: RoleDocument, report: Report): void {
  const parents = role.inherits ?? [];
  parents.forEach((parent, index) => checkRoleExists(after, parent, report, ['inherits', index]));
  const parentsOf = (name: string) => after.find('Role', name)?.document.inherits ?? [];
  parents.forEach((parent, index) => {
    const cycle = pathBetween(parentsOf, parent, role.name);
    if (cycle)
      report('role_cycle', `a role may not inherit itself: ${[role.name, ...cycle].join(' -> ')}`, ['inherits', index]);
  });
}

function checkPolicy(after: DocumentSet, policy: PolicyDocument, report: Report): void {
  const names = new Set<string>();
  const tools = targetedTools(after, policy);
  policy.rules.forEach((rule, index) => {
    const path = ['rules', index] as const;
    if (names.has(rule.name))
      report('duplicate_name', `there is another rule named '${rule.name}'`, [...path, 'name'], { rule: rule.name });
    names.add(rule.name);
    rule.to.forEach((ref, at) => {
      const principal = parsePrincipal(ref);
      if (principal?.kind === 'role') checkRoleExists(after, principal.name, report, [...path, 'to', at], rule.name);
    });
    checkConsent(after, rule.consent, report, [...path, 'consent'], rule.name);
    for (const clause of ['when', 'unless'] as const) {
      const text = rule[clause];
      if (text === undefined) continue;
      for (const { message, start } of conditionProblems(text, tools)) {
        report('condition', message, [...path, clause], { rule: rule.name, offset: start });
      }
    }
  });
}

function checkConsent(
  after: DocumentSet,
  consent: ConsentBlock | undefined,
  report: Report,
  path: readonly PropertyKey[],
  rule?: string,
): void {
  for (const member of ['by', 'breakGlass'] as const) {
    consent?.[member]?.forEach((ref, index) => {
      const principal = parsePrincipal(ref);
      if (principal?.kind === 'role') checkRoleExists(after, principal.name, report, [...path, member, index], rule);
    });
  }
}

interface TargetedTool {
  readonly name: string;
  readonly schema: JsonObject;
}

/** The registered tools with a schema that a policy's target covers. */
function targetedTools(after: DocumentSet, { target }: PolicyDocument): TargetedTool[] {
  if (!target.actions.map(compileGlob).some((action) => action.matches('tools/call'))) return [];
  const servers = target.servers?.map(compileGlob);
  const resources = target.resources
    .filter((resource) => typeof resource === 'string' || resource.type === 'tool')
    .map((resource) => compileGlob(typeof resource === 'string' ? resource : resource.id));
  const tools: TargetedTool[] = [];
  for (const { document } of after.all('Server')) {
    if (servers && !servers.some((server) => server.matches(document.name))) continue;
    for (const [name, { inputSchema }] of Object.entries(document.tools ?? {})) {
      if (inputSchema && resources.some((resource) => resource.matches(name))) {
        tools.push({ name: `${document.name}/${name}`, schema: inputSchema as JsonObject });
      }
    }
  }
  return tools;
}

/** Problems of a condition by itself, else those it has with the argument types of the first tool that it does not fit. */
function conditionProblems(text: string, tools: readonly TargetedTool[]): { message: string; start: number }[] {
  const problems = checkCondition(text);
  if (problems.length > 0) return problems;
  const checked = new Set<string>();
  for (const { name, schema } of tools) {
    const types = argumentTypes(text, schema);
    if (types === undefined) return [];
    const signature = JSON.stringify(types);
    if (checked.has(signature)) continue;
    checked.add(signature);
    const found = checkCondition(text, types);
    if (found.length > 0)
      return found.map(({ message, start }) => ({ start, message: `${message} (by the schema of the tool ${name})` }));
  }
  return [];
}

/** By which a tool says itself what its calls are decided as (COAZ-MCP binding). */
const OWN_MAPPING = 'x-authzen-mapping';

function checkServer(after: DocumentSet, server: ServerDocument, report: Report): void {
  for (const [name, { inputSchema }] of Object.entries(server.tools ?? {})) {
    if (!inputSchema) continue;
    if (Object.hasOwn(inputSchema, OWN_MAPPING)) {
      report('not_supported_yet', `'${OWN_MAPPING}' is not enforced by this version and is therefore refused`, [
        'tools',
        name,
        'inputSchema',
        OWN_MAPPING,
      ]);
    }
    const problem = schemaProblem(inputSchema as JsonObject);
    if (problem) report('invalid', problem, ['tools', name, 'inputSchema']);
  }
  for (const { document: policy } of after.all('Policy')) {
    const targets = policy.target.servers;
    if (targets && !targets.some((target) => compileGlob(target).matches(server.name))) continue;
    const tools = targetedTools(after, policy).filter((tool) => tool.name.startsWith(`${server.name}/`));
    for (const rule of policy.rules) {
      for (const text of [rule.when, rule.unless]) {
        const found = text === undefined ? [] : conditionProblems(text, tools);
        for (const { message } of found) {
          report(
            'condition',
            `the rule '${rule.name}' of the policy '${policy.name}' would no longer fit: ${message}`,
            ['tools'],
          );
        }
      }
    }
  }
}

/** Two subjects or two servers may not claim the same identity: a request names one of them, and it must be clear which. */
function checkIdentities(after: DocumentSet, change: ProposedChange): DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  for (const kind of ['Subject', 'Server'] as const) {
    const proposed = change.documents.filter(({ document }) => document.kind === kind);
    if (proposed.length === 0) continue;
    const owners = new Map<string, Set<string>>();
    for (const { document } of after.all(kind)) {
      for (const identity of identitiesOf(document)) {
        owners.set(identity, (owners.get(identity) ?? new Set()).add(documentName(document)));
      }
    }
    for (const source of proposed) {
      const name = documentName(source.document);
      for (const identity of identitiesOf(source.document)) {
        const other = [...owners.get(identity)!].find((owner) => owner !== name);
        if (other === undefined) continue;
        const path = kind === 'Subject' ? ['aliases'] : ['identity'];
        problems.push(
          problemAt(source, 'identity_taken', `${identity} already stands for the ${kind} '${other}'`, path, {
            position: source.position(path),
          }),
        );
      }
    }
  }
  return problems;
}

/** Everything that a subject or a server answers to besides its own name. */
export function identitiesOf(document: AnyDocument): string[] {
  if (document.kind === 'Subject') {
    return [
      subjectKey(document.type, document.id),
      ...(document.aliases ?? []).map((alias) => subjectKey(alias.type, alias.id)),
    ];
  }
  return document.kind === 'Server' && document.identity ? serverIdentities(document.identity) : [];
}

/** Most cases of all Test documents of a tenant: they are run at every change. */
const MAX_CASES = 2000;

function checkTests(after: DocumentSet, { documents }: ProposedChange): DocumentProblem[] {
  const proposed = documents.find(({ document }) => document.kind === 'Test');
  if (!proposed) return [];
  let cases = 0;
  for (const { document } of after.all('Test')) cases += document.cases.length;
  if (cases <= MAX_CASES) return [];
  const message = `there would be ${cases} cases in all Test documents, and ${MAX_CASES} may be there`;
  return [problemAt(proposed, 'too_many_cases', message, ['cases'], { position: proposed.position(['cases']) })];
}

/** A role that is deleted may not be named any more. */
function checkDeletedRoles(after: DocumentSet, change: ProposedChange): DocumentProblem[] {
  const deleted = change.deletions.filter(({ kind, name }) => kind === 'Role' && !after.find('Role', name));
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
