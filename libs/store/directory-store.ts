import type { JsonObject } from '#policy';
import type { Store } from './store.js';

/** A directory that an Issuer document of a tenant names. */
export interface StoredDirectory {
  readonly tenant: string;
  readonly tenantName: string;
  /** The name of the Issuer document. */
  readonly issuer: string;
}

/** One reading of a directory: which Issuer's, and when it was begun, as the database writes it. */
export interface DirectoryTurn {
  readonly issuer: string;
  readonly begun: string;
}

/** What a directory says of a person who has signed in before. */
export interface DirectorySaid {
  /** As in `user:corp/3f2c`. */
  readonly id: string;
  readonly claims: JsonObject;
  readonly name: string | null;
  readonly email: string | null;
}

/** What is known of directories, and of their people. Times as the database writes them. */
export class DirectoryStore {
  constructor(private readonly store: Store) {}

  /** Of all tenants. */
  async all(): Promise<readonly StoredDirectory[]> {
    return this.store.call<{ tenant: string; tenantName: string; issuer: string }>(
      'select tenant, tenant_name as "tenantName", issuer from placet.directories()',
      [],
    );
  }

  /** Up to when all people of each directory of a tenant were read, in ms since 1970. */
  async readings(tenant: string): Promise<ReadonlyMap<string, number>> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<{ issuer: string; asOf: number }[]>(
        `select r.issuer, (extract(epoch from r.as_of) * 1000)::float8 as "asOf"
         from placet.directory_reading r where r.tenant = $1 and r.as_of is not null`,
        [tenant],
      ),
    );
    return new Map(rows.map(({ issuer, asOf }) => [issuer, asOf]));
  }

  /**
   * Takes the turn at reading a directory: the moment from which on is read; undefined where another one has begun less than
   * `everyMs` ago.
   */
  async begin(tenant: string, issuer: string, everyMs: number): Promise<string | undefined> {
    const [row] = await this.store.call<{ begun: string | null }>(
      'select placet.begin_directory_reading($1, $2, $3)::text as begun',
      [tenant, issuer, Math.floor(everyMs)],
    );
    return row?.begun ?? undefined;
  }

  /** Notes that all people of a directory were read since a moment. */
  async finish(tenant: string, issuer: string, begun: string): Promise<void> {
    await this.store.call('select placet.finish_directory_reading($1, $2, $3)', [tenant, issuer, begun]);
  }

  /** Gives the turn at reading a directory back, where it came to nothing. */
  async giveUp(tenant: string, issuer: string, begun: string): Promise<void> {
    await this.store.call('select placet.give_up_directory_reading($1, $2, $3)', [tenant, issuer, begun]);
  }

  /** Whether a reading is the last one that was begun. Only a change that rests on it finds out for good. */
  async isLast(tenant: string, { issuer, begun }: DirectoryTurn): Promise<boolean> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<unknown[]>(
        'select from placet.directory_reading r where r.tenant = $1 and r.issuer = $2 and r.begun_at = $3',
        [tenant, issuer, begun],
      ),
    );
    return rows.length > 0;
  }

  /**
   * Keeps what a reading says of people; whoever has other claims than before is touched under the epoch. False, and nothing
   * is kept, where another reading was begun since.
   */
  async said(tenant: string, { issuer, begun }: DirectoryTurn, people: readonly DirectorySaid[]): Promise<boolean> {
    const [row] = await this.store.call<{ kept: boolean }>(
      'select placet.keep_directory_said($1, $2, $3, $4) as kept',
      [tenant, issuer, begun, JSON.stringify(people)],
    );
    return row?.kept === true;
  }

  /** The database's own clock at this moment, in ms since 1970: no reading that begins later is taken for older. */
  async now(): Promise<number> {
    const [row] = await this.store.call<{ now: number }>(
      'select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now',
      [],
    );
    return row!.now;
  }

  /** The ids of people of a directory in their order, those after one. */
  async people(tenant: string, issuer: string, after: string, most: number): Promise<readonly string[]> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<{ id: string }[]>(
        'select p.id from placet.person p where p.tenant = $1 and p.issuer = $2 and p.id > $3 order by p.id limit $4',
        [tenant, issuer, after, most],
      ),
    );
    return rows.map(({ id }) => id);
  }
}
