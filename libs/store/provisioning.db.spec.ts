import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IssuerDocument } from '#policy';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { commitChange, type Change, type Operation } from './change.js';
import { ProvisioningReader } from './provisioning-reader.js';
import { Sweep } from './sweep.js';
import { loadTenant } from './tenant-state.js';

let database: TestDatabase;
let superuser: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  superuser = await database.connect('superuser');
  await save({ scim: true, identity: 'externalId' });
  await make(CREDENTIAL);
});

const CREDENTIAL = {
  op: 'create_credential',
  credentialKind: 'scim',
  id: 'token',
  principalKind: 'connector',
  principal: 'entra',
  issuer: 'entra',
  environment: 'test',
  rights: {},
  expiresAt: null,
  mac: '00',
} as const;

afterAll(() => database.close());

const make = (operation: Operation, principal = 'system:test', over: Partial<Change> = {}) =>
  commitChange(database.store, {
    tenant: database.tenant,
    principal,
    keys: ['*'],
    operations: [operation],
    ...over,
  });

/** What a connector planned with, which nothing has changed since. */
const PLANNED = { proof: { epoch: Number.MAX_SAFE_INTEGER, keys: [] } };

const save = (provisioning: object | undefined) =>
  make({
    op: 'put_document',
    kind: 'Issuer',
    name: 'entra',
    body: { kind: 'Issuer', name: 'entra', issuer: 'https://x', provisioning } as unknown as IssuerDocument,
  });

const put = (id: string, over: object = {}, expectedVersion = 0): Operation => ({
  op: 'put_scim_user',
  id,
  issuer: 'entra',
  expectedVersion,
  identityBy: 'externalId',
  active: true,
  body: { externalId: `x-${id}`, userName: id, attributes: {} },
  ...over,
});

const people = async () =>
  Object.fromEntries(
    ((await loadTenant(database.store, database.tenant, 0))?.people ?? []).map(({ identity, active, groups }) => [
      identity,
      { active, groups },
    ]),
  );

describe('a provisioned user', () => {
  it('is written on the state that was planned on, or not at all', async () => {
    expect(await make(put('a'))).toMatchObject({ outcome: 'committed' });
    expect(await make(put('a'))).toMatchObject({ outcome: 'version' });
    expect(await make(put('a', {}, 2))).toMatchObject({ outcome: 'version' });
    expect(await make(put('b', { body: { externalId: 'other', userName: 'A', attributes: {} } }))).toMatchObject({
      outcome: 'taken',
    });
    expect(await make(put('b', { body: { externalId: 'x-a', userName: 'b', attributes: {} } }))).toMatchObject({
      outcome: 'taken',
    });
    expect(await make(put('b', { identityBy: 'userName' }))).toMatchObject({ outcome: 'version' });
    await save(undefined);
    expect(await make(put('b'))).toMatchObject({ outcome: 'version' });
    await save({ scim: true, identity: 'userName' });
    const same = { identityBy: 'userName', body: { externalId: 'x-a', userName: 'b', attributes: {} } };
    expect(await make(put('b', same))).toMatchObject({ outcome: 'taken' });
    await save({ scim: true, identity: 'externalId' });
  });

  it('is kept out by what was theirs, and let in again by it', async () => {
    await make(put('c'));
    await make(put('c', { body: { externalId: 'x-c2', userName: 'c', attributes: {} } }, 1));
    expect(await people()).toMatchObject({ 'x-c': { active: false }, 'x-c2': { active: true } });
    await make({ op: 'delete_scim_user', id: 'c', issuer: 'entra', expectedVersion: 2 });
    expect(await people()).toMatchObject({ 'x-c': { active: false }, 'x-c2': { active: false } });
    await make(put('d', { body: { externalId: 'x-c', userName: 'd', attributes: {} } }));
    expect(await people()).toMatchObject({ 'x-c': { active: true }, 'x-c2': { active: false } });
  });

  it('is who the document says, from its change on', async () => {
    await make(put('e'));
    await save({ scim: true, identity: 'userName' });
    expect(await people()).toMatchObject({ e: { active: true } });
    await save({ scim: true, identity: 'externalId' });
    expect(await people()).toMatchObject({ 'x-e': { active: true } });
  });

  it('is who the document says, also where one comes to be called what another one was', async () => {
    const crossed = (id: string, externalId: string, userName: string) =>
      make(put(id, { body: { externalId, userName, attributes: {} } }));
    await crossed('one', 'p', 'q');
    await crossed('two', 'q', 'r');
    await crossed('three', 'r', 'p');
    expect(await save({ scim: true, identity: 'userName' })).toMatchObject({ outcome: 'committed' });
    const reader = new ProvisioningReader(database.store);
    const identityOf = async (id: string) => (await reader.user(database.tenant, 'entra', id))?.identity;
    expect([await identityOf('one'), await identityOf('two'), await identityOf('three')]).toEqual(['q', 'r', 'p']);
    await save({ scim: true, identity: 'externalId' });
    expect([await identityOf('one'), await identityOf('two'), await identityOf('three')]).toEqual(['p', 'q', 'r']);
    for (const id of ['one', 'two', 'three'])
      await make({ op: 'delete_scim_user', id, issuer: 'entra', expectedVersion: 1 });
  });

  it('and a group are another connector’s, and no change by the name of one concerns those of the other', async () => {
    const issuer = 'okta';
    const document = { kind: 'Issuer', name: issuer, issuer: 'https://y', provisioning: { scim: true } };
    await make({ op: 'put_document', kind: 'Issuer', name: issuer, body: document as unknown as IssuerDocument });
    await make(put('theirs'));
    const group = { op: 'put_scim_group', remove: [], add: [], body: { externalId: 'g', displayName: 'G' } } as const;
    await make({ ...group, id: 'group', issuer: 'entra', expectedVersion: 0, add: ['theirs'] });
    const refused = [
      put('theirs', { issuer }, 1),
      { op: 'delete_scim_user', id: 'theirs', issuer, expectedVersion: 1 },
      { ...group, id: 'group', issuer, expectedVersion: 1 },
      { ...group, id: 'mine', issuer, expectedVersion: 0, add: ['theirs'] },
      { op: 'delete_scim_group', id: 'group', issuer, expectedVersion: 1 },
    ] as const;
    for (const operation of refused) expect(await make(operation)).toMatchObject({ outcome: 'version' });
    // The same names are somebody else's there.
    expect(
      await make(put('mine', { issuer, body: { externalId: 'x-theirs', userName: 'theirs', attributes: {} } })),
    ).toMatchObject({ outcome: 'committed' });
    expect(await make({ ...group, id: 'mine', issuer, expectedVersion: 0, add: ['mine'] })).toMatchObject({
      outcome: 'committed',
    });
    expect(await make({ ...group, id: 'other', issuer, expectedVersion: 0 })).toMatchObject({ outcome: 'taken' });
    const reader = new ProvisioningReader(database.store);
    expect(await reader.user(database.tenant, 'entra', 'theirs')).toMatchObject({ active: true, version: 1 });
    expect(await reader.user(database.tenant, issuer, 'theirs')).toBeUndefined();
    expect(await reader.group(database.tenant, issuer, 'group')).toBeUndefined();
    expect(await reader.members(database.tenant, 'group')).toMatchObject([{ id: 'theirs' }]);
    expect(await reader.identities(database.tenant, issuer, 'group', ['theirs', 'mine'])).toMatchObject([
      { id: 'mine', isMember: false },
    ]);
    expect(await reader.identities(database.tenant, issuer, 'group', null)).toEqual([]);
    const identityThere = async () => (await reader.user(database.tenant, issuer, 'mine'))?.identity;
    await save({ scim: true, identity: 'userName' });
    expect(await identityThere()).toBe('x-theirs');
    await save({ scim: true, identity: 'externalId' });
    expect(await identityThere()).toBe('x-theirs');
    // Who is taken away there stays here.
    await make({ op: 'delete_scim_user', id: 'mine', issuer, expectedVersion: 1 });
    const kept = ((await loadTenant(database.store, database.tenant, 0))?.people ?? []).filter(
      ({ identity }) => identity === 'x-theirs',
    );
    expect(kept.map(({ issuer: of, active }) => [of, active]).sort()).toEqual([
      ['entra', true],
      ['okta', false],
    ]);
    await make({ op: 'delete_scim_group', id: 'group', issuer: 'entra', expectedVersion: 1 });
    await make({ op: 'delete_scim_user', id: 'theirs', issuer: 'entra', expectedVersion: 1 });
    // Nor does anybody who comes again there come again here.
    await make(put('again', { body: { externalId: 'x-theirs', userName: 'again', attributes: {} } }));
    const { rows } = await superuser.query<{ issuer: string; active: boolean }>(
      `select issuer, active from placet.scim_user where identity = 'x-theirs' order by issuer`,
    );
    expect(rows).toEqual([
      { issuer: 'entra', active: true },
      { issuer: 'okta', active: false },
    ]);
    await make({ op: 'delete_scim_user', id: 'again', issuer: 'entra', expectedVersion: 1 });
  });

  it('who leaves one group stays in the others', async () => {
    await make(put('j'));
    const group = { op: 'put_scim_group', issuer: 'entra', remove: [], add: ['j'] } as const;
    for (const id of ['j1', 'j2'])
      await make({ ...group, id, expectedVersion: 0, body: { externalId: id, displayName: id } });
    const body = { externalId: 'j1', displayName: 'j1' };
    await make({ ...group, id: 'j1', expectedVersion: 1, body, add: [], remove: ['j'] });
    expect(await people()).toMatchObject({ 'x-j': { groups: ['j2'] } });
    await make({ op: 'delete_scim_user', id: 'j', issuer: 'entra', expectedVersion: 1 });
  });

  it('is written by a connector only with what it planned with, and that is said', async () => {
    const { epoch } = (await make(put('planned'))) as { epoch: number };
    const keys = ['subject:user:entra/x-planned'] as const;
    const planned = (over: Partial<Change>) => make(put('planned', { active: false }, 1), 'scim:token', over);
    expect(await planned({})).toEqual({ outcome: 'rights' });
    await make({ op: 'deny', key: 'subject:entra/x', expiresAt: '2100-01-01T00:00:00Z' }, 'system:test', {
      keys: ['subject:user:cara', keys[0]],
    });
    expect(await planned({ proof: { epoch, keys } })).toEqual({ outcome: 'rights' });
    expect(await planned({ proof: { epoch: epoch + 1, keys } })).toMatchObject({ outcome: 'committed' });
  });

  it('is in groups that go with them, and another version of the group is there then', async () => {
    await make(put('f'));
    const group = { op: 'put_scim_group', id: 'g', issuer: 'entra', remove: [] } as const;
    const body = { externalId: null, displayName: 'G' };
    expect(await make({ ...group, expectedVersion: 0, body, add: ['nobody'] })).toMatchObject({ outcome: 'version' });
    await make({ ...group, expectedVersion: 0, body, add: ['f'] });
    expect(await people()).toMatchObject({ 'x-f': { groups: ['G'] } });
    await make({ op: 'delete_scim_user', id: 'f', issuer: 'entra', expectedVersion: 1 });
    const reader = new ProvisioningReader(database.store);
    expect(await reader.members(database.tenant, 'g')).toEqual([]);
    expect((await reader.group(database.tenant, 'entra', 'g'))?.version).toBe(2);
  });

  it('is written by a connector only while its token is good and the document says so', async () => {
    const by = (principal: string, id: string) => make(put(id), principal, PLANNED);
    const ends = (sql: string) =>
      superuser.query(
        `alter table placet.credential disable trigger user;
         update placet.credential set expires_at = ${sql} where id = 'token';
         alter table placet.credential enable trigger user;`,
      );
    expect(await by('scim:token', 'h')).toMatchObject({ outcome: 'committed' });
    expect(await by('scim:other', 'i')).toEqual({ outcome: 'principal' });
    expect(await by('key:token', 'i')).toEqual({ outcome: 'principal' });
    // A host's key is no token of a connector.
    await make({ ...CREDENTIAL, id: 'key', credentialKind: 'api_key', principalKind: 'administrator' });
    expect(await by('scim:key', 'i')).toEqual({ outcome: 'principal' });
    await ends(`now() - interval '1 second'`);
    expect(await by('scim:token', 'i')).toEqual({ outcome: 'principal' });
    await ends('null');
    await save(undefined);
    expect(await by('scim:token', 'i')).toEqual({ outcome: 'principal' });
    await save({ scim: true, identity: 'externalId' });
    await make({ op: 'disable_credential', id: 'token' });
    expect(await by('scim:token', 'i')).toEqual({ outcome: 'principal' });
  });

  it('is not written beside a change, whoever tries', async () => {
    const client = await database.connect();
    await client.query(`select set_config('placet.tenant', $1, false)`, [database.tenant]);
    for (const statement of [
      'update placet.scim_user set active = true',
      `insert into placet.scim_group (tenant, id, issuer, display_name, version) values ('${database.tenant}', 'z', 'entra', 'z', 1)`,
      'delete from placet.scim_user where expires_at is null',
    ])
      await expect(client.query(statement), statement).rejects.toThrow('without a new revision');
  });

  it('who was taken away goes a day after nothing of theirs could be good any more, and nobody else', async () => {
    await superuser.query(
      `alter table placet.scim_user disable trigger user;
       update placet.scim_user set expires_at = now() - interval '25 hours' where identity = 'x-c2';
       update placet.scim_user set expires_at = now() - interval '23 hours' where identity = 'x-f';
       alter table placet.scim_user enable trigger user;`,
    );
    const before = Object.keys(await people());
    const errors: unknown[] = [];
    await new Sweep(database.store, { onError: (error) => errors.push(error) }).run();
    expect(errors).toEqual([]);
    expect(Object.keys(await people()).sort()).toEqual(before.filter((one) => one !== 'x-c2').sort());
  });

  it('is counted, and there are so many at most', async () => {
    const counted = async () =>
      (
        await superuser.query<{ users: number; rows: number }>(
          `select u.scim_users::int as users, (select count(*)::int from placet.scim_user s where s.tenant = u.tenant) as rows
           from placet.usage u where u.tenant = $1`,
          [database.tenant],
        )
      ).rows[0]!;
    const { users, rows } = await counted();
    expect(users).toBe(rows);
    await superuser.query('update placet.usage set scim_users = 100000 where tenant = $1', [database.tenant]);
    await expect(make(put('last'))).rejects.toMatchObject({
      code: 'quota_reached',
      message: 'the tenant may have 100000 provisioned users: take some away',
    });
    await superuser.query('update placet.usage set scim_users = $2 where tenant = $1', [database.tenant, users]);
  });
});
