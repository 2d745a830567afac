import { describe, expect, it } from 'vitest';
import { FIELD_PLACES, objectWith } from '../../../test/support/field-places.js';
import type { JsonObject } from '../model.js';
import { compilePlaces, coverageOf } from './places.js';

const outcome = (places: string[], object: unknown): string =>
  coverageOf(object as JsonObject, compilePlaces(places)).outcome;

describe('places', () => {
  it.each(FIELD_PLACES)('%j of %j: %s', (places, leaf, covered) => {
    expect(outcome(places, objectWith(leaf))).toBe(String(covered));
  });

  it.each<[string, string[], unknown, string]>([
    ['an object without members', ['a'], {}, 'true'],
    ['every leaf', ['a', 'b'], { a: 1, b: null }, 'true'],
    ['all leaves but one', ['a'], { a: 1, b: 2 }, 'false'],
    ['all leaves but one that is null', ['a'], { a: 1, b: null }, 'false'],
    ['an empty object at a place', ['a'], { a: {} }, 'true'],
    ['an empty object elsewhere', ['a'], { a: 1, b: {} }, 'false'],
    ['an empty object above a place', ['a.b'], { a: {} }, 'false'],
    ['an empty list elsewhere', ['a'], { a: 1, b: [] }, 'false'],
    ['an empty list above a place', ['a.b'], { a: [] }, 'false'],
    ['an empty list at a place', ['a'], { a: [] }, 'true'],
    ['a scalar above a place', ['a.b'], { a: 1 }, 'false'],
    ['the elements of a list', ['rows.id'], { rows: [{ id: 1 }, { id: 2 }] }, 'true'],
    ['the elements of lists in lists', ['rows.id'], { rows: [[{ id: 1 }]] }, 'true'],
    ['elements of which one has more', ['rows.id'], { rows: [{ id: 1 }, { id: 2, ssn: 3 }] }, 'false'],
    ['elements of which one is no object', ['rows.id'], { rows: [{ id: 1 }, 'x'] }, 'false'],
    ['elements of which one is empty', ['rows.id'], { rows: [{ id: 1 }, {}] }, 'false'],
    ['a list of scalars', ['ids'], { ids: [1, 2] }, 'true'],
    ['a place in a list by number', ['ids.0'], { ids: [1] }, 'false'],
    ['a name with a dot, by a place of two names', ['a.b'], { 'a.b': 1 }, 'false'],
    ['a name with a dot, by a star', ['a*'], { 'a.b': 1 }, 'true'],
  ])('cover %s', (_, places, object, expected) => {
    expect(outcome(places, object)).toBe(expected);
  });

  it('are an error where it takes too many steps to tell, and take no more', () => {
    const places = compilePlaces(Array.from({ length: 100 }, (_, at) => `a*${at}*z.x`));
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`a${at}`, { b: 1 }]));
    for (const object of [wide, { rows: [wide] }, { [`a${'b'.repeat(1_000_000)}`]: 1 }]) {
      const { outcome: found, steps } = coverageOf(object, places);
      expect(['error', 'false']).toContain(found);
      expect(steps).toBeLessThan(2_000_000);
    }
    const many = { a: Array.from({ length: 60_000 }, () => ({ b: 1 })) };
    expect(coverageOf(many, compilePlaces(['a.b'])).outcome).toBe('error');
    expect(coverageOf({ a: many.a.slice(0, 10_000) }, compilePlaces(['a.b'])).outcome).toBe('true');
  });
});
