import type { ASTNode } from '@marcbachmann/cel-js';
import { CONDITION_BUDGET, treeOf, type Condition } from '../cel/condition.js';
import { Fault, typeOf, type CelValue, type Meter } from '../cel/values.js';
import {
  always,
  among,
  anyOf,
  asCases,
  asTruth,
  compared,
  comparedWithNull,
  inList,
  knownCase,
  pairs,
  type Case,
  type Truth,
} from './cases.js';
import { ALWAYS, conjunction, disjunction, NEVER, type Comparison, type Formula } from './formula.js';
import { TOO_MANY_STEPS, valueOf, type Run, type Scope } from './known-part.js';
import { isAttributes, isMember, isVariable, readsRow } from './reads-row.js';
import { textTest } from './relations.js';
import { attributeCases, hasCases, keyOf, presenceCases, readable } from './row-attributes.js';
import { idOf, Inexpressible } from './rows.js';

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

const trees = new WeakMap<Condition, ASTNode>();

function knownTreeOf(condition: Condition): ASTNode {
  let tree = trees.get(condition);
  if (!tree) trees.set(condition, (tree = treeOf(condition.text)));
  return tree;
}

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
      if (isNull(left) || isNull(right)) return comparedWithNull(op, casesOf(isNull(left) ? right : left, run));
      return compared(op, casesOf(left, run), casesOf(right, run), run.meter);
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compared(COMPARES[node.op]!, casesOf(node.args[0], run), casesOf(node.args[1], run), run.meter);
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

function membership(wanted: ASTNode, collection: ASTNode, run: Run): readonly Case[] {
  if (isAttributes(collection)) {
    if (readsRow(wanted)) throw new Inexpressible('which attribute it asks for depends on the row');
    const name = valueOf(wanted, run);
    return typeof name === 'string' ? presenceCases(name, run) : [];
  }
  const nullWanted = isNull(wanted);
  if (collection.op === 'list') {
    const sought = casesOf(wanted, run);
    const lists = collection.args.map((element) => casesOf(element, run));
    return inList(sought, lists, nullWanted, run.meter);
  }
  return among(pairs(casesOf(wanted, run), casesOf(collection, run)), nullWanted, run.meter);
}

const TEXT_TESTS = { startsWith: 'starts_with', endsWith: 'ends_with', contains: 'contains' } as const;

function called([name, receiver, args]: readonly [string, ASTNode, ASTNode[]], run: Run): readonly Case[] {
  if (Object.hasOwn(TEXT_TESTS, name)) {
    const op = TEXT_TESTS[name as keyof typeof TEXT_TESTS];
    const found = pairs(casesOf(receiver, run), casesOf(args[0]!, run));
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
