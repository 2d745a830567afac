import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '#migrations';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { clientConfig } from './connection.js';
import { ensureTenant } from './database.js';

let database: TestDatabase;
let source: DataSource;

beforeAll(async () => {
  database = await freshDatabase();
  const owner = { url: database.address.url, role: 'placet_owner' };
  source = new DataSource({
    type: 'postgres',
    url: owner.url,
    schema: 'placet',
    migrations,
    migrationsTableName: 'migration',
    extra: { ...clientConfig(owner, 'test'), max: 1 },
  });
  await source.initialize();
});

afterAll(async () => {
  await source.destroy();
  await database.close();
});

/** Everything in the schema that a migration makes, by its definition. */
async function schema(): Promise<string[]> {
  const rows = await source.query<{ it: string }[]>(`
    select pg_get_functiondef(oid) as it from pg_proc where pronamespace = 'placet'::regnamespace
    union all
    select relname || ' ' || relkind::text || ' ' || coalesce(obj_description(oid, 'pg_class'), '') from pg_class
      where relnamespace = 'placet'::regnamespace
    union all
    select attrelid::regclass || '.' || attname || ' ' || atttypid::regtype || ' ' || attnotnull from pg_attribute
      join pg_class c on c.oid = attrelid where c.relnamespace = 'placet'::regnamespace and attnum > 0 and not attisdropped`);
  return rows.map(({ it }) => it).sort();
}

describe('the migrations', () => {
  it('lead back, each to exactly what was before it, and forth again', async () => {
    const states = [await schema()];
    for (let done = 0; done < migrations.length; done++) {
      await source.undoLastMigration();
      states.push(await schema());
    }
    expect(states.at(-1)!.filter((it) => !/\bmigration|PK_/.test(it))).toEqual([]);
    for (const state of states.reverse()) {
      expect(await schema()).toEqual(state);
      await runNext();
    }
  });
});

describe('the roles of keys', () => {
  const rights = async () =>
    (await superuser.query<{ rights: object }>('select rights from placet.credential order by id')).rows.map(
      (row) => row.rights,
    );
  let superuser: Awaited<ReturnType<TestDatabase['connect']>>;

  it('take the place of the one role that there was, in every tenant', async () => {
    superuser = await database.connect('superuser');
    const last = migrations.findIndex(({ name }) => name.startsWith('RolesOfKeys'));
    for (let done = migrations.length; done > last; done--) await source.undoLastMigration();
    const tenant = await ensureTenant(database.address, 'old');
    const add = async (id: string, kind: string, text: object) => {
      await superuser.query('begin');
      const [{ new_revision: revision }] = (
        await superuser.query<{ new_revision: number }>('select new_revision from placet.bump($1, $2, false)', [
          tenant,
          [],
        ])
      ).rows as [{ new_revision: number }];
      await superuser.query(
        `insert into placet.credential (tenant, id, principal_kind, principal, environment, rights, created_by, revision)
         values ($1, $2, $3, 'p', 'test', $4, 'test', $5)`,
        [tenant, id, kind, JSON.stringify(text), revision],
      );
      await superuser.query('commit');
    };
    const before = [{ role: 'owner' }, { role: 'reader' }, { subjects: ['user:*'] }];
    await add('a', 'administrator', before[0]!);
    await add('b', 'administrator', before[1]!);
    await add('c', 'host', before[2]!);
    await runNext();
    expect(await rights()).toEqual([{ roles: ['owner'] }, { roles: ['auditor'] }, { subjects: ['user:*'] }]);
    await source.undoLastMigration();
    expect(await rights()).toEqual(before);
    for (let done = last; done < migrations.length; done++) await runNext();
  });
});

/** Runs the next migration that has not been run. */
async function runNext(): Promise<void> {
  const done = await source.query<unknown[]>('select from placet.migration');
  const next = migrations[done.length];
  if (!next) return;
  const migration = new next();
  const runner = source.createQueryRunner();
  await migration.up(runner);
  await runner.query('insert into placet.migration (timestamp, name) values ($1, $2)', [
    Number(/\d{13}$/.exec(migration.name)![0]),
    migration.name,
  ]);
  await runner.release();
}
