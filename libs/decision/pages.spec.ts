import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys, firstOf, MAX_CASES, pace, pageOfRows, type Key, type Paged, type RowPage } from './pages.js';

const always = () => Promise.resolve(true);
const moved = () => Promise.resolve(false);

describe('the first of some items', () => {
  it('are those that sorting everything gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(60), { maxLength: 200 }),
        fc.integer({ min: 1, max: 5 }),
        async (items, count) => {
          const compare = (left: number, right: number) => left - right;
          const skip = (item: number) => item % 3 === 0;
          const expected = [...new Set(items.filter((item) => !skip(item)))].sort(compare).slice(0, count);
          expect(await firstOf({ items, compare, skip, count }, always)).toEqual(expected);
        },
      ),
    );
  });

  it('lets others have their turn, also where nothing is kept', async () => {
    let turns = 0;
    const turn = () => Promise.resolve(++turns > 0);
    const items = Array.from({ length: 1000 }, () => null);
    expect(await firstOf({ items, compare: () => 0, skip: () => false, count: 1 }, turn)).toEqual([]);
    expect(turns).toBeGreaterThan(3);
  });

  it('are none where the state moves on', async () => {
    const items = Array.from({ length: 200 }, (_, index) => index);
    const none = { items, compare: () => 0, skip: () => true, count: 1 };
    expect(await firstOf(none, moved)).toBeUndefined();
  });
});

it.each<[Key, Key, number]>([
  [['a'], ['b'], -1],
  [['b'], ['a'], 1],
  [['a', 'z'], ['a', 'b'], 1],
  [['a', 'b'], ['b', 'a'], -1],
  // The one that is longer lies within the other.
  [['a'], ['a', 'b'], 0],
  [['a', 'b'], ['a'], 0],
])('the key %j stands to %j as %d', (left, right, expected) => {
  expect(compareKeys(left, right)).toBe(expected);
});

interface Case {
  readonly thing: string;
  readonly part: string;
}

/** Of each thing one case for each part; those that `rows` names have a row. */
const paged = (
  things: readonly string[],
  parts: readonly string[],
  over: Partial<Paged<string, Case, string>> = {},
): Paged<string, Case, string> => ({
  things,
  keyOf: (thing) => [thing],
  casesOf: (thing) => parts.map((part) => [[thing, part], { thing, part }] as const),
  rowOf: ({ thing, part }) => `${thing}${part}`,
  from: null,
  limit: 10,
  ...over,
});

async function all(list: Paged<string, Case, string>): Promise<{ rows: string[]; pages: number }> {
  const rows: string[] = [];
  let from: Key | null = null;
  for (let pages = 1; ; pages++) {
    const page: RowPage<string> = (await pageOfRows({ ...list, from }, always))!;
    expect(page.rows.length).toBeLessThanOrEqual(list.limit);
    rows.push(...page.rows);
    if (page.next === null) return { rows, pages };
    from = page.next;
  }
}

describe('a page of rows', () => {
  it.each<[number, number]>([
    [1, 6],
    [2, 3],
    [4, 2],
    [5, 2],
    [6, 1],
    [7, 1],
  ])('with a limit of %d is one of %d', async (limit, pages) => {
    const list = paged(['c', 'a', 'b', 'a'], ['1', '2'], { limit });
    expect(await all(list)).toEqual({ rows: ['a1', 'a2', 'b1', 'b2', 'c1', 'c2'], pages });
  });

  it('has no next one where only cases without a row are left', async () => {
    const rowOf = ({ thing, part }: Case) => (thing === 'a' ? part : undefined);
    expect(await pageOfRows(paged(['a', 'b', 'c'], ['1', '2'], { rowOf, limit: 2 }), always)).toEqual({
      rows: ['1', '2'],
      next: null,
    });
  });

  it('begins with what comes next, where the thing that it would begin with is gone', async () => {
    const page = await pageOfRows(paged(['a', 'c'], ['1', '2'], { from: ['b', '2'] }), always);
    expect(page!.rows).toEqual(['c1', 'c2']);
  });

  const many = Array.from({ length: MAX_CASES + 3 }, (_, index) => String(index).padStart(5, '0'));

  it('looks at no more cases than one page may cost', async () => {
    let looked = 0;
    const rowOf = ({ thing, part }: Case) => {
      looked++;
      return thing === many.at(-1) ? part : undefined;
    };
    const first = await pageOfRows(paged(many, ['1', '2'], { rowOf }), always);
    expect(first).toEqual({ rows: [], next: [many[MAX_CASES / 2], '1'] });
    expect(looked).toBe(MAX_CASES);
    expect((await all(paged(many, ['1', '2'], { rowOf }))).rows).toEqual(['1', '2']);
  });

  it('goes on behind things without a case', async () => {
    const casesOf = (thing: string) => (thing === many.at(-1) ? [[[thing, ''], { thing, part: '' }] as const] : []);
    const first = await pageOfRows(paged(many, [], { casesOf }), always);
    expect(first).toEqual({ rows: [], next: [many[MAX_CASES]] });
    expect(await all(paged(many, [], { casesOf }))).toEqual({ rows: [many.at(-1)], pages: 2 });
  });

  it('is none where the state moves on while cases are looked at', async () => {
    expect(await pageOfRows(paged(['a'], ['1']), moved)).toBeUndefined();
  });
});

describe('the pace', () => {
  it('gives others a turn, and then looks whether the state still holds', async () => {
    let others = 0;
    let holds = true;
    const turn = pace(() => holds);
    const timer = setInterval(() => others++, 1);
    while (others < 3) expect(await turn()).toBe(true);
    clearInterval(timer);
    holds = false;
    while (await turn());
    expect(others).toBe(3);
  });
});
