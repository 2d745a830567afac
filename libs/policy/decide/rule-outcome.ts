import type { Bindings } from '../cel/condition.js';
import { VARIABLES, type Variable } from '../cel/language.js';
import { CelOpenMap, CelSeenList, CelTimestamp, Fault, type CelValue, type Result } from '../cel/values.js';
import type { Principals } from '../compile/principals.js';
import type { CompiledRule } from '../compile/rules.js';
import { covers } from '../compile/targets.js';
import { coverageOf } from '../fields/places.js';
import type { Outcome } from '../model.js';
import type { ResolvedRequest } from './request.js';

/** What one rule came to, and the steps that its conditions took. */
export interface RuleOutcome {
  readonly outcome: Outcome;
  readonly steps: number;
}

/**
 * A rule is false if one of its parts is; else unknown or in error if one of them is; else it applies. Parts are asked
 * from cheap to dear, and none after a false one.
 *
 * INVARIANT: the rule is a candidate of the index for this request, so what the look-up has proven is not asked again.
 */
export function ruleOutcome(
  rule: CompiledRule,
  request: ResolvedRequest,
  principals: Principals,
  variables: Bindings,
): RuleOutcome {
  const { server, action, resource } = request;
  const target = resource.id === null ? covers(rule.target, server?.id ?? null, action, resource.type, null) : 'true';
  if (target === 'false') return { outcome: 'false', steps: 0 };
  if (rule.via !== null && !rule.via.has(request.agent.id)) return { outcome: 'false', steps: 0 };
  const to = principals.isCertain ? 'true' : rule.to(principals);
  if (to === 'false') return { outcome: 'false', steps: 0 };
  const partial = request.arguments === 'unknown';
  const fields = argumentsCovered(rule, request);
  if (fields.outcome === 'false') return fields;
  const when = rule.when?.evaluate(variables, partial) ?? ALWAYS;
  if (when.outcome === 'false') return { outcome: 'false', steps: fields.steps + when.steps };
  const unless = rule.unless?.evaluate(variables, partial) ?? NEVER;
  return {
    outcome: conjunction([target, to, fields.outcome, when.outcome, negation(unless.outcome)]),
    steps: fields.steps + when.steps + unless.steps,
  };
}

/** Whether every argument lies within the fields that the rule covers. */
export function argumentsCovered({ fields }: CompiledRule, { arguments: given }: ResolvedRequest): RuleOutcome {
  const places = fields === null ? null : fields.arguments;
  if (places === null) return ALWAYS;
  return given === 'unknown' ? { outcome: 'unknown', steps: 0 } : coverageOf(given, places);
}

const ALWAYS: RuleOutcome = { outcome: 'true', steps: 0 };
const NEVER: RuleOutcome = { outcome: 'false', steps: 0 };

/** What `unless` contributes: the opposite of what it came to. */
export function negation(outcome: Outcome): Outcome {
  if (outcome === 'true') return 'false';
  return outcome === 'false' ? 'true' : outcome;
}

/** False beats unknown beats error beats true: an unknown part may still turn out false. */
export function conjunction(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.includes('false')) return 'false';
  if (outcomes.includes('unknown')) return 'unknown';
  return outcomes.includes('error') ? 'error' : 'true';
}

/** What conditions can read of a request. A variable that has no value here is an error to read. */
export function bindingsOf(request: ResolvedRequest, now: number): Bindings {
  const { subject, agent, action, resource, server, tool, session, context } = request;
  const values: Record<Variable, Result> = {
    subject: {
      type: subject.type,
      id: subject.id,
      properties: subject.unsure === null ? subject.properties : new CelOpenMap(subject.properties, subject.unsure),
      assurance: subject.assurance,
      ...(subject.groups === null ? {} : { groups: groupsValue(subject.groups, subject.mayBeInMore) }),
      ...(subject.token === null ? {} : { token: subject.token }),
    },
    agent: { id: agent.id, properties: agent.properties as CelValue },
    action: { name: action },
    resource: {
      type: resource.type,
      id: (resource.id ?? Fault.UNKNOWN) as CelValue,
      properties: resource.properties as CelValue,
    },
    server: server ? { id: server.id, properties: server.properties as CelValue } : Fault.NO_SUCH_KEY,
    arguments: request.arguments === 'unknown' ? Fault.UNKNOWN : request.arguments,
    tool: tool ? toolValue(tool) : Fault.NO_SUCH_KEY,
    session: session ? { id: session.id } : Fault.NO_SUCH_KEY,
    context: context,
    now: new CelTimestamp(now),
  };
  return VARIABLES.map((name) => values[name]);
}

const groupsValue = (groups: ReadonlySet<string>, mayBeInMore: boolean): CelValue =>
  mayBeInMore ? new CelSeenList([...groups]) : [...groups];

function toolValue({ name, registered }: NonNullable<ResolvedRequest['tool']>): CelValue {
  const operation = registered?.document.operation;
  return { name, registered: registered !== undefined, ...(operation === undefined ? {} : { operation }) };
}
