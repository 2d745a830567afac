import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

let work: string;
const running = new Set<Started>();

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'placet start '));
  expect(await run('apps/cli/src/main.js', {}, ['--help']).exited).toBe(0);
}, 120_000);

afterEach(async () => {
  await Promise.all([...running].map((started) => started.kill('SIGKILL')));
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

/** `npm start` as a person runs it, in a process of its own. */
interface Started {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

const server = (environment: Record<string, string>): Started => run('apps/server/src/main.js', environment);

function run(entry: string, environment: Record<string, string>, args: readonly string[] = []): Started {
  const child = spawn(process.execPath, ['tools/run.mjs', entry, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PLACET_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const started: Started = {
    process: child,
    output: () => output,
    exited,
    kill(signal) {
      child.kill(signal);
      return exited;
    },
  };
  running.add(started);
  void exited.then(() => running.delete(started));
  return started;
}

async function ready(started: Started): Promise<string> {
  const until = Date.now() + 60_000;
  while (Date.now() < until) {
    const url = /ready at (http:\S+?),/.exec(started.output())?.[1];
    if (url !== undefined && started.output().includes('curl')) return url;
    if (started.process.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not ready:\n${started.output()}`);
}

const failure = async (environment: Record<string, string>): Promise<string> => {
  const started = server(environment);
  expect(await started.exited).toBe(1);
  expect(started.output()).not.toMatch(/\n\s+at /);
  return started.output().trim().split('\n').at(-1)!;
};

describe('npm start', () => {
  it('prints one owner key, the URL and a curl that works when it is pasted; the next start prints no key', async () => {
    const environment = { PLACET_DATA_DIR: join(work, 'first data') };
    const first = server(environment);
    const url = await ready(first);
    const owner = /placet_dev_\w+/.exec(first.output())![0];
    const curl = /^curl .*$/m.exec(first.output())![0];
    expect(JSON.parse(await shell(curl))).toMatchObject({ effect: 'allow' });
    expect((await fetch(`${url}/api/v1/me`, { headers: { Authorization: `Bearer ${owner}` } })).status).toBe(200);
    expect(await first.kill('SIGTERM')).toBe(0);
    expect(first.output()).toContain('stopped');

    const second = server(environment);
    await ready(second);
    expect(second.output()).not.toContain('the key of the owner');
    expect(JSON.parse(await shell(/^curl .*$/m.exec(second.output())![0]))).toMatchObject({ effect: 'allow' });
    expect(await second.kill('SIGINT')).toBe(0);
  }, 120_000);

  it('after kill -9 takes over what was left behind, and has lost nothing', async () => {
    const environment = { PLACET_DATA_DIR: join(work, 'killed') };
    const first = server(environment);
    await ready(first);
    const curl = /^curl .*$/m.exec(first.output())![0];
    const before = JSON.parse(await shell(curl)) as { evaluation_id: string };
    await first.kill('SIGKILL');
    const second = server(environment);
    await ready(second);
    expect(second.output()).toContain('took over the Postgres');
    expect(JSON.parse(await shell(/^curl .*$/m.exec(second.output())![0]))).toMatchObject({ effect: 'allow' });
    expect(before.evaluation_id).toMatch(/^ev_/);
    expect(await second.kill('SIGTERM')).toBe(0);
  }, 120_000);

  it('lets open requests finish when it is told to stop', async () => {
    const started = server({ PLACET_DATA_DIR: join(work, 'draining') });
    const url = await ready(started);
    const key = readFileSync(join(work, 'draining', 'quickstart-host.key'), 'utf8');
    const message = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const body = JSON.stringify({
      subject: { type: 'user', id: 'ann' },
      server: 'crm',
      direction: 'client_to_server',
      message,
    });
    const headers = {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
    };
    let send!: (text: string) => void;
    const slow = new ReadableStream<Uint8Array>({
      start: (controller) => {
        send = (text) => {
          controller.enqueue(Buffer.from(text));
          controller.close();
        };
      },
    });
    const answer = fetch(`${url}/mcp/v1/decisions`, {
      method: 'POST',
      headers,
      body: slow,
      duplex: 'half',
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const exited = started.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 200));
    send(body);
    expect((await answer).status).toBe(200);
    expect(await exited).toBe(0);
  }, 120_000);

  it('stops in order when npm is told to stop, which tells nobody', async () => {
    const child = spawn('npm', ['start'], {
      env: { ...process.env, PLACET_PORT: '0', PLACET_DATA_DIR: join(work, 'by npm') },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    const ended = new Promise((resolve) => child.stdout.once('end', resolve));
    while (!output.includes('curl')) await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGTERM');
    await ended;
    expect(output.trim().split('\n').at(-1)).toBe('placet: stopped');
  }, 120_000);

  it('takes a key made beforehand, and keeps the quickstart away if told to', async () => {
    const key = await shell(`'${process.execPath}' tools/run.mjs apps/cli/src/main.js key new`);
    const started = server({
      PLACET_DATA_DIR: join(work, 'given'),
      PLACET_BOOTSTRAP_KEY: key.trim(),
      PLACET_QUICKSTART: 'off',
    });
    const url = await ready(started);
    expect(started.output()).not.toContain('the key of the owner');
    expect(JSON.parse(await shell(/^curl .*$/m.exec(started.output())![0]))).toMatchObject({ status: 'ready' });
    const listed = await fetch(`${url}/api/v1/documents`, { headers: { Authorization: `Bearer ${key.trim()}` } });
    expect(await listed.json()).toEqual({ items: [] });
  }, 120_000);
});

describe('npm start says in one sentence what is wrong and how to mend it:', () => {
  it('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const message = await failure({ PLACET_PORT: String(port), PLACET_DATA_DIR: join(work, 'port') });
    expect(message).toBe(
      `placet: Port ${port} on 127.0.0.1 is taken. Stop what uses it, or set PLACET_PORT to another port.`,
    );
    other.close();

    // What is shown only once is not lost by it.
    const again = server({ PLACET_DATA_DIR: join(work, 'port') });
    await ready(again);
    expect(again.output()).toContain('the key of the owner');
    expect(JSON.parse(await shell(/^curl .*$/m.exec(again.output())![0]))).toMatchObject({ effect: 'allow' });
  }, 60_000);

  it('a data directory that is in use', async () => {
    const environment = { PLACET_DATA_DIR: join(work, 'in use') };
    await ready(server(environment));
    expect(await failure(environment)).toMatch(/is used by another Placet process.*PLACET_DATA_DIR/);
  }, 60_000);

  it('a data directory that is a file', async () => {
    writeFileSync(join(work, 'file'), '');
    expect(await failure({ PLACET_DATA_DIR: join(work, 'file') })).toContain('PLACET_DATA_DIR');
  });

  it('a data directory that is something else', async () => {
    mkdirSync(join(work, 'other', 'postgres'), { recursive: true });
    writeFileSync(join(work, 'other', 'postgres', 'letter.txt'), 'dear');
    expect(await failure({ PLACET_DATA_DIR: join(work, 'other') })).toContain('PLACET_DATA_DIR');
  });

  it.each([
    [
      'a database that is not there',
      { DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x', PLACET_PEPPER: 'x'.repeat(32) },
      'cannot be reached (connect ECONNREFUSED 127.0.0.1:1). Start it, or mend DATABASE_URL.',
    ],
    ['a database URL that is none', { DATABASE_URL: 'mysql://x' }, 'DATABASE_URL must be a URL such as postgres://'],
    ['a database without a pepper', { DATABASE_URL: 'postgres://x' }, 'PLACET_PEPPER must be set with DATABASE_URL'],
    ['a port that is none', { PLACET_PORT: 'http' }, 'PLACET_PORT must be a port number.'],
    ['a setting that is misspelt', { PLACET_PROT: '1' }, 'There is no setting PLACET_PROT.'],
    [
      'a secret file that is not there',
      { PLACET_PEPPER_FILE: '/nowhere' },
      'PLACET_PEPPER_FILE names /nowhere, which cannot be read (ENOENT).',
    ],
    [
      'a bootstrap key that is none',
      { PLACET_BOOTSTRAP_KEY: 'secret' },
      'PLACET_BOOTSTRAP_KEY is not a key: make one with npm run placet -- key new',
    ],
    [
      'an address of another machine',
      { PLACET_HOST: '192.0.2.1' },
      '192.0.2.1 is no address of this machine. Set PLACET_HOST to one that is.',
    ],
  ])(
    '%s',
    async (_what, environment, message) => {
      expect(await failure({ PLACET_DATA_DIR: join(work, 'wrong'), ...environment })).toContain(message);
    },
    60_000,
  );
});

async function shell(command: string): Promise<string> {
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  await new Promise((resolve) => child.once('exit', resolve));
  return output;
}
