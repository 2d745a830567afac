import { CelDouble, compare, equals, typeOf, type CelValue, type Meter } from '../cel/values.js';
import {
  ALWAYS,
  conjunction,
  disjunction,
  NEVER,
  type Comparison,
  type Constant,
  type Formula,
  type ListTest,
  type Operand,
  type TextTest,
} from './formula.js';
import { Inexpressible, type FieldType, type Term } from './rows.js';

/** What holds where another comparison is false, and what it is with its sides exchanged. */
const OPPOSITE = { eq: 'ne', ne: 'eq', lt: 'ge', ge: 'lt', gt: 'le', le: 'gt' } as const;
const EXCHANGED = { eq: 'eq', ne: 'ne', lt: 'gt', gt: 'lt', le: 'ge', ge: 'le' } as const;
export const opposite = (op: Comparison): Comparison => OPPOSITE[op];

/** Steps that are counted for a text of a row: one of 65,536 characters. */
const LONGEST_TEXT = 65_536;
/** Most elements of a list at the door, and most characters of all of them. */
const LONGEST_LIST = 10_000;
const LARGEST_LIST = 2 ** 20;

/** Where a comparison of two terms is true. Where it is in error it is false, and so is its opposite. */
export function comparison(op: Comparison, left: Term, right: Term, meter: Meter): Formula {
  meter.steps += 1 + (Math.min(lengthOf(left), lengthOf(right)) >> 6);
  if ('known' in left) {
    if ('known' in right) return holds(op, left.known, right.known, meter) ? ALWAYS : NEVER;
    return comparison(EXCHANGED[op], right, left, meter);
  }
  if ('known' in right) return withKnown(op, left, right.known);
  return comparable(op, left.type, right.type) ? { op, left: left.field, right: right.field } : NEVER;
}

type Field = Extract<Term, { field: unknown }>;

function holds(op: Comparison, left: CelValue, right: CelValue, meter: Meter): boolean {
  if (op === 'eq' || op === 'ne') return equals(left, right, meter) === (op === 'eq');
  const order = compare(left, right, meter);
  if (typeof order !== 'number') return false;
  return op === 'lt' ? order < 0 : op === 'le' ? order <= 0 : op === 'gt' ? order > 0 : order >= 0;
}

function withKnown(op: Comparison, { field, type }: Field, value: CelValue): Formula {
  const constant = constantOf(value);
  if (constant !== undefined) {
    return type === 'any' || type === typeOfConstant(constant)
      ? { op, left: field, right: { value: constant } }
      : NEVER;
  }
  const mayBeEqual = { list: ['any', 'texts'], map: ['any'] }[typeOf(value) as string]?.includes(type);
  if ((op === 'eq' || op === 'ne') && mayBeEqual) {
    throw new Inexpressible('it compares an attribute of the row with a whole list or object');
  }
  // No attribute is of such a type: comparing them is an error, whatever the row has.
  return NEVER;
}

function comparable(op: Comparison, left: FieldType, right: FieldType): boolean {
  if (left === 'texts' && right === 'texts' && (op === 'eq' || op === 'ne')) {
    throw new Inexpressible('it compares two lists of the row');
  }
  return left === 'any' || right === 'any' || (left === right && left !== 'texts');
}

/** A value as a filter can hold it; undefined for those that it cannot. */
function constantOf(value: CelValue): Constant | undefined {
  if (value instanceof CelDouble) return value.value;
  // -0 and 0 are the same number; JSON and SQL would not keep them apart.
  if (typeof value === 'number') return value === 0 ? 0 : value;
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}

const typeOfConstant = (constant: Constant): FieldType =>
  typeof constant === 'string' ? 'text' : (typeof constant as 'number' | 'boolean');

const lengthOf = (term: Term): number => {
  if ('field' in term) return LONGEST_TEXT;
  return typeof term.known === 'string' ? term.known.length : 0;
};

/** Where a test of a text by another is true. */
export function textTest(op: TextTest, left: Term, right: Term, meter: Meter): Formula {
  // The same test serves its opposite.
  if (!op.startsWith('not_')) meter.steps += lengthOf(right) >> 6;
  if (op === 'contains') meter.steps += (lengthOf(left) * lengthOf(right)) / 256;
  const operands = [left, right].map((term): Operand | undefined => {
    if ('known' in term) return typeof term.known === 'string' ? { value: term.known } : undefined;
    return term.type === 'any' || term.type === 'text' ? term.field : undefined;
  });
  const [text, part] = operands;
  if (!text || !part) return NEVER;
  if ('value' in text && 'value' in part) {
    return TESTS[op](text.value as string, part.value as string) ? ALWAYS : NEVER;
  }
  return { op, left: text, right: part };
}

const TESTS: Readonly<Record<TextTest, (text: string, part: string) => boolean>> = {
  starts_with: (text, part) => text.startsWith(part),
  not_starts_with: (text, part) => !text.startsWith(part),
  ends_with: (text, part) => text.endsWith(part),
  not_ends_with: (text, part) => !text.endsWith(part),
  contains: (text, part) => text.includes(part),
  not_contains: (text, part) => !text.includes(part),
};

/** Where a term is one of some values (`wanted`), or is comparable with all of them and is none (not `wanted`). */
export function memberOf(term: Term, values: readonly CelValue[], wanted: boolean, meter: Meter): Formula {
  const each = values.map((value) => comparison(wanted ? 'eq' : 'ne', term, { known: value }, meter));
  if (each.length > 0 && each.every((one) => one === NEVER)) return NEVER;
  if (!wanted && each.includes(NEVER)) return NEVER;
  const constants =
    'field' in term
      ? [...new Set(each.flatMap((one) => ('right' in one && 'value' in one.right ? one.right.value : [])))]
      : [];
  const types = new Set(constants.map(typeOfConstant));
  // A value cannot be comparable with a text and with a number.
  if (!wanted && types.size > 1) return NEVER;
  if (constants.length < 2 || 'known' in term) return wanted ? disjunction(each) : conjunction(each);
  return { op: wanted ? 'in' : 'not_in', left: term.field, values: constants };
}

/** Where a list of the row has an element, or has none. */
export function listTest(op: ListTest, list: Field, element: Term, meter: Meter): Formula {
  if (op === 'includes')
    meter.steps += LONGEST_LIST + Math.min(LONGEST_LIST * (lengthOf(element) >> 6), LARGEST_LIST >> 6);
  if (list.type !== 'any' && list.type !== 'texts') return NEVER;
  const operand: Operand | undefined = 'field' in element ? element.field : asOperand(element.known);
  if (!operand)
    throw new Inexpressible('it looks for something other than a text, a number or a boolean in a list of the row');
  const type = 'field' in element ? element.type : typeOfConstant((operand as { value: Constant }).value);
  if (list.type === 'texts' && type !== 'text') {
    throw new Inexpressible('it looks for something other than a text in a list of texts');
  }
  return { op, left: list.field, right: operand };
}

function asOperand(value: CelValue): Operand | undefined {
  const constant = constantOf(value);
  return constant === undefined ? undefined : { value: constant };
}

/** Where a term is there to be read. */
export const presence = (term: Term): Formula => {
  if ('known' in term || 'id' in term.field) return ALWAYS;
  return { op: 'present', left: term.field };
};
