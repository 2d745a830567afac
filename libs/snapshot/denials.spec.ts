import { describe, expect, it } from 'vitest';
import { Denials } from './denials.js';

const denial = (key: string, before: number, expiresAt: number) => ({ key, before, expiresAt });

describe('denials', () => {
  it('refuse what was issued until then, and no other key', () => {
    const denials = new Denials();
    denials.add([denial('subject:entra/ann', 10, 100)], 0);
    expect([9, 10, 11].map((issuedAt) => denials.denies('subject:entra/ann', issuedAt))).toEqual([true, true, false]);
    expect(denials.denies('subject:entra/bob', 9)).toBe(false);
    expect(denials.denies('subject:entra/ann', NaN)).toBe(true);
  });

  it('of one key never refuse less than before', () => {
    const denials = new Denials();
    denials.add([denial('k', 10, 100)], 0);
    denials.add([denial('k', 5, 50)], 0);
    expect(denials.denies('k', 10)).toBe(true);
    denials.add(
      Array.from({ length: 2000 }, (_, index) => denial(`other ${index}`, 1, 60)),
      70,
    );
    expect(denials.denies('k', 10)).toBe(true);
  });

  it('are dropped when they are over, however many come', () => {
    const denials = new Denials();
    for (let now = 0; now < 20_000; now++) denials.add([denial(`token:${now}`, now, now + 100)], now);
    expect(denials.size).toBeLessThanOrEqual(1000);
    for (let now = 19_901; now < 20_000; now++) expect(denials.denies(`token:${now}`, now)).toBe(true);
  });
});
