import { argumentTypes, checkCondition } from '../cel/language.js';
import type { JsonObject } from '../model.js';
import { compileGlob } from '../paths/glob.js';
import type { Report } from './report.js';
import type { PolicyDocument, RuleDocument, ServerDocument } from './schema.js';
import type { DocumentSet } from './set.js';

/** Whether the conditions of a rule compile, and fit the schemas of the tools that its policy covers. */
export function checkConditions(
  rule: Pick<RuleDocument, 'name' | 'when' | 'unless'>,
  tools: readonly TargetedTool[],
  report: Report,
  path: readonly PropertyKey[],
): void {
  for (const clause of ['when', 'unless'] as const) {
    const text = rule[clause];
    if (text === undefined) continue;
    for (const { message, start } of conditionProblems(text, tools)) {
      report('condition', message, [...path, clause], { rule: rule.name, offset: start });
    }
  }
}

/** Whether the conditions of all rules that cover tools of a server still fit its schemas. */
export function checkConditionsOn(after: DocumentSet, server: ServerDocument, report: Report): void {
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

/** A tool whose arguments conditions must fit. */
export interface TargetedTool {
  readonly name: string;
  readonly schema: JsonObject;
}

/** The registered tools with a schema that a policy's target covers. */
export function targetedTools(after: DocumentSet, { target }: PolicyDocument): TargetedTool[] {
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
