import { attributeNamed, type Attribute } from './attributes.js';
import { ScimError } from './error.js';

type Values = Readonly<Record<string, unknown>>;

/** Told the name of an attribute that is not kept. */
export type Dropped = (name: string) => void;

/** Most texts of one attribute, and characters of one text. */
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
    const items = Array.isArray(given) ? (given as readonly unknown[]) : [given];
    if (items.length > MAX_VALUES) throw new ScimError('tooMany', `${path} has ${MAX_VALUES} values at most`);
    return items.map((item) => itemOf(attribute, item, dropped, path)).filter((item) => item !== undefined);
  }
  if (attribute.type === 'complex') return complexOf(attribute, given, dropped, path);
  return scalarOf(attribute, unwrapped(given), path);
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
    const read = valueOf(sub, value, dropped, `${path}.${sub.name}`);
    if (read !== undefined) kept[sub.name] = read;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
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
  const isText = typeof given === 'string' && given.length <= MAX_TEXT && given.isWellFormed();
  if (!isText || /[\u0000-\u001f\u007f]/.test(given))
    throw new ScimError(
      'invalidValue',
      `${path}: a text of ${MAX_TEXT} characters at most, without control characters`,
    );
  return given === '' ? undefined : given;
}
