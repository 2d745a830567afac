import type { Json, JsonObject } from '#policy';
import { told, valuesOf, type ShownValue } from './shown-values.js';

/**
 * The arguments that people were shown, by what they were shown; undefined where that does not say all of them.
 *
 * INVARIANT: what is read back would be shown as exactly this, and nothing else would (`visible`).
 */
export function argumentsShown(shown: readonly ShownValue[]): JsonObject | undefined {
  const leaves = shown.map(({ place, type, text, cut }) => ({
    path: pathOf(place),
    value: cut ? undefined : valueOf(type, text),
  }));
  const given = nested(leaves);
  return given && isSame(valuesOf(given, []), shown) ? given : undefined;
}

/** A text of several lines, by what was shown of it; undefined where that does not say all of it. */
export function textShown(shown: string): string | undefined {
  const text = unbroken(shown);
  return told(text) === shown ? text : undefined;
}

/** Without the signs for the ends of lines. */
const unbroken = (text: string): string => text.replaceAll('↵\n', '\n');

function valueOf(type: ShownValue['type'], text: string): Json | undefined {
  if (type === 'text') return unbroken(text);
  try {
    return JSON.parse(unbroken(text)) as Json;
  } catch {
    return undefined;
  }
}

/** The names of a place: plain ones, or in quotes. */
const pathOf = (place: string): readonly string[] =>
  [...place.matchAll(/"(?:[^"\\]|\\.)*"|[^".]+/g)].map(([name]) => {
    const quoted = name.startsWith('"') ? valueOf('list', name) : name;
    return typeof quoted === 'string' ? quoted : name;
  });

interface Leaf {
  readonly path: readonly string[];
  readonly value: Json | undefined;
}

function nested(leaves: readonly Leaf[]): JsonObject | undefined {
  const members = Map.groupBy(leaves, ({ path }) => path[0]);
  const entries = [...members].map(([name, of]) => {
    const inside = of.map(({ path, value }) => ({ path: path.slice(1), value }));
    const value = inside.every(({ path }) => path.length > 0) ? nested(inside) : inside[0]!.value;
    return [name, value] as const;
  });
  const isWhole = entries.every(([name, value]) => name !== undefined && value !== undefined);
  // Object.fromEntries makes a member of its own of every name, `__proto__` as well.
  return isWhole ? (Object.fromEntries(entries) as JsonObject) : undefined;
}

function isSame(left: readonly ShownValue[], right: readonly ShownValue[]): boolean {
  const texts = (values: readonly ShownValue[]): string =>
    JSON.stringify(values.map(({ place, type, text }) => [place, type, text].join('\0')).toSorted());
  return texts(left) === texts(right);
}
