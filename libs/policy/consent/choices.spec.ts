import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choicesOf, LONGEST_UNSAID_MS, ONCE_MS, reachOf, type ConsentChoice } from './choices.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const once: ConsentChoice = { for: 'uses', uses: 1 };
const session: ConsentChoice = { for: 'session' };
const until = (ms: number): ConsentChoice => ({ for: 'until', ms });
type Block = { uses?: number; until?: string };

describe('the choices of a block', () => {
  it.each<[Block[], boolean, ConsentChoice[]]>([
    [[{}], true, [once, session, until(LONGEST_UNSAID_MS)]],
    [[{}], false, [once, until(LONGEST_UNSAID_MS)]],
    [[{ until: '90d' }], false, [once, until(90 * 24 * HOUR)]],
    [[{ uses: 1 }], true, [once]],
    [[{ uses: 3, until: '30m' }], true, [{ for: 'uses', uses: 3 }]],
    [[{ until: '2h' }, { until: '30m' }], true, [once, session, until(30 * MINUTE)]],
    [[{ until: '90d' }, {}], false, [once, until(LONGEST_UNSAID_MS)]],
    [[{ uses: 5 }, { uses: 2 }, { until: '1h' }], true, [{ for: 'uses', uses: 2 }]],
  ])('%j, session %s: %j', (blocks, hasSession, expected) => {
    expect(choicesOf(blocks, hasSession)).toEqual(expected);
  });
});

describe('how far an agreement reaches', () => {
  it.each<[Block[], ConsentChoice[], ReturnType<typeof reachOf>]>([
    [[{}], [once], { uses: 1, session: false, ms: ONCE_MS }],
    [[{ until: '10s' }], [once], { uses: 1, session: false, ms: 10_000 }],
    [[{ uses: 1, until: '2h' }], [once], { uses: 1, session: false, ms: 2 * HOUR }],
    [[{ uses: 3 }], [{ for: 'uses', uses: 2 }], { uses: 2, session: false, ms: ONCE_MS }],
    [[{}], [session], { uses: null, session: true, ms: LONGEST_UNSAID_MS }],
    [[{ until: '1h' }], [session], { uses: null, session: true, ms: HOUR }],
    [[{ until: '1h' }], [until(MINUTE)], { uses: null, session: false, ms: MINUTE }],
    // Of several who agree, the one who wants least counts.
    [[{ until: '1h' }], [until(HOUR), once], { uses: 1, session: false, ms: HOUR }],
    [[{ until: '1h' }], [until(HOUR), session], { uses: null, session: true, ms: HOUR }],
    [[{ until: '1h' }], [until(HOUR), until(MINUTE)], { uses: null, session: false, ms: MINUTE }],
    // More than the policy leaves is no choice.
    [[{ until: '1h' }], [until(HOUR + 1)], undefined],
    [[{ until: '1h' }], [until(0)], undefined],
    [[{ until: '1h' }], [until(NaN)], undefined],
    [[{ uses: 1 }], [session], undefined],
    [[{ uses: 1 }], [until(MINUTE)], undefined],
    [[{ uses: 1 }], [{ for: 'uses', uses: 2 }], undefined],
    [[{ uses: 1 }], [{ for: 'uses', uses: 0 }], undefined],
    [[{}], [{ for: 'uses', uses: 2 }], undefined],
    [[{}], [], undefined],
    [[{ until: '1h' }], [once, until(2 * HOUR)], undefined],
  ])('%j by %j: %j', (blocks, chosen, expected) => {
    expect(reachOf(blocks, true, chosen)).toEqual(expected);
  });

  it('is not a session where there is none', () => {
    expect(reachOf([{}], false, [session])).toBeUndefined();
  });

  const block = fc.record(
    { uses: fc.integer({ min: 1, max: 5 }), until: fc.constantFrom('10s', '30m', '8h', '90d') },
    { requiredKeys: [] },
  );

  it('never goes beyond what each of the blocks alone would leave, and one more who agrees never widens it', () => {
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        fc.nat(),
        fc.nat(),
        (blocks, has, a, b) => {
          const left = choicesOf(blocks, has);
          const [first, second] = [left[a % left.length]!, left[b % left.length]!];
          const reach = reachOf(blocks, has, [first])!;
          for (const { uses, until: text } of blocks) {
            if (uses !== undefined) expect(reach.uses).toBeLessThanOrEqual(uses);
            const longest =
              text === undefined ? LONGEST_UNSAID_MS : reachOf([{ until: text }], false, [left.at(-1)!])?.ms;
            if (longest !== undefined) expect(reach.ms).toBeLessThanOrEqual(Math.max(longest, ONCE_MS));
          }
          const both = reachOf(blocks, has, [first, second])!;
          expect(both.uses ?? Infinity).toBeLessThanOrEqual(reach.uses ?? Infinity);
          expect(both.ms).toBeLessThanOrEqual(Math.max(reach.ms, ONCE_MS));
          expect(Number(both.session)).toBeGreaterThanOrEqual(Number(reach.session));
        },
      ),
    );
  });
});
