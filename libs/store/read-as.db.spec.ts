import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { commitChange, type Operation, type RightsProof } from './change.js';
import { PrincipalFallenError } from './store.js';
import { loadCredential } from './tenant-state.js';

let database: TestDatabase;
let number = 0;
let id: string;
let proof: RightsProof;

beforeAll(async () => {
  database = await freshDatabase();
});

afterAll(async () => {
  await database.close();
});

const change = (keys: RightsProof['keys'], operation: Operation) =>
  commitChange(database.store, { tenant: database.tenant, principal: 'system:test', keys, operations: [operation] });

beforeEach(async () => {
  id = `key${++number}`;
  await change([], {
    op: 'create_credential',
    id,
    principalKind: 'administrator',
    principal: 'ann',
    environment: 'test',
    rights: { roles: ['auditor'] },
    expiresAt: null,
    mac: '00',
  });
  const { numbers } = await loadCredential(database.store, database.tenant, id);
  proof = { epoch: numbers.epoch, keys: ['administration', `credential:${id}`] };
});

const disable = () => change([`credential:${id}`], { op: 'disable_credential', id });
const changeRoles = () =>
  change(['administration'], {
    op: 'put_document',
    kind: 'AdministratorRole',
    name: 'r',
    body: { kind: 'AdministratorRole', name: 'r' },
  });

const read = (principal = `key:${id}`, work = () => Promise.resolve('read')) =>
  database.store.readAs(database.tenant, { principal, proof }, work);

/** Why a read was refused. */
const fallen = async (reading: Promise<unknown>) => {
  const error: unknown = await reading.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(PrincipalFallenError);
  return (error as PrincipalFallenError).outcome;
};

describe('a read in the name of somebody', () => {
  it('is made while the rights are what they were', async () => {
    expect(await read()).toBe('read');
    await change(['host:other'], { op: 'delete_document', kind: 'Host', name: 'other' });
    expect(await read()).toBe('read');
  });

  it('is refused once the key is disabled, the roles have changed, or nobody knows who it is', async () => {
    expect(await fallen(read('key:nobody'))).toBe('principal');
    expect(await fallen(read('nothing'))).toBe('principal');
    await changeRoles();
    expect(await fallen(read())).toBe('rights');
    await disable();
    expect(await fallen(read())).toBe('principal');
  });

  it('waits for a change that is under way, and sees it', async () => {
    const other = await database.connect('superuser');
    await other.query('begin');
    const operations = JSON.stringify([{ op: 'disable_credential', id }]);
    await other.query(`select placet.commit_change($1, 'system:test', null, null, false, $2, true, $3, null)`, [
      database.tenant,
      [`credential:${id}`],
      operations,
    ]);
    let isDone = false;
    const reading = fallen(read()).finally(() => (isDone = true));
    await sleep(150);
    expect(isDone).toBe(false);
    await other.query('commit');
    expect(await reading).toBe('principal');
  });

  it('holds up no change, however long it takes', async () => {
    const outcome = await read(undefined, async () => {
      await disable();
      return 'read to the end';
    });
    expect(outcome).toBe('read to the end');
    expect(await fallen(read())).toBe('principal');
  });
});
