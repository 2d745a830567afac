import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { handOver, type Account } from './account.js';
import type { Binaries } from './binaries.js';
import { diskFull, EmbeddedPostgresError, OTHER_DATABASE } from './error.js';
import { ended, folderArgument, startProgram } from './program.js';
import { StartLog, tellingLine, tellsOfFullDisk } from './start-log.js';

/** Names of clusters that are being made, and of those whose making was cut off. */
export const INITDB_PREFIX = 'initdb-';

export interface NewCluster {
  /** Where the cluster shall lie: `data` and `password` in one folder. */
  readonly cluster: string;
  readonly account: Account | null;
  readonly binaries: Binaries;
  readonly volatile: boolean;
  readonly progress: (text: string) => void;
}

/**
 * Makes a cluster with a random superuser password.
 *
 * INVARIANT: `cluster` appears whole, by one rename, or not at all; a start that is cut off leaves only a folder that
 * nobody looks at. If another process was faster, its cluster stays.
 */
export async function makeCluster({ cluster, account, binaries, volatile, progress }: NewCluster): Promise<void> {
  progress('creating the database cluster');
  const directory = dirname(cluster);
  const temporary = await mkdtemp(join(directory, INITDB_PREFIX));
  try {
    const data = join(temporary, 'data');
    await mkdir(data, { mode: 0o700 });
    const password = join(temporary, 'password');
    await writeFile(password, randomBytes(24).toString('base64url'), { flag: 'wx', mode: 0o600 });
    // The password too, as initdb reads it under the account; whoever runs Postgres has all of its data anyway.
    if (account) for (const path of [temporary, data, password]) await handOver(path, account);

    await initdb({ directory, data, password, account, binaries, volatile });
    if (!volatile) await syncFolder(temporary);
    await rename(temporary, cluster).catch(async (error: unknown) => {
      if (!(await stat(cluster).catch(() => undefined))) throw error;
    });
    if (!volatile) await syncFolder(directory);
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function initdb({ directory, data, password, account, binaries, volatile }: NewData): Promise<void> {
  const log = await StartLog.open(directory, account);
  const input = await open(password, 'r+');
  try {
    await input.sync();
    const args = [
      ...['-D', folderArgument(data, account), '--username=postgres', '--auth=scram-sha-256'],
      // As its standard input, because the account may not be able to reach the file by name.
      ...[`--pwfile=${process.platform === 'win32' ? password : '/dev/stdin'}`],
      ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--data-checksums'],
      ...['--no-instructions', ...(volatile ? ['--no-sync'] : [])],
    ];
    const stdio = [input.fd, log.descriptor, log.descriptor];
    const child = await startProgram(binaries.initdb, args, { account, cwd: data, stdio });
    if ((await ended(child)) === 0) return await log.discard();
  } catch (error) {
    await log.discard();
    throw error;
  } finally {
    await input.close();
  }

  const text = await log.text();
  await log.keep();
  if (await tellsOfFullDisk(text, directory)) throw diskFull(directory);
  throw new EmbeddedPostgresError(
    'initdb_failed',
    `The database cluster in '${directory}' cannot be created (${tellingLine(text)}): ` +
      `see '${join(directory, 'postgres.log')}', or ${OTHER_DATABASE}.`,
  );
}

interface NewData {
  /** The folder of the logs. */
  readonly directory: string;
  readonly data: string;
  readonly password: string;
  readonly account: Account | null;
  readonly binaries: Binaries;
  readonly volatile: boolean;
}

/** So that the names in a folder outlive a crash of the machine. Windows has no such call, and no need of it. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
