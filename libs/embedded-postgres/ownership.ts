import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';
import type { Cluster } from './cluster.js';
import { EmbeddedPostgresError, OTHER_DATABASE, OTHER_DIRECTORY } from './error.js';
import { findServer, stopServer, type Server } from './server.js';

/** The advisory lock of the owner, in the database `postgres`; two arbitrary numbers that no one else should use. */
const LOCK = [0x706c6163, 0x65740001] as const;

/** How long a server may not answer before it counts as hung, in milliseconds. */
const SILENT_FOR = 5_000;

/** How long one attempt to connect, or one question, may take, in milliseconds. */
const ANSWER_WITHIN = 2_000;

/** How long the lock may be held before it counts as another's: the server notices a killed owner a moment late. */
const HELD_FOR = 2_000;

/** How long a server may take to let anyone in before we say so, in milliseconds. */
const TELL_AFTER = 1_000;

/** How often a lost lock is asked for again, in milliseconds. */
const RETAKE_EVERY = 500;

/** That this process, and no other, uses a server. It holds as long as the server runs, or until it is stopped. */
export class Ownership {
  readonly #cluster: Cluster;
  readonly #pid: number;
  #client: Client;
  #released = false;

  private constructor(cluster: Cluster, pid: number, client: Client) {
    this.#cluster = cluster;
    this.#pid = pid;
    this.#client = client;
    this.#watch();
  }

  /**
   * Takes a server over as soon as it lets us in.
   * `gone`: it ended meanwhile; `silent`: it runs, but has not answered for some seconds. Rejects if another process
   * owns it.
   */
  static async take(
    cluster: Cluster,
    { pid }: Server,
    progress: (text: string) => void,
  ): Promise<Ownership | 'gone' | { readonly silent: string }> {
    const began = Date.now();
    let heard = began;
    let held: number | undefined;
    let told: string | undefined;
    for (;;) {
      const server = await findServer(cluster);
      if (server?.pid !== pid) return 'gone';
      if (!server.ready && Date.now() - began < TELL_AFTER) {
        await sleep(10);
        continue;
      }
      const answer: Answer = server.port === null ? { silent: 'it does not listen' } : await ask(cluster, server.port);
      if ('client' in answer) return new Ownership(cluster, pid, answer.client);
      const now = Date.now();
      if ('owner' in answer) {
        held ??= now;
        if (now - held > HELD_FOR) throw inUse(cluster, answer.owner);
      }
      if ('wait' in answer && now - began >= TELL_AFTER && told !== answer.wait) progress((told = answer.wait));
      if (!('silent' in answer)) heard = now;
      else if (now - heard > SILENT_FOR) return answer;
      await sleep(25);
    }
  }

  /** Where to connect to the server. */
  get url(): string {
    return `postgresql://postgres:${encodeURIComponent(this.#cluster.password)}@127.0.0.1:${this.#client.port}/postgres`;
  }

  /**
   * Stops the server. The lock is kept until the server drops it: were it free any earlier, another process could adopt
   * what is about to end.
   */
  async stopServer(): Promise<void> {
    this.#released = true;
    await stopServer(this.#cluster, this.#pid);
    await this.#client.end().catch(() => undefined);
  }

  #watch(): void {
    this.#client.once('end', () => void this.#retake());
    // A process that has nothing else to do may end, and leave the server to the next one.
    (this.#client as Client & { unref(): void }).unref();
  }

  /** The lock is lost when its connection is, for instance when Postgres restarts itself after one of its processes died. */
  async #retake(): Promise<void> {
    while (!this.#released) {
      await sleep(RETAKE_EVERY, undefined, { ref: false });
      // Never connect to a port that is no longer our server's: the password would go there.
      const server = await findServer(this.#cluster).catch(() => null);
      if (server?.pid !== this.#pid || server.port === null) return;
      const answer = await ask(this.#cluster, server.port).catch(() => null);
      if (answer === null || !('client' in answer)) continue;
      this.#client = answer.client;
      if (this.#released) await answer.client.end().catch(() => undefined);
      else this.#watch();
      return;
    }
  }
}

/** A connection that holds the lock; or who holds it, why to wait, or what went wrong. */
type Answer =
  { readonly client: Client } | { readonly owner: string } | { readonly wait: string } | { readonly silent: string };

async function ask(cluster: Cluster, port: number): Promise<Answer> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: cluster.password,
    database: 'postgres',
    ssl: false,
    application_name: `placet owner, process ${process.pid}`,
    connectionTimeoutMillis: ANSWER_WITHIN,
    query_timeout: ANSWER_WITHIN,
  });
  // INVARIANT: there is a listener, or a connection that the server ends would end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS taken', [...LOCK]);
    if (rows[0]?.taken) return { client };
    const owner = await ownerOf(client);
    await client.end();
    return { owner };
  } catch (error) {
    client.end().catch(() => undefined);
    return read(cluster, error);
  }
}

async function ownerOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT application_name AS name FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND objsubid = 2 AND granted`,
    [...LOCK],
  );
  return rows[0]?.name ?? '';
}

function read({ directory }: Cluster, error: unknown): Answer {
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof DatabaseError ? error.code : undefined;
  // cannot_connect_now: starting, recovering or shutting down; admin_shutdown: it began to while we asked.
  if (code === '57P03' || code === '57P01') {
    return { wait: /shut/.test(text) ? 'waiting for the earlier Postgres to stop' : 'recovering the database' };
  }
  if (code === '28P01') {
    throw new EmbeddedPostgresError(
      'password_unusable',
      `The Postgres of '${directory}' refuses the password in '${directory}/cluster/password': ` +
        `put the right one there, or ${OTHER_DATABASE}.`,
      { cause: error },
    );
  }
  return { silent: text };
}

function inUse({ directory }: Cluster, owner: string): EmbeddedPostgresError {
  const pid = /process (\d+)/.exec(owner)?.[1];
  return new EmbeddedPostgresError(
    'in_use',
    `The folder '${directory}' is used by another Placet process${pid ? ` (pid ${pid})` : ''}: ` +
      `stop that one, or ${OTHER_DIRECTORY}.`,
  );
}
