import { createHash } from 'node:crypto';
import type { Json, JsonObject } from './model.js';

/** Whether `value` is a JSON object (not null, not a list). */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The own member of an object, or undefined. Never an inherited one: `constructor` and its like are data here. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * Joins objects; the first one that has a key decides its value.
 * The result has no prototype, so that `__proto__` is an ordinary member of it.
 */
export function layer(...layers: readonly JsonObject[]): JsonObject {
  const joined = Object.create(null) as Record<string, Json>;
  for (const object of layers) {
    for (const key of Object.keys(object)) {
      if (!Object.hasOwn(joined, key)) joined[key] = object[key]!;
    }
  }
  return joined;
}

/**
 * The canonical text of a JSON value by RFC 8785: members sorted by UTF-16 code units, no white space, numbers and
 * strings as ECMAScript writes them. Throws a RangeError for a number that JSON cannot hold.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('JSON has no such number');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key]!)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 over the canonical text of a value, in lower-case hexadecimal. */
export function digest(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
