/** A value that was known when the filter was made. */
export type Constant = string | number | boolean;

/** What a predicate is about: the id of the row, one of its attributes, or a value that is known. */
export type Operand = { readonly id: true } | { readonly attribute: string } | { readonly value: Constant };

export const COMPARISONS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
export type Comparison = (typeof COMPARISONS)[number];

export const TEXT_TESTS = [
  'starts_with',
  'not_starts_with',
  'ends_with',
  'not_ends_with',
  'contains',
  'not_contains',
] as const;
export type TextTest = (typeof TEXT_TESTS)[number];

/** Whether a list has an element, or has none such. */
export type ListTest = 'includes' | 'excludes';

/** Something that is true or false of every row: where an operand is not there, or is of another type, it is false. */
export type Predicate =
  | { readonly op: Comparison | TextTest | ListTest; readonly left: Operand; readonly right: Operand }
  | { readonly op: 'in' | 'not_in'; readonly left: Operand; readonly values: readonly Constant[] }
  | { readonly op: 'glob' | 'not_glob'; readonly left: Operand; readonly pattern: string }
  | { readonly op: 'present' | 'absent' | 'is_null' | 'not_null'; readonly left: Operand };

/**
 * A condition on rows. There is no "not": a predicate and its opposite are both false of what cannot be read, so that
 * nothing that is missing, or of an unexpected type, makes a row pass.
 */
export type Formula =
  { readonly op: 'true' | 'false' } | { readonly op: 'and' | 'or'; readonly of: readonly Formula[] } | Predicate;

/** True of every row, and of none. */
export const ALWAYS: Formula = { op: 'true' };
export const NEVER: Formula = { op: 'false' };

/** Longest formula, in characters of its text; the time that a filter takes goes with it. */
export const MAX_LENGTH = 50_000;

/** A formula would become longer than anybody could use. */
export class FormulaTooLong extends Error {}

export const conjunction = (parts: readonly Formula[]): Formula => junction('and', parts, ALWAYS, NEVER);
export const disjunction = (parts: readonly Formula[]): Formula => junction('or', parts, NEVER, ALWAYS);

function junction(op: 'and' | 'or', parts: readonly Formula[], neutral: Formula, decisive: Formula): Formula {
  const kept = new Map<string, Formula>();
  for (const part of parts.flatMap((each) => (each.op === op ? each.of : [each]))) {
    if (part.op === decisive.op) return decisive;
    if (part.op !== neutral.op) kept.set(textOf(part), part);
  }
  if (kept.size === 0) return neutral;
  // An attribute is there or it is not: of all rows one of the two is true, and of none both.
  for (const part of kept.values()) {
    if (part.op === 'present' && kept.has(textOf({ ...part, op: 'absent' }))) return decisive;
  }
  const of = op === 'and' ? withoutImplied([...kept.values()]) : [...kept.values()];
  if (of.length === 1) return of[0]!;
  const made: Formula = { op, of };
  textOf(made);
  return made;
}

/** Without the demand for an attribute that another part reads anyway. */
function withoutImplied(parts: readonly Formula[]): Formula[] {
  const read = new Set(parts.flatMap((part) => (part.op === 'present' ? [] : [...readBy(part)])));
  return parts.filter((part) => part.op !== 'present' || !('attribute' in part.left && read.has(part.left.attribute)));
}

const reads = new WeakMap<Formula, ReadonlySet<string>>();

/** The attributes that are there in every row of which a formula is true. */
function readBy(formula: Formula): ReadonlySet<string> {
  let known = reads.get(formula);
  if (!known) reads.set(formula, (known = new Set(attributesOf(formula))));
  return known;
}

function attributesOf(formula: Formula): readonly string[] {
  if ('of' in formula) {
    const [first, ...others] = formula.of.map(readBy);
    if (formula.op === 'and') return [first!, ...others].flatMap((each) => [...each]);
    return [...first!].filter((name) => others.every((each) => each.has(name)));
  }
  if (!('left' in formula) || formula.op === 'absent') return [];
  const operands = 'right' in formula ? [formula.left, formula.right] : [formula.left];
  return operands.flatMap((operand) => ('attribute' in operand ? operand.attribute : []));
}

const texts = new WeakMap<Formula, string>();

/** The same text for the same formula. Throws FormulaTooLong. */
export function textOf(formula: Formula): string {
  const known = texts.get(formula);
  if (known !== undefined) return known;
  const text = 'of' in formula ? `${formula.op}(${formula.of.map(textOf).join()})` : JSON.stringify(formula);
  if (text.length > MAX_LENGTH) throw new FormulaTooLong();
  texts.set(formula, text);
  return text;
}
