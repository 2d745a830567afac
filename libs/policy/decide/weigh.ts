import type { HeldRoles, SupposedRole } from '../compile/memberships.js';
import { areTooMany } from '../compile/crowd.js';
import type { PolicySet } from '../compile/policy-set.js';
import type { Query } from '../compile/rule-index.js';
import type { CompiledRule } from '../compile/rules.js';
import { BoundArguments } from './bound.js';
import { boundaryOf, type BoundaryOutcome } from './boundary.js';
import type { Outcomes, RuleRecord } from './combine.js';
import type { ResolvedRequest } from './request.js';
import { meets, requirementOf, type Consent, type Requirement } from './requirements.js';
import { bindingsOf, ruleOutcome } from './rule-outcome.js';

/** Steps that all conditions of one request may take together. */
export const REQUEST_BUDGET = 500_000;

/** One candidate that did not come out false. */
interface Weighed {
  readonly rule: CompiledRule;
  readonly outcome: RuleRecord['outcome'];
}

/** All outcomes of one request, before they are combined. */
export interface Weighing {
  readonly outcomes: Outcomes;
  readonly boundary: BoundaryOutcome;
  /** In the order of `outcomes.rules`. */
  readonly rules: readonly CompiledRule[];
  readonly requirements: readonly (Requirement & { readonly metBy: Consent | null })[];
  readonly validUntil: number | null;
}

/** The rules that could concern a request, and those of them that only would. */
interface Candidates {
  readonly principals: HeldRoles;
  readonly rules: readonly CompiledRule[];
  readonly shadows: readonly CompiledRule[];
}

/** Who a request is about, as rules see it at `now`, or as they would. */
export const principalsOf = (
  set: PolicySet,
  { subject }: ResolvedRequest,
  now: number,
  supposed?: SupposedRole,
): HeldRoles => set.memberships.rolesOf(subject.key, subject.groups, now, supposed, subject);

/** What rules are looked up by. */
export function queryOf({ server, action, resource }: ResolvedRequest, principals: HeldRoles): Query {
  return { server: server?.id ?? null, action, type: resource.type, id: resource.id, principals };
}

export function candidatesOf(set: PolicySet, request: ResolvedRequest, principals: HeldRoles): Candidates {
  const rules: CompiledRule[] = [];
  const shadows: CompiledRule[] = [];
  for (const rule of set.candidates(queryOf(request, principals))) (rule.enforced ? rules : shadows).push(rule);
  return { principals, rules, shadows };
}

/** Every outcome that the answer follows from; or that there are too many rules or steps to say. */
export function weigh(
  set: PolicySet,
  request: ResolvedRequest,
  consents: readonly Consent[],
  now: number,
  { principals, rules }: Pick<Candidates, 'principals' | 'rules'>,
): Weighing | { refused: 'too_many_candidates' | 'budget_exceeded' } {
  if (areTooMany(rules)) return { refused: 'too_many_candidates' };

  const requirements: Weighing['requirements'][number][] = [];
  const given = new BoundArguments(request.arguments === 'unknown' ? {} : request.arguments);
  const require = (rule: CompiledRule | null, inError: boolean): boolean | null => {
    const consent = rule ? rule.consent : set.defaults.consent;
    if (!consent) return null;
    const requirement = requirementOf(rule?.ref ?? null, consent, given, inError, request);
    const metBy = consents.find((candidate) => meets(candidate, requirement, request, now)) ?? null;
    requirements.push({ ...requirement, metBy });
    return metBy !== null;
  };

  const variables = bindingsOf(request, now);
  const weighed: Weighed[] = [];
  let steps = 0;
  for (const rule of rules) {
    const { outcome, steps: taken } = ruleOutcome(rule, request, principals, variables);
    steps += taken;
    if (steps > REQUEST_BUDGET) return { refused: 'budget_exceeded' };
    if (outcome === 'false') continue;
    weighed.push({ rule, outcome });
  }
  weighed.sort(byName);
  const records: RuleRecord[] = [];
  for (const { rule, outcome } of weighed) {
    records.push({ ref: rule.ref, effect: rule.effect, outcome, met: require(rule, outcome === 'error') });
    if (steps + given.steps > REQUEST_BUDGET) return { refused: 'budget_exceeded' };
  }
  const { server } = request;
  const boundary = boundaryOf(server ? set.serverScopes(server.id) : [], set.hostScopes(request.agent.id), request);
  const fallback = { effect: set.defaults.effect, met: require(null, false) ?? false };
  return {
    outcomes: { rules: records, boundary: boundary.outcome, default: fallback },
    boundary,
    rules: weighed.map(({ rule }) => rule),
    requirements,
    validUntil: principals.validUntil,
  };
}

/** So that answers and records do not depend on the order in which documents were saved. */
function byName({ rule: left }: Weighed, { rule: right }: Weighed): number {
  const a = left.ref.policy === right.ref.policy ? left.ref.rule : left.ref.policy;
  const b = left.ref.policy === right.ref.policy ? right.ref.rule : right.ref.policy;
  return a < b ? -1 : Number(a > b);
}
