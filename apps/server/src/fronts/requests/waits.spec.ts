import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Waits } from './waits.js';

/** Something that is there after a while, in ms, and how often it was looked for. */
function thing(after: number) {
  const from = performance.now();
  const state = { looks: 0, gone: false };
  const wanted = (by: string, longest: number) => ({
    by,
    longest,
    look: async () => {
      state.looks++;
      return performance.now() - from >= after;
    },
    isOver: (found: boolean) => found,
    isGone: () => state.gone,
  });
  return { state, wanted };
}

const took = async (work: Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await work;
  return performance.now() - from;
};

describe('a wait', () => {
  it('is over when it is there, or when its time is', async () => {
    const waits = new Waits();
    expect(await waits.for(thing(0).wanted('a', 5000))).toBe(true);
    expect(await waits.for(thing(400).wanted('a', 5000))).toBe(true);
    expect(await waits.for(thing(5000).wanted('a', 300))).toBe(false);
    expect(await waits.for(thing(5000).wanted('a', 0))).toBe(false);
  });

  it('of somebody who has gone away looks for nothing any more', async () => {
    const { state, wanted } = thing(60_000);
    const waiting = new Waits().for(wanted('a', 30_000));
    await sleep(100);
    state.gone = true;
    expect(await took(waiting)).toBeLessThan(1000);
    expect(state.looks).toBe(1);
  });

  it('that is one too many of a host is none, and those of others go on', async () => {
    const waits = new Waits();
    const { wanted } = thing(1500);
    const many = Array.from({ length: 50 }, () => waits.for(wanted('a', 30_000)));
    await sleep(50);
    expect(await took(waits.for(wanted('a', 30_000)))).toBeLessThan(200);
    const other = waits.for(wanted('b', 30_000));
    expect(await Promise.all([...many, other])).toEqual(Array<boolean>(51).fill(true));
    const { wanted: again } = thing(300);
    expect(await waits.for(again('a', 5000))).toBe(true);
  });

  it('is one too many where all hosts together have many', async () => {
    const waits = new Waits();
    const { wanted } = thing(1500);
    const many = Array.from({ length: 500 }, (_, index) => waits.for(wanted(`h${index}`, 30_000)));
    await sleep(50);
    expect(await took(waits.for(wanted('b', 30_000)))).toBeLessThan(200);
    await Promise.all(many);
  });

  it('holds up no process that stops', async () => {
    const waits = new Waits();
    const waiting = waits.for(thing(60_000).wanted('a', 30_000));
    await sleep(50);
    waits.close();
    expect(await took(waiting)).toBeLessThan(1000);
    expect(await took(waits.for(thing(60_000).wanted('a', 30_000)))).toBeLessThan(100);
  });
});
