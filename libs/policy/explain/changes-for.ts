import type { ASTNode } from '@marcbachmann/cel-js';
import { childrenOf } from '../cel/nodes.js';
import { placeOf, placesIn, type Place } from '../cel/places.js';
import type { Json } from '../model.js';
import type { AttributeChange } from './changes.js';

/** Elements of a list literal that are tried. */
const MAX_ELEMENTS = 8;

/**
 * The changes of single attributes that could make a condition come out otherwise, from what is written in it: the values
 * that it compares with, those next to them, and that an attribute is not there.
 */
export function changesFor(tree: ASTNode): AttributeChange[] {
  const found = new Map<string, AttributeChange>();
  const add = (change: AttributeChange) => {
    if (isSettable(change.attribute)) found.set(JSON.stringify(change), change);
  };
  collect(tree, add);
  asBoolean(tree, add);
  for (const attribute of placesIn(tree)) add({ change: 'remove', attribute });
  return [...found.values()];
}

/** What fronts read other parts of a request from: to change the copy alone would be no change that can be made. */
const COPIES: ReadonlySet<string> = new Set(['asserted', 'arguments', 'session', 'server']);

/** Whether a place is one attribute of the request. Names, the time and what documents of the tenant say are none. */
function isSettable([variable, first, second]: Place): boolean {
  if (first === undefined) return false;
  if (variable === 'arguments') return true;
  if (variable === 'context') return !COPIES.has(first);
  if (!['subject', 'resource', 'agent', 'server'].includes(variable) || first !== 'properties') return false;
  // Groups are looked up by roles as well; they are no ordinary attribute.
  return second !== undefined && !(variable === 'subject' && second === 'groups');
}

type Add = (change: AttributeChange) => void;

function collect(node: ASTNode, add: Add): void {
  const { op, args } = node;
  switch (op) {
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      compared(args[0], args[1], add);
      compared(args[1], args[0], add);
      break;
    case 'in':
      contained(args[0], args[1], add);
      break;
    case '&&':
    case '||':
      args.forEach((operand) => asBoolean(operand, add));
      break;
    case '!_':
      asBoolean(args, add);
      break;
    case '?:':
      asBoolean(args[0], add);
      break;
    case 'rcall':
      called(args[0], args[1], args[2], add);
      break;
    default:
  }
  for (const child of childrenOf(node)) collect(child, add);
}

function asBoolean(node: ASTNode, add: Add): void {
  const attribute = placeOf(node);
  if (!attribute) return;
  add({ change: 'set', attribute, value: true });
  add({ change: 'set', attribute, value: false });
}

function compared(side: ASTNode, other: ASTNode, add: Add): void {
  const attribute = placeOf(side);
  const from = placeOf(other);
  const value = literalOf(other);
  if (attribute && from) add({ change: 'copy', attribute, from });
  if (attribute && value !== undefined)
    for (const near of around(value)) add({ change: 'set', attribute, value: near });
  const sized = sizedOf(side);
  if (sized && typeof value === 'number') {
    for (const size of [value, value - 1, value + 1]) {
      if (Number.isSafeInteger(size) && size >= 0) add({ change: 'shorten', attribute: sized, size });
    }
  }
}

function contained(wanted: ASTNode, list: ASTNode, add: Add): void {
  const attribute = placeOf(wanted);
  const collection = placeOf(list);
  const value = literalOf(wanted);
  const elements = literalOf(list);
  if (attribute && collection) add({ change: 'copy_first', attribute, from: collection });
  if (attribute && Array.isArray(elements)) {
    for (const element of [...(elements as Json[]).slice(0, MAX_ELEMENTS), otherThan(elements as Json[])]) {
      add({ change: 'set', attribute, value: element });
    }
  }
  if (collection && value !== undefined) {
    add({ change: 'set', attribute: collection, value: [value] });
    add({ change: 'set', attribute: collection, value: [] });
  }
}

/** Texts that a text is held against, and lists whose elements are. */
function called(name: string, receiver: ASTNode, args: readonly ASTNode[], add: Add): void {
  const attribute = placeOf(receiver);
  if (!attribute) return;
  const value = args[0] ? literalOf(args[0]) : undefined;
  if (typeof value === 'string') {
    if (name !== 'matches') add({ change: 'set', attribute, value });
    add({ change: 'set', attribute, value: otherThan([value]) });
  }
  if (args[0]?.op === 'id' && args.length > 1) add({ change: 'set', attribute, value: [] });
}

function sizedOf(node: ASTNode): Place | undefined {
  if (node.op === 'rcall' && node.args[0] === 'size') return placeOf(node.args[1]);
  if (node.op === 'call' && node.args[0] === 'size' && node.args[1][0]) return placeOf(node.args[1][0]);
  return undefined;
}

function literalOf(node: ASTNode): Json | undefined {
  if (node.op === 'list') {
    const elements = node.args.map(literalOf);
    return elements.every((element) => element !== undefined) ? elements : undefined;
  }
  if (node.op === '-_') {
    const value = literalOf(node.args);
    return typeof value === 'number' ? -value : undefined;
  }
  if (node.op !== 'value') return undefined;
  return typeof node.args === 'bigint' ? Number(node.args) : (node.args as Json);
}

/** A literal, and what lies next to it. */
function around(value: Json): readonly Json[] {
  if (typeof value === 'number') return [value, value + 1, value - 1];
  if (typeof value === 'string') return [value, otherThan([value])];
  return typeof value === 'boolean' ? [value, !value] : [value];
}

/** A text that is none of some. */
const otherThan = (values: readonly Json[]): string => (values.includes('other') ? 'another' : 'other');
