import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { openCluster } from './cluster.js';
import { startEmbeddedPostgres } from './index.js';
import { launch } from './launch.js';
import { stopServer, PATIENCE } from './server.js';
import { folder, postmaster, processes, query, stopped, takenPort, waitFor } from './testing/index.js';

const quiet = () => undefined;

describe.concurrent('the embedded Postgres', () => {
  it('makes a cluster, runs it, stops it, and runs it again with what was written', async () => {
    const directory = join(folder(), 'not', 'there yet');
    const texts: string[] = [];
    const first = await startEmbeddedPostgres({ directory, volatile: true, progress: (text) => texts.push(text) });
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = postmaster(directory)!;
    await first.stop();
    const gone = processes(pid) === undefined;
    const second = await startEmbeddedPostgres({ directory, volatile: true, progress: (text) => texts.push(text) });
    const rows = await query(second.url, 'SELECT answer FROM kept');
    await second.stop();

    expect(first.how).toBe('started');
    expect(second.how).toBe('started');
    expect(gone).toBe(true);
    expect(rows).toEqual([{ answer: 42 }]);
    expect(texts).toEqual(['creating the database cluster', 'starting Postgres', 'starting Postgres']);
  });

  it('is UTF-8 in the order of code points, with checksums, and the same on every machine', async () => {
    const directory = join(folder(), 'data');
    const { url, stop } = await startEmbeddedPostgres({ directory, volatile: true });
    const facts = await query(
      url,
      `SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider AS provider, datlocale AS locale,
              datcollate AS collate, current_setting('data_checksums') AS checksums, lower('ÄÖÜ') AS lower,
              current_setting('TimeZone') AS zone
         FROM pg_database WHERE datname = 'postgres'`,
    );
    await stop();
    expect(facts).toEqual([
      {
        encoding: 'UTF8',
        provider: 'b',
        locale: 'C.UTF-8',
        collate: 'C',
        checksums: 'on',
        lower: 'äöü',
        zone: 'UTC',
      },
    ]);
  });

  it.each([
    { volatile: false, durable: 'on' },
    { volatile: true, durable: 'off' },
  ])('has the settings of the service, volatile: $volatile', async ({ volatile, durable }) => {
    const { url, stop } = await startEmbeddedPostgres({ directory: (await stopped()).directory, volatile });
    const rows = await query(url, `SELECT name, concat(setting, unit) AS setting FROM pg_settings`);
    await stop();
    const settings = Object.fromEntries(rows.map(({ name, setting }): [string, unknown] => [String(name), setting]));
    expect(settings).toMatchObject({
      fsync: durable,
      synchronous_commit: durable,
      full_page_writes: durable,
      wal_level: 'replica',
      max_connections: '200',
      shared_buffers: '163848kB',
      jit: 'off',
      autovacuum: 'on',
      idle_in_transaction_session_timeout: '30000ms',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      log_min_messages: 'log',
      log_min_error_statement: 'panic',
    });
  });

  it('keeps the password to itself, and lets nobody in without', async () => {
    const directory = join(folder(), 'data');
    const { url, stop } = await startEmbeddedPostgres({ directory, volatile: true });
    const password = new URL(url).password;
    const file = join(directory, 'cluster/password');
    const pid = postmaster(directory)!;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    const attempts = await Promise.allSettled(
      ['', 'postgres'].map((guess) => query(url.replace(password, guess), 'SELECT 1')),
    );
    await stop();

    expect(password).toMatch(/^[\w-]{32}$/);
    expect(readFileSync(file, 'utf8')).toBe(password);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(command).not.toContain(password);
    expect(readFileSync(join(directory, 'postgres.log'), 'utf8')).not.toContain(password);
    expect(variables.map((each) => each.split('=')[0])).toEqual(expect.arrayContaining(['PATH', 'LC_ALL']));
    expect(variables.filter((each) => !/^(PATH|LC_\w+|PG\w+)=/.test(each))).toEqual([]);
    expect(attempts.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('runs apart from the process group and the session of its owner', async () => {
    const { directory } = await stopped();
    const { stop } = await startEmbeddedPostgres({ directory, volatile: true });
    const pid = postmaster(directory)!;
    const server = processes(pid);
    await stop();
    expect(server).toMatchObject({ group: pid, session: pid });
  });

  it('runs side by side with others', async () => {
    const directories = await Promise.all([stopped(), stopped(), stopped()]);
    const all = await Promise.all(
      directories.map(({ directory }) => startEmbeddedPostgres({ directory, volatile: true })),
    );
    const ports = new Set(all.map(({ url }) => new URL(url).port));
    const answers = await Promise.all(all.map(({ url }) => query(url, 'SELECT 1 AS one')));
    await Promise.all(all.map(({ stop }) => stop()));
    expect(ports.size).toBe(3);
    expect(answers).toEqual([[{ one: 1 }], [{ one: 1 }], [{ one: 1 }]]);
  });

  it('takes another port if its own was taken in between', async () => {
    const { directory } = await stopped();
    const cluster = await openCluster({ directory, volatile: true, progress: quiet });
    const taken = await takenPort();
    const other = await takenPort();
    await other.free();

    const ports = [taken.port, taken.port, other.port];
    const server = await launch(cluster, () => Promise.resolve(ports.shift()!));
    if ('busy' in server) throw new Error(server.busy);
    await stopServer(cluster, server.pid);
    expect(server.port).toBe(other.port);

    const inVain = launch(cluster, () => Promise.resolve(taken.port));
    await expect(inVain).rejects.toMatchObject({ code: 'start_failed' });
    await taken.free();
  });

  it('keeps the logs of two starts, however many there were', async () => {
    const { directory } = await stopped();
    const sizes: number[] = [];
    for (let start = 0; start < 4; start++) {
      const { stop } = await startEmbeddedPostgres({ directory, volatile: true });
      await stop();
      sizes.push(statSync(join(directory, 'postgres.log')).size);
    }
    expect(readdirSync(directory).sort()).toEqual(['cluster', 'postgres.log', 'postgres.log.old']);
    expect(Math.max(...sizes)).toBeLessThan(2000);
    expect(readFileSync(join(directory, 'postgres.log'), 'utf8').match(/starting PostgreSQL/g)).toHaveLength(1);
  });

  it('does not log what statements say', async () => {
    const { directory } = await stopped();
    const { url, stop } = await startEmbeddedPostgres({ directory, volatile: true });
    const failed = await query(url, `SELECT 'a secret'::int`).catch((error: unknown) => String(error));
    await stop();
    expect(failed).toContain('a secret');
    expect(readFileSync(join(directory, 'postgres.log'), 'utf8')).not.toContain('a secret');
  });

  it('stops once, under open transactions too', async () => {
    const { directory } = await stopped();
    const { url, stop } = await startEmbeddedPostgres({ directory, volatile: true });
    const pid = postmaster(directory)!;
    const client = new Client(url);
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    await client.connect();
    await client.query('BEGIN; CREATE TABLE half_done ()');

    const [first, second] = [stop(), stop()];
    await Promise.all([first, second]);
    await stop();
    expect(first).toBe(second);
    expect(processes(pid)).toBeUndefined();
    await waitFor('the client to notice', () => errors.length > 0);
  });

  it('is stopped at once if it does not stop fast', async () => {
    const { directory } = await stopped();
    const cluster = await openCluster({ directory, volatile: true, progress: quiet });
    const { url } = await startEmbeddedPostgres({ directory, volatile: true });
    const pid = postmaster(directory)!;
    const client = new Client(url);
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    // A process that cannot react: the fast shutdown waits for it for ever.
    process.kill(rows[0]!.pid, 'SIGSTOP');

    await stopServer(cluster, pid, { ...PATIENCE, SIGINT: 300 });
    const log = readFileSync(join(directory, 'postgres.log'), 'utf8');
    expect(processes(pid)).toBeUndefined();
    expect(log).toContain('received fast shutdown request');
    expect(log).toContain('received immediate shutdown request');
  });

  it('outlives the loss of the connection that holds its lock, and takes the lock again', async () => {
    const { directory } = await stopped();
    const { url, stop } = await startEmbeddedPostgres({ directory, volatile: true });
    const holders = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted`;
    const [before] = await query(url, holders);
    await query(url, `SELECT pg_terminate_backend(${String(before?.pid)})`);
    let after: Record<string, unknown> | undefined;
    for (let look = 0; look < 200 && !after; look++) {
      [after] = (await query(url, holders)).filter(({ pid }) => pid !== before?.pid);
    }
    await stop();
    expect(before).toBeDefined();
    expect(after).toBeDefined();
  });
});
