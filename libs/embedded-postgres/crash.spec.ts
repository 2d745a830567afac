import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from './index.js';
import {
  childrenOf,
  folder,
  installLibrary,
  isRoot,
  leftBehind,
  Owner,
  postmaster,
  processes,
  query,
  stopped,
  waitFor,
  type Installation,
} from './testing/index.js';

let library: Installation;
beforeAll(() => void (library = installLibrary('linked')));
afterAll(() => library.remove());

describe.concurrent('what a crash leaves', () => {
  it('is recovered after the end of Postgres by force, with all that was committed', async () => {
    const { directory } = await stopped();
    const before = await startEmbeddedPostgres({ directory });
    await query(before.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
    const pid = postmaster(directory)!;
    const backends = childrenOf(pid).map((child) => child.pid);
    for (const each of [pid, ...backends]) process.kill(each, 'SIGKILL');
    const after = await startEmbeddedPostgres({ directory });
    const rows = await query(after.url, 'SELECT count(*)::int AS rows FROM kept');
    const log = readFileSync(join(directory, 'postgres.log'), 'utf8');
    await after.stop();
    await before.stop();
    expect(after.how).toBe('started');
    expect(rows).toEqual([{ rows: 1000 }]);
    expect(log).toContain('automatic recovery in progress');
  });

  it('is no obstacle where processes of the earlier Postgres take a moment to end', async () => {
    const { directory, pid } = await leftBehind(library);
    const lingering = childrenOf(pid).find(({ command }) => /walwriter/.test(command))!;
    process.kill(lingering.pid, 'SIGSTOP');
    process.kill(pid, 'SIGKILL');
    const owner = new Owner(library, directory);
    await waitFor('a start in vain', () => owner.messages.filter(({ progress }) => progress).length > 1);
    process.kill(lingering.pid, 'SIGCONT');
    const outcome = await owner.outcome();
    await owner.stop();
    expect(outcome).toMatchObject({ how: 'started' });
  });

  it.each([
    { name: 'no process', pid: () => 4_194_300 },
    { name: 'another program', pid: () => sleeper('sleep', ['60']) },
    { name: 'the Postgres of another cluster', pid: async () => (await leftBehind(library)).pid },
  ])('is no obstacle where postmaster.pid names $name', async ({ pid }) => {
    const { directory, file } = await stopped();
    const named = await pid();
    writeFileSync(file, `${named}\n/elsewhere\n1795175202\n1\n\n127.0.0.1\n 16039947         4\nready   \n`);
    const { how, stop } = await startEmbeddedPostgres({ directory, volatile: true });
    await stop();
    expect(how).toBe('started');
    if (named !== 4_194_300) expect(processes(named)).toBeDefined();
  });

  it('is no obstacle where postmaster.pid is empty', async () => {
    const { directory, file } = await stopped();
    writeFileSync(file, '');
    const longAgo = Date.now() / 1000 - 60;
    utimesSync(file, longAgo, longAgo);
    const { how, stop } = await startEmbeddedPostgres({ directory, volatile: true });
    await stop();
    expect(how).toBe('started');
  });

  it('is no obstacle where the cluster was being made, and goes away some day', async () => {
    const directory = join(folder(), 'data');
    const owner = new Owner(library, directory);
    const half = () => existsSync(directory) && readdirSync(directory).find((name) => name.startsWith('initdb-'));
    const name = await waitFor('initdb', half);
    await waitFor('a half-made cluster', () => existsSync(join(directory, name, 'data/global')));
    const [initdb] = childrenOf(owner.pid);
    process.kill(owner.pid, 'SIGKILL');
    process.kill(initdb!.pid, 'SIGKILL');
    await owner.kill();
    expect(readdirSync(directory)).not.toContain('cluster');

    const next = await startEmbeddedPostgres({ directory, volatile: true });
    await next.stop();
    expect(next.how).toBe('started');
    expect(statSync(join(directory, name)).isDirectory()).toBe(true);

    const longAgo = Date.now() / 1000 - 7200;
    for (const each of readdirSync(directory)) utimesSync(join(directory, each), longAgo, longAgo);
    const later = await startEmbeddedPostgres({ directory, volatile: true });
    await later.stop();
    expect(readdirSync(directory).sort()).toEqual(['cluster', 'postgres.log', 'postgres.log.old']);
  });
});

const sleepers: ChildProcess[] = [];
afterAll(() => sleepers.forEach((child) => child.kill('SIGKILL')));

/** A program that Postgres would take for itself: one of the account that it runs under. */
function sleeper(program: string, args: readonly string[]): number {
  const uid = Number(/^postgres:[^:]*:(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1] ?? 65_534);
  const child = spawn(program, args, { stdio: 'ignore', ...(isRoot ? { uid } : {}) });
  sleepers.push(child);
  return child.pid!;
}
