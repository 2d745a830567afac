import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateApiKey } from '#identity';
import { startEmbeddedPostgres } from '#embedded-postgres';
import { startProxy, type Proxy } from './proxy.js';

/** One replica of the service, as a process of its own. */
interface Replica {
  readonly url: string;
  readonly process: ChildProcess;
}

/** Several replicas on one Postgres; the last one reaches it through a proxy that can be cut. */
export interface Cluster {
  readonly replicas: readonly Replica[];
  readonly proxy: Proxy;
  readonly databaseUrl: string;
  administer<T>(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
  stop(): Promise<void>;
}

export async function startCluster(count: number): Promise<Cluster> {
  const directory = mkdtempSync(join(tmpdir(), 'placet-bench-'));
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  const proxy = await startProxy(Number(new URL(postgres.url).port));
  const owner = generateApiKey('dev').text;
  const replicas: Replica[] = [];
  for (let at = 0; at < count; at++)
    replicas.push(await startReplica(at === count - 1 ? through(postgres.url, proxy.port) : postgres.url, owner));
  return {
    replicas,
    proxy,
    databaseUrl: postgres.url,
    async administer<T>(
      method: string,
      path: string,
      body?: unknown,
      headers: Readonly<Record<string, string>> = {},
    ): Promise<T> {
      const response = await fetch(replicas[0]!.url + path, {
        method,
        headers: {
          Authorization: `Bearer ${owner}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
      return (text === '' ? {} : JSON.parse(text)) as T;
    },
    async stop() {
      await Promise.all(
        replicas.map(async ({ process: child }) => {
          const exited = new Promise((resolve) => child.once('exit', resolve));
          child.kill('SIGCONT');
          child.kill('SIGTERM');
          setTimeout(() => child.kill('SIGKILL'), 5000).unref();
          await exited;
        }),
      );
      proxy.close();
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function through(url: string, port: number): string {
  const other = new URL(url);
  other.port = String(port);
  return other.href;
}

async function startReplica(databaseUrl: string, owner: string): Promise<Replica> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../../apps/server/src/main.js')], {
    env: {
      ...process.env,
      PLACET_PORT: '0',
      PLACET_QUICKSTART: 'off',
      PLACET_LOG: 'error',
      PLACET_BOOTSTRAP_KEY: owner,
      DATABASE_URL: databaseUrl,
      // Hosts at many addresses, by the word of the callers of the bench.
      PLACET_TRUSTED_PROXIES: '127.0.0.1',
      PLACET_PEPPER: 'a pepper that is good for one bench only',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
      const found = /ready at (http:\S+?),/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error(`a replica does not start:\n${text}`)));
  });
  return { url, process: child };
}
