import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from './index.js';
import {
  childrenOf,
  installLibrary,
  leftBehind,
  Owner,
  postmaster,
  processes,
  query,
  stopped,
} from './testing/index.js';
import type { Installation } from './testing/index.js';

let library: Installation;
beforeAll(() => void (library = installLibrary('linked')));
afterAll(() => library.remove());

describe.concurrent('a server whose owner was killed', () => {
  it('is adopted as it is, and stopped by the new owner', async () => {
    const { directory, pid, url } = await leftBehind(library);
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const texts: string[] = [];
    const adopted = await startEmbeddedPostgres({ directory, volatile: true, progress: (text) => texts.push(text) });
    const rows = await query(adopted.url, 'SELECT answer FROM kept');
    expect(adopted).toMatchObject({ how: 'adopted', url });
    expect(postmaster(directory)).toBe(pid);
    expect(rows).toEqual([{ answer: 42 }]);
    expect(texts).toEqual([]);

    await adopted.stop();
    expect(processes(pid)).toBeUndefined();
  });

  it('runs on after Ctrl-C at the terminal of its owner', async () => {
    const { directory } = await stopped();
    const owner = new Owner(library, directory);
    const { url } = await owner.outcome();
    process.kill(-owner.pid, 'SIGINT');
    await owner.says(({ interrupted }) => interrupted === true);
    const rows = await query(url!, 'SELECT 1 AS one');
    await owner.stop();
    expect(rows).toEqual([{ one: 1 }]);
  });

  it('is adopted too if it notices the end of its owner late', async () => {
    const { directory } = await stopped();
    const killed = new Owner(library, directory);
    await killed.outcome();
    const pid = postmaster(directory)!;
    const holder = childrenOf(pid).find(({ command }) => /127\.0\.0\.1/.test(command))!;
    process.kill(holder.pid, 'SIGSTOP');
    await killed.kill();
    setTimeout(() => process.kill(holder.pid, 'SIGCONT'), 700);
    const owner = new Owner(library, directory);
    const outcome = await owner.outcome();
    await owner.stop();
    expect(outcome).toMatchObject({ how: 'adopted' });
  });

  it('is stopped and started anew if it does not answer', { timeout: 40_000 }, async () => {
    const { directory, pid } = await leftBehind(library);
    process.kill(pid, 'SIGSTOP');
    const texts: string[] = [];
    const fresh = await startEmbeddedPostgres({ directory, volatile: true, progress: (text) => texts.push(text) });
    const rows = await query(fresh.url, 'SELECT 1 AS one');
    const now = postmaster(directory);
    await fresh.stop();
    expect(fresh.how).toBe('started');
    expect(now).not.toBe(pid);
    expect(processes(pid)).toBeUndefined();
    expect(rows).toEqual([{ one: 1 }]);
    expect(texts).toContain('stopping a Postgres that does not answer');
  });

  it('is waited for while it stops', async () => {
    const { directory, pid } = await leftBehind(library);
    const writer = childrenOf(pid).find(({ command }) => /walwriter/.test(command))!;
    process.kill(writer.pid, 'SIGSTOP');
    process.kill(pid, 'SIGINT');
    const owner = new Owner(library, directory);
    await owner.says(({ progress }) => progress === 'waiting for the earlier Postgres to stop');
    process.kill(writer.pid, 'SIGCONT');
    const outcome = await owner.outcome();
    const now = postmaster(directory);
    await owner.stop();
    expect(outcome).toMatchObject({ how: 'started' });
    expect(now).not.toBe(pid);
  });
});
