import { treeOf } from '../cel/condition.js';
import type { PolicySet } from '../compile/policy-set.js';
import type { CompiledRule } from '../compile/rules.js';
import type { Decision } from '../decide/decide.js';
import type { Consent } from '../decide/requirements.js';
import type { DecisionInput, ResolvedRequest } from '../decide/request.js';
import { resolve } from '../decide/resolve.js';
import { bindingsOf } from '../decide/rule-outcome.js';
import { principalsOf } from '../decide/weigh.js';
import type { RuleRef } from '../model.js';
import { changesFor } from './changes-for.js';
import { counterfactual, type Supposition } from './counterfactual.js';
import { affordableTrials } from './effort.js';
import { rolesNamed } from './roles.js';
import { rulesToShow } from './rules-to-show.js';
import {
  stepOf,
  type ExplainedGuardrail,
  type ExplainedRole,
  type ExplainedRule,
  type Explanation,
} from './explanation.js';
import { partsOf, type View } from './rule-parts.js';

/** Names of a rule's `to` that are shown at most. */
const MAX_NAMES = 20;

/** Steps that the conditions of the rules shown may take once more, and characters of them that are read once more. */
const STEP_BUDGET = 100_000;
const TEXT_BUDGET = 12_000;

/** What was asked, and on what it was decided. */
export interface Decided {
  readonly set: PolicySet;
  readonly input: DecisionInput;
  readonly consents: readonly Consent[];
  readonly now: number;
  readonly decision: Decision;
}

/**
 * Why a decision is what it is. Pure and total; its work is bounded whatever the request, and what there is more of is
 * named in `truncated`.
 * @param share how much of the work may be done, up to 1: explanations of one call share it
 */
export function explain({ set, input, consents, now, decision }: Decided, share = 1): Explanation {
  const step = stepOf(decision.reason);
  const request = step === 'before_rules' || step === 'limits' ? undefined : resolvedAgain(set, input);
  if (!request) return { step, ...NOTHING_LOOKED_AT };

  const principals = principalsOf(set, request, now);
  const view: View = { request, principals, variables: bindingsOf(request, now) };
  const chosen = rulesToShow(set, view, decision);
  const { shown, compiled } = describe(chosen.rules, view, decision, share);
  const roles = rolesNamed(set, view, compiled, now);

  const known = { set, request, variables: view.variables, consents, now, decision };
  const suppositions = suppositionsOf(compiled, roles.roles, share);
  const affordable = affordableTrials(view, chosen, share);
  const trial = counterfactual(known, suppositions.all, affordable);

  const isWhole = {
    rules: chosen.isComplete && shown.length === chosen.rules.length,
    roles: roles.isComplete,
    counterfactual: trial.found !== 'none' || (trial.isComplete && suppositions.isComplete && chosen.isComplete),
  };
  const { outcome, outside } = decision.boundary!;
  return {
    step,
    rules: shown,
    guardrails: guardrailsOf(set, decision),
    boundary: { outcome, ...(outside ? { outside } : {}) },
    default: decision.outcomes.default,
    roles: roles.roles,
    counterfactual: trial.found,
    truncated: (['rules', 'roles', 'counterfactual'] as const).filter((part) => !isWhole[part]),
  };
}

const NOTHING_LOOKED_AT: Omit<Explanation, 'step'> = {
  rules: [],
  guardrails: [],
  boundary: null,
  default: null,
  roles: [],
  counterfactual: 'none',
  truncated: [],
};

function guardrailsOf(set: PolicySet, { outcomes }: Decision): ExplainedGuardrail[] {
  return outcomes.rules.flatMap(({ ref, effect, met }) => {
    const { guardrail = null } = set.guardrail(ref) ?? {};
    return guardrail ? [{ ...guardrail, effect, ...(typeof met === 'boolean' ? { met } : {}) }] : [];
  });
}

/** The request as it was looked up. That its arguments fit was decided already, and may take long to find out. */
function resolvedAgain(set: PolicySet, input: DecisionInput): ResolvedRequest | undefined {
  const resolution = resolve(set, { ...input, arguments: 'unknown' });
  return 'request' in resolution ? { ...resolution.request, arguments: input.arguments } : undefined;
}

/** As many of the rules as there is time for. */
function describe(
  rules: readonly CompiledRule[],
  view: View,
  decision: Decision,
  share: number,
): { shown: ExplainedRule[]; compiled: CompiledRule[] } {
  const named = new Set<RuleRef>(decision.rules);
  const met = new Map(decision.outcomes.rules.map((record) => [record.ref, record.met]));
  const shown: ExplainedRule[] = [];
  let [steps, characters] = [0, 0];
  for (const rule of rules) {
    if (steps > STEP_BUDGET * share || characters > TEXT_BUDGET * share) break;
    const { steps: taken, ...parts } = partsOf(rule, view);
    steps += taken;
    characters += textOf(rule).length;
    const agreed = met.get(rule.ref);
    shown.push({
      ...rule.ref,
      effect: rule.effect,
      enforced: rule.enforced,
      decided: named.has(rule.ref),
      ...(typeof agreed === 'boolean' ? { met: agreed } : {}),
      to: rule.principalKeys.slice(0, MAX_NAMES),
      ...parts,
    });
  }
  return { shown, compiled: rules.slice(0, shown.length) };
}

const conditionsOf = ({ when, unless }: CompiledRule) => [when, unless].filter((condition) => condition !== null);
const textOf = (rule: CompiledRule): string =>
  conditionsOf(rule)
    .map(({ text }) => text)
    .join('');

/** What could be otherwise: the roles that rules name and that are not held, those that are given, and attributes. */
function suppositionsOf(
  rules: readonly CompiledRule[],
  roles: readonly ExplainedRole[],
  share: number,
): { all: Supposition[]; isComplete: boolean } {
  const added = roles.filter(({ held }) => held !== 'true').map(({ role }) => role);
  const removed = new Set(roles.flatMap(({ ways }) => ways.map(({ through }) => through[0]!)));
  const all: Supposition[] = [
    ...added.map((role): Supposition => ({ change: 'add_role', role })),
    ...[...removed].map((role): Supposition => ({ change: 'remove_role', role })),
  ];
  const texts = new Set(rules.flatMap((rule) => conditionsOf(rule).map(({ text }) => text)));
  const seen = new Set<string>();
  let characters = 0;
  for (const text of texts) {
    characters += text.length;
    if (characters > TEXT_BUDGET * share) return { all, isComplete: false };
    for (const change of changesFor(treeOf(text))) {
      const key = JSON.stringify(change);
      if (!seen.has(key)) all.push(change);
      seen.add(key);
    }
  }
  return { all, isComplete: true };
}
