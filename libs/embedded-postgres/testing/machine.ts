import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll } from 'vitest';

export const isRoot = process.getuid?.() === 0;

/** The account that stands for an ordinary user where the tests run as root. */
export const NOBODY = { uid: 65_534, gid: 65_534 };

/** Whether there is an ordinary user: the tests' own, or NOBODY where the folders of this checkout let others in. */
export const hasOrdinaryUser =
  !isRoot || spawnSync(process.execPath, ['--version'], { ...NOBODY, cwd: '/' }).status === 0;

/** In memory where there is room for some clusters of 40 MB: initdb and copies take a fraction of the time there. */
const PLACE = hasRoom('/dev/shm') ? '/dev/shm' : tmpdir();

const folders: string[] = [];

/** A new folder, that only its owner may enter. */
export function folder({ of }: { readonly of?: typeof NOBODY } = {}): string {
  const path = mkdtempSync(join(PLACE, 'placet embedded '));
  folders.push(path);
  if (of) chownSync(path, of.uid, of.gid);
  return path;
}

// At the end of a spec file all of its folders go, with the servers that failed tests have left in them.
afterAll(() => {
  for (const path of folders) {
    for (const directory of [path, ...readdirSync(path).map((name) => join(path, name))]) {
      const pid = postmaster(directory);
      if (pid !== undefined && commandOf(pid).includes('placet.cluster=')) process.kill(pid, 'SIGKILL');
    }
    rmSync(path, { recursive: true, force: true, maxRetries: 10 });
  }
});

function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize > 2 ** 31;
  } catch {
    return false;
  }
}

/** The pid of the server of a directory, as its postmaster.pid has it. */
export function postmaster(directory: string): number | undefined {
  try {
    return Number(readFileSync(join(directory, 'cluster/data/postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

/** Who a process belongs to, and which process group and session it is in; undefined if it is gone or a zombie. */
export function processes(pid: number): { uid: number; group: number; session: number } | undefined {
  try {
    const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
    const [state, , group, session] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return state === 'Z' ? undefined : { uid, group: Number(group), session: Number(session) };
  } catch {
    return undefined;
  }
}

/** The processes that a process has started. */
export function childrenOf(pid: number): { pid: number; command: string }[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.flatMap((id) => {
    try {
      const [, parent] = readFileSync(`/proc/${id}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return Number(parent) === pid ? [{ pid: Number(id), command: commandOf(Number(id)) }] : [];
    } catch {
      return [];
    }
  });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** A port that somebody listens on until `free` is called. */
export async function takenPort(): Promise<{ readonly port: number; readonly free: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, free: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Resolves to the first value that is neither undefined nor false; rejects after some seconds. */
export async function waitFor<T>(what: string, look: () => T | undefined | false, seconds = 10): Promise<T> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > until) throw new Error(`waited in vain for ${what}`);
    await sleep(5);
  }
}
