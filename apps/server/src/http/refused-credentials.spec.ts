import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AbuseLimits } from '#http';
import { refusedKey, UnauthenticatedError } from '#identity';
import { Log } from '../operations/log.js';
import { CredentialUses } from './credential-uses.js';
import { RefusedCredentials } from './refused-credentials.js';

const HERE = '192.0.2.1';

function at(record?: () => Promise<void>) {
  const state = { now: Date.parse('2026-11-21T12:00:00Z') };
  const records: [string, object][] = [];
  const lines: string[] = [];
  const refusals = new RefusedCredentials(
    new AbuseLimits({ api_key: 100_000 }),
    record ??
      (async (tenant, content) => {
        records.push([tenant, content]);
      }),
    new Log('info', (line) => lines.push(line)),
    () => state.now,
  );
  const refuse = (tenant: string | undefined, credential: string, address = HERE) =>
    refusals.refused(refusedKey({ ...(tenant ? { tenant } : {}), credential, reason: 'wrong_secret' }), address);
  return { refusals, records, lines, refuse, wait: (ms: number) => void (state.now += ms) };
}

describe('records of refused credentials', () => {
  it('are made at once, and then once a minute with their number', async () => {
    const { refusals, records, refuse, wait } = at();
    for (let each = 0; each < 5; each++) refuse('t', 'a');
    refusals.flush();
    expect(records).toMatchObject([['t', { credential: 'a', reason: 'wrong_secret', address: HERE, count: 1 }]]);
    wait(60_001);
    refusals.flush();
    expect(records[1]).toMatchObject(['t', { credential: 'a', count: 4, since: '2026-11-21T12:00:00.000Z' }]);
    wait(60_001);
    refusals.flush();
    refuse('t', 'a');
    expect(records).toHaveLength(3);
    expect(records[2]).toMatchObject(['t', { count: 1 }]);
    await refusals.close();
  });

  it('are of each credential and address, and of no more than sixty a tenant: the rest is counted together', async () => {
    const { refusals, records, refuse } = at();
    for (let each = 0; each < 100; each++) refuse('t', 'a', `10.0.0.${each}`);
    refuse('u', 'a');
    expect(records).toHaveLength(61);
    await refusals.close();
    expect(records).toHaveLength(62);
    expect(records[61]).toMatchObject(['t', { others: true, count: 40 }]);
  });

  it('are not made of what nobody has, nor where nothing was shown', async () => {
    const { refusals, records, refuse } = at();
    refuse(undefined, 'a');
    refusals.refused(new UnauthenticatedError('credentials_invalid', 'not a key'), HERE);
    refusals.refused(new UnauthenticatedError('credentials_missing', 'none'), HERE);
    await refusals.close();
    expect(records).toEqual([]);
  });

  it('may fail: the answer is the same, and the log says so', async () => {
    const { refusals, lines, refuse } = at(() => Promise.reject(new Error('away')));
    expect(refuse('t', 'a')).toBeInstanceOf(UnauthenticatedError);
    await setImmediate();
    expect(lines.join()).toContain('a refused credential could not be recorded');
    await refusals.close();
  });
});

describe('the last use of credentials', () => {
  it('is written in one go for a tenant, and for each credential at most every five minutes', async () => {
    let now = 1_000_000;
    const written: unknown[] = [];
    const write = async (tenant: string, uses: unknown): Promise<void> => void written.push([tenant, uses]);
    const uses = new CredentialUses(write, new Log('error'), () => now);
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
    const uses = new CredentialUses(
      () => Promise.reject(new Error('away')),
      new Log('info', (line) => lines.push(line)),
    );
    uses.used('t', 'a');
    await uses.close();
    expect(lines.join()).toContain('could not be written');
  });
});
