import { setImmediate } from 'node:timers/promises';

/** For how long, in ms, a search computes before others have their turn. */
const TURN_MS = 5;

/** How many candidates are looked through between two looks at the clock. */
const LOOK_EVERY = 128;

/** Lets others have their turn where it is time. False: the state that is searched is not the present one any more. */
export type Pace = () => Promise<boolean>;

/** @param holds whether the state that is searched is still the present one */
export function pace(holds: () => boolean): Pace {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < TURN_MS) return true;
    await setImmediate();
    began = performance.now();
    return holds();
  };
}

/** What is to be looked through, and what of it is wanted. */
export interface Selection<T> {
  /** In any order; the same one may come twice, and null for what was looked at and is none. */
  readonly items: Iterable<T | null>;
  readonly compare: (left: T, right: T) => number;
  readonly skip: (item: T) => boolean;
  readonly count: number;
}

/** The first so many of some items: in order, each once. Undefined if the state moved on in between. */
export async function firstOf<T>(
  { items, compare, skip, count }: Selection<T>,
  turn: Pace,
): Promise<readonly T[] | undefined> {
  const first = (some: readonly T[]): T[] =>
    [...some]
      .sort(compare)
      .filter((item, at, all) => at === 0 || compare(item, all[at - 1]!) !== 0)
      .slice(0, count);
  let kept: T[] = [];
  /** Nothing from here on can be among them. */
  let bound: T | undefined;
  let seen = 0;
  for (const item of items) {
    if (++seen % LOOK_EVERY === 0 && !(await turn())) return undefined;
    if (item === null || (bound !== undefined && compare(item, bound) >= 0) || skip(item)) continue;
    kept.push(item);
    if (kept.length < 4 * count) continue;
    kept = first(kept);
    bound = kept[count - 1];
  }
  return first(kept);
}

/** The place of something in an order: by the first text, then by the second, and so on. */
export type Key = readonly string[];

/** By as many texts as both have. */
export function compareKeys(left: Key, right: Key): number {
  for (let at = 0; at < left.length && at < right.length; at++) {
    if (left[at] !== right[at]) return left[at]! < right[at]! ? -1 : 1;
  }
  return 0;
}

/** A list that is worked out page by page: of each thing some cases, and of each case a row or none. */
export interface Paged<Thing, Case, Row> {
  readonly things: Iterable<Thing | null>;
  readonly keyOf: (thing: Thing) => Key;
  /** The cases of a thing in order, and the key of each: that of the thing, and more. */
  readonly casesOf: (thing: Thing) => Iterable<readonly [Key, Case]>;
  readonly rowOf: (one: Case) => Row | undefined;
  /** Where the page begins: with this case, or the first one after it; null: with the first one. */
  readonly from: Key | null;
  /** Most rows that the page may have. */
  readonly limit: number;
}

/** One page, and where the next one begins; null if there is none. */
export interface RowPage<Row> {
  readonly rows: readonly Row[];
  readonly next: Key | null;
}

/** Most cases that are looked at for one page. */
export const MAX_CASES = 1000;

/** Works out one page. Undefined if the state moved on in between. */
export async function pageOfRows<Thing, Case, Row>(
  { things, keyOf, casesOf, rowOf, from, limit }: Paged<Thing, Case, Row>,
  turn: Pace,
): Promise<RowPage<Row> | undefined> {
  const selected = await firstOf(
    {
      items: things,
      compare: (left, right) => compareKeys(keyOf(left), keyOf(right)),
      skip: (thing) => from !== null && compareKeys(keyOf(thing), from) < 0,
      count: MAX_CASES + 1,
    },
    turn,
  );
  if (!selected) return undefined;
  const rows: Row[] = [];
  let cases = 0;
  for (const [at, thing] of selected.entries()) {
    // There may be more than were selected.
    if (at === MAX_CASES) return { rows, next: keyOf(thing) };
    for (const [key, one] of casesOf(thing)) {
      if (!(await turn())) return undefined;
      if (from !== null && compareKeys(key, from) < 0) continue;
      if (cases++ === MAX_CASES) return { rows, next: key };
      const row = rowOf(one);
      if (row === undefined) continue;
      if (rows.length === limit) return { rows, next: key };
      rows.push(row);
    }
  }
  return { rows, next: null };
}
