import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AbuseLimits } from '#http';
import { refusedKey, UnauthenticatedError } from '#identity';
import { CountedEvents } from '#store';
import { RefusedCredentials } from './refused-credentials.js';

const HERE = '192.0.2.1';

function at(record?: () => Promise<void>) {
  const state = { now: Date.parse('2026-11-21T12:00:00Z') };
  const records: [string, object][] = [];
  const lost: unknown[] = [];
  const keep = async (tenant: string, content: object): Promise<void> => void records.push([tenant, content]);
  const events = new CountedEvents(
    record ?? keep,
    (error, count) => void lost.push([(error as Error).message, count]),
    () => state.now,
  );
  const refusals = new RefusedCredentials(new AbuseLimits({ api_key: 100_000 }), events);
  const refuse = (tenant: string | undefined, credential: string, address = HERE) =>
    refusals.refused(refusedKey({ ...(tenant ? { tenant } : {}), credential, reason: 'wrong_secret' }), address);
  return { refusals, events, records, lost, refuse, wait: (ms: number) => void (state.now += ms) };
}

describe('records of refused credentials', () => {
  it('are made at once, and then once a minute with their number', async () => {
    const { events, records, refuse, wait } = at();
    for (let each = 0; each < 5; each++) refuse('t', 'a');
    events.flush();
    expect(records).toMatchObject([['t', { credential: 'a', reason: 'wrong_secret', address: HERE, count: 1 }]]);
    wait(60_001);
    events.flush();
    expect(records[1]).toMatchObject(['t', { credential: 'a', count: 4, since: '2026-11-21T12:00:00.000Z' }]);
    wait(60_001);
    events.flush();
    refuse('t', 'a');
    expect(records).toHaveLength(3);
    expect(records[2]).toMatchObject(['t', { count: 1 }]);
    await events.close();
  });

  it('are of each credential and address, and of no more than sixty a tenant: the rest is counted together', async () => {
    const { events, records, refuse } = at();
    for (let each = 0; each < 100; each++) refuse('t', 'a', `10.0.0.${each}`);
    refuse('u', 'a');
    expect(records).toHaveLength(61);
    await events.close();
    expect(records).toHaveLength(62);
    expect(records[61]).toMatchObject(['t', { others: true, count: 40 }]);
  });

  it('are not made of what nobody has, nor where nothing was shown', async () => {
    const { refusals, events, records, refuse } = at();
    refuse(undefined, 'a');
    refusals.refused(new UnauthenticatedError('credentials_invalid', 'not a key'), HERE);
    refusals.refused(new UnauthenticatedError('credentials_missing', 'none'), HERE);
    await events.close();
    expect(records).toEqual([]);
  });

  it('may fail: the answer is the same, and it is told', async () => {
    const { events, lost, refuse } = at(() => Promise.reject(new Error('away')));
    expect(refuse('t', 'a')).toBeInstanceOf(UnauthenticatedError);
    await setImmediate();
    expect(lost).toEqual([['away', 1]]);
    await events.close();
  });
});
