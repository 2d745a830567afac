import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rates } from './rate.js';

const isIn = (rates: Rates, tenant: string, perSecond: number, questions: number, now: number): boolean => {
  try {
    rates.take(tenant, perSecond, questions, now);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'quota_exceeded' });
    return false;
  }
};

describe('the rate of a tenant', () => {
  it('is never more than its limit over any time, but for what one second and one call may have in advance', () => {
    const call = fc.record({ after: fc.integer({ min: 0, max: 400 }), questions: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.array(call, { maxLength: 100 }), (perSecond, calls) => {
        const rates = new Rates();
        let now = 0;
        let had = 0;
        for (const { after, questions } of calls) {
          now += after;
          if (isIn(rates, 'a', perSecond, questions, now)) had += questions;
          expect(had).toBeLessThanOrEqual(perSecond + (now / 1000) * perSecond + 50);
        }
      }),
    );
  });

  it('comes back with time, lets a large call in once, and concerns no other tenant', () => {
    const rates = new Rates();
    expect(isIn(rates, 'a', 10, 25, 0)).toBe(true);
    expect(isIn(rates, 'a', 10, 1, 1000)).toBe(false);
    expect(isIn(rates, 'b', 10, 1, 1000)).toBe(true);
    expect(isIn(rates, 'a', 10, 1, 1700)).toBe(true);
  });
});
