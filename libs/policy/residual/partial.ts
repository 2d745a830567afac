import type { ASTNode } from '@marcbachmann/cel-js';
import { compile, type Compiled } from '../cel/compile.js';
import { CONDITION_BUDGET, treeOf, type Bindings, type Condition } from '../cel/condition.js';
import { childrenOf } from '../cel/nodes.js';
import { shapeOf, type Shaped } from '../cel/shape.js';
import { CelOpenMap, CelSeenList, Fault, typeOf, type CelValue, type Meter, type Result } from '../cel/values.js';
import { ALWAYS, conjunction, disjunction, NEVER, type Comparison, type Formula } from './formula.js';
import { comparison, listTest, memberOf, opposite, presence, textTest } from './relations.js';
import { attributeOf, idOf, Inexpressible, type KnownRow, type Rows, type Term } from './rows.js';

/** Of which rows a condition is true, and of which it is false. Of all others it is in error. */
export interface Truth {
  readonly yes: Formula;
  readonly no: Formula;
}

/** What is the same for all conditions of one question: the variables, and what is known of the rows. */
export interface Scope {
  readonly variables: Bindings;
  readonly rows: Rows;
  readonly row: KnownRow;
}

/**
 * Evaluates a condition as far as it can be without a row. Total but for what it throws: Inexpressible, where the rest is
 * no condition on rows, and FormulaTooLong.
 * @returns also the steps that it could take for any row whose texts have at most 65,536 characters
 */
export function truthOf(condition: Condition, scope: Scope): Truth & { readonly steps: number } {
  const tree = knownTreeOf(condition);
  if (!readsRow(tree)) {
    const { outcome, steps } = condition.evaluate(scope.variables);
    return { yes: outcome === 'true' ? ALWAYS : NEVER, no: outcome === 'false' ? ALWAYS : NEVER, steps };
  }
  const meter: Meter = { steps: 0, limit: CONDITION_BUDGET };
  const truth = asTruth(casesOf(tree, { ...scope, meter, item: null }), meter);
  if (meter.steps > meter.limit) throw new Inexpressible(TOO_MANY_STEPS);
  return { ...truth, steps: Math.ceil(meter.steps) };
}

const TOO_MANY_STEPS = 'with some rows it could take more steps than a condition may';

const trees = new WeakMap<Condition, ASTNode>();

function knownTreeOf(condition: Condition): ASTNode {
  let tree = trees.get(condition);
  if (!tree) trees.set(condition, (tree = treeOf(condition.text)));
  return tree;
}

interface Run extends Scope {
  readonly meter: Meter;
  /** The element that an unrolled comprehension is at. */
  readonly item: { readonly name: string; readonly value: CelValue } | null;
}

/** One of the values that an expression can have, and the rows of which it has it. Of rows in no case it is in error. */
interface Case {
  readonly where: Formula;
  readonly term: Term;
}

const reading = new WeakMap<ASTNode, boolean>();

/** Whether the value of an expression can depend on the row: on its id, its attributes, or what is said about them. */
function readsRow(node: ASTNode): boolean {
  let known = reading.get(node);
  if (known === undefined) reading.set(node, (known = findsRow(node)));
  return known;
}

function findsRow(node: ASTNode): boolean {
  if (node.op === 'id') return node.args === 'resource' || node.args === 'context';
  if (node.op === '.' || node.op === '.?') {
    const [target, name] = node.args;
    if (isVariable(target, 'resource')) return name !== 'type';
    if (isVariable(target, 'context')) return name === 'asserted';
    if (isMember(target, 'context', 'asserted')) return name !== 'subject';
  }
  return childrenOf(node).some(readsRow);
}

const isVariable = (node: ASTNode, name: string): boolean => node.op === 'id' && node.args === name;
const isMember = (node: ASTNode, of: string, name: string): boolean =>
  node.op === '.' && isVariable(node.args[0], of) && node.args[1] === name;
const isAttributes = (node: ASTNode): boolean => isMember(node, 'resource', 'properties');
const isNull = (node: ASTNode): boolean => node.op === 'value' && node.args === null;

const COMPARES: Readonly<Partial<Record<string, Comparison>>> = { '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' };

/** Says which part of the condition it is that cannot be expressed. */
function casesOf(node: ASTNode, run: Run): readonly Case[] {
  try {
    if (++run.meter.steps > run.meter.limit) throw new Inexpressible(TOO_MANY_STEPS);
    return readsRow(node) ? openCases(node, run) : knownCase(valueOf(node, run));
  } catch (error) {
    if (error instanceof Inexpressible) error.range ??= { start: node.start, end: node.end };
    throw error;
  }
}

function openCases(node: ASTNode, run: Run): readonly Case[] {
  switch (node.op) {
    case '.':
      return memberCases(node, run);
    case '[]':
      if (!isAttributes(node.args[0])) break;
      return attributeCases(node.args[1], run);
    case '&&':
      return junction(node.args, run, NEVER, ({ yes, no }, rest) => ({
        yes: conjunction([yes, rest.yes]),
        no: disjunction([no, rest.no]),
      }));
    case '||':
      return junction(node.args, run, ALWAYS, ({ yes, no }, rest) => ({
        yes: disjunction([yes, rest.yes]),
        no: conjunction([no, rest.no]),
      }));
    case '!_': {
      const { yes, no } = asTruth(casesOf(node.args, run), run.meter);
      return asCases({ yes: no, no: yes });
    }
    case '?:':
      return chosen(node.args, run);
    case '==':
    case '!=': {
      const op = node.op === '==' ? 'eq' : 'ne';
      const [left, right] = node.args;
      if (isNull(left) || isNull(right)) return nullCases(op, isNull(left) ? right : left, run);
      return compared(op, left, right, run);
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compared(COMPARES[node.op]!, ...node.args, run);
    case 'in':
      return membership(...node.args, run);
    case 'call':
      if (node.args[0] === 'has') return hasCases(node.args[1][0]!, run);
      break;
    case 'rcall':
      return called(node.args, run);
    default:
  }
  throw new Inexpressible('a filter has nothing for this');
}

const always = (term: Term): Case => ({ where: ALWAYS, term });

/** The value of an expression that does not read the row, by the evaluator that conditions have. */
function valueOf(node: ASTNode, { variables, item, meter }: Run): Result {
  const { compiled, constants } = compiledOf(node, item?.name);
  const evaluation = { variables, constants, item: item?.value ?? null, steps: 0, limit: CONDITION_BUDGET };
  const value = compiled(evaluation);
  meter.steps += evaluation.steps;
  if (value === Fault.ABORT) throw new Inexpressible(TOO_MANY_STEPS);
  return value;
}

type CompiledPart = Pick<Shaped, 'constants'> & { readonly compiled: Compiled };

/** By the node: one that reads an element stands in one comprehension, and so has one name for it. */
const parts = new WeakMap<ASTNode, CompiledPart>();

function compiledOf(node: ASTNode, item: string | undefined): CompiledPart {
  let part = parts.get(node);
  if (!part) {
    const { slots, constants } = shapeOf(node);
    parts.set(node, (part = { compiled: compile(node, slots, false, item), constants }));
  }
  return part;
}

const knownCase = (value: Result): readonly Case[] => (value instanceof Fault ? [] : [always({ known: value })]);

/** As a condition: of values that are no booleans it is neither true nor false. */
function asTruth(cases: readonly Case[], meter: Meter): Truth {
  const where = (wanted: boolean) =>
    disjunction(cases.map((each) => conjunction([each.where, comparison('eq', each.term, { known: wanted }, meter)])));
  return { yes: where(true), no: where(false) };
}

const asCases = ({ yes, no }: Truth): readonly Case[] =>
  [
    { where: yes, term: { known: true } },
    { where: no, term: { known: false } },
  ].filter(({ where }) => where !== NEVER);

function memberCases(node: ASTNode & { op: '.' }, run: Run): readonly Case[] {
  const [target, name] = node.args;
  if (isVariable(target, 'resource')) {
    if (name === 'id') return [always(idOf(run.rows, run.row))];
    if (name !== 'properties') return [];
    throw new Inexpressible('it reads the attributes of the row as a whole');
  }
  if (isAttributes(target)) return readable(name, run);
  if (isVariable(target, 'context') || isMember(target, 'context', 'asserted')) {
    throw new Inexpressible('it reads what the host asserts about the row');
  }
  const isPlain = casesOf(target, run).every(({ term }) => 'field' in term && term.type !== 'any');
  // What has a column is no object: to read a member of it is an error.
  if (isPlain) return [];
  throw new Inexpressible('it reads a member of an attribute of the row');
}

function readable(name: string, { rows, row }: Run): readonly Case[] {
  const term = attributeOf(rows, row, name);
  return term ? [{ where: presence(term), term }] : [];
}

/** The attribute that `resource.properties[key]` names. */
function attributeCases(key: ASTNode, run: Run): readonly Case[] {
  if (readsRow(key)) throw new Inexpressible('which attribute it reads depends on the row');
  const name = valueOf(key, run);
  return typeof name === 'string' ? readable(name, run) : [];
}

function hasCases(node: ASTNode, run: Run): readonly Case[] {
  if (node.op !== '.') throw new Error('unreachable: cel-js refuses has() of anything but a member');
  const [target, name] = node.args;
  if (isVariable(target, 'resource')) return knownCase(['type', 'id', 'properties'].includes(name));
  if (isAttributes(target)) return presenceCases(name, run);
  throw new Inexpressible('it asks for a member of something that depends on the row');
}

function presenceCases(name: string, { rows, row }: Run): readonly Case[] {
  const term = attributeOf(rows, row, name);
  if (!term || 'known' in term) return knownCase(term !== undefined);
  return asCases({ yes: presence(term), no: { op: 'absent', left: term.field } });
}

/** What stands on the right of a decisive left side is not looked at. */
function junction(
  [left, right]: readonly [ASTNode, ASTNode],
  run: Run,
  decisive: Formula,
  join: (left: Truth, right: Truth) => Truth,
): readonly Case[] {
  const first = asTruth(casesOf(left, run), run.meter);
  if (!readsRow(left) && (decisive === ALWAYS ? first.yes : first.no) === ALWAYS) return asCases(first);
  return asCases(join(first, asTruth(casesOf(right, run), run.meter)));
}

function chosen([condition, yes, no]: readonly [ASTNode, ASTNode, ASTNode], run: Run): readonly Case[] {
  const truth = asTruth(casesOf(condition, run), run.meter);
  const under = (where: Formula, branch: ASTNode): readonly Case[] =>
    where === NEVER ? [] : casesOf(branch, run).map((each) => ({ ...each, where: conjunction([where, each.where]) }));
  return [...under(truth.yes, yes), ...under(truth.no, no)];
}

/** Most pairs of values that are looked at for two expressions. */
const MAX_PAIRS = 1000;

/** Every pair of the values that two expressions can have. */
function pairs(left: ASTNode, right: ASTNode, run: Run): { where: Formula; left: Term; right: Term }[] {
  const cases = casesOf(left, run);
  const others = casesOf(right, run);
  if (cases.length * others.length > MAX_PAIRS) throw new Inexpressible('it has too many branches');
  return cases.flatMap((one) =>
    others.map((other) => ({ where: conjunction([one.where, other.where]), left: one.term, right: other.term })),
  );
}

const anyOf = (cases: readonly { where: Formula }[], also: (index: number) => Formula): Formula =>
  disjunction(cases.map(({ where }, index) => conjunction([where, also(index)])));

function compared(op: Comparison, left: ASTNode, right: ASTNode, run: Run): readonly Case[] {
  const found = pairs(left, right, run);
  const where = (by: Comparison) =>
    anyOf(found, (index) => comparison(by, found[index]!.left, found[index]!.right, run.meter));
  return asCases({ yes: where(op), no: where(opposite(op)) });
}

function nullCases(op: 'eq' | 'ne', operand: ASTNode, run: Run): readonly Case[] {
  const cases = casesOf(operand, run);
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

function membership(wanted: ASTNode, collection: ASTNode, run: Run): readonly Case[] {
  if (isAttributes(collection)) {
    if (readsRow(wanted)) throw new Inexpressible('which attribute it asks for depends on the row');
    const name = valueOf(wanted, run);
    return typeof name === 'string' ? presenceCases(name, run) : [];
  }
  if (collection.op === 'list') return inList(wanted, collection.args, run);
  const found = pairs(wanted, collection, run);
  const nullWanted = isNull(wanted);
  const where = (is: boolean) =>
    anyOf(found, (index) => {
      const { left, right } = found[index]!;
      if (nullWanted) throw new Inexpressible('it looks for null in a list of the row');
      if ('field' in right) return listTest(is ? 'includes' : 'excludes', right, left, run.meter);
      // What is not among the elements that are known may be one of the others.
      if (right.known instanceof CelSeenList) return is ? memberOf(left, right.known.seen, true, run.meter) : NEVER;
      if (Array.isArray(right.known)) return memberOf(left, right.known as readonly CelValue[], is, run.meter);
      if (typeOf(right.known) !== 'map' && !(right.known instanceof CelOpenMap)) return NEVER;
      throw new Inexpressible('it looks for something that depends on the row in an object');
    });
  return asCases({ yes: where(true), no: where(false) });
}

/** `x in [a, b]`: an element in error makes the whole list one. */
function inList(wanted: ASTNode, elements: readonly ASTNode[], run: Run): readonly Case[] {
  const nullWanted = isNull(wanted);
  const sought = casesOf(wanted, run);
  const lists = elements.map((element) => casesOf(element, run));
  const isThere = (cases: readonly Case[]) => disjunction(cases.map(({ where }) => where));
  const all = conjunction([isThere(sought), ...lists.map(isThere)]);
  const values = lists.map((cases) => cases[0]?.term);
  if (!nullWanted && values.every((term) => term !== undefined && 'known' in term) && lists.every(isOne)) {
    const known = values.map((term) => (term as { known: CelValue }).known);
    const where = (is: boolean) =>
      conjunction([all, anyOf(sought, (i) => memberOf(sought[i]!.term, known, is, run.meter))]);
    return asCases({ yes: where(true), no: where(false) });
  }
  if (nullWanted) throw new Inexpressible('it looks for null in a list that depends on the row');
  const against = (cases: readonly Case[], op: Comparison) =>
    anyOf(sought, (i) => anyOf(cases, (j) => comparison(op, sought[i]!.term, cases[j]!.term, run.meter)));
  return asCases({
    yes: conjunction([all, disjunction(lists.map((cases) => against(cases, 'eq')))]),
    no: conjunction([all, ...lists.map((cases) => against(cases, 'ne'))]),
  });
}

const isOne = (cases: readonly Case[]): boolean => cases.length === 1 && cases[0]!.where === ALWAYS;

const TEXT_TESTS = { startsWith: 'starts_with', endsWith: 'ends_with', contains: 'contains' } as const;

function called([name, receiver, args]: readonly [string, ASTNode, ASTNode[]], run: Run): readonly Case[] {
  if (Object.hasOwn(TEXT_TESTS, name)) {
    const op = TEXT_TESTS[name as keyof typeof TEXT_TESTS];
    const found = pairs(receiver, args[0]!, run);
    const where = (by: typeof op | `not_${typeof op}`) =>
      anyOf(found, (index) => textTest(by, found[index]!.left, found[index]!.right, run.meter));
    return asCases({ yes: where(op), no: where(`not_${op}`) });
  }
  if (name === 'orValue' || name === 'hasValue') return optional(name, receiver, args, run);
  if ((name === 'all' || name === 'exists') && args[0]?.op === 'id') {
    return unrolled(name, receiver, args[0].args, args[1]!, run);
  }
  throw new Inexpressible(`a filter has nothing for ${name}() of something that depends on the row`);
}

/** `resource.properties.?a.orValue(x)`, and `hasValue()`. */
function optional(name: string, receiver: ASTNode, args: readonly ASTNode[], run: Run): readonly Case[] {
  if ((receiver.op !== '.?' && receiver.op !== '[?]') || !isAttributes(receiver.args[0])) {
    throw new Inexpressible('an optional value that is not an attribute of the row itself');
  }
  run.meter.steps += 2;
  const key = receiver.op === '.?' ? receiver.args[1] : keyOf(receiver.args[1], run);
  if (key === undefined) return [];
  if (name === 'hasValue') return presenceCases(key, run);
  const other = casesOf(args[0]!, run);
  const isThere = disjunction(other.map(({ where }) => where));
  const present = readable(key, run).map((each) => ({ ...each, where: conjunction([each.where, isThere]) }));
  const absent = presenceCases(key, run).find(({ term }) => 'known' in term && term.known === false);
  if (!absent) return present;
  return [...present, ...other.map((each) => ({ ...each, where: conjunction([absent.where, each.where]) }))];
}

function keyOf(node: ASTNode, run: Run): string | undefined {
  if (readsRow(node)) throw new Inexpressible('which attribute it reads depends on the row');
  const key = valueOf(node, run);
  return typeof key === 'string' ? key : undefined;
}

/** `all` and `exists` over a list that is known, element by element, like `&&` and `||`. */
function unrolled(name: 'all' | 'exists', range: ASTNode, element: string, body: ASTNode, run: Run): readonly Case[] {
  if (readsRow(range)) throw new Inexpressible(`it looks through a list that depends on the row`);
  const value = valueOf(range, run);
  if (value instanceof Fault) return [];
  const list = Array.isArray(value)
    ? (value as readonly CelValue[])
    : typeOf(value) === 'map'
      ? Object.keys(value as object)
      : undefined;
  if (!list) return [];
  const truths = list.map((item) => {
    run.meter.steps++;
    return asTruth(casesOf(body, { ...run, item: { name: element, value: item } }), run.meter);
  });
  const yes = truths.map((truth) => truth.yes);
  const no = truths.map((truth) => truth.no);
  return asCases(
    name === 'all' ? { yes: conjunction(yes), no: disjunction(no) } : { yes: disjunction(yes), no: conjunction(no) },
  );
}
