import { attributeNamed, type Attribute } from './attributes.js';
import { ScimError } from './error.js';

type Values = Readonly<Record<string, unknown>>;

/** Told the name of an attribute that is not kept. */
export type Dropped = (name: string) => void;

/** Most values of one attribute, and bytes of one text: some are in indexes, and in the keys of what ends. */
const MAX_VALUES = 100;
const MAX_TEXT = 1024;

export const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A value as an attribute has it, undefined where nothing is left of it. Booleans may come as texts (Entra sends "False"),
 * a single value in a list of one (`[{"value": …}]`, as older Entra does); sub-attributes that are not kept are dropped.
 * Throws ScimError.
 *
 * INVARIANT: what is neither true nor false, in one of the spellings of these words, is refused: no text is ever taken for true.
 */
export function valueOf(attribute: Attribute, given: unknown, dropped: Dropped, path = attribute.name): unknown {
  if (given === null || given === undefined) return undefined;
  if (attribute.multiValued === true) {
    const items = bounded(Array.isArray(given) ? (given as readonly unknown[]) : [given], path);
    return items.map((item) => itemOf(attribute, item, dropped, path)).filter((item) => item !== undefined);
  }
  if (attribute.type === 'complex') return complexOf(attribute, given, dropped, path);
  return scalarOf(attribute, unwrapped(given), path);
}

/** The values of an attribute, if there are no more than may be: also after many steps. Throws ScimError (`tooMany`). */
export function bounded<T>(items: readonly T[], path: string): readonly T[] {
  if (items.length <= MAX_VALUES) return items;
  throw new ScimError('tooMany', `${path} has ${MAX_VALUES} values at most`);
}

/** One of several values: an object, or its value alone. */
export function itemOf(attribute: Attribute, given: unknown, dropped: Dropped, path = attribute.name): unknown {
  return complexOf(attribute, typeof given === 'string' ? { value: given } : given, dropped, path);
}

function complexOf({ subAttributes }: Attribute, given: unknown, dropped: Dropped, path: string): Values | undefined {
  if (!isObject(given)) throw new ScimError('invalidValue', `${path}: an object is expected`);
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const sub = attributeNamed(subAttributes, name);
    if (!sub || sub.readOnly === true) {
      if (!sub && name !== '$ref') dropped(`${path}.${name}`);
      continue;
    }
    refuseTwice(kept, sub.name, `${path}.${sub.name}`);
    kept[sub.name] = valueOf(sub, value, dropped, `${path}.${sub.name}`);
  }
  return withoutUndefined(kept);
}

/** An object without what is undefined in it; undefined if nothing is left. */
export function withoutUndefined(values: Values): Values | undefined {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Throws ScimError where an attribute was read before: by `active` and `Active` nobody can know what is meant. */
export function refuseTwice(read: Values, name: string, path = name): void {
  if (Object.hasOwn(read, name)) throw new ScimError('invalidSyntax', `${path} is there twice`);
}

function unwrapped(given: unknown): unknown {
  const only = Array.isArray(given) && given.length === 1 ? (given[0] as unknown) : given;
  return only !== given && isObject(only) && 'value' in only ? only['value'] : given;
}

function scalarOf({ type }: Attribute, given: unknown, path: string): unknown {
  if (type === 'boolean') {
    const said = typeof given === 'string' ? given.trim().toLowerCase() : given;
    if (said === true || said === 'true') return true;
    if (said === false || said === 'false') return false;
    throw new ScimError('invalidValue', `${path}: write true or false`);
  }
  if (!isText(given) || Buffer.byteLength(given) > MAX_TEXT)
    throw new ScimError('invalidValue', `${path}: a text of ${MAX_TEXT} bytes at most, without control characters`);
  return given === '' ? undefined : given;
}

/** Whether something is a text that can be stored: well formed, without control characters. */
export const isText = (given: unknown): given is string =>
  typeof given === 'string' && given.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(given);
