import { RE2JS } from 're2js';
import type { MappingRule } from '../documents/schema.js';
import type { Json, JsonObject } from '../model.js';
import type { TokenGroups } from './groups.js';
import { claimAt, claimType, type ClaimType } from './pointer.js';

type ConditionDocument = Exclude<MappingRule['when'], 'always'>[number];

/** Longest text that a pattern is tried on. */
export const MAX_MATCHED = 1024;

/** Steps that all conditions of one mapping may take together: looks at elements, and characters that patterns read. */
export const MAPPING_BUDGET = 200_000;

/** What conditions read, and what they have cost so far. */
export interface Claims {
  readonly claims: JsonObject;
  readonly groups: { readonly names: ReadonlySet<string>; readonly complete: boolean };
  steps: number;
}

/** Names of groups for conditions; nothing is known of groups that are null. */
export const groupsToRead = (groups: TokenGroups | null): Claims['groups'] =>
  groups ? { names: new Set(groups.names), complete: groups.complete } : { names: new Set(), complete: false };

/** Why a condition is not true. */
export type Why = 'absent' | 'no_match' | 'not_in_group' | 'groups_not_known' | 'text_too_long' | 'budget_exceeded';

/** What a condition came to, and what it found; never the value of a claim. */
export interface ConditionResult {
  readonly outcome: 'true' | 'false' | 'error';
  readonly why: Why | null;
  readonly found: ClaimType;
}

export type Test = 'equals' | 'oneOf' | 'prefix' | 'matches' | 'present' | 'group';

/** A condition, ready to be asked. */
export interface CompiledCondition {
  /** The pointer of the claim, or the name of the group. */
  readonly of: string;
  readonly test: Test;
  evaluate(input: Claims): ConditionResult;
}

export function compileCondition(condition: ConditionDocument): CompiledCondition {
  if ('group' in condition) {
    return { of: condition.group, test: 'group', evaluate: ({ groups }) => inGroup(groups, condition.group) };
  }
  const { claim } = condition;
  const { test, meets } = testOf(condition);
  return {
    of: claim,
    test,
    evaluate: (input) => {
      const value = claimAt(input.claims, claim);
      const found = claimType(value);
      if (found === 'absent') return { outcome: 'false', why: 'absent', found };
      if (meets === null) return { outcome: 'true', why: null, found };
      const why = Array.isArray(value) ? anyMeets(value as readonly Json[], meets, input) : meets(value!, input);
      if (why === null) return { outcome: 'true', why, found };
      return { outcome: why === 'no_match' ? 'false' : 'error', why, found };
    },
  };
}

function inGroup({ names, complete }: Claims['groups'], name: string): ConditionResult {
  const found = 'list';
  if (names.has(name)) return { outcome: 'true', why: null, found };
  return complete
    ? { outcome: 'false', why: 'not_in_group', found }
    : { outcome: 'error', why: 'groups_not_known', found };
}

/** Whether one value meets a test: null, or why not. */
type Meets = (value: Json, input: Claims) => Exclude<Why, 'absent'> | null;

/** Meets it if one element does; else in error if one of them is. */
function anyMeets(values: readonly Json[], meets: Meets, input: Claims): ReturnType<Meets> {
  let why: ReturnType<Meets> = 'no_match';
  for (const value of values) {
    const found = meets(value, input);
    if (found === null || found === 'budget_exceeded') return found;
    if (found !== 'no_match') why = found;
  }
  return why;
}

function testOf(condition: Exclude<ConditionDocument, { group: string }>): { test: Test; meets: Meets | null } {
  const { equals, oneOf, prefix, matches } = condition;
  if (equals !== undefined) return { test: 'equals', meets: counted((value) => value === equals) };
  if (oneOf !== undefined) {
    const wanted = new Set<Json>(oneOf);
    return { test: 'oneOf', meets: counted((value) => wanted.has(value)) };
  }
  if (prefix !== undefined) {
    return { test: 'prefix', meets: counted((value) => typeof value === 'string' && value.startsWith(prefix)) };
  }
  return matches === undefined ? { test: 'present', meets: null } : { test: 'matches', meets: matching(matches) };
}

const counted =
  (test: (value: Json) => boolean): Meets =>
  (value, input) => {
    if (++input.steps > MAPPING_BUDGET) return 'budget_exceeded';
    return test(value) ? null : 'no_match';
  };

function matching(text: string): Meets {
  const pattern = RE2JS.compile(text);
  return (value, input) => {
    if (typeof value !== 'string') return ++input.steps > MAPPING_BUDGET ? 'budget_exceeded' : 'no_match';
    if (value.length > MAX_MATCHED) return 'text_too_long';
    input.steps += value.length + 1;
    if (input.steps > MAPPING_BUDGET) return 'budget_exceeded';
    return pattern.matches(value) ? null : 'no_match';
  };
}
