import type { PolicySet } from '../compile/policy-set.js';
import type { CompiledRule } from '../compile/rules.js';
import type { Decision } from '../decide/decide.js';
import { candidatesOf, queryOf } from '../decide/weigh.js';
import type { RuleRef } from '../model.js';
import type { View } from './rule-parts.js';

/** Rules that are shown at most, and among them such as are for others. */
const MAX_RULES = 50;
const MAX_FOR_OTHERS = 20;

/** Rules that are looked at to find those that are for others. */
const MAX_LOOKED_AT = 2000;

/** The rules that an explanation shows. */
export interface Chosen {
  readonly rules: readonly CompiledRule[];
  /** All that could concern the request. */
  readonly candidates: readonly CompiledRule[];
  /** Those that are for others, and would with another role. */
  readonly forOthers: readonly CompiledRule[];
  readonly isComplete: boolean;
}

/** Those that decided, those that did not come out false, the other candidates, and those for others. */
export function rulesToShow(set: PolicySet, { request, principals }: View, decision: Decision): Chosen {
  const found = candidatesOf(set, request, principals);
  const candidates = [...found.rules, ...found.shadows];
  const named = new Set<RuleRef>(decision.rules);
  const alive = new Set<RuleRef>(decision.outcomes.rules.map(({ ref }) => ref));
  // Of what is not allowed the allows that are missing say most; of what is allowed, what could have been in the way.
  const saysMore = ({ effect }: CompiledRule) => (effect === 'allow') === (decision.effect !== 'allow');
  const rankOf = (rule: CompiledRule): number => {
    if (named.has(rule.ref)) return 0;
    if (alive.has(rule.ref)) return 1;
    return saysMore(rule) ? 2 : 3;
  };
  const byRank = (left: CompiledRule, right: CompiledRule) => rankOf(left) - rankOf(right) || byName(left, right);

  const concerning = new Set(candidates);
  const covering = set.covering(queryOf(request, principals), MAX_LOOKED_AT);
  const forOthers = [...covering.rules].filter((rule) => !concerning.has(rule) && rule.guardrail === null).sort(byRank);

  // Guardrails are told by name alone, and only where they had a say.
  const own = candidates.filter(({ guardrail }) => guardrail === null);
  const all = [...own.sort(byRank), ...forOthers.slice(0, MAX_FOR_OTHERS)];
  return {
    rules: all.slice(0, MAX_RULES),
    candidates,
    forOthers,
    isComplete: covering.isComplete && forOthers.length <= MAX_FOR_OTHERS && all.length <= MAX_RULES,
  };
}

function byName({ ref: left }: CompiledRule, { ref: right }: CompiledRule): number {
  const [a, b] = left.policy === right.policy ? [left.rule, right.rule] : [left.policy, right.policy];
  return a < b ? -1 : Number(a > b);
}
