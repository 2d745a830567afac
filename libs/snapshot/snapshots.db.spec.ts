import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commitChange, ensureTenant } from '#store';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { HighestEpochs } from './highest-epochs.js';
import { Snapshots } from './snapshots.js';

let database: TestDatabase;
let snapshots: Snapshots;
let guest: string;
let told: string[];

const IDLE_MS = 200;

beforeAll(async () => {
  database = await freshDatabase();
  guest = await ensureTenant(database.address, 'guest');
});

afterAll(async () => {
  await snapshots.close();
  await database.close();
});

beforeEach(async () => {
  await snapshots?.close();
  told = [];
  snapshots = new Snapshots(database.store, undefined, { idleMs: IDLE_MS, home: database.tenant });
  snapshots.onForget((tenant, why) => told.push(`${tenant} ${why}`));
});

const change = (keys: readonly '*'[] = ['*']) =>
  commitChange(database.store, { tenant: guest, principal: 'system:test', keys, operations: [] });

describe('a snapshot', () => {
  it('that nobody has used for long is given up, and loaded again when it is asked for', async () => {
    const before = await snapshots.of(guest);
    snapshots.sweep();
    expect(snapshots.held(guest)).toBe(before);
    await sleep(IDLE_MS + 50);
    snapshots.sweep();
    expect(snapshots.held(guest)).toBeUndefined();
    expect(snapshots.watched()).toEqual([]);
    expect(told).toEqual([`${guest} idle`]);
    await change();
    const after = await snapshots.of(guest);
    expect(after.revision).toBe(before.revision + 1);
  });

  it('of the home tenant stays', async () => {
    await snapshots.of(database.tenant);
    await sleep(IDLE_MS + 50);
    snapshots.sweep();
    expect(snapshots.held(database.tenant)).toBeDefined();
  });

  it('stays while it is held, by any of several, and for a while after', async () => {
    const holds = [snapshots.hold(guest), snapshots.hold(guest)];
    await snapshots.of(guest);
    for (const release of holds) {
      await sleep(IDLE_MS + 50);
      snapshots.sweep();
      expect(snapshots.held(guest)).toBeDefined();
      release();
      release();
    }
    snapshots.sweep();
    expect(snapshots.held(guest)).toBeDefined();
    await sleep(IDLE_MS + 50);
    snapshots.sweep();
    expect(snapshots.held(guest)).toBeUndefined();
  });

  it('is not kept by changes that nobody asks about, and does not come back by them', async () => {
    await snapshots.start();
    await snapshots.of(guest);
    await change();
    await expect.poll(() => snapshots.held(guest), { timeout: 3000 }).toBeUndefined();
    await change();
    await sleep(1200);
    expect(snapshots.held(guest)).toBeUndefined();
  });

  it('of a database that has lost changes is refused, also after the tenant was given up', async () => {
    await change();
    await snapshots.of(guest);
    await sleep(IDLE_MS + 50);
    snapshots.sweep();
    const superuser = await database.connect('superuser');
    await superuser.query('update placet.tenant_state set epoch = epoch - 1 where tenant = $1', [guest]);
    await expect(snapshots.of(guest)).rejects.toMatchObject({ code: 'state_regressed' });
    await superuser.query('update placet.tenant_state set epoch = epoch + 1 where tenant = $1', [guest]);
    await expect(snapshots.of(guest)).resolves.toBeDefined();
  });

  it('of a tenant that is not there is none', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000';
    await expect(snapshots.of(nobody)).rejects.toMatchObject({ code: 'tenant_unknown' });
    expect(told).toEqual([`${nobody} gone`]);
  });
});

describe('the highest epochs', () => {
  it('are those of the tenants that were seen last', () => {
    const highest = new HighestEpochs(2);
    for (const tenant of ['a', 'b', 'a', 'c']) highest.see(tenant, 7);
    expect(['a', 'b', 'c'].map((tenant) => highest.of(tenant))).toEqual([7, 0, 7]);
  });
});

describe('denials', () => {
  const deny = (key: string, expiresIn: number) =>
    commitChange(database.store, {
      tenant: guest,
      principal: 'system:test',
      keys: [],
      operations: [{ op: 'deny', key, expiresAt: new Date(Date.now() + expiresIn).toISOString() }],
    });

  it('are there after a cold load until they are over, and then go from the database as well', async () => {
    await deny('token:over', -120_000);
    await deny('token:good', 60_000);
    const snapshot = await snapshots.of(guest);
    expect(['token:over', 'token:good'].map((key) => snapshot.denies([key], 1))).toEqual([false, true]);
    const superuser = await database.connect('superuser');
    const { rows } = await superuser.query('select key from placet.denial where tenant = $1 order by key', [guest]);
    expect(rows).toEqual([{ key: 'token:good' }]);
  });
});
