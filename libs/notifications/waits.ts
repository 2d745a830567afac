const FIRST_MS = 5000;
const LONGEST_MS = 3_600_000;

/**
 * How long to wait after a failed attempt, in ms: twice as long each time, from five seconds to an hour, and by chance from
 * half of that to all of it, so that receivers that come back are not met by everybody at once.
 * @param attempt which one failed, from 1
 * @param random from 0 to 1
 */
export function waitAfter(attempt: number, random: number): number {
  const full = Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS);
  return full / 2 + (full / 2) * random;
}
