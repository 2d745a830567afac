import { isJsonObject, own } from '../json.js';
import type { Json } from '../model.js';

/**
 * The value at a JSON pointer (RFC 6901) that starts with a slash; undefined where there is none. Only own members count,
 * and an element of a list is named by its number without leading zeros.
 */
export function claimAt(claims: Json, pointer: string): Json | undefined {
  let value: Json | undefined = claims;
  for (const part of partsOf(pointer)) {
    if (Array.isArray(value))
      value = /^(0|[1-9]\d{0,8})$/.test(part) ? (value as readonly Json[])[Number(part)] : undefined;
    else value = isJsonObject(value) ? own(value, part) : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

/** The names that a JSON pointer goes through. */
export function partsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => (part.includes('~') ? part.replaceAll('~1', '/').replaceAll('~0', '~') : part));
}

/** What a value is, without saying it. `absent` stands for null as well: a claim without a value says nothing. */
export type ClaimType = 'absent' | 'boolean' | 'number' | 'string' | 'list' | 'object';

/** The type of a claim's value. */
export function claimType(value: Json | undefined): ClaimType {
  if (value === undefined || value === null) return 'absent';
  if (Array.isArray(value)) return 'list';
  return typeof value as Exclude<ClaimType, 'absent' | 'list'>;
}
