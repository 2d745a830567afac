import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { commitChange } from './change.js';
import { DirectoryStore, type DirectoryTurn } from './directory-store.js';
import { SessionStore, type SignedIn } from './session-store.js';

const ANN = 'user:corp/ann';
let database: TestDatabase;
let people: DirectoryStore;
let superuser: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  people = new DirectoryStore(database.store);
  superuser = await database.connect('superuser');
});
afterAll(() => database.close());

beforeEach(async () => {
  // Of a case that failed within a transaction: it would stand in the way of all others.
  await superuser.query('rollback');
  await superuser.query('delete from placet.session');
  await superuser.query('delete from placet.person');
  await superuser.query('delete from placet.directory_reading');
});

/** Begins a reading, whenever the last one was begun. */
async function begin(): Promise<DirectoryTurn> {
  await sleep(2);
  return { issuer: 'corp', begun: (await people.begin(database.tenant, 'corp', 0))! };
}

const sql = async <T extends object>(text: string) => (await superuser.query<T>(text)).rows;
const claims = async () => (await sql<{ claims: object }>('select claims from placet.person'))[0]?.claims;
const groupsOf = (...groups: readonly string[]) => ({ claims: { groups }, name: null, email: null });

const signIn = (readAt: number, ...groups: readonly string[]) => signInBy('directory', readAt, ...groups);

function signInBy(how: 'directory' | 'provider', readAt: number, ...groups: readonly string[]) {
  const person: SignedIn['person'] = {
    id: ANN,
    issuer: 'corp',
    ...groupsOf(...groups),
    denial: 'subject:corp/ann',
    askedAt: readAt,
    ofDirectory: how === 'directory',
  };
  const id = `s${readAt}${Math.random()}`;
  return new SessionStore(database.store).begin({
    tenant: database.tenant,
    person,
    session: {
      id,
      mac: Buffer.from(id).toString('hex'),
      upstreamSession: null,
      acr: null,
      amr: [],
      authenticatedAt: null,
      sealedHint: null,
      idleMs: 60_000,
      absoluteMs: 60_000,
      begunAt: readAt,
      replaces: null,
      stepUp: false,
      address: null,
      userAgent: null,
    },
    about: {},
  });
}

/** A moment after what was begun before. */
async function moment(): Promise<number> {
  await sleep(2);
  return people.now();
}

const change = (reading: DirectoryTurn) =>
  commitChange(database.store, {
    tenant: database.tenant,
    principal: 'system:directory',
    keys: [`subject:${ANN}`],
    operations: [{ op: 'delete_document', kind: 'Suspension', name: `Subject:${ANN}` }],
    reading,
  });

it('a change that rests on a reading is made while no other one has begun, and not afterwards', async () => {
  const reading = await begin();
  expect(await change(reading)).toMatchObject({ outcome: 'committed' });
  expect(await people.isLast(database.tenant, reading)).toBe(true);
  await begin();
  expect(await change(reading)).toEqual({ outcome: 'moved' });
  expect(await people.isLast(database.tenant, reading)).toBe(false);
});

it.each<[string, (reading: DirectoryTurn) => Promise<unknown>]>([
  ['given up', ({ issuer, begun }) => people.giveUp(database.tenant, issuer, begun)],
  ['of another directory', async () => superuser.query(`update placet.directory_reading set issuer = 'other'`)],
])('no change rests on a reading that was %s', async (_what, end) => {
  const reading = await begin();
  await end(reading);
  expect(await change(reading)).toEqual({ outcome: 'moved' });
});

it('a reading begins only when a change is through that rests on the one before', async () => {
  const reading = await begin();
  await superuser.query('begin');
  await superuser.query('select from placet.tenant_state where tenant = $1 for update', [database.tenant]);
  const order: string[] = [];
  const changed = change(reading).then(({ outcome }) => order.push(outcome));
  await sleep(200);
  const begun = people.begin(database.tenant, 'corp', 0).then(() => order.push('begun'));
  await sleep(200);
  expect(order).toEqual([]);
  await superuser.query('commit');
  await Promise.all([changed, begun]);
  expect(order.sort()).toEqual(['begun', 'committed']);
});

it('what an older reading has to say of people is not kept', async () => {
  const old = await begin();
  expect(await signIn(await moment(), 'staff', 'admins')).toBe('signed_in');
  const reading = await begin();
  expect(await people.said(database.tenant, reading, [{ id: ANN, ...groupsOf('staff') }])).toBe(true);
  expect(await people.said(database.tenant, old, [{ id: ANN, ...groupsOf('staff', 'admins') }])).toBe(false);
  expect(await claims()).toEqual({ groups: ['staff'] });
  // Nor of somebody of whom the newer one says nothing.
  await superuser.query(`update placet.person set read_at = '-infinity'`);
  expect(await people.said(database.tenant, old, [{ id: ANN, ...groupsOf('admins') }])).toBe(false);
  expect(await claims()).toEqual({ groups: ['staff'] });
});

it('a reading takes nothing back that somebody has shown at a sign-in since', async () => {
  const reading = await begin();
  expect(await signIn(await moment(), 'staff')).toBe('signed_in');
  await people.said(database.tenant, reading, [{ id: ANN, ...groupsOf('admins') }]);
  expect(await claims()).toEqual({ groups: ['staff'] });
});

it('nobody signs in by what was asked before a reading that may be through with its people', async () => {
  await begin();
  const askedAt = await moment();
  const reading = await begin();
  expect(await signIn(askedAt, 'admins')).toBe('overtaken');
  await people.finish(database.tenant, reading.issuer, reading.begun);
  expect(await signIn(askedAt, 'admins')).toBe('overtaken');
  expect(await claims()).toBeUndefined();
  expect(await signIn(await moment(), 'staff')).toBe('signed_in');
  expect(await claims()).toEqual({ groups: ['staff'] });
});

it('nobody signs in by a directory that was never read', async () => {
  expect(await signIn(await moment(), 'admins')).toBe('overtaken');
});

it('nobody signs in by what was asked before something that is known of them', async () => {
  await begin();
  const askedAt = await moment();
  expect(await signIn(await moment(), 'staff')).toBe('signed_in');
  expect(await signIn(askedAt, 'admins')).toBe('overtaken');
  expect(await claims()).toEqual({ groups: ['staff'] });
});

it('two who ask at the same time: what the first has written down the second does not take back', async () => {
  await begin();
  const [one, other] = [await moment(), await moment()];
  expect(await signIn(one, 'staff')).toBe('signed_in');
  expect(await signIn(other, 'admins')).toBe('overtaken');
  expect(await claims()).toEqual({ groups: ['staff'] });
});

it('what a provider was asked for is held against what is known since, and who does not say when was first', async () => {
  const askedAt = await moment();
  const unknown = null as unknown as number;
  expect(await signInBy('provider', unknown, 'staff')).toBe('signed_in');
  expect(await signInBy('provider', askedAt, 'admins')).toBe('overtaken');
  expect(await signInBy('provider', unknown, 'admins')).toBe('overtaken');
  // The same makes nothing newer than it was.
  const between = await moment();
  expect(await signInBy('provider', askedAt, 'staff')).toBe('signed_in');
  expect(await signInBy('provider', between, 'admins')).toBe('signed_in');
  expect(await claims()).toEqual({ groups: ['admins'] });
});

it('a reading begins only when a sign-in is through that it would not see', async () => {
  await begin();
  await superuser.query('begin');
  await superuser.query('select from placet.tenant_state where tenant = $1 for update', [database.tenant]);
  const order: string[] = [];
  const signedIn = signIn(await moment(), 'staff').then((outcome) => order.push(outcome));
  await sleep(200);
  const begun = people.begin(database.tenant, 'corp', 0).then(() => order.push('begun'));
  await sleep(200);
  expect(order).toEqual([]);
  await superuser.query('commit');
  await Promise.all([signedIn, begun]);
  expect(order.sort()).toEqual(['begun', 'signed_in']);
});
