import type { CompiledRule } from '../compile/rules.js';
import type { Obligation } from '../model.js';
import type { RuleRecord } from './combine.js';
import type { ResolvedRequest } from './request.js';
import type { Weighing } from './weigh.js';

/**
 * What an allow by this weighing obliges to, or could: of the allow and ask rules that are not false, of the fields of the
 * result that are covered, and of paths that were proven by name only.
 */
export function* obligationsOf(weighing: Weighing, request: ResolvedRequest): Iterable<Obligation> {
  const weighed = grantsAndGates(weighing);
  for (const { rule } of weighed) yield* obligationsOfRule(rule, request);
  yield* resultFields(weighed);
  yield* ofBoundary(weighing);
}

/** What every call of a listed item would oblige to, whatever its arguments. */
export function* certainObligations(weighing: Weighing, request: ResolvedRequest): Iterable<Obligation> {
  const weighed = grantsAndGates(weighing);
  const certain = weighed.filter(({ record }) => record.outcome !== 'unknown');
  for (const { rule } of certain) yield* obligationsOfRule(rule, request);
  // An allow whose outcome is open could cover all of the result.
  if (certain.length === weighed.length) yield* resultFields(weighed);
  yield* ofBoundary(weighing);
}

/** The types among some obligations that the host does not name, where it names any; each once, in order. */
export function unsupported(
  obligations: Iterable<Obligation>,
  { supportedObligations }: Pick<ResolvedRequest, 'supportedObligations'>,
): readonly string[] {
  if (supportedObligations === undefined) return [];
  const needed = new Set(Array.from(obligations, ({ type }) => type));
  return [...needed].filter((type) => !supportedObligations.includes(type)).sort();
}

interface Weighed {
  readonly rule: CompiledRule;
  readonly record: RuleRecord;
}

const grantsAndGates = ({ outcomes, rules }: Weighing): readonly Weighed[] =>
  rules
    .map((rule, index) => ({ rule, record: outcomes.rules[index]! }))
    .filter(({ record }) => record.effect !== 'deny');

/** What a rule that is not false obliges to by itself; fields of the result apart. */
export function* obligationsOfRule(rule: CompiledRule, { subject }: ResolvedRequest): Iterable<Obligation> {
  for (const obligation of rule.obligations) {
    const { type, subject: whose } = obligation;
    if (type === 'session_termination') yield { type, subject: whose ?? subject.key };
    else yield obligation;
  }
}

/**
 * Which fields of the result are covered: those of the allow rules that the answer stands on, together; all of them, where
 * one of these says nothing. It stands on the rules that ask nothing, or, where there is none, on all that apply.
 *
 * INVARIANT: what is not stood on never adds a field. Where no rule without a consent block stands, a rule that is in
 * error limits what others cover: had it applied, what it leaves out could have been left out.
 */
function* resultFields(weighed: readonly Weighed[]): Iterable<Obligation> {
  const allows = weighed.filter(({ record }) => record.effect === 'allow');
  const applying = allows.filter(({ record }) => record.outcome === 'true');
  const free = applying.filter(({ record }) => record.met === null);
  const standing = free.length > 0 ? free : applying;
  const covered = standing.map(({ rule }) => rule.fields?.result ?? null);
  if (covered.length > 0 && covered.every((result) => result !== null)) yield keeping(covered.flat());
  if (free.length > 0) return;
  for (const { rule, record } of allows) {
    if (record.outcome !== 'true' && rule.fields?.result) yield keeping(rule.fields.result);
  }
}

/** The obligation to leave these fields of the result, and nothing else. */
export const keeping = (fields: readonly string[]): Obligation => ({
  type: 'fields',
  keep: [...new Set(fields)].sort(),
});

function* ofBoundary({ boundary }: Weighing): Iterable<Obligation> {
  if (boundary.paths.length > 0) yield { type: 'resolve_realpath', paths: [...boundary.paths].sort() };
}
