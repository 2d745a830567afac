import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { reviewAccess, type AccessGrant } from './access-review.js';
import { commitChange, type Operation } from './change.js';
import { ensureTenant } from './database.js';
import { loadTenant } from './tenant-state.js';
import type { Operator } from './tenants.js';

let database: TestDatabase;
let other: string;

const put = (body: Extract<Operation, { op: 'put_document' }>['body'], name: string): Operation => ({
  op: 'put_document',
  kind: body.kind,
  name,
  body,
});

const key = (id: string): Operation => ({
  op: 'create_credential',
  id,
  principalKind: 'administrator',
  principal: id,
  environment: 'test',
  rights: { roles: ['auditor'] },
  expiresAt: null,
  mac: '00',
});

const change = (tenant: string, ...operations: Operation[]) =>
  commitChange(database.store, { tenant, principal: 'system:test', keys: ['*'], operations });

beforeAll(async () => {
  database = await freshDatabase();
  other = await ensureTenant(database.address, 'other');
  for (const [tenant, who] of [
    [database.tenant, 'mine'],
    [other, 'theirs'],
  ] as const) {
    await change(
      tenant,
      put({ kind: 'Role', name: 'r' }, 'r'),
      put({ kind: 'Binding', name: 'b', subjects: [`user:${who}`], roles: ['r'] }, 'b'),
      key(`auditor-${who}`),
    );
  }
});

afterAll(() => database.close());

async function standing(of = 'auditor-mine'): Promise<Operator> {
  const { epoch } = (await loadTenant(database.store, database.tenant, 0))!;
  return { principal: `key:${of}`, proof: { epoch, keys: ['administration', `credential:${of}`] } };
}

async function grants(by: Operator): Promise<AccessGrant[]> {
  const found: AccessGrant[] = [];
  for await (const row of reviewAccess(database.store, database.tenant, by, () => undefined))
    if ('grant' in row) found.push(row.grant);
  return found;
}

const recorded = async (): Promise<number> => {
  const rows = await database.store.read(database.tenant, (view) =>
    view.query<{ n: number }[]>(`select count(*) as n from placet.ledger_record where kind = 'export'`),
  );
  return rows[0]!.n;
};

describe('a review', () => {
  it('has what there is in the tenant, and nothing of another', async () => {
    const found = await grants(await standing());
    expect(found.map(({ who }) => who)).toEqual(['user:mine', 'administrator:auditor-mine']);
    expect(await recorded()).toBe(2);
  });

  it('is of one state, whatever changes while it is read', async () => {
    const rows = reviewAccess(database.store, database.tenant, await standing(), () => undefined);
    const first = await rows.next();
    await change(
      database.tenant,
      put({ kind: 'Binding', name: 'later', subjects: ['user:late'], roles: ['r'] }, 'later'),
    );
    const superuser = await database.connect('superuser');
    await superuser.query(
      `insert into placet.person (tenant, id, issuer, claims) values ($1, 'user:company/late', 'company', '{}')`,
      [database.tenant],
    );
    const rest: unknown[] = [first.value];
    for await (const row of rows) rest.push(row);
    expect(JSON.stringify(rest)).not.toMatch(/user:late|company.late/);
    expect(JSON.stringify(await grants(await standing()))).toContain('user:late');
  });

  it('is given to nobody whose rights have changed, or whose key has ended, and then nothing is recorded', async () => {
    const before = await recorded();
    const stale = await standing();
    await change(database.tenant, put({ kind: 'AdministratorRole', name: 'x', grants: [] }, 'x'));
    await expect(grants(stale)).rejects.toMatchObject({ why: 'rights' });
    await change(database.tenant, key('ended'));
    const ended = await standing('ended');
    await change(database.tenant, { op: 'disable_credential', id: 'ended' });
    await expect(grants(ended)).rejects.toMatchObject({ why: 'principal' });
    await expect(grants({ ...(await standing()), principal: 'key:nobody' })).rejects.toMatchObject({
      why: 'principal',
    });
    expect(await recorded()).toBe(before);
    // Nobody who was refused holds the lock.
    expect((await change(database.tenant, put({ kind: 'Role', name: 'free' }, 'free'))).outcome).toBe('committed');
  });
});
