import { isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../model.js';
import { compileGlob, type Glob } from '../paths/glob.js';

/** A dotted place in JSON, name by name. A star stands for any run of characters within one name. */
export type Place = readonly Glob[];

/** Whether places cover something, and the steps that it took to tell. */
interface Coverage {
  readonly outcome: 'true' | 'false' | 'error';
  readonly steps: number;
}

/** Steps that one look may take. More are an error, as they are for a condition. */
const BUDGET = 50_000;

export const compilePlaces = (patterns: readonly string[]): readonly Place[] =>
  patterns.map((pattern) => pattern.split('.').map(compileGlob));

/**
 * Whether every leaf of an object lies at one of the places, or below it. Lists stand for each of their elements, and a
 * name with a dot in it is one name. An empty object or list is a leaf where it is a member; the object itself is none.
 */
export function coverageOf(object: JsonObject, places: readonly Place[]): Coverage {
  let steps = 0;
  /** All of `live` match the `depth` names on the way to the value, and end below it. */
  const isCovered = (value: Json, live: readonly Place[], depth: number): boolean => {
    if (++steps > BUDGET || live.length === 0) return false;
    if (Array.isArray(value)) {
      const items = value as readonly Json[];
      return items.length > 0 && items.every((item) => isCovered(item, live, depth));
    }
    return isJsonObject(value) && Object.keys(value).length > 0 && areMembersCovered(value, live, depth);
  };
  const areMembersCovered = (value: JsonObject, live: readonly Place[], depth: number): boolean =>
    Object.entries(value).every(([name, member]) => {
      steps += live.length * (1 + (name.length >> 6));
      const matching = steps > BUDGET ? [] : live.filter((place) => place[depth]!.matches(name));
      return matching.some(({ length }) => length === depth + 1) || isCovered(member, matching, depth + 1);
    });
  const outcome = areMembersCovered(object, places, 0);
  if (steps > BUDGET) return { outcome: 'error', steps };
  return { outcome: outcome ? 'true' : 'false', steps };
}
