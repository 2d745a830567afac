import { isDeepStrictEqual } from 'node:util';
import type { PolicySet } from '../compile/policy-set.js';
import { decide, type Decision } from '../decide/decide.js';
import type { DecisionInput } from '../decide/request.js';
import type { Consent } from '../decide/requirements.js';
import type { AnyDocument } from '../documents/schema.js';
import type { RuleRef } from '../model.js';
import { NOW } from './arbitraries.js';
import { distinct, referenceDecide } from './reference.js';

/** Agreements to everything that a decision asks for, as if each person had said yes. */
export function agreeing(input: DecisionInput, { requirements }: Decision, set: PolicySet): Consent[] {
  const subject = set.subject(input.subject.type, input.subject.id) ?? input.subject;
  return requirements.map((requirement, index) => ({
    id: `c${index}`,
    subject: `${subject.type}:${subject.id}`,
    agent: input.agent,
    server: input.server?.name ?? null,
    action: input.action,
    resource: { type: input.resource.type, id: input.resource.id! },
    rule: requirement.rule,
    consentDigest: requirement.consentDigest,
    bound: requirement.bound,
    expires: null,
    usesLeft: null,
  }));
}

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
  const consents = agreeing(input, decide(set, input, [], NOW), set).filter((_, index) => kept[index]);
  const agreements = new Set(consents.map(({ rule }) => (rule ? idOf(rule) : 'default')));
  const decision = decide(set, input, consents, NOW);
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
