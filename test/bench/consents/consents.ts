import { parseArgs } from 'node:util';
import { once } from './once.js';
import { table } from './table.js';

/** What agreements cost when there are many of them; with `--mode once`, whether one that is for one call is used once. */
export async function consents(given: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...given],
    options: {
      mode: { type: 'string', default: 'table' },
      count: { type: 'string', default: '10000000' },
      rounds: { type: 'string', default: '1000' },
    },
  });
  if (values.mode === 'once') return once(Number(values.rounds));
  if (values.mode === 'table') return table(Number(values.count));
  throw new Error(`there is no --mode ${values.mode}: it is table or once`);
}
