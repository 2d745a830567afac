import { isDeepStrictEqual } from 'node:util';
import type { PolicySet } from '../compile/policy-set.js';
import { decide, type Decision } from '../decide/decide.js';
import type { DecisionInput } from '../decide/request.js';
import { agreementsTo, type Consent } from '../decide/requirements.js';
import type { AnyDocument } from '../documents/schema.js';
import type { RuleRef } from '../model.js';
import { NOW } from './arbitraries.js';
import { distinct, referenceDecide } from './reference.js';

/** Agreements to everything that a decision asks for, as if each person had said yes. */
export const agreeing = (set: PolicySet, input: DecisionInput): Consent[] =>
  agreementsTo(decide(set, input, [], NOW).requirements);

/** What the engine and the reference interpreter say of one request, where they differ; else the engine's decision. */
type Comparison = { readonly decision: Decision } | { readonly engine: unknown; readonly reference: unknown };

/**
 * Asks the engine and the reference interpreter the same.
 * @param set the documents, compiled
 * @param kept which of the agreements that the request asks for exist, in order; more are not looked at
 */
export function compare(
  documents: readonly AnyDocument[],
  set: PolicySet,
  input: DecisionInput,
  kept: readonly boolean[],
): Comparison {
  const agreed = decide(set, input, [], NOW).requirements.filter((_, index) => kept[index]);
  const agreements = new Set(agreed.map(({ rule }) => (rule ? idOf(rule) : 'default')));
  const decision = decide(set, input, agreementsTo(agreed), NOW);
  const reference = referenceDecide(documents, input, agreements, NOW);
  const conflict = decision.reason === 'obligations_conflict';
  // The reference does not join obligations: a contradiction between them is a deny of the engine's alone.
  const effect = conflict ? reference.effect : decision.effect;
  const isEarly = decision.boundary === null;
  const rules = Object.fromEntries(decision.outcomes.rules.map(({ ref, outcome }) => [idOf(ref), outcome]));
  const keeps = decision.obligations.flatMap(({ type, keep }) => (type === 'fields' ? [keep as string[]] : []));
  const engine = {
    effect,
    rules: isEarly ? reference.rules : rules,
    keeps: conflict ? reference.keeps : distinct(keeps),
  };
  return isDeepStrictEqual(engine, reference) ? { decision } : { engine, reference };
}

const idOf = ({ policy, rule }: Pick<RuleRef, 'policy' | 'rule'>): string => `${policy}/${rule}`;
