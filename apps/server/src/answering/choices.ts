import type { ConsentChoice } from '#policy';

const HOUR = 3_600_000;

const UNITS: readonly (readonly [string, number])[] = [
  ['day', 24 * HOUR],
  ['hour', HOUR],
  ['minute', 60_000],
  ['second', 1000],
];

/** What people can choose in the form: what the policy leaves, and with what reaches far something that reaches less. */
export function offered(choices: readonly ConsentChoice[]): readonly ConsentChoice[] {
  return choices.flatMap((choice): readonly ConsentChoice[] => {
    if (choice.for === 'uses' && choice.uses > 1) return [{ for: 'uses', uses: 1 }, choice];
    if (choice.for === 'until' && choice.ms > HOUR) return [{ for: 'until', ms: HOUR }, choice];
    return [choice];
  });
}

/** A choice in words. */
export function wordsOf(choice: ConsentChoice): string {
  switch (choice.for) {
    case 'uses':
      return choice.uses === 1 ? 'Agree, to this one call' : `Agree, to at most ${choice.uses} such calls`;
    case 'session':
      return 'Agree, for this session of the application: any number of such calls';
    case 'until':
      return `Agree, for ${lengthInWords(choice.ms)}: any number of such calls`;
  }
}

/** A length of time in words, never longer than it is. In ms. */
function lengthInWords(ms: number): string {
  const [name, unit] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ['second', 1000];
  const count = Math.floor(ms / unit);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** A moment as people read it. In ms since 1970. */
export const momentInWords = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
