import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { commitChange, type Operation } from './change.js';
import { ensureTenant } from './database.js';
import { SessionStore } from './session-store.js';
import { Sweep } from './sweep.js';
import { loadCredential, loadTenant } from './tenant-state.js';

let database: TestDatabase;
let superuser: pg.Client;
let other: string;
const failures: unknown[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  superuser = await database.connect('superuser');
  other = await ensureTenant(database.address, 'other');
  await commitChange(database.store, change([{ op: 'put_document', kind: 'Host', name: 'h', body: HOST }]));
  for (const tenant of [database.tenant, other]) {
    await superuser.query(
      `insert into placet.person (tenant, id, issuer, claims) values ($1, 'user:i/ann', 'i', '{}')`,
      [tenant],
    );
  }
});

afterAll(async () => {
  await database.close();
  expect(failures).toEqual([]);
});

beforeEach(async () => {
  await superuser.query('delete from placet.session');
});

const HOST = { kind: 'Host', name: 'h' } as const;

const change = (operations: readonly Operation[]) => ({
  tenant: database.tenant,
  principal: 'system:test',
  keys: ['*'] as const,
  operations,
});

const sweep = (batch?: number) =>
  new Sweep(database.store, { onError: (error) => failures.push(error), ...(batch === undefined ? {} : { batch }) });

/** A session that is live for so long, or has been over since; with what its identity provider wants back. */
async function session(id: string, { live = '1 hour', ended = null as string | null, tenant = database.tenant } = {}) {
  await superuser.query(
    `insert into placet.session (tenant, id, mac, person, issuer, upstream_session, sealed_hint, idle_ends_at, ends_at, ended_at)
     values ($1::uuid, $2, sha256(convert_to($1::text || $2, 'UTF8')), 'user:i/ann', 'i', 'sid', 'sealed', now() + $3::interval, now() + interval '90 days',
       now() - $4::interval)`,
    [tenant, id, live, ended],
  );
}

const sessions = async () =>
  (
    await superuser.query<{ id: string; over: boolean; hint: string | null }>(
      `select id, ended_at is not null as over, convert_from(sealed_hint, 'UTF8') as hint from placet.session order by id`,
    )
  ).rows.map(({ id, over, hint }) => `${id}${over ? ' over' : ''}${hint === null ? '' : ` ${hint}`}`);

describe('a session that is over', () => {
  it('keeps no ID token, however it ended', async () => {
    const store = new SessionStore(database.store);
    for (const id of ['out', 'ended', 'live']) await session(id);
    expect(await store.end(database.tenant, 'out', 'user:i/ann')).toBe(true);
    await commitChange(database.store, change([{ op: 'end_sessions', session: 'ended' }]));
    await session('at-once', { ended: '0' });
    expect(await sessions()).toEqual(['at-once over', 'ended over', 'live sealed', 'out over']);
    const { rows } = await superuser.query('select from placet.session where upstream_session is not null');
    expect(rows).toHaveLength(1);
  });

  it('is found to be so where nobody ended it, and is gone 30 days later', async () => {
    await session('live');
    await session('idle', { live: '-1 minute' });
    await session('idle-long', { live: '-31 days' });
    await session('ended', { ended: '29 days' });
    await session('ended-long', { ended: '31 days' });
    await session('of-another', { ended: '31 days', tenant: other });
    await sweep().run();
    expect(await sessions()).toEqual(['ended over', 'idle over', 'live sealed']);
  });

  it('is no session when it is gone', async () => {
    await session('gone', { ended: '31 days' });
    await sweep().run();
    const store = new SessionStore(database.store);
    const mac = (
      await superuser.query<{ mac: Buffer }>(`select sha256(convert_to($1::text || 'gone', 'UTF8')) as mac`, [
        database.tenant,
      ])
    ).rows[0]!.mac;
    expect(await store.tenantOf(mac)).toBeUndefined();
    expect(await store.find(database.tenant, { id: 'gone' })).toBeUndefined();
    await store.touch(database.tenant, 'gone', 60_000);
    const proof = { epoch: (await loadTenant(database.store, database.tenant, 0))!.epoch, keys: [] };
    const outcome = await commitChange(database.store, { ...change([]), principal: 'session:gone', proof });
    expect(outcome).toEqual({ outcome: 'principal' });
    expect(await sessions()).toEqual([]);
  });
});

describe('a sweep', () => {
  it('deletes of each other thing what is over, and not before', async () => {
    const create: Operation = {
      op: 'create_credential',
      id: 'k',
      principalKind: 'host',
      principal: 'h',
      environment: 'test',
      rights: {},
      expiresAt: null,
      mac: '01',
    };
    await commitChange(database.store, change([create]));
    for (const mac of ['02', '03']) {
      const oldExpiresAt = new Date(Date.now() - 3 * 86_400_000).toISOString();
      await commitChange(database.store, change([{ op: 'rotate_credential', id: 'k', mac, oldExpiresAt }]));
    }
    const ends: readonly [string, string][] = [
      ['long', '25 hours'],
      ['lately', '50 minutes'],
      ['never', '-1 day'],
    ];
    const deny = (name: string): Operation => ({ op: 'deny', key: `token:${name}`, expiresAt: '2999-01-01T00:00:00Z' });
    await commitChange(database.store, change(ends.map(([name]) => deny(name))));
    for (const [name, ago] of ends) {
      const values = [database.tenant, name, ago];
      await superuser.query(`alter table placet.denial disable trigger require_bump_on_update`);
      await superuser.query(
        `update placet.denial set expires_at = now() - $3::interval where tenant = $1 and key = 'token:' || $2`,
        values,
      );
      await superuser.query(`alter table placet.denial enable trigger require_bump_on_update`);
      await superuser.query(
        `insert into placet.used_once values ($1, convert_to($2, 'UTF8'), now() - $3::interval)`,
        values,
      );
      await superuser.query(
        `insert into placet.oauth_state (tenant, model, id, sealed, expires_at) values ($1, 'DeviceCode', $2, '', now() - $3::interval)`,
        values,
      );
      await superuser.query(
        `insert into placet.signing_key (tenant, id, algorithm, public_jwk, sealed, retires_at)
         values ($1, $2, 'RS256', '{}', '', now() - $3::interval)`,
        values,
      );
    }
    await sweep().run();
    const left = async (table: string, column: string) =>
      (await superuser.query<{ it: string }>(`select ${column} as it from placet.${table} order by 1`)).rows.map(
        ({ it }) => it,
      );
    const kept = ['lately', 'never'];
    expect(await left('denial', 'key')).toEqual(kept.map((name) => `token:${name}`));
    expect(await left('used_once', `convert_from(mac, 'UTF8')`)).toEqual(kept);
    expect(await left('oauth_state', 'id')).toEqual(kept);
    expect(await left('signing_key', 'id')).toEqual(kept);
    expect(await left('credential_secret', 'number::text')).toEqual(['3']);
    const { credential } = await loadCredential(database.store, database.tenant, 'k');
    expect(credential!.secrets.map(({ mac }) => mac.toString('hex'))).toEqual(['03']);
  });

  it('deletes tests of sign-ins once their time is up', async () => {
    for (const [id, ago] of [
      ['over', '1 second'],
      ['live', '-1 minute'],
    ])
      await superuser.query(
        `insert into placet.sign_in_test (tenant, id, issuer, begun_by, expires_at) values ($1, $2, 'i', 'key:k', now() - $3::interval)`,
        [database.tenant, id, ago],
      );
    await sweep().run();
    const { rows } = await superuser.query('select id from placet.sign_in_test');
    expect(rows).toEqual([{ id: 'live' }]);
  });

  it('never deletes the newest secret of a credential, though it has expired', async () => {
    await superuser.query(`alter table placet.credential_secret disable trigger require_bump_on_update`);
    await superuser.query(`update placet.credential_secret set expires_at = now() - interval '1 year'`);
    await superuser.query(`alter table placet.credential_secret enable trigger require_bump_on_update`);
    await sweep().run();
    const { rows } = await superuser.query('select number from placet.credential_secret');
    expect(rows).toEqual([{ number: 3 }]);
  });

  it('is the only way for what still counts: nothing that is not over goes without a new revision', async () => {
    const client = await database.connect();
    await client.query('begin');
    await client.query(`select set_config('placet.tenant', $1, true)`, [database.tenant]);
    await expect(client.query(`delete from placet.denial where key = 'token:never'`)).rejects.toThrow('new revision');
    await client.query('rollback');
  });

  it('goes on until nothing is left, a few rows at a time', async () => {
    for (let each = 0; each < 25; each++) await session(`s${each}`, { ended: '31 days' });
    await sweep(10).run();
    expect(await sessions()).toEqual([]);
  });

  it('leaves what somebody else is writing, and waits for nobody', async () => {
    for (const id of ['held', 'free']) await session(id, { live: '-1 minute' });
    for (const id of ['long-held', 'long-free']) await session(id, { ended: '31 days' });
    const writer = await database.connect('superuser');
    await writer.query('begin');
    await writer.query(`select from placet.session where id like '%held' for update`);
    await sweep().run();
    expect(await sessions()).toEqual(['free over', 'held sealed', 'long-held over']);
    await writer.query('rollback');
    await sweep().run();
    expect(await sessions()).toEqual(['free over', 'held over']);
  });

  it('is made by one replica at a time: the others go home at once', async () => {
    await session('old', { ended: '31 days' });
    const holder = await database.connect();
    await holder.query('select pg_advisory_lock(7062733918232)');
    await sweep().run();
    expect(await sessions()).toEqual(['old over']);
    await holder.end();
    await Promise.all([sweep().run(), sweep().run()]);
    expect(await sessions()).toEqual([]);
  });

  it('comes again and again until it is closed, and says what went wrong', async () => {
    const told: unknown[] = [];
    const often = new Sweep(database.store, { onError: (error) => told.push(error), everyMs: 20 });
    often.start();
    await session('old', { ended: '31 days' });
    await expect.poll(sessions).toEqual([]);
    await database.cutOff(true);
    await expect.poll(() => told.length).toBeGreaterThan(0);
    await database.cutOff(false);
    superuser = await database.connect('superuser');
    await session('later', { ended: '31 days' });
    await expect.poll(sessions).toEqual([]);
    await often.close();
    await session('last', { ended: '31 days' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await sessions()).toEqual(['last over']);
  });
});
