/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** Whether a value is a JSON object: not null, not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The own member of an object, or undefined. Never an inherited one: a polluted prototype must not answer for Placet. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * What a value becomes on the wire, as a copy that nobody can change: what is decided is then what is sent.
 * Undefined stays undefined. Throws a TypeError for what JSON cannot hold.
 */
export function frozenCopy<T>(value: T): T {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? (undefined as T) : freeze(JSON.parse(text) as T);
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
