import type { Json } from './json.js';

/** A dotted place in JSON, name by name. A star stands for any run of characters within one name. */
export type Place = readonly string[];

export const placeOf = (pattern: string): Place => pattern.split('.');

/**
 * What of a value lies at one of the places, or below it; undefined where nothing does. Lists stand for each of their
 * elements, and a name with a dot in it is one name. Objects and lists of which nothing is left go with it.
 */
export function onlyAt(value: Json, places: readonly Place[], depth = 0): Json | undefined {
  if (isList(value)) {
    const items = value.map((item) => onlyAt(item, places, depth)).filter((item) => item !== undefined);
    return items.length > 0 ? items : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const kept = Object.entries(value).flatMap(([name, member]): [string, Json][] => {
    const matching = places.filter((place) => isNamed(place[depth]!, name));
    const left = matching.some(({ length }) => length === depth + 1) ? member : onlyAt(member, matching, depth + 1);
    return left === undefined ? [] : [[name, left]];
  });
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

/**
 * A value with what lies at one of the places replaced, or without it. A name with a dot in it is also read as several:
 * what is to go is not to stay for the way in which it is written.
 */
export function withoutAt(value: Json, places: readonly Place[], replacement?: Json): Json {
  if (isList(value)) return value.map((item) => withoutAt(item, places, replacement));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]): [string, Json][] => {
      const rests = restsAfter(places, name);
      if (rests.every(({ length }) => length > 0)) return [[name, withoutAt(member, rests, replacement)]];
      return replacement === undefined ? [] : [[name, replacement]];
    }),
  );
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** What is left of the places that a name is on the way to, each once. An empty rest: the name has reached its place. */
function restsAfter(places: readonly Place[], name: string): readonly Place[] {
  const readings = name.includes('.') ? [[name], name.split('.')] : [[name]];
  const rests = places.flatMap((place) =>
    readings
      .filter((names) => names.slice(0, place.length).every((part, at) => isNamed(place[at]!, part)))
      .map((names) => place.slice(names.length)),
  );
  return [...new Map(rests.map((rest) => [rest.join('.'), rest])).values()];
}

/** Whether a name is what a part of a place says. The leftmost match of each run is the best: nothing is tried twice. */
function isNamed(pattern: string, name: string): boolean {
  const [start, ...runs] = pattern.split('*') as [string, ...string[]];
  const end = runs.pop();
  if (end === undefined) return name === pattern;
  if (name.length < start.length + end.length || !name.startsWith(start) || !name.endsWith(end)) return false;
  let from = start.length;
  for (const run of runs) {
    const found = name.indexOf(run, from);
    if (found < 0 || found + run.length > name.length - end.length) return false;
    from = found + run.length;
  }
  return true;
}
