import type { ASTNode } from '@marcbachmann/cel-js';
import type { Bindings } from './condition.js';
import { VARIABLES } from './language.js';
import { childrenOf } from './nodes.js';
import { CelOpenMap, Fault, typeOf, type CelMap, type Result } from './values.js';

/** Where a condition reads: a variable and the names of the members that lead from it to a value. */
export type Place = readonly [string, ...string[]];

/** The place that an expression is, if it is nothing but names in a row. The variable of a comprehension is no place. */
export function placeOf(node: ASTNode): Place | undefined {
  switch (node.op) {
    case 'id':
      return (VARIABLES as readonly string[]).includes(node.args) ? [node.args] : undefined;
    case '.':
    case '.?': {
      const [target, name] = node.args as [ASTNode, string | ASTNode];
      return typeof name === 'string' ? memberOf(target, name) : memberOf(target, textOf(name));
    }
    case '[]':
    case '[?]':
      return memberOf(node.args[0], textOf(node.args[1]));
    default:
      return undefined;
  }
}

function memberOf(target: ASTNode, name: string | undefined): Place | undefined {
  const place = name === undefined ? undefined : placeOf(target);
  return place && [...place, name!];
}

const textOf = (node: ASTNode): string | undefined =>
  node.op === 'value' && typeof node.args === 'string' ? node.args : undefined;

/** Every place that an expression names, once, in the order of the text; of `a.b.c` that alone and not `a.b`. */
export function placesIn(node: ASTNode): Place[] {
  const found = new Map<string, Place>();
  collect(node, found);
  return [...found.values()];
}

function collect(node: ASTNode, found: Map<string, Place>): void {
  const place = placeOf(node);
  if (place) found.set(placeText(place), place);
  else for (const child of childrenOf(node)) collect(child, found);
}

/** A place as a condition writes it. */
export function placeText([variable, ...names]: Place): string {
  const members = names.map((name) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`,
  );
  return variable + members.join('');
}

/** What stands at a place; a fault where there is nothing. */
export function valueAt(variables: Bindings, [variable, ...names]: Place): Result {
  let value: Result = variables[(VARIABLES as readonly string[]).indexOf(variable)] ?? Fault.NO_SUCH_KEY;
  for (const name of names) {
    if (value instanceof Fault) return value;
    if (value instanceof CelOpenMap) {
      if (value.open.has(name)) return Fault.NOT_KNOWN;
      value = value.known;
    }
    if (typeOf(value) !== 'map') return Fault.WRONG_TYPE;
    value = Object.hasOwn(value as CelMap, name) ? (value as CelMap)[name]! : Fault.NO_SUCH_KEY;
  }
  return value;
}
