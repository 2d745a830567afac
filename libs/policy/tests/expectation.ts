import type { PolicySet } from '../compile/policy-set.js';
import type { Decision } from '../decide/decide.js';
import type { TestDocument } from '../documents/schema.js';
import type { Effect, ReasonCode, RuleRef } from '../model.js';

export type TestCase = TestDocument['cases'][number];

/** What a case came to; rules as `policy/rule`, obligations by their types. */
export interface TestAnswer {
  readonly effect: Effect;
  readonly reason: ReasonCode;
  readonly detail: string | null;
  readonly rules: readonly string[];
  readonly obligations: readonly string[];
}

/** A rule in one text, as Test documents name it. */
export const nameOf = ({ policy, rule }: Pick<RuleRef, 'policy' | 'rule'>): string => `${policy}/${rule}`;

export function answerOf({ effect, reason, detail, rules, obligations }: Decision): TestAnswer {
  const types = obligations.map(({ type }) => type);
  return { effect, reason, detail, rules: rules.map(nameOf), obligations: [...new Set(types)].sort() };
}

/** How an answer differs from what a case expects. */
export interface Mismatch {
  readonly message: string;
  /** What is probably wrong with the case itself. */
  readonly hint: string | null;
}

/** Why an answer is not what a case expects; null: it is. What nobody could agree to is no agreement in a case either. */
export function mismatch(set: PolicySet, { consents = [], expect }: TestCase, answer: TestAnswer): Mismatch | null {
  const unasked = consents.find((name) => !asks(set, name));
  if (unasked === undefined && asExpected(expect, answer)) return null;
  const missing = rulesOf(expect).find((name) => !isThere(set, name));
  const hint =
    unasked !== undefined
      ? `nothing called '${unasked}' has a consent block: mend 'consents'`
      : missing !== undefined
        ? `there is no rule '${missing}': mend 'rule'`
        : null;
  const differs = `expected ${describeExpected(expect)}, got ${describeAnswer(answer)}`;
  return { message: hint === null ? differs : `${differs}; ${hint}`, hint };
}

function asExpected(expect: TestCase['expect'], answer: TestAnswer): boolean {
  const { effect, reason, obligations } = expect;
  const wanted = obligations && [...new Set(obligations)].sort();
  return (
    answer.effect === effect &&
    (reason === undefined || answer.reason === reason) &&
    rulesOf(expect).every((name) => answer.rules.includes(name)) &&
    (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(answer.obligations))
  );
}

const rulesOf = ({ rule = [] }: TestCase['expect']): readonly string[] => (typeof rule === 'string' ? [rule] : rule);

/** What a case expects, in words. */
export function describeExpected(expect: TestCase['expect']): string {
  const { effect, reason, obligations } = expect;
  const rules = rulesOf(expect);
  return [
    effect,
    ...(rules.length > 0 ? [`by ${rules.join(' and ')}`] : []),
    ...(reason === undefined ? [] : [`(${reason})`]),
    ...(obligations ? [obliging(obligations)] : []),
  ].join(' ');
}

/** What came out, in words. */
export function describeAnswer({ effect, reason, detail, rules, obligations }: TestAnswer): string {
  return [
    effect,
    ...(rules.length > 0 ? [`by ${rules.join(' and ')}`] : []),
    `(${detail === null ? reason : `${reason}: ${detail}`})`,
    ...(effect === 'allow' ? [obliging(obligations)] : []),
  ].join(' ');
}

const obliging = (types: readonly string[]): string =>
  types.length === 0 ? 'without obligations' : `with ${types.join(' and ')}`;

function refOf(name: string): { readonly policy: string; readonly rule: string } {
  const [policy, rule] = name.split('/') as [string, string];
  return { policy, rule };
}

function isThere(set: PolicySet, name: string): boolean {
  const ref = refOf(name);
  return set.documents.rule(ref.policy, ref.rule) !== undefined || set.guardrail(ref) !== undefined;
}

/** Whether there is anything to agree to under a name. */
function asks(set: PolicySet, name: string): boolean {
  if (name === 'default') return set.defaults.consent !== null;
  return set.consentOf(refOf(name)) !== undefined;
}
