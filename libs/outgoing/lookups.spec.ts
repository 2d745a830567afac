import { describe, expect, it } from 'vitest';
import { Lookups, type SystemLookup } from './lookups.js';
import { sendOut } from './send.js';

const HERE = [{ address: '127.0.0.1', family: 4 }];

/** Name servers that answer when they are told to. */
function slow() {
  const state = { now: 0 };
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  const system: SystemLookup = (name, how, done) => {
    expect(how.all).toBe(true);
    asked.push(name);
    answers.set(name, () => done(null, HERE));
  };
  const told: string[] = [];
  const lookups = new Lookups(system, () => state.now);
  const resolve = (tenant: string, name: string) =>
    lookups.resolve(
      tenant,
      name,
      {},
      (error, addresses) => void told.push(`${name} ${error ? 'no' : addresses.length}`),
    );
  return { state, asked, told, lookups, resolve, answer: (name: string) => answers.get(name)!() };
}

describe('lookups of names', () => {
  it('of one tenant come one after the other, and hold up no other one', () => {
    const { asked, told, resolve, answer } = slow();
    for (const name of ['a', 'b', 'c']) resolve('slow', name);
    resolve('other', 'x');
    expect(asked).toEqual(['a', 'x']);
    answer('x');
    resolve('other', 'y');
    expect(asked).toEqual(['a', 'x', 'y']);
    for (const name of ['a', 'b', 'y', 'c']) answer(name);
    expect(told).toEqual(['x 1', 'a 1', 'b 1', 'y 1', 'c 1']);
    resolve('slow', 'd');
    expect(asked.at(-1)).toBe('d');
  });

  it('wait no longer than who asks for them, nor too many at once', () => {
    const { state, asked, told, resolve, answer } = slow();
    resolve('slow', 'hangs');
    for (let each = 0; each < 101; each++) resolve('slow', `n${each}`);
    expect(told).toEqual(['n100 no']);
    state.now = 5000;
    resolve('slow', 'fresh');
    expect(told.at(-1)).toBe('fresh no');
    answer('hangs');
    expect(asked).toEqual(['hangs']);
    expect(told.filter((each) => each.endsWith(' no'))).toHaveLength(102);
    resolve('slow', 'later');
    expect(asked).toEqual(['hangs', 'later']);
  });

  it('that hang end with the time of the request, and the next tenant is served', async () => {
    const { asked, lookups } = slow();
    const asks = (tenant: string, name: string) =>
      sendOut(
        new URL(`https://${name}/`),
        { signal: AbortSignal.timeout(300) },
        {
          reach: { loopback: false, privateRanges: false },
          resolve: (asked, how, done) => lookups.resolve(tenant, asked, how, done),
          beyond: 'beyond',
        },
      );
    const slowOnes = ['a.example', 'b.example', 'c.example'].map((name) => asks('slow', name));
    const other = asks('other', 'x.example');
    for (const each of [...slowOnes, other]) await expect(each).rejects.toMatchObject({ name: 'OutgoingError' });
    expect(asked).toEqual(['a.example', 'x.example']);
  });
});
