import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import { EmbeddedPostgresError, OTHER_DIRECTORY, systemCode } from './error.js';
import { processOf, sendSignal } from './process.js';

/** A Postgres that runs on a cluster. */
export interface Server {
  readonly pid: number;
  /** Null as long as it does not listen. */
  readonly port: number | null;
  /** Whether it says that it takes connections; not so while it starts, recovers or stops. */
  readonly ready: boolean;
}

/** How long each signal is given to end a server, in milliseconds: fast, immediate, and the end of a frozen one. */
export type Patience = Readonly<Record<'SIGINT' | 'SIGQUIT' | 'SIGKILL', number>>;

export const PATIENCE: Patience = { SIGINT: 10_000, SIGQUIT: 6_000, SIGKILL: 5_000 };

/** An empty postmaster.pid is one being written, or after this long one that a crash has emptied, in milliseconds. */
const EMPTY_FILE_AFTER = 5_000;

/**
 * The server that runs on a cluster, as its postmaster.pid names it and the process itself confirms; null if there is
 * none. A file that names a process of another kind, as after a restart of the machine, is removed: Postgres would
 * refuse to start because of it.
 */
export async function findServer(cluster: Cluster): Promise<Server | null> {
  const file = join(cluster.data, 'postmaster.pid');
  const text = await contentOf(file);
  if (text === null) return null;
  const server = parse(text);
  if (server === null) {
    const age = Date.now() - (await stat(file).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > EMPTY_FILE_AFTER) await remove(file, text);
    return null;
  }
  switch (await processOf(server.pid, cluster.mark)) {
    case 'ours':
      return server;
    case 'none':
      return null;
    case 'ending':
    case 'other':
      await remove(file, text);
      return null;
    case 'unmarked':
      throw new EmbeddedPostgresError(
        'in_use',
        `A Postgres that Placet did not start (pid ${server.pid}) seems to run on the cluster in ` +
          `'${cluster.directory}': stop that one, or ${OTHER_DIRECTORY}.`,
      );
  }
}

/** What the postmaster.pid of a cluster says, confirmed or not. */
export async function namedServer({ data }: Cluster): Promise<Server | null> {
  const text = await contentOf(join(data, 'postmaster.pid'));
  return text === null ? null : parse(text);
}

async function contentOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Reads a postmaster.pid; null if it is empty, as it is while Postgres writes it. */
function parse(text: string): Server | null {
  // The lines: pid, data directory, time of start, port, socket folder, address, shared memory, status.
  const lines = text.split('\n');
  const pid = Math.abs(Number(lines[0]));
  if (!Number.isInteger(pid) || pid === 0) return null;
  const status = lines[7]?.trim();
  return { pid, port: status ? Number(lines[3]) : null, ready: status === 'ready' };
}

/** Ends a server, harder and harder; resolves when its process is gone. */
export async function stopServer(cluster: Cluster, pid: number, patience: Patience = PATIENCE): Promise<void> {
  const lives = async (): Promise<boolean> => ['ours', 'ending'].includes(await processOf(pid, cluster.mark));
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!(await lives())) return;
    await sendSignal(cluster.binaries, pid, signal);
    const until = Date.now() + patience[signal];
    while (Date.now() < until) {
      if (!(await lives())) return;
      await sleep(20);
    }
  }
  if (!(await lives())) return;
  throw new EmbeddedPostgresError(
    'stop_failed',
    `The Postgres of '${cluster.directory}' (pid ${pid}) does not end: end that process by hand.`,
  );
}

/** Removes a file of that content, and puts back what another process has written in its place meanwhile. */
async function remove(file: string, content: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) === content) await rm(aside);
    else await rename(aside, file);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
