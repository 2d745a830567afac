import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FIELD_PLACES, objectWith } from '../../test/support/field-places.js';
import type { Json } from './json.js';
import { onlyAt, placeOf, withoutAt } from './places.js';

const only = (value: unknown, ...patterns: string[]) => onlyAt(value as Json, patterns.map(placeOf));
const without = (value: unknown, ...patterns: string[]) => withoutAt(value as Json, patterns.map(placeOf));
const masked = (value: unknown, ...patterns: string[]) => withoutAt(value as Json, patterns.map(placeOf), '***');

describe('a place', () => {
  it.each(FIELD_PLACES)('%j of %j: %s', (patterns, leaf, covered) => {
    const object = objectWith(leaf, 'value');
    expect(only(object, ...patterns)).toEqual(covered ? object : undefined);
    expect(JSON.stringify(without(object, ...patterns)).includes('value')).toBe(!covered);
    expect(JSON.stringify(masked(object, ...patterns)).includes('value')).toBe(!covered);
  });

  it.each<[unknown, string[], unknown, unknown]>([
    [{ a: 1, b: 2 }, ['a'], { a: 1 }, { b: 2 }],
    [{ a: { b: 1, c: 2 } }, ['a.b'], { a: { b: 1 } }, { a: { c: 2 } }],
    [{ rows: [{ id: 1, ssn: 2 }, { ssn: 3 }] }, ['rows.id'], { rows: [{ id: 1 }] }, { rows: [{ ssn: 2 }, { ssn: 3 }] }],
    [[{ id: 1, ssn: 2 }], ['ssn'], [{ ssn: 2 }], [{ id: 1 }]],
    [{ rows: [[{ id: 1 }]] }, ['rows.id'], { rows: [[{ id: 1 }]] }, { rows: [[{}]] }],
    [{ ids: [1, 2] }, ['ids'], { ids: [1, 2] }, {}],
    [{ ids: [1, 2] }, ['ids.0'], undefined, { ids: [1, 2] }],
    [['x'], ['*'], undefined, ['x']],
    [{ a: {}, b: [] }, ['a.x'], undefined, { a: {}, b: [] }],
    [{ a: {}, b: 1 }, ['a'], { a: {} }, { b: 1 }],
    [{ a: null }, ['a'], { a: null }, {}],
    ['x', ['*'], undefined, 'x'],
  ])('in %j, %j: %j is kept, or %j', (value, patterns, kept, left) => {
    expect(only(value, ...patterns)).toEqual(kept);
    expect(without(value, ...patterns)).toEqual(left);
  });

  it.each<[unknown, string, unknown]>([
    [{ 'a.b': 1 }, 'a.b', {}],
    [{ 'a.b': { c: 1 } }, 'a.b.c', { 'a.b': {} }],
    [{ 'a.b.c': 1 }, 'a.b', {}],
    [{ a: { 'b.c': 1, d: 2 } }, 'a.b.c', { a: { d: 2 } }],
  ])('with two names takes a name with a dot away, and does not keep it: %j, %s', (value, pattern, left) => {
    expect(without(value, pattern)).toEqual(left);
    expect(only(value, pattern)).toBeUndefined();
  });

  it('masks the whole of what lies there', () => {
    expect(masked({ a: { b: [1, { c: 2 }] }, d: 3 }, 'a.b')).toEqual({ a: { b: '***' }, d: 3 });
  });

  it('keeps and takes away members of any name, and no inherited ones', () => {
    const value = JSON.parse('{"__proto__":{"a":1},"b":2}') as Json;
    expect(JSON.stringify(only(value, '__proto__'))).toBe('{"__proto__":{"a":1}}');
    expect(JSON.stringify(without(value, 'b'))).toBe('{"__proto__":{"a":1}}');
    expect(only({}, 'toString')).toBeUndefined();
  });

  const pattern = fc.constantFrom('a', 'b', 'a.b', '*.b', 'a*', 'b.*', 'a.*.b');
  const json = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'large' },
      fc.constantFrom<unknown>(1, null, 'x'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'ab', 'c', 'a.b'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value;

  it('takes no longer for names that can be read in more than one way', () => {
    const deep = Array.from({ length: 100 }).reduce<unknown>((value) => ({ 'a.a': value, a: 1 }), { a: 1 });
    const many = Array.from({ length: 100 }, (_, at) => Array.from({ length: at + 20 }, () => '*').join('.'));
    expect(without(deep, ...many)).toBeDefined();
  });

  it('divides a value: what is kept is not what is left', () => {
    fc.assert(
      fc.property(json, fc.array(pattern, { minLength: 1, maxLength: 3 }), (value, patterns) => {
        const kept = only(value, ...patterns) ?? null;
        expect(only(kept, ...patterns) ?? null).toEqual(kept);
        expect(only(without(value, ...patterns), ...patterns)).toSatisfy((left) => leaves(left) === 0);
        expect(leaves(kept)).toBeLessThanOrEqual(leaves(value));
      }),
      { numRuns: 2000 },
    );
  });

  /** How many scalars there are. */
  function leaves(value: unknown): number {
    if (value === undefined || value === null) return 0;
    if (typeof value !== 'object') return 1;
    return Object.values(value).reduce<number>((sum, member) => sum + leaves(member), 0);
  }
});
