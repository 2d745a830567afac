import type { JsonObject } from '../model.js';
import { checkConditions, checkConditionsOn, targetedTools } from './check-conditions.js';
import {
  checkAdministration,
  checkAdministratorRole,
  checkDeletedIdentity,
  checkIssuers,
  checkMapping,
} from './check-identity.js';
import { checkConsent, checkDeletedRoles, checkRole, checkRoleExists, checkRolesAmong } from './check-roles.js';
import { checkFourEyes } from './four-eyes.js';
import { checkIdentities } from './identities.js';
import type { DocumentProblem, SourceDocument } from './parse.js';
import { problemAt, type Report } from './report.js';
import type { Kind, PolicyDocument, ServerDocument, TenantDocument } from './schema.js';
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
    ...checkIdentities(after, change.documents),
    ...checkIssuers(after, change),
    ...checkDeletedRoles(after, change.deletions),
    ...checkDeletedIdentity(after, change.deletions),
    ...checkTests(after, change),
    ...checkGuardrails(after, change),
    ...checkFourEyes(after, change),
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
    case 'Guardrail':
      checkConditions(document, [], report, []);
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

function checkPolicy(after: DocumentSet, policy: PolicyDocument, report: Report): void {
  const names = new Set<string>();
  const tools = targetedTools(after, policy);
  policy.rules.forEach((rule, index) => {
    const path = ['rules', index] as const;
    if (names.has(rule.name))
      report('duplicate_name', `there is another rule named '${rule.name}'`, [...path, 'name'], { rule: rule.name });
    names.add(rule.name);
    checkRolesAmong(after, rule.to, report, [...path, 'to'], rule.name);
    checkConsent(after, rule.consent, report, [...path, 'consent'], rule.name);
    checkConditions(rule, tools, report, path);
  });
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
  checkConditionsOn(after, server, report);
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

/** Most guardrails: each is looked at in every decision that it could concern, of every tenant. */
const MAX_GUARDRAILS = 200;

function checkGuardrails(after: DocumentSet, { documents }: ProposedChange): DocumentProblem[] {
  const proposed = documents.find(({ document }) => document.kind === 'Guardrail');
  const count = after.count('Guardrail');
  if (!proposed || count <= MAX_GUARDRAILS) return [];
  const message = `there would be ${count} guardrails, and ${MAX_GUARDRAILS} may be there: put several into one`;
  return [problemAt(proposed, 'invalid', message, [], { position: proposed.position([]) })];
}
