import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { ensureTenant, prepareDatabase, Store, type Connection, type DatabaseAddress } from '#store';
import { databaseOf, TEMPLATE, withServer } from './server.js';

/** A database of one spec's own, migrated, with a tenant, and connections to it under either role. */
export interface TestDatabase {
  readonly address: DatabaseAddress;
  readonly connection: Connection;
  readonly tenant: string;
  readonly store: Store;
  /** A bare connection as the service's role; with `superuser`, as the one that sees everything. */
  connect(as?: 'service' | 'superuser'): Promise<pg.Client>;
  /** Cuts every connection and lets none in, or lets them in again. */
  cutOff(cut: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Makes a database that nobody else uses. */
export async function freshDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `placet_${randomBytes(6).toString('hex')}`;
  await withServer(server, (client) => client.query(`create database ${name} template ${TEMPLATE}`));
  const url = databaseOf(server, name);
  const address = { url };
  const connection = await prepareDatabase(address);
  const tenant = await ensureTenant(address, 'default');
  const store = await Store.open(connection);
  const open: pg.Client[] = [];
  return {
    address,
    connection,
    tenant,
    store,
    async connect(as = 'service') {
      const client = as === 'service' ? store.client('test') : new pg.Client(url);
      client.on('error', () => undefined);
      await client.connect();
      open.push(client);
      return client;
    },
    async cutOff(cut) {
      await withServer(server, async (client) => {
        await client.query(`alter database ${name} allow_connections ${!cut}`);
        if (cut)
          await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      });
    },
    async close() {
      await Promise.all(open.map((client) => client.end().catch(() => undefined)));
      await store.close();
      await withServer(server, (client) => client.query(`drop database ${name} with (force)`));
    },
  };
}
