import { expect, it } from 'vitest';
import { waitAfter } from './waits.js';

it.each([
  [1, 2500, 5000],
  [2, 5000, 10_000],
  [5, 40_000, 80_000],
  [11, 1_800_000, 3_600_000],
  [400, 1_800_000, 3_600_000],
])('waits after attempt %i from %i to %i ms', (attempt, least, most) => {
  expect(waitAfter(attempt, 0)).toBe(least);
  expect(waitAfter(attempt, 1)).toBe(most);
});
