import { describe, expect, it } from 'vitest';
import type { ConsentChoice } from '#policy';
import { offered, wordsOf } from './choices.js';
import { answerOf, valueOf } from './wire.js';

const HOUR = 3_600_000;
const until = (ms: number): ConsentChoice => ({ for: 'until', ms });
const uses = (count: number): ConsentChoice => ({ for: 'uses', uses: count });

describe('the choices of the form', () => {
  it.each<[ConsentChoice[], ConsentChoice[]]>([
    [[uses(1)], [uses(1)]],
    [[uses(3)], [uses(1), uses(3)]],
    [
      [uses(1), { for: 'session' }, until(8 * HOUR)],
      [uses(1), { for: 'session' }, until(HOUR), until(8 * HOUR)],
    ],
    [
      [uses(1), until(HOUR)],
      [uses(1), until(HOUR)],
    ],
    [[until(1000)], [until(1000)]],
  ])('of %j are %j', (left, expected) => {
    const choices = offered(left);
    expect(choices).toEqual(expected);
    for (const choice of choices) expect(answerOf(valueOf(choice))).toEqual({ answer: 'agreed', choice });
  });

  it.each<[ConsentChoice, string]>([
    [uses(1), 'Agree, to this one call'],
    [uses(7), 'Agree, to at most 7 such calls'],
    [until(90 * 24 * HOUR), 'Agree, for 90 days: any number of such calls'],
    [until(24 * HOUR), 'Agree, for 1 day: any number of such calls'],
    [until(25 * HOUR), 'Agree, for 25 hours: any number of such calls'],
    [until(90 * 60_000), 'Agree, for 90 minutes: any number of such calls'],
    [until(1999), 'Agree, for 1 second: any number of such calls'],
  ])('%j reads: %s', (choice, words) => expect(wordsOf(choice)).toBe(words));

  it.each([
    undefined,
    '',
    'agree',
    'agreed',
    'uses',
    'uses:',
    'uses:0',
    'uses:-1',
    'uses:1.5',
    'uses:1e3',
    'uses:01',
    'until:Infinity',
    'until:99999999999999',
    'session ',
    'Refuse',
    'toString',
  ])('%j is none', (value) => expect(answerOf(value)).toBeUndefined());
});
