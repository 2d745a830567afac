import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AbuseLimits } from './abuse-limits.js';
import { Refusal } from './problem.js';

const HERE = '192.0.2.1';

function limitsAt(): { limits: AbuseLimits; wait: (seconds: number) => void } {
  let now = 1000;
  const limits = new AbuseLimits({ api_key: 6, token: 60 }, () => now);
  return { limits, wait: (seconds) => void (now += seconds * 1000) };
}

const failures = (limits: AbuseLimits, count: number, ...who: [string, string?]) => {
  for (let each = 0; each < count; each++) limits.failed('api_key', ...who);
};

describe('limits of attempts', () => {
  it('lets as many fail as is said, and then nothing be looked at until there is one more', () => {
    const { limits, wait } = limitsAt();
    failures(limits, 5, HERE);
    limits.check('api_key', HERE);
    failures(limits, 1, HERE);
    expect(limits.secondsToWait('api_key', HERE)).toBe(10);
    wait(9.9);
    expect(() => limits.check('api_key', HERE)).toThrow(Refusal);
    wait(0.2);
    limits.check('api_key', HERE);
    failures(limits, 1, HERE);
    expect(() => limits.check('api_key', HERE)).toThrow('too many attempts with credentials have failed: wait 10 s');
  });

  it('forgets after a minute, and saves nothing up beyond the limit', () => {
    const { limits, wait } = limitsAt();
    failures(limits, 6, HERE);
    wait(3600);
    failures(limits, 5, HERE);
    limits.check('api_key', HERE);
    failures(limits, 1, HERE);
    expect(() => limits.check('api_key', HERE)).toThrow(Refusal);
  });

  it.each<[string, string, string | undefined, boolean]>([
    ['another address', '192.0.2.2', undefined, false],
    ['the same address, mapped', '::ffff:192.0.2.1', undefined, true],
    ['the same address with a credential that exists', HERE, 'a', false],
  ])('of one address say about %s: limited %s', (_, address, credential, isLimited) => {
    const { limits } = limitsAt();
    failures(limits, 6, HERE);
    expect(limits.secondsToWait('api_key', address, credential) > 0).toBe(isLimited);
    expect(limits.secondsToWait('token', HERE)).toBe(0);
  });

  it('of one credential leave others at the same address alone', () => {
    const { limits } = limitsAt();
    failures(limits, 6, HERE, 'a');
    expect(limits.secondsToWait('api_key', HERE, 'a')).toBeGreaterThan(0);
    expect(limits.secondsToWait('api_key', HERE, 'b')).toBe(0);
    expect(limits.secondsToWait('api_key', HERE)).toBe(0);
  });

  it('of one network of IPv6 hold for every address in it', () => {
    const { limits } = limitsAt();
    for (let each = 0; each < 6; each++) limits.failed('api_key', `2001:db8::${each}`);
    expect(limits.secondsToWait('api_key', '2001:db8::ffff:1')).toBeGreaterThan(0);
    expect(limits.secondsToWait('api_key', '2001:db8:0:1::1')).toBe(0);
  });

  it('hold in the long run, however many fail side by side', () => {
    const perMinute = 6;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(40)), { maxLength: 40 }), (bursts) => {
        const { limits, wait } = limitsAt();
        let passed = 0;
        let elapsed = 0;
        let largest = 0;
        for (const [pause, atOnce] of bursts) {
          wait(pause);
          elapsed += pause;
          // All of a burst are looked at before the first has failed.
          const looked = Array.from({ length: atOnce }, () => limits.secondsToWait('api_key', HERE) === 0);
          const through = looked.filter(Boolean).length;
          failures(limits, through, HERE);
          passed += through;
          largest = Math.max(largest, through);
        }
        expect(passed).toBeLessThanOrEqual(perMinute + (elapsed / 60) * perMinute + largest);
      }),
    );
  });

  it('let no more be looked at at once than may fail, and count none that did not', () => {
    const { limits, wait } = limitsAt();
    const taken = Array.from({ length: 6 }, () => limits.take('api_key', HERE));
    expect(() => limits.take('api_key', HERE)).toThrow(Refusal);
    taken[0]!();
    taken[0]!();
    expect(limits.take('api_key', HERE)).toBeTypeOf('function');
    expect(() => limits.take('api_key', HERE)).toThrow(Refusal);
    for (const giveBack of taken) giveBack();
    wait(3600);
    failures(limits, 6, HERE);
    expect(() => limits.take('api_key', HERE)).toThrow(Refusal);
  });

  it('keep no more than they may, and forget whoever failed longest ago', () => {
    const { limits } = limitsAt();
    failures(limits, 6, HERE);
    const other = (each: number) => `10.${each >> 16}.${(each >> 8) & 255}.${each & 255}`;
    for (let each = 0; each < 19_999; each++) limits.failed('api_key', other(each));
    expect(limits.secondsToWait('api_key', HERE)).toBeGreaterThan(0);
    limits.failed('api_key', other(19_999));
    expect(limits.secondsToWait('api_key', HERE)).toBe(0);
  });
});
