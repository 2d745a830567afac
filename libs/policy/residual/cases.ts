import { CelOpenMap, CelSeenList, Fault, typeOf, type CelValue, type Meter, type Result } from '../cel/values.js';
import { ALWAYS, conjunction, disjunction, NEVER, type Comparison, type Formula } from './formula.js';
import { comparison, listTest, memberOf, opposite } from './relations.js';
import { Inexpressible, type Term } from './rows.js';

/** One of the values that an expression can have, and the rows of which it has it. Of rows in no case it is in error. */
export interface Case {
  readonly where: Formula;
  readonly term: Term;
}

/** Of which rows a condition is true, and of which it is false. Of all others it is in error. */
export interface Truth {
  readonly yes: Formula;
  readonly no: Formula;
}

/** One value, whatever the row. */
export const always = (term: Term): Case => ({ where: ALWAYS, term });

/** A value that is known, or none where it is an error. */
export const knownCase = (value: Result): readonly Case[] => (value instanceof Fault ? [] : [always({ known: value })]);

/** As a condition: of values that are no booleans it is neither true nor false. */
export function asTruth(cases: readonly Case[], meter: Meter): Truth {
  const where = (wanted: boolean) =>
    disjunction(cases.map((each) => conjunction([each.where, comparison('eq', each.term, { known: wanted }, meter)])));
  return { yes: where(true), no: where(false) };
}

/** True of some rows, false of others. */
export const asCases = ({ yes, no }: Truth): readonly Case[] =>
  [
    { where: yes, term: { known: true } },
    { where: no, term: { known: false } },
  ].filter(({ where }) => where !== NEVER);

/** Most pairs of values that are looked at for two expressions. */
const MAX_PAIRS = 1000;

/** Two values that two expressions can have together. */
interface Pair {
  readonly where: Formula;
  readonly left: Term;
  readonly right: Term;
}

/** Every pair of the values that two expressions can have. */
export function pairs(cases: readonly Case[], others: readonly Case[]): readonly Pair[] {
  if (cases.length * others.length > MAX_PAIRS) throw new Inexpressible('it has too many branches');
  return cases.flatMap((one) =>
    others.map((other) => ({ where: conjunction([one.where, other.where]), left: one.term, right: other.term })),
  );
}

/** The rows of which one of some cases holds, and something else besides. */
export const anyOf = (cases: readonly { where: Formula }[], also: (index: number) => Formula): Formula =>
  disjunction(cases.map(({ where }, index) => conjunction([where, also(index)])));

/** A comparison of two expressions. */
export function compared(op: Comparison, left: readonly Case[], right: readonly Case[], meter: Meter): readonly Case[] {
  const found = pairs(left, right);
  const where = (by: Comparison) =>
    anyOf(found, (index) => comparison(by, found[index]!.left, found[index]!.right, meter));
  return asCases({ yes: where(op), no: where(opposite(op)) });
}

/** Whether an expression is null, or (`ne`) is not. */
export function comparedWithNull(op: 'eq' | 'ne', cases: readonly Case[]): readonly Case[] {
  const isNullOrNot = (wanted: boolean) =>
    anyOf(cases, (index) => {
      const { term } = cases[index]!;
      if ('known' in term) return (term.known === null) === wanted ? ALWAYS : NEVER;
      if (term.type === 'any') return { op: wanted ? 'is_null' : 'not_null', left: term.field };
      // What a column has is never null: a row without a value has no such attribute.
      return wanted ? NEVER : ALWAYS;
    });
  const [yes, no] = [isNullOrNot(op === 'eq'), isNullOrNot(op === 'ne')];
  return asCases({ yes, no });
}

/** Whether the value of one expression is among the elements of another, which is no list literal. */
export function among(found: readonly Pair[], nullWanted: boolean, meter: Meter): readonly Case[] {
  const where = (is: boolean) =>
    anyOf(found, (index) => {
      const { left, right } = found[index]!;
      if (nullWanted) throw new Inexpressible('it looks for null in a list of the row');
      if ('field' in right) return listTest(is ? 'includes' : 'excludes', right, left, meter);
      // What is not among the elements that are known may be one of the others.
      if (right.known instanceof CelSeenList) return is ? memberOf(left, right.known.seen, true, meter) : NEVER;
      if (Array.isArray(right.known)) return memberOf(left, right.known as readonly CelValue[], is, meter);
      if (typeOf(right.known) !== 'map' && !(right.known instanceof CelOpenMap)) return NEVER;
      throw new Inexpressible('it looks for something that depends on the row in an object');
    });
  return asCases({ yes: where(true), no: where(false) });
}

/** `x in [a, b]`: an element in error makes the whole list one. */
export function inList(
  sought: readonly Case[],
  lists: readonly (readonly Case[])[],
  nullWanted: boolean,
  meter: Meter,
): readonly Case[] {
  const isThere = (cases: readonly Case[]) => disjunction(cases.map(({ where }) => where));
  const all = conjunction([isThere(sought), ...lists.map(isThere)]);
  const values = lists.map((cases) => cases[0]?.term);
  if (!nullWanted && values.every((term) => term !== undefined && 'known' in term) && lists.every(isOne)) {
    const known = values.map((term) => (term as { known: CelValue }).known);
    const where = (is: boolean) =>
      conjunction([all, anyOf(sought, (i) => memberOf(sought[i]!.term, known, is, meter))]);
    return asCases({ yes: where(true), no: where(false) });
  }
  if (nullWanted) throw new Inexpressible('it looks for null in a list that depends on the row');
  const against = (cases: readonly Case[], op: Comparison) =>
    anyOf(sought, (i) => anyOf(cases, (j) => comparison(op, sought[i]!.term, cases[j]!.term, meter)));
  return asCases({
    yes: conjunction([all, disjunction(lists.map((cases) => against(cases, 'eq')))]),
    no: conjunction([all, ...lists.map((cases) => against(cases, 'ne'))]),
  });
}

const isOne = (cases: readonly Case[]): boolean => cases.length === 1 && cases[0]!.where === ALWAYS;
