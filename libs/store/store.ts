import pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { clientConfig, type Connection } from './connection.js';
import { entities } from './database.js';
import { DatabaseClock } from './database-clock.js';
import { StandbyWatch } from './standby-watch.js';
import { toStoreError } from './errors.js';

/** A tenant's rows in one consistent view. Reads only: writes are changes (`commitChange`) and decisions. */
export type TenantView = EntityManager;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The service's way to the database. Everything that it reads of a tenant, it reads as that tenant. */
export class Store {
  readonly #source: DataSource;
  readonly clock = new DatabaseClock();

  private constructor(
    readonly connection: Connection,
    source: DataSource,
  ) {
    this.#source = source;
  }

  static async open(connection: Connection): Promise<Store> {
    const source = new DataSource({
      type: 'postgres',
      url: connection.url,
      schema: 'placet',
      entities,
      extra: { ...clientConfig(connection, 'service'), max: 10 },
    });
    try {
      await source.initialize();
    } catch (error) {
      throw toStoreError(error);
    }
    return new Store(connection, source);
  }

  async close(): Promise<void> {
    await this.#source.destroy();
  }

  /** Reads a tenant's rows as they were at one moment. */
  async read<T>(tenant: string, work: (view: TenantView) => Promise<T>): Promise<T> {
    if (!UUID.test(tenant)) throw new Error(`'${tenant}' is not the id of a tenant`);
    const runner = this.#source.createQueryRunner();
    let isConnected = false;
    try {
      await runner.connect();
      isConnected = true;
      // In one message, as revocations wait for every round trip; the tenant is checked above.
      await runner.query(
        `begin isolation level repeatable read read only; select set_config('placet.tenant', '${tenant}', true)`,
      );
      return await work(runner.manager);
    } catch (error) {
      throw toStoreError(error);
    } finally {
      // Nothing was written, so nobody waits for the end. It is ended whatever failed: a connection that went back to the
      // pool within an old transaction would show its next reader a state that is long gone.
      const release = () => runner.release();
      const ended = isConnected ? runner.query('rollback') : Promise.resolve();
      void ended.then(release, release).catch(() => undefined);
    }
  }

  /** Runs one statement that is a transaction of its own. */
  async call<Row extends object>(statement: string, values: readonly unknown[]): Promise<Row[]> {
    const runner = this.#source.createQueryRunner();
    const standby = new StandbyWatch();
    let client: pg.PoolClient | undefined;
    try {
      client = (await runner.connect()) as pg.PoolClient;
      standby.watch(client);
      const rows = (await runner.query(statement, [...values])) as Row[];
      standby.confirm();
      return rows;
    } catch (error) {
      throw toStoreError(error);
    } finally {
      if (client) standby.leave(client);
      await runner.release().catch(() => undefined);
    }
  }

  /** Whether the database answers. */
  async ping(): Promise<boolean> {
    try {
      await this.#source.query('select 1');
      return true;
    } catch {
      return false;
    }
  }

  /** The id of the tenant with a name. */
  async tenantNamed(name: string): Promise<string | undefined> {
    const [row] = await this.call<{ id: string | null }>('select placet.tenant_named($1) as id', [name]);
    return row?.id ?? undefined;
  }

  /** The name of a tenant, as it stands in paths. */
  async tenantName(tenant: string): Promise<string | undefined> {
    const [row] = await this.read(tenant, (view) =>
      view.query<{ name: string }[]>('select name from placet.tenant where id = $1', [tenant]),
    );
    return row?.name;
  }

  /** The tenant that a key belongs to. Who asks has not proven anything yet: nothing else is told. */
  async tenantOfCredential(id: string): Promise<string | undefined> {
    const [row] = await this.call<{ tenant: string | null }>('select placet.tenant_of_credential($1) as tenant', [id]);
    return row?.tenant ?? undefined;
  }

  /** A connection of its own, for what must not wait behind anything else. */
  client(name: string): pg.Client {
    return new pg.Client(clientConfig(this.connection, name));
  }

  /** A pool of its own. */
  pool(name: string, max: number): pg.Pool {
    return new pg.Pool({ ...clientConfig(this.connection, name), max });
  }
}
