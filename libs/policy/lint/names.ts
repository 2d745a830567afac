import type { AnyDocument, PolicyDocument, ScopeClauses } from '../documents/schema.js';
import { shown } from '../documents/wording.js';
import { compileGlob } from '../paths/glob.js';
import type { Facts } from './facts.js';
import type { Report } from './finding.js';
import { intendedMethod } from './methods.js';
import { canBeTool, targetOf, type LintTarget } from './patterns.js';

/** Names of servers, tools and hosts, and of methods, that a document has and nobody else knows. */
export function lintNames(facts: Facts, document: AnyDocument, report: Report): void {
  switch (document.kind) {
    case 'Policy':
      lintServers(facts, document.target.servers ?? [], report, ['target', 'servers']);
      lintTools(facts, targetOf(document), report);
      lintMethods(document, report);
      return lintVia(facts, document, report);
    case 'Scope':
      if (document.server !== undefined) lintServers(facts, [document.server], report, ['server'], true);
      if (document.host !== undefined) lintHost(facts, document.host, report, ['host']);
      return lintClauses(facts, document, report, []);
    case 'Tenant':
      return lintClauses(facts, document.defaults.hostScope ?? {}, report, ['defaults', 'hostScope']);
    case 'Resource':
      if (document.server !== undefined) lintServers(facts, [document.server], report, ['server'], true);
      return;
    default:
      return;
  }
}

/** Deny lists may name what is not there: they are not a mistake for that. */
function lintClauses(facts: Facts, { servers }: ScopeClauses, report: Report, path: readonly PropertyKey[]): void {
  lintServers(facts, servers?.allow ?? [], report, [...path, 'servers', 'allow']);
}

function lintServers(
  facts: Facts,
  patterns: readonly string[],
  report: Report,
  path: readonly PropertyKey[],
  isName = false,
): void {
  patterns.forEach((text, index) => {
    const pattern = compileGlob(text);
    if (text === '*' || facts.serversMatching(pattern).length > 0) return;
    const at = isName ? path : [...path, index];
    if (pattern.exact !== undefined) {
      const add = 'add a Server document, or mend the name';
      report('unknown_server', `there is no server '${shown(pattern.exact)}': ${add}`, at);
    } else report('never_matches', `no registered server is called as in '${shown(text)}'`, at);
  });
}

/** Only where the policy is for calls of tools alone, and for servers that all say which tools they have. */
function lintTools(facts: Facts, { servers, actions, resources }: LintTarget, report: Report): void {
  if (!servers?.every(({ exact }) => exact !== undefined)) return;
  const targeted = servers.map(({ exact }) => facts.server(exact!)?.tools);
  if (!targeted.every((tools) => tools !== undefined && Object.keys(tools).length > 0)) return;
  const onlyCalls = actions.every(({ exact }) => exact === 'tools/call' || exact === 'tools/call:result');
  resources.forEach((resource, index) => {
    const { exact } = resource.id;
    if (exact === undefined || !canBeTool(resource) || !(onlyCalls || resource.type === 'tool')) return;
    if (targeted.some((tools) => Object.hasOwn(tools!, exact))) return;
    const names = servers.map((server) => server.exact!).join("', '");
    report('unknown_tool', `'${shown(exact)}' is none of the tools that '${shown(names, 200)}' declares`, [
      'target',
      'resources',
      index,
    ]);
  });
}

function lintMethods({ target }: PolicyDocument, report: Report): void {
  target.actions.forEach((text, index) => {
    const { exact } = compileGlob(text);
    const meant = exact === undefined ? undefined : intendedMethod(exact);
    if (meant === undefined) return;
    report('never_matches', `MCP has no method '${shown(exact!)}': '${meant}' is near`, ['target', 'actions', index]);
  });
}

function lintVia(facts: Facts, { rules }: PolicyDocument, report: Report): void {
  rules.forEach((rule, at) => {
    rule.via?.forEach((host, index) => lintHost(facts, host, report, ['rules', at, 'via', index], rule.name));
  });
}

function lintHost(facts: Facts, host: string, report: Report, path: readonly PropertyKey[], rule?: string): void {
  if (facts.hasHost(host)) return;
  const message = `there is no host '${host}': register it, or mend the name`;
  report('unknown_host', message, path, rule === undefined ? {} : { rule });
}
