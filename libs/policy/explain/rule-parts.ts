import { decisiveClause } from '../cel/clauses.js';
import type { Bindings, Condition } from '../cel/condition.js';
import type { HeldRoles } from '../compile/memberships.js';
import type { CompiledRule } from '../compile/rules.js';
import { covers } from '../compile/targets.js';
import type { ResolvedRequest } from '../decide/request.js';
import { argumentsCovered, conjunction, negation } from '../decide/rule-outcome.js';
import type { Outcome } from '../model.js';
import type { ExplainedRule, FailedClause } from './explanation.js';
import { masked } from './mask.js';

/** What a request looks like to rules. */
export interface View {
  readonly request: ResolvedRequest;
  readonly principals: HeldRoles;
  readonly variables: Bindings;
}

/** Things that a clause looked at and that are told. */
const MAX_SEEN = 10;

/** Each part of a rule, what they come to together, and the first clause in the way; with the steps that this took. */
export function partsOf(
  rule: CompiledRule,
  view: View,
): Pick<ExplainedRule, 'outcome' | 'parts' | 'failed'> & { readonly steps: number } {
  const { request, principals, variables } = view;
  const { server, action, resource, agent } = request;
  const fields = rule.fields?.arguments ? argumentsCovered(rule, request) : undefined;
  const when = rule.when?.evaluate(variables);
  const unless = rule.unless?.evaluate(variables);
  const parts: ExplainedRule['parts'] = {
    target: covers(rule.target, server?.id ?? null, action, resource.type, resource.id),
    to: rule.to(principals),
    ...(rule.via ? { via: rule.via.has(agent.id) ? ('true' as const) : ('false' as const) } : {}),
    ...(fields ? { fields: fields.outcome } : {}),
    ...(when ? { when: when.outcome } : {}),
    ...(unless ? { unless: negation(unless.outcome) } : {}),
  };
  const failed = failedOf(rule, parts, variables);
  return {
    outcome: conjunction(Object.values<Outcome>(parts)),
    parts,
    ...(failed ? { failed: failed.clause } : {}),
    steps: (fields?.steps ?? 0) + (when?.steps ?? 0) + (unless?.steps ?? 0) + (failed?.steps ?? 0),
  };
}

function failedOf(
  { when, unless }: CompiledRule,
  parts: ExplainedRule['parts'],
  variables: Bindings,
): { clause: FailedClause; steps: number } | undefined {
  if (when && parts.when !== 'true') return failedClause('when', when, variables);
  return unless && parts.unless !== 'true' ? failedClause('unless', unless, variables) : undefined;
}

function failedClause(part: FailedClause['part'], condition: Condition, variables: Bindings) {
  const { places, steps, ...clause } = decisiveClause(condition.text, variables, part === 'when');
  const saw = places.slice(0, MAX_SEEN).map((place) => masked(variables, place));
  return { clause: { part, ...clause, saw }, steps };
}
