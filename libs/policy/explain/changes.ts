import type { ASTNode } from '@marcbachmann/cel-js';
import type { Bindings } from '../cel/condition.js';
import { childrenOf } from '../cel/nodes.js';
import { placeOf, placesIn, placeText, valueAt, type Place } from '../cel/places.js';
import { Fault, toJson } from '../cel/values.js';
import { isJsonObject, layer, own } from '../json.js';
import type { Json, JsonObject } from '../model.js';
import type { ResolvedRequest } from '../decide/request.js';

/** One change of one attribute, as it is told. */
export type AttributeChange =
  | { readonly change: 'set'; readonly attribute: Place; readonly value: Json }
  | { readonly change: 'copy' | 'copy_first'; readonly attribute: Place; readonly from: Place }
  | { readonly change: 'shorten'; readonly attribute: Place; readonly size: number }
  | { readonly change: 'remove'; readonly attribute: Place };

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

/** The request as it would be with a change; undefined where the change changes nothing, or cannot be made. */
export function changed(
  request: ResolvedRequest,
  variables: Bindings,
  change: AttributeChange,
): ResolvedRequest | undefined {
  const before = valueAt(variables, change.attribute);
  const value = valueOf(change, before instanceof Fault ? undefined : toJson(before), variables);
  if (value === NOT_POSSIBLE) return undefined;
  const [variable, ...names] = change.attribute;
  switch (variable) {
    case 'arguments': {
      const made = isJsonObject(request.arguments) ? withValue(request.arguments, names, value) : undefined;
      return made && { ...request, arguments: made };
    }
    case 'context': {
      const made = withValue(request.context, names, value);
      return made && { ...request, context: made };
    }
    case 'subject': {
      const { subject } = request;
      const made = withValue(subject.properties, names.slice(1), value);
      return (
        made && { ...request, subject: { ...subject, properties: made, unsure: unsureIn(subject, names[1]!, made) } }
      );
    }
    case 'resource':
    case 'agent':
    case 'server': {
      const holder = request[variable];
      const made = holder && withValue(holder.properties, names.slice(1), value);
      return made ? { ...request, [variable]: { ...holder, properties: made } } : undefined;
    }
    default:
      return undefined;
  }
}

/** What is not known of a subject any more where an attribute is gone that its claims may give it or not. */
function unsureIn(
  { unsure, storedOverUnsure }: ResolvedRequest['subject'],
  name: string,
  properties: JsonObject,
): ReadonlySet<string> | null {
  const isOpen = storedOverUnsure !== null && storedOverUnsure.has(name) && !Object.hasOwn(properties, name);
  return isOpen ? new Set([...(unsure ?? []), name]) : unsure;
}

const NOT_POSSIBLE = Symbol('not possible');

/** The new value, undefined where it is to be gone. */
function valueOf(
  change: AttributeChange,
  before: Json | undefined,
  variables: Bindings,
): Json | undefined | typeof NOT_POSSIBLE {
  switch (change.change) {
    case 'remove':
      return before === undefined ? NOT_POSSIBLE : undefined;
    case 'set':
      return change.value === before ? NOT_POSSIBLE : change.value;
    case 'shorten':
      if (typeof before !== 'string' && !Array.isArray(before)) return NOT_POSSIBLE;
      return before.length > change.size ? before.slice(0, change.size) : NOT_POSSIBLE;
    case 'copy':
    case 'copy_first': {
      const found = valueAt(variables, change.from);
      const value = found instanceof Fault ? undefined : toJson(found);
      const wanted = change.change === 'copy' ? value : Array.isArray(value) ? (value as Json[])[0] : undefined;
      return wanted === undefined || wanted === before ? NOT_POSSIBLE : wanted;
    }
  }
}

/** A copy of an object in which one value, however deep, is another one or (undefined) gone. */
function withValue(
  object: JsonObject,
  [name, ...rest]: readonly string[],
  value: Json | undefined,
): JsonObject | undefined {
  if (name === undefined) return undefined;
  if (rest.length > 0) {
    const child = own(object, name) ?? (value === undefined ? undefined : {});
    const made = isJsonObject(child) ? withValue(child, rest, value) : undefined;
    return made && layer({ [name]: made }, object);
  }
  if (value !== undefined) return layer({ [name]: value }, object);
  return Object.hasOwn(object, name)
    ? layer(Object.fromEntries(Object.entries(object).filter(([other]) => other !== name)))
    : undefined;
}

/** A change with its places as conditions write them. */
export type ToldChange =
  | { readonly change: 'set'; readonly attribute: string; readonly value: Json }
  /** To the value of another attribute, or to the first element of that. */
  | { readonly change: 'copy' | 'copy_first'; readonly attribute: string; readonly from: string }
  /** To its first `size` elements or characters. */
  | { readonly change: 'shorten'; readonly attribute: string; readonly size: number }
  | { readonly change: 'remove'; readonly attribute: string };

export function toldChange(change: AttributeChange): ToldChange {
  const attribute = placeText(change.attribute);
  return 'from' in change ? { ...change, attribute, from: placeText(change.from) } : { ...change, attribute };
}
