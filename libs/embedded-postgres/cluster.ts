import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { accountFor, handOver, type Account } from './account.js';
import { findBinaries, type Binaries } from './binaries.js';
import { EmbeddedPostgresError, OTHER_DIRECTORY, systemCode } from './error.js';
import { INITDB_PREFIX, makeCluster } from './initdb.js';
import { START_LOG_PREFIX } from './start-log.js';

/** A cluster on disk that is ready to be started, and all it takes to do so. */
export interface Cluster {
  /** The folder that the caller named. */
  readonly directory: string;
  /** What Postgres calls the data directory. */
  readonly data: string;
  readonly password: string;
  readonly account: Account | null;
  readonly binaries: Binaries;
  readonly volatile: boolean;
  /**
   * A setting without effect that every server of this cluster is started with, so that its process can be told from any
   * other. By device and inode: the folder may be reached by several names, and a copy of it is another cluster.
   */
  readonly mark: string;
}

export interface ClusterOptions {
  readonly directory: string;
  readonly volatile: boolean;
  readonly progress: (text: string) => void;
}

/** The name of the setting that holds the mark. */
export const MARK = 'placet.cluster';

/** Half-made clusters and logs are as old as this when they are taken for left behind, in milliseconds. */
const LEFT_BEHIND_AFTER = 3_600_000;

/** Opens the cluster of a folder, making both if missing. Rejects with an EmbeddedPostgresError or a system error. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { directory, volatile } = options;
  const cluster = join(directory, 'cluster');
  const data = join(cluster, 'data');
  const made = await makeDirectory(directory);
  const account = await accountFor({ cluster: data, directory });
  if (made && account) await handOver(directory, account);
  const binaries = await findBinaries(account);

  if (!(await exists(cluster))) {
    await refuseOtherContent(directory);
    await makeCluster({ ...options, cluster, account, binaries });
  }
  await checkCluster(directory, data, binaries);
  await removeLeftovers(directory);
  const password = await readPassword(join(cluster, 'password'));
  const { dev, ino } = await stat(data, { bigint: true });
  return { directory, data, password, account, binaries, volatile, mark: `${MARK}=${dev}:${ino}` };
}

/** Whether the folder was missing. */
async function makeDirectory(directory: string): Promise<boolean> {
  await mkdir(dirname(directory), { recursive: true });
  try {
    await mkdir(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !(await stat(directory)).isDirectory()) throw error;
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** A folder with other things in it is most likely not the one that was meant. */
async function refuseOtherContent(directory: string): Promise<void> {
  const other = (await readdir(directory)).find((name) => !isOurs(name) && name !== 'lost+found');
  if (other === undefined) return;
  throw new EmbeddedPostgresError(
    'directory_not_empty',
    `The folder '${directory}' holds '${other}' but no Postgres cluster of Placet: empty it, or ${OTHER_DIRECTORY}.`,
  );
}

function isOurs(name: string): boolean {
  return name.startsWith(INITDB_PREFIX) || name.startsWith(START_LOG_PREFIX) || /^postgres\.log(\.old)?$/.test(name);
}

async function checkCluster(directory: string, data: string, { version }: Binaries): Promise<void> {
  const owner = (await stat(dirname(data))).uid;
  const us = process.getuid?.();
  if (us !== undefined && us !== 0 && owner !== us) {
    throw new EmbeddedPostgresError(
      'directory_unusable',
      `The cluster in '${directory}' belongs to another account (uid ${owner}): ` +
        `run Placet as that account, or ${OTHER_DIRECTORY}.`,
    );
  }
  const [major] = version.split('.');
  const found = (await readFile(join(data, 'PG_VERSION'), 'utf8').catch(missing))?.trim();
  if (found === major) return;
  if (found === undefined) {
    throw new EmbeddedPostgresError(
      'directory_not_empty',
      `The folder '${data}' is no Postgres cluster (it has no PG_VERSION): restore it, or ${OTHER_DIRECTORY}.`,
    );
  }
  throw new EmbeddedPostgresError(
    'other_version',
    `The cluster in '${directory}' was made by Postgres ${found}, and this Placet brings Postgres ${major}: ` +
      `move the data with pg_dump of the old version, or ${OTHER_DIRECTORY}.`,
  );
}

async function readPassword(file: string): Promise<string> {
  const password = (await readFile(file, 'utf8').catch(missing))?.trim();
  if (password) return password;
  throw new EmbeddedPostgresError(
    'password_unusable',
    `The file '${file}' with the password of the Postgres superuser is missing: restore it, or ${OTHER_DIRECTORY}.`,
  );
}

function missing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error;
}

/** Removes what starts that were killed have left. Best effort: it is in nobody's way. */
async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(INITDB_PREFIX) && !name.startsWith(START_LOG_PREFIX)) continue;
    const path = join(directory, name);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > LEFT_BEHIND_AFTER) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
