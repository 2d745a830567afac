import type { Condition } from '../cel/condition.js';
import { Fault } from '../cel/values.js';
import type { PolicyDocument, RuleDocument } from '../documents/schema.js';
import { isJsonObject, own } from '../json.js';
import type { Json, JsonObject } from '../model.js';
import { compileGlob } from '../paths/glob.js';
import { bindingsFor, UNKNOWN, type KnownRequest } from './conditions.js';
import type { Facts } from './facts.js';
import type { Report } from './finding.js';
import { coversTool, isForToolCalls, targetOf } from './patterns.js';

/** More tools of one target than this are not looked at. */
const MAX_TOOLS = 500;

/** Deny and ask rules that are in error at calls without an argument that a schema leaves out. */
export function lintArguments(facts: Facts, policy: PolicyDocument, report: Report): void {
  let tools: readonly Tool[] | undefined;
  policy.rules.forEach((rule, index) => {
    if (rule.effect === 'allow' || rule.enforce === false || !rule.when?.includes('arguments')) return;
    const condition = facts.condition(rule.when);
    if (!condition) return;
    tools ??= toolsWithSchema(facts, policy);
    const found = firstMissing(facts, rule, condition, tools);
    if (!found) return;
    const { argument, tool, offset } = found;
    const outcome = rule.effect === 'deny' ? 'denied' : 'asked about';
    report(
      'error_without_argument',
      `a call of ${tool} may leave out '${argument}', which puts this rule in error: it is ${outcome}; ` +
        `write has(arguments.${argument}) && ... if it should not be`,
      ['rules', index, 'when'],
      { rule: rule.name, offset },
    );
  });
}

interface Tool {
  readonly title: string;
  readonly known: KnownRequest;
  readonly required: readonly string[];
}

function firstMissing(
  facts: Facts,
  { unless }: RuleDocument,
  condition: Condition,
  tools: readonly Tool[],
): { argument: string; tool: string; offset: number } | undefined {
  const named = new Set([...condition.text.matchAll(/\barguments\.([A-Za-z_]\w*)/g)].map(([, name]) => name!));
  const exception = unless === undefined ? null : facts.condition(unless);
  for (const { title, known, required } of tools) {
    if ([...named].every((name) => required.includes(name))) continue;
    const bindings = bindingsFor(known);
    const { outcome } = condition.evaluate(bindings, true);
    if (outcome !== 'error' && outcome !== 'unknown') continue;
    if (exception?.evaluate(bindings, true).outcome === 'true') continue;
    const missing = missingIn(condition, bindings);
    if (missing) return { ...missing, tool: title };
  }
  return undefined;
}

/** The first plain selection of an argument that fails because there is none of that name. */
function missingIn(
  condition: Condition,
  bindings: Parameters<Condition['trace']>[0],
): { argument: string; offset: number } | undefined {
  for (const { start, end, fault } of condition.trace(bindings).steps) {
    if (fault !== Fault.NO_SUCH_KEY.code) continue;
    const argument = /^arguments\.([A-Za-z_]\w*)$/.exec(condition.text.slice(start, end))?.[1];
    if (argument !== undefined) return { argument, offset: start };
  }
  return undefined;
}

/** The targeted tools whose schema says plainly which arguments a call may leave out. */
function toolsWithSchema(facts: Facts, policy: PolicyDocument): Tool[] {
  const target = targetOf(policy);
  if (!isForToolCalls(target)) return [];
  const tools: Tool[] = [];
  for (const server of new Set((target.servers ?? [ANY]).flatMap((pattern) => facts.serversMatching(pattern)))) {
    for (const { name, operation, inputSchema } of facts.toolsOf(server)) {
      if (tools.length === MAX_TOOLS) return tools;
      const required = inputSchema && coversTool(target, name) ? requiredBy(inputSchema as JsonObject) : undefined;
      if (!required) continue;
      const given = Object.fromEntries(required.map((argument) => [argument, UNKNOWN]));
      tools.push({
        title: `${server.name}/${name}`,
        known: {
          action: 'tools/call',
          server: server.name,
          resource: name,
          tool: { name, operation },
          arguments: given,
        },
        required,
      });
    }
  }
  return tools;
}

const ANY = compileGlob('*');

/** Keywords beside which `required` alone says what must be there. */
const PLAIN_KEYWORDS = [
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'title',
  'description',
  'default',
  'examples',
  'type',
  'properties',
  'required',
  'additionalProperties',
  'maxProperties',
];

/** The arguments that a schema requires; undefined where other keywords could require more. */
function requiredBy(schema: JsonObject): readonly string[] | undefined {
  if (!Object.keys(schema).every((keyword) => PLAIN_KEYWORDS.includes(keyword))) return undefined;
  const type: Json | undefined = own(schema, 'type');
  if (type !== 'object' && type !== undefined) return undefined;
  if (!isJsonObject(own(schema, 'properties') ?? {})) return undefined;
  return (own(schema, 'required') ?? []) as readonly string[];
}
