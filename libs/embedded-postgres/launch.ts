import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import { diskFull, EmbeddedPostgresError, OTHER_DATABASE } from './error.js';
import { folderArgument, startProgram } from './program.js';
import { namedServer, type Server } from './server.js';
import { StartLog, tellingLine, tellsOfFailure, tellsOfFullDisk } from './start-log.js';

/** How often another port is tried. */
const PORTS_TRIED = 5;

/**
 * Starts Postgres on a cluster; resolves when it listens, which may be before it takes connections.
 * `busy`: it cannot run now because another one does, or processes of an earlier one do; with Postgres' own words.
 */
export async function launch(
  cluster: Cluster,
  pickPort: () => Promise<number> = freePort,
): Promise<Server | { readonly busy: string }> {
  for (let attempt = 1; ; attempt++) {
    const log = await StartLog.open(cluster.directory, cluster.account);
    const server = await startOn(await pickPort(), cluster, log).catch(async (error: unknown) => {
      await log.discard();
      throw error;
    });
    if (server) {
      await log.keep();
      return server;
    }
    const text = await log.text();
    const portTaken = /could not bind .*: Address already in use/.test(text);
    const busy = /lock file ".*" (already exists|is empty)|shared memory block .* is still in use/.test(text);
    if (busy || (portTaken && attempt < PORTS_TRIED)) await log.discard();
    else await log.keep();
    if (busy) return { busy: tellingLine(text) };
    if (!portTaken || attempt === PORTS_TRIED) throw await failure(cluster, text);
  }
}

/** Why the server that was started last has ended by itself; null if its log tells of no failure. */
export async function failureOfLast(cluster: Cluster): Promise<EmbeddedPostgresError | null> {
  const text = await readFile(join(cluster.directory, 'postgres.log'), 'utf8').catch(() => '');
  return tellsOfFailure(text) ? failure(cluster, text) : null;
}

/** The settings of the service, or those of a test, which a crash of the machine may cost its data. */
function settings({ volatile, mark }: Cluster, port: number): readonly string[] {
  const durable = volatile ? 'off' : 'on';
  return [
    mark,
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    `fsync=${durable}`,
    `synchronous_commit=${durable}`,
    `full_page_writes=${durable}`,
    'wal_level=replica',
    'max_connections=200',
    'shared_buffers=128MB',
    'autovacuum=on',
    // Compiling a plan takes longer than the short statements of this service.
    'jit=off',
    'idle_in_transaction_session_timeout=30s',
    'timezone=UTC',
    'log_timezone=UTC',
    // Life and death of the server only: errors of statements go to who sent them, and may quote personal data.
    'log_min_messages=log',
    'log_min_error_statement=panic',
    'log_checkpoints=off',
  ];
}

/** Undefined where it ended before it listened; the log tells why. */
async function startOn(port: number, cluster: Cluster, log: StartLog): Promise<Server | undefined> {
  const { account, binaries, data } = cluster;
  const args = ['-D', folderArgument(data, account), ...settings(cluster, port).flatMap((each) => ['-c', each])];
  const stdio = ['ignore', log.descriptor, log.descriptor] as const;
  const child = await startProgram(binaries.postgres, args, { account, cwd: data, stdio: [...stdio], detached: true });
  child.unref();
  while (!hasEnded(child)) {
    const server = await namedServer(cluster);
    if (server?.pid === child.pid && server?.port) return server;
    await sleep(5);
  }
  return undefined;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function failure({ directory }: Cluster, text: string): Promise<EmbeddedPostgresError> {
  if (await tellsOfFullDisk(text, directory)) return diskFull(directory);
  return new EmbeddedPostgresError(
    'start_failed',
    `Postgres does not start in '${directory}' (${tellingLine(text)}): ` +
      `see '${join(directory, 'postgres.log')}', or ${OTHER_DATABASE}.`,
  );
}

/** A TCP port that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
