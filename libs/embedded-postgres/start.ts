import { setTimeout as sleep } from 'node:timers/promises';
import { openCluster, type Cluster } from './cluster.js';
import { EmbeddedPostgresError, ofDirectory, OTHER_DATABASE } from './error.js';
import { failureOfLast, launch } from './launch.js';
import { Ownership } from './ownership.js';
import { findServer, PATIENCE, stopServer } from './server.js';

export interface EmbeddedPostgresOptions {
  /** Folder that holds the cluster and its files; made if missing. Absolute. */
  readonly directory: string;
  /** For tests: no fsync. */
  readonly volatile?: boolean;
  /** Told what is going on while it takes time. */
  readonly progress?: (text: string) => void;
}

export interface EmbeddedPostgres {
  /** Connection URL of the superuser (TCP on 127.0.0.1, scram password), database `postgres`. */
  readonly url: string;
  /** `started`, or `adopted` where a server left behind by a killed process was taken over. */
  readonly how: 'started' | 'adopted';
  /** Fast shutdown; resolves when the server process is gone. Idempotent. */
  stop(this: void): Promise<void>;
}

/** How long we wait for the processes of an earlier Postgres to end, in milliseconds. */
const BUSY_FOR = 15_000;

/** How often a server that ends before we have it is started again. */
const LAUNCHES = 3;

/** Less patience with a server that does not answer anyway, in milliseconds. */
const HUNG = { ...PATIENCE, SIGINT: 2_000, SIGQUIT: 2_000 };

/**
 * Runs Postgres on a folder, or takes over the one that runs there already and has no owner. Rejects with an
 * EmbeddedPostgresError.
 *
 * INVARIANT: of several processes that do this on one folder, one at most has it: the one that holds the lock in the
 * server. That two servers never run on one cluster, Postgres itself sees to.
 */
export async function startEmbeddedPostgres({
  directory,
  volatile = false,
  progress = () => undefined,
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(await openCluster({ directory, volatile, progress }), progress);
  } catch (error) {
    throw ofDirectory(directory, error);
  }
}

async function start(cluster: Cluster, progress: (text: string) => void): Promise<EmbeddedPostgres> {
  let launched = 0;
  let busySince: number | undefined;
  for (;;) {
    const running = await findServer(cluster);
    if (!running) progress('starting Postgres');
    const server = running ?? (await launch(cluster));
    if ('busy' in server) {
      busySince ??= Date.now();
      if (Date.now() - busySince > BUSY_FOR) throw doesNotStart(cluster, server.busy);
      await sleep(200);
      continue;
    }
    if (!running) launched += 1;

    const taken = await Ownership.take(cluster, server, progress);
    if (taken instanceof Ownership) {
      let stopped: Promise<void> | undefined;
      return { url: taken.url, how: running ? 'adopted' : 'started', stop: () => (stopped ??= taken.stopServer()) };
    }
    if (taken === 'gone') {
      // After a clean end, or one by force from outside, it is worth another try.
      const failure = running ? null : await failureOfLast(cluster);
      if (failure) throw failure;
      if (launched === LAUNCHES) throw doesNotStart(cluster, 'it is ended from outside');
      continue;
    }
    progress('stopping a Postgres that does not answer');
    await stopServer(cluster, server.pid, HUNG);
    if (!running) throw doesNotStart(cluster, taken.silent);
  }
}

function doesNotStart({ directory }: Cluster, why: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'start_failed',
    `Postgres does not start in '${directory}' (${why}): end what is left of an earlier one, or ${OTHER_DATABASE}.`,
  );
}
