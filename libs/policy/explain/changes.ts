import type { Bindings } from '../cel/condition.js';
import { placeText, valueAt, type Place } from '../cel/places.js';
import { Fault, toJson } from '../cel/values.js';
import type { ResolvedRequest } from '../decide/request.js';
import { isJsonObject, layer, own } from '../json.js';
import type { Json, JsonObject } from '../model.js';

/** One change of one attribute, as it is told. */
export type AttributeChange =
  | { readonly change: 'set'; readonly attribute: Place; readonly value: Json }
  | { readonly change: 'copy' | 'copy_first'; readonly attribute: Place; readonly from: Place }
  | { readonly change: 'shorten'; readonly attribute: Place; readonly size: number }
  | { readonly change: 'remove'; readonly attribute: Place };

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
