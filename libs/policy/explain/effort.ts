import type { CompiledRule } from '../compile/rules.js';
import { ruleOutcome } from '../decide/rule-outcome.js';
import type { Json, JsonObject } from '../model.js';
import type { Chosen } from './rules-to-show.js';
import type { View } from './rule-parts.js';

/** What all trials of one explanation may cost, in steps of conditions: some milliseconds. */
const TRIAL_BUDGET = 400_000;

/** What one trial costs beside its conditions: looking rules up, and putting outcomes together. */
const FIXED = 1000;
const PER_RULE = 30;
/** For each value within the arguments, and for each requirement: it is bound to their digest. */
const PER_VALUE_BOUND = 20;
/** For each value within the arguments, where some of them are paths that boundaries are held against. */
const PER_VALUE_CHECKED = 200;

/** Larger arguments than this are not counted to the end. */
const MAX_SIZE = 50_000;

/**
 * How often the same request can be decided again within the budget, by what it takes to decide it once. There is no clock
 * here: the figures are such that each is on the high side.
 */
export function affordableTrials(view: View, chosen: Chosen, share: number): number {
  const { request, principals } = view;
  const { candidates, forOthers, isComplete } = chosen;
  const all = [...candidates, ...forOthers];
  const asked = all.filter(({ consent }) => consent !== null).length + 1;
  const size = sizeOf(request.arguments, MAX_SIZE);
  const paths = Object.values(request.tool?.registered?.document.arguments ?? {}).includes('path');
  // With groups unknown every rule that covers the request is looked at, whomever it is for.
  const rules = principals.mayBeInMore && !isComplete ? TRIAL_BUDGET / PER_RULE / 4 : all.length;
  const steps = stepsOf(candidates, view);
  // Shadow rules are weighed with all others once more.
  const cost =
    FIXED + 2 * steps + PER_RULE * rules + size * (PER_VALUE_BOUND * asked + (paths ? PER_VALUE_CHECKED : 0));
  return Math.floor((TRIAL_BUDGET * share) / cost);
}

/** Steps that the conditions of some rules take; not counted to the end where they are more than all trials may take. */
function stepsOf(rules: readonly CompiledRule[], { request, principals, variables }: View): number {
  let steps = 0;
  for (const rule of rules) {
    if (steps > TRIAL_BUDGET) break;
    steps += ruleOutcome(rule, request, principals, variables).steps;
  }
  return steps;
}

/** Values within a value, long texts counting for more; no more than `limit`. */
function sizeOf(value: Json, limit: number): number {
  if (typeof value === 'string') return 1 + (value.length >> 6);
  if (typeof value !== 'object' || value === null) return 1;
  let size = 1;
  for (const item of Object.values<Json>(value as JsonObject)) {
    if (size >= limit) break;
    size += sizeOf(item, limit - size);
  }
  return size;
}
