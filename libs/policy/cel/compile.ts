import type { ASTNode } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { add, arithmetic, negate, subtract } from './arithmetic.js';
import { equality, membership, ordering } from './comparisons.js';
import { comprehend, COMPREHENSIONS } from './comprehensions.js';
import { binary, exhausted, type Compiled, type CompileChild } from './evaluation.js';
import { FUNCTIONS } from './functions.js';
import { VARIABLES } from './language.js';
import { choose, junction, not } from './logic.js';
import { has, index, select, selectOptional } from './members.js';
import { Fault, type CelValue } from './values.js';

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
