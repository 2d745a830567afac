import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Log } from '../operations/log.js';
import { LastUses } from './last-uses.js';

describe('the last use of credentials', () => {
  it('is written in one go for a tenant, and for each credential at most every five minutes', async () => {
    let now = 1_000_000;
    const written: unknown[] = [];
    const write = async (tenant: string, uses: unknown): Promise<void> => void written.push([tenant, uses]);
    const uses = new LastUses(write, new Log('error'), () => now);
    uses.used('t', 'a');
    uses.used('t', 'b');
    uses.used('u', 'c');
    now += 299_999;
    uses.used('t', 'a');
    uses.flush();
    await setImmediate();
    uses.flush();
    now += 1;
    uses.used('t', 'a');
    await uses.close();
    expect(written).toEqual([
      [
        't',
        [
          ['a', 1_000_000],
          ['b', 1_000_000],
        ],
      ],
      ['u', [['c', 1_000_000]]],
      ['t', [['a', 1_300_000]]],
    ]);
  });

  it('may be lost', async () => {
    const lines: string[] = [];
    const uses = new LastUses(() => Promise.reject(new Error('away')), new Log('info', (line) => lines.push(line)));
    uses.used('t', 'a');
    await uses.close();
    expect(lines.join()).toContain('could not be written');
  });
});
