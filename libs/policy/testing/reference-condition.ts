import type { ASTNode } from '@marcbachmann/cel-js';
import { parse } from '../cel/language.js';
import type { Json, JsonObject } from '../model.js';

/** What reading or computing something impossible comes to. */
class NoValue extends Error {}

const fail = (): never => {
  throw new NoValue();
};

/** A member of which nobody knows whether it is there. */
export const OPEN: Json = { '#open': true };

type Variables = Readonly<Record<string, Json | undefined>>;

/**
 * A condition read as simply as can be: recursively, with exceptions for errors, without steps, traces or unknowns, and
 * only for the operators that the generated policies use. The judge of the real evaluator.
 */
export function referenceCondition(text: string, variables: Variables): 'true' | 'false' | 'error' {
  const parsed = parse(text);
  if ('problems' in parsed) throw new Error(parsed.problems[0]!.message);
  const value = attempt(() => evaluate(parsed.tree, variables));
  if (value === true) return 'true';
  return value === false ? 'false' : 'error';
}

const attempt = (work: () => Json): Json | undefined => {
  try {
    return work();
  } catch (error) {
    if (error instanceof NoValue) return undefined;
    throw error;
  }
};

function evaluate(node: ASTNode, variables: Variables): Json {
  switch (node.op) {
    case 'value':
      return typeof node.args === 'bigint' ? Number(node.args) : (node.args as Json);
    case 'id':
      return variables[node.args] ?? fail();
    case '.':
      return get(evaluate(node.args[0], variables), node.args[1]);
    case 'list':
      return node.args.map((element) => evaluate(element, variables));
    case '!_': {
      const value = evaluate(node.args, variables);
      return typeof value === 'boolean' ? !value : fail();
    }
    case '&&':
      return logical(node.args, variables, false);
    case '||':
      return logical(node.args, variables, true);
    case '==':
      return same(evaluate(node.args[0], variables), evaluate(node.args[1], variables));
    case '!=':
      return !same(evaluate(node.args[0], variables), evaluate(node.args[1], variables));
    case '>': {
      const [left, right] = node.args.map((operand) => evaluate(operand, variables));
      return typeof left === 'number' && typeof right === 'number' ? left > right : fail();
    }
    case 'in': {
      const wanted = evaluate(node.args[0], variables);
      const list = evaluate(node.args[1], variables);
      if (!Array.isArray(list)) return fail();
      const found = (list as readonly Json[]).map((element) => attempt(() => same(element, wanted)));
      return found.includes(true) || (found.includes(undefined) ? fail() : false);
    }
    case 'call': {
      const [name, [argument]] = node.args;
      if (name !== 'has' || argument?.op !== '.') throw new Error(`not in the reference: ${name}()`);
      const target = evaluate(argument.args[0], variables);
      if (typeof target !== 'object' || target === null || Array.isArray(target)) return fail();
      if ((target as JsonObject)[argument.args[1]] === OPEN) return fail();
      return Object.hasOwn(target, argument.args[1]);
    }
    case 'rcall': {
      const [name, receiver, args] = node.args;
      const target = evaluate(receiver, variables);
      if (name === 'size') return typeof target === 'string' || Array.isArray(target) ? target.length : fail();
      const [argument] = args.map((arg) => evaluate(arg, variables));
      if (name !== 'startsWith') throw new Error(`not in the reference: ${name}()`);
      return typeof target === 'string' && typeof argument === 'string' ? target.startsWith(argument) : fail();
    }
    default:
      throw new Error(`not in the reference: ${node.op}`);
  }
}

function get(target: Json, name: string): Json {
  if (typeof target !== 'object' || target === null || Array.isArray(target)) return fail();
  const value = Object.hasOwn(target, name) ? (target as JsonObject)[name]! : fail();
  return value === OPEN ? fail() : value;
}

/** The deciding value on either side wins over an error on the other. */
function logical([left, right]: readonly [ASTNode, ASTNode], variables: Variables, decisive: boolean): boolean {
  const values = [left, right].map((operand) => attempt(() => evaluate(operand, variables)));
  if (values.includes(decisive)) return decisive;
  return values.every((value) => value === !decisive) ? !decisive : fail();
}

function same(left: Json, right: Json): boolean {
  if (left === null || right === null || typeof left !== typeof right) return fail();
  if (typeof left === 'object' || typeof right === 'object') return fail();
  return left === right;
}
