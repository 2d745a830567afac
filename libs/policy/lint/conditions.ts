import { VARIABLES, type Variable } from '../cel/language.js';
import type { Bindings } from '../cel/condition.js';
import { Fault, type CelValue, type Result } from '../cel/values.js';
import type { PolicyDocument, RuleDocument, ServerDocument } from '../documents/schema.js';
import type { Outcome } from '../model.js';
import type { Facts } from './facts.js';
import type { Report } from './finding.js';
import { canBeTool, targetOf, type LintTarget } from './patterns.js';

/** What is known of a request before there is one. Whatever is absent is unknown. */
export interface KnownRequest {
  readonly action?: string | undefined;
  readonly server?: string | undefined;
  readonly resource?: string | undefined;
  /** A tool that is called; null: one that is not declared, of any name. */
  readonly tool?: { readonly name: string; readonly operation?: string | undefined } | null | undefined;
  readonly arguments?: Readonly<Record<string, CelValue>>;
}

/** A value that nobody knows yet: what is made of it is not known either. */
export const UNKNOWN = Fault.UNKNOWN as unknown as CelValue;

/** The variables of a condition, of which only some are known. */
export function bindingsFor({ action, server, resource, tool, arguments: given }: KnownRequest): Bindings {
  const values: Partial<Record<Variable, Result>> = {
    action: { name: action ?? UNKNOWN },
    resource: { type: UNKNOWN, id: resource ?? UNKNOWN, properties: UNKNOWN },
    ...(server === undefined ? {} : { server: { id: server, properties: UNKNOWN } }),
    ...(tool === undefined ? {} : { tool: toolValue(tool) }),
    ...(given === undefined ? {} : { arguments: given }),
  };
  return VARIABLES.map((name) => values[name] ?? Fault.UNKNOWN);
}

function toolValue(tool: NonNullable<KnownRequest['tool']> | null): CelValue {
  if (tool === null) return { name: UNKNOWN, registered: false };
  const { name, operation } = tool;
  return { name, registered: true, ...(operation === undefined ? {} : { operation }) };
}

/** More kinds of requests than this are not told apart: then nothing is known of any. */
const MAX_KINDS = 64;

/** Rules with a condition that nothing their target covers can meet. */
export function lintConditions(facts: Facts, policy: PolicyDocument, report: Report): void {
  let kinds: readonly KnownRequest[] | undefined;
  policy.rules.forEach((rule, index) => {
    if (rule.when === undefined && rule.unless === undefined) return;
    kinds ??= kindsOf(facts, targetOf(policy));
    for (const clause of ['when', 'unless'] as const) {
      if (!isNeverMet(facts, rule, clause, kinds)) continue;
      const outcome = clause === 'when' ? 'is never true' : 'is never false';
      const whom = isNeverMet(facts, rule, clause, [{}]) ? 'whatever is asked' : 'for anything that this policy is for';
      report('never_matches', `this condition ${outcome}, ${whom}`, ['rules', index, clause], { rule: rule.name });
    }
  });
}

/** An allow that is in error allows nothing either, if it obliges to nothing; a deny or an ask in error restricts. */
function isNeverMet(
  facts: Facts,
  { effect, obligations, fields, ...clauses }: RuleDocument,
  clause: 'when' | 'unless',
  kinds: readonly KnownRequest[],
): boolean {
  const text = clauses[clause];
  const condition = text === undefined ? null : facts.condition(text);
  if (!condition) return false;
  const unmet: readonly Outcome[] = [
    clause === 'when' ? 'false' : 'true',
    ...(effect === 'allow' && !obligations && !fields?.result ? (['error'] as const) : []),
  ];
  return kinds.every((kind) => unmet.includes(condition.evaluate(bindingsFor(kind), true).outcome));
}

/** The kinds of requests that a target covers, as far as names tell them apart. */
function kindsOf(facts: Facts, target: LintTarget): readonly KnownRequest[] {
  const servers = target.servers?.every(({ exact }) => exact !== undefined)
    ? target.servers.flatMap(({ exact }) => facts.server(exact!) ?? [])
    : [undefined];
  const kinds: KnownRequest[] = [];
  for (const server of servers) {
    for (const action of target.actions) {
      for (const resource of target.resources) {
        const known = { server: server?.name, action: action.exact, resource: resource.id.exact };
        if (server && action.exact === 'tools/call' && canBeTool(resource)) {
          for (const tool of toolsFor(facts, server, resource.id.exact, (name) => resource.id.matches(name)))
            kinds.push({ ...known, tool });
        } else kinds.push(known);
        if (kinds.length > MAX_KINDS) return [{}];
      }
    }
  }
  return kinds.length === 0 ? [{}] : kinds;
}

/** The declared tools that a pattern matches, and one that is not declared where that can be. */
function toolsFor(
  facts: Facts,
  server: ServerDocument,
  exact: string | undefined,
  matches: (name: string) => boolean,
): readonly KnownRequest['tool'][] {
  const declared = facts.toolsOf(server).filter(({ name }) => matches(name));
  return exact !== undefined && declared.length > 0 ? declared : [...declared, null];
}
