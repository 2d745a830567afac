import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayeredMap, Owned } from './layers.js';

const key = fc.constantFrom('a', 'b', 'c', 'd');
const write = fc.record({ key, name: key, value: fc.option(fc.nat(9), { nil: undefined }) });
const writes = fc.array(write, { maxLength: 12 });

const sorted = (entries: Iterable<readonly [string, unknown]>) =>
  [...entries].sort(([one], [other]) => (one < other ? -1 : 1));

describe('a layer over a map', () => {
  it('is what a copy with the same writes would be, and leaves the map below as it was', () => {
    fc.assert(
      fc.property(writes, writes, writes, (first, second, third) => {
        const base = new Map<string, number>();
        const put = (map: Pick<Map<string, number>, 'set' | 'delete'>, all: typeof first) =>
          all.map((each) => (each.value === undefined ? map.delete(each.key) : map.set(each.key, each.value) && true));
        put(base, first);
        const before = sorted(base);
        const model = new Map(base);
        const below = new LayeredMap(base);
        expect(put(below, second)).toEqual(put(model, second));
        const above = new LayeredMap(below);
        expect(put(above, third)).toEqual(put(model, third));

        expect(above.size).toBe(model.size);
        expect(sorted([...above.keys()].map((at) => [at, above.get(at)]))).toEqual(sorted(model));
        expect([...above.values()].sort()).toEqual([...model.values()].sort());
        for (const at of ['a', 'b', 'c', 'd'])
          expect([above.has(at), above.get(at)]).toEqual([model.has(at), model.get(at)]);
        expect(sorted(base)).toEqual(before);
      }),
    );
  });
});

describe('things by their owner', () => {
  const put = (owned: Owned<number>, all: readonly { key: string; name: string; value: number | undefined }[]) => {
    for (const each of all) {
      if (each.value === undefined) owned.delete(each.key, each.name);
      else owned.set(each.key, each.name, each.value);
    }
    return owned;
  };
  const read = (owned: Owned<number>) => sorted([...owned.owners()].map((at) => [at, sorted(owned.of(at)!)]));

  it('are over others what they would be with the same writes, and leave the others as they were', () => {
    fc.assert(
      fc.property(writes, writes, (first, second) => {
        const base = put(new Owned<number>(), first);
        const before = read(base);
        expect(read(put(new Owned(base), second))).toEqual(read(put(put(new Owned<number>(), first), second)));
        expect(read(base)).toEqual(before);
      }),
    );
  });
});
