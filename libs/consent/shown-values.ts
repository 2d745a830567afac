import { isJsonObject, type Json, type JsonObject } from '#policy';
import { fitted, markOf, type Cut } from './cut.js';
import { hasLookAlikes } from './look-alikes.js';
import { hasUnseen, hasUnseenInLines, mixesDirections, visible, visibleLines } from './visible.js';

/**
 * What a reader should know. `unseen`: there are characters that are not seen, which stand as their code points.
 * `alphabets`: there are letters that look like others. `directions`: some of it is written from right to left. `long`: it
 * takes more than a look. `cut`: not all of it is shown.
 */
export type Warning = 'unseen' | 'alphabets' | 'directions' | 'long' | 'cut';

/** One value that is shown, by its place. */
export interface ShownValue {
  /** As in `mail.to`; a name that could be taken for something else stands in quotes. */
  readonly place: string;
  readonly type: 'text' | 'number' | 'boolean' | 'null' | 'list' | 'object';
  readonly text: string;
  /** Of a value that is too long to be shown whole. */
  readonly cut?: Cut;
  /** What a reader should know of it. */
  readonly warnings: readonly Warning[];
}

/** Characters of a name that are shown, and of a description or a purpose. */
const NAME_ROOM = 300;
const TEXT_ROOM = 2000;

/** Characters of one value that are shown, those that every value may have, and those of all values together. */
const VALUE_ROOM = 8000;
const LEAST_ROOM = 200;
const ROOM = 60_000;

/** Values that are shown; of more, the rest stands together in one. */
const MOST_VALUES = 200;

/** Levels of objects whose members stand by their places; what is deeper stands together. */
const MOST_LEVELS = 16;

/** From how many characters on, or lines, a value is long. */
const LONG = { characters: 1000, lines: 25 };

/** A name, or anything else of one line. */
export const named = (text: string): string => whole(text, NAME_ROOM, visible);

/** A text of several lines. */
export const told = (text: string): string => whole(text, TEXT_ROOM, visibleLines);

export const warningsOfName = (text: string): readonly Warning[] =>
  warningsIn(text, hasUnseen(text), fitted(text, NAME_ROOM).cut);

export const warningsOfText = (text: string): readonly Warning[] =>
  warningsIn(text, hasUnseenInLines(text), fitted(text, TEXT_ROOM).cut);

/**
 * Every argument by its place: first those that the policies name to be shown, then the others, each with its type. What
 * there is no room for is said to be cut, with its digest.
 * @param first dotted places, as policies write them
 */
export function valuesOf(given: JsonObject, first: readonly string[]): readonly ShownValue[] {
  const leaves = [...leavesOf(given, [])];
  const isFirst = ({ path }: Leaf): boolean => {
    const place = path.join('.');
    return first.some((name) => place === name || place.startsWith(`${name}.`));
  };
  const ordered = [...leaves.filter(isFirst), ...leaves.filter((leaf) => !isFirst(leaf))];
  let left = ROOM;
  const values = ordered.slice(0, MOST_VALUES).map(({ path, value }) => {
    const room = Math.min(VALUE_ROOM, Math.max(left, LEAST_ROOM));
    const { shown, took } = shownValue(placeOf(path), value, room);
    left -= took;
    return shown;
  });
  const rest = ordered.slice(MOST_VALUES);
  if (rest.length === 0) return values;
  const text = rest.map(({ path, value }) => `${placeOf(path)}: ${JSON.stringify(value)}`).join('\n');
  const { shown } = shownValue('', text, Math.max(left, LEAST_ROOM));
  // No place of an argument begins with this bracket.
  return [...values, { ...shown, place: `⟨and ${rest.length} more⟩` }];
}

interface Leaf {
  readonly path: readonly string[];
  readonly value: Json;
}

function* leavesOf(value: Json, path: readonly string[]): Iterable<Leaf> {
  const members = isJsonObject(value) && path.length < MOST_LEVELS ? Object.entries(value) : [];
  for (const [name, member] of members) yield* leavesOf(member, [...path, name]);
  if (members.length === 0 && path.length > 0) yield { path, value };
}

/** INVARIANT: two paths have the same place only if they are the same: whatever is no plain name stands in quotes. */
const placeOf = (path: readonly string[]): string =>
  path.map((name) => (/^[\p{L}\p{M}\p{N}_$-]+$/u.test(name) ? name : JSON.stringify(name))).join('.');

function shownValue(place: string, value: Json, room: number): { shown: ShownValue; took: number } {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 1);
  const fit = fitted(text, room);
  const { head, tail, cut, took } = fit;
  const warnings = new Set([...warningsOfName(place), ...warningsIn(text, hasUnseenInLines(text), cut)]);
  const shown = {
    place: named(place),
    type: typeOf(value),
    text: cut ? `${visibleLines(head)}\n${markOf(fit, cut)}\n${visibleLines(tail)}` : visibleLines(text),
    ...(cut ? { cut } : {}),
    warnings: [...warnings],
  };
  return { shown, took };
}

function typeOf(value: Json): ShownValue['type'] {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  const type = typeof value as 'string' | 'number' | 'boolean' | 'object';
  return type === 'string' ? 'text' : type;
}

function whole(text: string, room: number, show: (text: string) => string): string {
  const fit = fitted(text, room);
  return fit.cut ? `${show(fit.head)} ${markOf(fit, fit.cut)} ${show(fit.tail)}` : show(text);
}

const warningsIn = (text: string, isUnseen: boolean, cut: Cut | undefined): readonly Warning[] => [
  ...(isUnseen ? (['unseen'] as const) : []),
  ...(hasLookAlikes(text) ? (['alphabets'] as const) : []),
  ...(mixesDirections(text) ? (['directions'] as const) : []),
  ...(text.length > LONG.characters || text.split('\n').length > LONG.lines ? (['long'] as const) : []),
  ...(cut ? (['cut'] as const) : []),
];
