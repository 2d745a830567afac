import type { ASTNode } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { finite, FUNCTIONS, instant, int } from './functions.js';
import { VARIABLES } from './language.js';
import {
  CelDouble,
  CelDuration,
  CelOpenMap,
  CelOptional,
  CelSeenList,
  CelTimestamp,
  compare,
  double,
  equals,
  Fault,
  numberOf,
  typeOf,
  type CelMap,
  type CelValue,
  type Meter,
  type Result,
} from './values.js';

/** One evaluation: the values of variables and constants (by slot), the element a comprehension is at, the step count. */
export interface Evaluation extends Meter {
  readonly variables: readonly Result[];
  readonly constants: readonly CelValue[];
  item: CelValue;
  /** Called after every part of a traced condition. */
  readonly trace?: (start: number, end: number, result: Result) => void;
}

/** A compiled part of a condition. Never throws. */
export type Compiled = (run: Evaluation) => Result;

/** Where the constants of a tree stand in `Evaluation.constants`. */
type Slots = ReadonlyMap<ASTNode, number>;

/**
 * Turns a syntax tree that `parse` has accepted into a function. With `traced`, each part reports its result, which an
 * explanation needs and a decision does not.
 */
export function compile(node: ASTNode, slots: Slots, traced = false, item?: string): Compiled {
  const part = compileNode(node, slots, (child, name = item) => compile(child, slots, traced, name), item);
  if (!traced) return part;
  const { start, end } = node;
  return (run) => {
    const result = part(run);
    run.trace?.(start, end, result);
    return result;
  };
}

type CompileChild = (child: ASTNode, item?: string) => Compiled;

function compileNode(node: ASTNode, slots: Slots, child: CompileChild, item: string | undefined): Compiled {
  switch (node.op) {
    case 'value':
      return node.args === null ? fixed(null) : constant(slots.get(node)!);
    case 'id':
      return node.args === item ? (run) => run.item : variable(node.args);
    case '.':
      return select(child(node.args[0]), node.args[1]);
    case '.?':
      return selectOptional(child(node.args[0]), fixed(node.args[1]));
    case '[]':
      return binary(child(node.args[0]), child(node.args[1]), index);
    case '[?]':
      return selectOptional(child(node.args[0]), child(node.args[1]));
    case '&&':
      return junction(child(node.args[0]), child(node.args[1]), false);
    case '||':
      return junction(child(node.args[0]), child(node.args[1]), true);
    case '!_':
      return not(child(node.args));
    case '-_':
      return negate(child(node.args));
    case '?:':
      return choose(child(node.args[0]), child(node.args[1]), child(node.args[2]));
    case 'list':
      return list(node.args.map((element) => child(element)));
    case '==':
    case '!=':
      return equality(node.args, child, node.op === '==');
    case 'in':
      return membership(node.args, child);
    case '<':
      return ordering(node.args, child, (order) => order < 0);
    case '<=':
      return ordering(node.args, child, (order) => order <= 0);
    case '>':
      return ordering(node.args, child, (order) => order > 0);
    case '>=':
      return ordering(node.args, child, (order) => order >= 0);
    case '+':
      return binary(child(node.args[0]), child(node.args[1]), add);
    case '-':
      return binary(child(node.args[0]), child(node.args[1]), subtract);
    case '*':
    case '/':
    case '%':
      return binary(child(node.args[0]), child(node.args[1]), arithmetic[node.op]);
    case 'call': {
      const [name, args] = node.args;
      if (name === 'has') return has(args[0]!, child);
      return call(
        name,
        args.map((argument) => child(argument)),
      );
    }
    case 'rcall': {
      const [name, receiver, args] = node.args;
      const comprehension = COMPREHENSIONS[name];
      if (comprehension && args[0]?.op === 'id') {
        const element = args[0].args;
        const bodies = args.slice(1).map((body) => child(body, element));
        return comprehend(child(receiver), bodies, comprehension);
      }
      if (name === 'matches') return matches(child(receiver), (args[0] as ASTNode & { op: 'value' }).args as string);
      return call(
        name,
        [receiver, ...args].map((argument) => child(argument)),
      );
    }
    case 'map':
      throw new Error('unreachable: refused by checkSubset');
  }
}

const fixed =
  (value: CelValue): Compiled =>
  () =>
    value;

const constant =
  (slot: number): Compiled =>
  (run) =>
    run.constants[slot]!;

function variable(name: string): Compiled {
  const slot = (VARIABLES as readonly string[]).indexOf(name);
  return (run) => run.variables[slot]!;
}

const exhausted = (run: Meter): boolean => ++run.steps > run.limit;

function select(target: Compiled, name: string): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = target(run);
    if (value instanceof Fault) return value;
    return value instanceof CelOptional ? inOptional(value, name) : member(value, name);
  };
}

/** A member of a map by its own name; anything else has no members. */
function member(value: CelValue, name: string): Result {
  if (typeof value !== 'object' || value === null) return Fault.WRONG_TYPE;
  if (typeOf(value) !== 'map') return value instanceof CelOpenMap ? memberOfOpen(value, name) : Fault.WRONG_TYPE;
  return Object.hasOwn(value, name) ? (value as CelMap)[name]! : Fault.NO_SUCH_KEY;
}

const memberOfOpen = ({ known, open }: CelOpenMap, name: string): Result =>
  open.has(name) ? Fault.NOT_KNOWN : member(known, name);

/** A member of what may be there: nothing stays nothing, and a missing member becomes nothing. */
function inOptional(optional: CelOptional, at: CelValue): Result {
  if (optional.value === undefined) return optional;
  const found = index(optional.value, at);
  if (found === Fault.NO_SUCH_KEY || found === Fault.OUT_OF_RANGE) return new CelOptional(undefined);
  return found instanceof Fault ? found : new CelOptional(found);
}

/** `a.?b` and `a[?b]`: a missing member is nothing; a target that has no members at all is still an error. */
function selectOptional(target: Compiled, key: Compiled): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = target(run);
    if (value instanceof Fault) return value;
    const at = key(run);
    if (at instanceof Fault) return at;
    return inOptional(value instanceof CelOptional ? value : new CelOptional(value), at);
  };
}

function index(value: CelValue, at: CelValue): Result {
  if (Array.isArray(value)) {
    if (typeof at !== 'number' || !Number.isSafeInteger(at)) return Fault.WRONG_TYPE;
    return at >= 0 && at < value.length ? (value as readonly CelValue[])[at]! : Fault.OUT_OF_RANGE;
  }
  return typeof at === 'string' ? member(value, at) : Fault.WRONG_TYPE;
}

/** `has(a.b)`: whether `a` has the member. An `a` that is absent itself, or no map, is an error; so is what is not known. */
function has(node: ASTNode, child: CompileChild): Compiled {
  if (node.op !== '.') throw new Error('unreachable: cel-js refuses has() of anything but a member');
  const target = child(node.args[0]);
  const name = node.args[1];
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = target(run);
    if (value instanceof Fault) return value;
    const found = member(value, name);
    return found instanceof Fault && found !== Fault.NO_SUCH_KEY ? found : found !== Fault.NO_SUCH_KEY;
  };
}

/**
 * `&&` (decisive: false) and `||` (decisive: true): the decisive value on either side absorbs an error or an unknown on
 * the other. An exhausted budget is absorbed by nothing.
 */
function junction(left: Compiled, right: Compiled, decisive: boolean): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const first = left(run);
    if (first === decisive || first === Fault.ABORT) return first;
    const second = right(run);
    if (second === decisive || second === Fault.ABORT) return second;
    return undecided(first, second, !decisive);
  };
}

function undecided(first: Result, second: Result, neutral: boolean): Result {
  if (first === neutral && second === neutral) return neutral;
  if (first === Fault.UNKNOWN || second === Fault.UNKNOWN) return Fault.UNKNOWN;
  if (first instanceof Fault) return first;
  if (second instanceof Fault) return second;
  return Fault.WRONG_TYPE;
}

function not(operand: Compiled): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = operand(run);
    if (value instanceof Fault) return value;
    return typeof value === 'boolean' ? !value : Fault.WRONG_TYPE;
  };
}

function negate(operand: Compiled): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = operand(run);
    if (value instanceof Fault) return value;
    if (value instanceof CelDouble) return double(-value.value);
    if (typeof value !== 'number') return Fault.WRONG_TYPE;
    return Number.isSafeInteger(value) ? int(-value) : -value;
  };
}

function choose(condition: Compiled, yes: Compiled, no: Compiled): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = condition(run);
    if (value instanceof Fault) return value;
    if (typeof value !== 'boolean') return Fault.WRONG_TYPE;
    return value ? yes(run) : no(run);
  };
}

function list(elements: readonly Compiled[]): Compiled {
  return (run) => {
    const values: CelValue[] = [];
    for (const element of elements) {
      if (exhausted(run)) return Fault.ABORT;
      const value = element(run);
      if (value instanceof Fault) return value;
      values.push(value);
    }
    return values;
  };
}

/** A function of two values, strict: a fault of either side is its result. An unknown side makes the whole unknown. */
function binary(
  left: Compiled,
  right: Compiled,
  apply: (left: CelValue, right: CelValue, run: Evaluation) => Result,
): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const first = left(run);
    if (first instanceof Fault && first.kind !== 'error') return first;
    const second = right(run);
    if (second instanceof Fault) return first instanceof Fault && second.kind === 'error' ? first : second;
    return first instanceof Fault ? first : apply(first, second, run);
  };
}

const isNullLiteral = (node: ASTNode): boolean => node.op === 'value' && node.args === null;

function equality([left, right]: readonly [ASTNode, ASTNode], child: CompileChild, wanted: boolean): Compiled {
  if (isNullLiteral(left) || isNullLiteral(right)) {
    const operand = child(isNullLiteral(left) ? right : left);
    return (run) => {
      if (exhausted(run)) return Fault.ABORT;
      const value = operand(run);
      return value instanceof Fault ? value : (value === null) === wanted;
    };
  }
  return binary(child(left), child(right), (first, second, run) => {
    const equal = equals(first, second, run);
    return equal instanceof Fault ? equal : equal === wanted;
  });
}

/** `x in list`: like `||` over the elements. `x in map`: whether it has the member. */
function membership([left, right]: readonly [ASTNode, ASTNode], child: CompileChild): Compiled {
  const nullWanted = isNullLiteral(left);
  return binary(child(left), child(right), (wanted, collection, run) => {
    if (!Array.isArray(collection)) {
      if (collection instanceof CelSeenList) return isSeen(collection, wanted, run);
      if (collection instanceof CelOpenMap) return isMember(collection, wanted);
      if (typeOf(collection) !== 'map' || typeof wanted !== 'string') return Fault.WRONG_TYPE;
      return Object.hasOwn(collection as CelMap, wanted);
    }
    if (nullWanted) return (collection as readonly CelValue[]).includes(null);
    let fault: Fault | undefined;
    for (const element of collection as readonly CelValue[]) {
      const equal = equals(element, wanted, run);
      if (equal === true || equal === Fault.ABORT) return equal;
      if (equal instanceof Fault) fault ??= equal;
    }
    return fault ?? false;
  });
}

/** Like `||` over the elements that are known and one more that is not. */
function isSeen({ seen }: CelSeenList, wanted: CelValue, run: Evaluation): Result {
  for (const element of seen) {
    const equal = equals(element, wanted, run);
    if (equal === true || equal === Fault.ABORT) return equal;
  }
  return Fault.NOT_KNOWN;
}

function isMember({ known, open }: CelOpenMap, wanted: CelValue): Result {
  if (typeof wanted !== 'string') return Fault.WRONG_TYPE;
  return open.has(wanted) ? Fault.NOT_KNOWN : Object.hasOwn(known, wanted);
}

function ordering(
  [left, right]: readonly [ASTNode, ASTNode],
  child: CompileChild,
  holds: (order: number) => boolean,
): Compiled {
  return binary(child(left), child(right), (first, second, run) => {
    const order = compare(first, second, run);
    return order instanceof Fault ? order : holds(order);
  });
}

function add(left: CelValue, right: CelValue, run: Evaluation): Result {
  if (typeof left === 'string' && typeof right === 'string') {
    run.steps += (left.length + right.length) >> 4;
    return run.steps > run.limit ? Fault.ABORT : left + right;
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    run.steps += left.length + right.length;
    return run.steps > run.limit ? Fault.ABORT : [...(left as readonly CelValue[]), ...(right as readonly CelValue[])];
  }
  if (left instanceof CelTimestamp && right instanceof CelDuration) return instant(left.ms + right.ms);
  if (left instanceof CelDuration && right instanceof CelTimestamp) return instant(left.ms + right.ms);
  if (left instanceof CelDuration && right instanceof CelDuration) return new CelDuration(left.ms + right.ms);
  return numeric(left, right, (a, b) => a + b);
}

function subtract(left: CelValue, right: CelValue): Result {
  if (left instanceof CelTimestamp && right instanceof CelTimestamp) return new CelDuration(left.ms - right.ms);
  if (left instanceof CelTimestamp && right instanceof CelDuration) return instant(left.ms - right.ms);
  if (left instanceof CelDuration && right instanceof CelDuration) return new CelDuration(left.ms - right.ms);
  return numeric(left, right, (a, b) => a - b);
}

const arithmetic = {
  '*': (left: CelValue, right: CelValue) => numeric(left, right, (a, b) => a * b),
  '/': (left: CelValue, right: CelValue) =>
    numberOf(right) === 0
      ? Fault.DIVISION_BY_ZERO
      : numeric(left, right, (a, b, whole) => (whole ? Math.trunc(a / b) : a / b)),
  '%': (left: CelValue, right: CelValue) => {
    if (typeOf(left) === 'double' || typeOf(right) === 'double') return Fault.WRONG_TYPE;
    return numberOf(right) === 0 ? Fault.DIVISION_BY_ZERO : numeric(left, right, (a, b) => a % b);
  },
} as const;

/** Ints with ints, doubles with doubles; CEL does not mix them in arithmetic, and neither do we. */
function numeric(left: CelValue, right: CelValue, apply: (a: number, b: number, whole: boolean) => number): Result {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === undefined || b === undefined) return Fault.WRONG_TYPE;
  const whole = typeOf(left) === 'int';
  if (whole !== (typeOf(right) === 'int')) return Fault.MIXED_TYPES;
  return whole ? int(apply(a, b, true)) : finite(apply(a, b, false));
}

function call(name: string, args: readonly Compiled[]): Compiled {
  const target = FUNCTIONS[`${name}/${args.length}`]!;
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const values: CelValue[] = [];
    let fault: Fault | undefined;
    for (const argument of args) {
      const value = argument(run);
      if (!(value instanceof Fault)) values.push(value);
      else if (value.kind !== 'error') return value;
      else fault ??= value;
    }
    if (fault) return fault;
    const result = target(values, run);
    return run.steps > run.limit ? Fault.ABORT : result;
  };
}

function matches(text: Compiled, pattern: string): Compiled {
  const expression = RE2JS.compile(pattern);
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = text(run);
    if (value instanceof Fault) return value;
    if (typeof value !== 'string') return Fault.WRONG_TYPE;
    run.steps += value.length;
    return run.steps > run.limit ? Fault.ABORT : expression.matcher(value).find();
  };
}

/** How a comprehension folds the results of its bodies over the elements. */
type Comprehension = (items: readonly CelValue[], bodies: readonly Compiled[], run: Evaluation) => Result;

const COMPREHENSIONS: Readonly<Record<string, Comprehension | undefined>> = Object.assign(
  Object.create(null) as Record<string, Comprehension>,
  {
    all: quantifier(false),
    exists: quantifier(true),
    exists_one: (items, bodies, run) => {
      const kept = keep(items, bodies[0]!, run);
      return kept instanceof Fault ? kept : kept.length === 1;
    },
    filter: (items, bodies, run) => keep(items, bodies[0]!, run),
    map: (items, bodies, run) => {
      const kept = bodies.length === 2 ? keep(items, bodies[0]!, run) : items;
      return kept instanceof Fault ? kept : transform(kept, bodies.at(-1)!, run);
    },
  } satisfies Record<string, Comprehension>,
);

function comprehend(range: Compiled, bodies: readonly Compiled[], fold: Comprehension): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = range(run);
    if (value instanceof Fault) return value;
    if (Array.isArray(value)) return fold(value as readonly CelValue[], bodies, run);
    return typeOf(value) === 'map' ? fold(Object.keys(value as CelMap), bodies, run) : Fault.WRONG_TYPE;
  };
}

/** `all` (decisive: false) and `exists` (decisive: true): `&&` and `||` over the elements. */
function quantifier(decisive: boolean): Comprehension {
  return (items, [body], run) => {
    let result: Result = !decisive;
    for (const item of items) {
      const value = bodyAt(body!, item, run);
      if (value === decisive || value === Fault.ABORT) return value;
      if (value !== !decisive) result = undecided(result, value, !decisive);
    }
    return result;
  };
}

function keep(items: readonly CelValue[], body: Compiled, run: Evaluation): CelValue[] | Fault {
  const kept: CelValue[] = [];
  for (const item of items) {
    const value = bodyAt(body, item, run);
    if (value instanceof Fault) return value;
    if (typeof value !== 'boolean') return Fault.WRONG_TYPE;
    if (value) kept.push(item);
  }
  return kept;
}

function transform(items: readonly CelValue[], body: Compiled, run: Evaluation): CelValue[] | Fault {
  const results: CelValue[] = [];
  for (const item of items) {
    const value = bodyAt(body, item, run);
    if (value instanceof Fault) return value;
    results.push(value);
  }
  return results;
}

function bodyAt(body: Compiled, item: CelValue, run: Evaluation): Result {
  if (exhausted(run)) return Fault.ABORT;
  run.item = item;
  return body(run);
}
