import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONSENT_ID, consentRows } from '../../test/support/consent-rows.js';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { commitChange, type Change, type Operation, type RightsProof } from './change.js';
import { ensureTenant } from './database.js';
import { DraftReader } from './draft-reader.js';
import { RevisionReader } from './revision-reader.js';
import type { TenantView } from './store.js';
import { loadTenant } from './tenant-state.js';

let database: TestDatabase;
let other: string;
let tables: string[];

beforeAll(async () => {
  database = await freshDatabase();
  other = await ensureTenant(database.address, 'other');
  const superuser = await database.connect('superuser');
  const { rows } = await superuser.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'placet'::regnamespace and relkind in ('r', 'p') and relname <> 'migration'`,
  );
  tables = rows.map(({ name }) => name);
  for (const tenant of [database.tenant, other]) await commitChange(database.store, everything(tenant));
  for (const operation of PROVISIONED)
    await commitChange(database.store, { ...everything(other), operations: [operation] });
  await superuser.query(
    `insert into placet.ledger_record (tenant, writer, seq, commit, kind, body, hash) values ($1, 9, 1, 1, 'decision', '{}', '')`,
    [other],
  );
  await superuser.query(FURTHER_ROWS.replaceAll('$1', `'${other}'`).replaceAll('$2', `'key-of-${other.slice(0, 8)}'`));
  await superuser.query(consentRows(other, 'user:okta/1'));
});

afterAll(() => database.close());

/** Rows of a tenant in the tables that no change writes. */
const FURTHER_ROWS = `
  insert into placet.credential_use values ($1, $2, now());
  insert into placet.person (tenant, id, issuer, claims) values ($1, 'user:okta/1', 'okta', '{}');
  insert into placet.session (tenant, id, mac, person, issuer, authenticated_at, idle_ends_at, ends_at)
    values ($1, 's', 's', 'user:okta/1', 'okta', now(), now(), now());
  insert into placet.directory_reading values ($1, 'okta', now());
  insert into placet.used_once values ($1, '', now());
  insert into placet.sign_in_test (tenant, id, issuer, begun_by, expires_at) values ($1, 't', 'okta', 'key:k', now());
  insert into placet.oauth_state (tenant, model, id, sealed) values ($1, 'AccessToken', 't', '');
  insert into placet.signing_key (tenant, id, algorithm, public_jwk, sealed) values ($1, 'k', 'ES256', '{}', '');
  insert into placet.deleted_tenant (tenant, name, id, created_at, deleted_by, export_digest)
    values ($1, 'was', gen_random_uuid(), now(), 'key:k', '');`;

const ROW = { issuer: 'okta', expectedVersion: 0 };

/** What the connector of an Issuer leaves behind. */
const PROVISIONED: readonly Operation[] = [
  {
    op: 'put_document',
    kind: 'Issuer',
    name: 'okta',
    body: {
      kind: 'Issuer',
      name: 'okta',
      issuer: 'https://okta.example',
      provisioning: { scim: true, identity: 'externalId' },
    } as never,
  },
  {
    op: 'put_scim_user',
    id: 'u',
    ...ROW,
    identityBy: 'externalId',
    active: true,
    body: { externalId: 'p', userName: 'ann', attributes: {} },
  },
  { op: 'put_scim_group', id: 'g', ...ROW, body: { externalId: null, displayName: 'g' }, add: ['u'], remove: [] },
];

const roleNamed = (name: string): Extract<Operation, { op: 'put_document' }> => ({
  op: 'put_document',
  kind: 'Role',
  name,
  body: { kind: 'Role', name },
});

const role = roleNamed('reader');

/** A change that leaves a row in every table that the service writes. */
const everything = (tenant: string): Change => ({
  tenant,
  principal: 'system:test',
  keys: ['*'],
  operations: [
    role,
    { op: 'put_document', kind: 'Host', name: 'desk', body: { kind: 'Host', name: 'desk' } },
    keyOfDesk(`key-of-${tenant.slice(0, 8)}`),
    { op: 'deny', key: 'token:t', expiresAt: '2999-01-01T00:00:00Z' },
    {
      op: 'save_draft',
      name: 'kept',
      baseRevision: 0,
      body: { prune: false, documents: [], deletions: [] },
      expectedVersion: 0,
    },
  ],
});

const change = (operations: readonly Operation[], over: Partial<Change> = {}) =>
  commitChange(database.store, { tenant: database.tenant, principal: 'system:test', keys: ['*'], operations, ...over });

/** What rights rest on that were worked out just now. */
async function proof(keys: RightsProof['keys']): Promise<RightsProof> {
  return { epoch: (await loadTenant(database.store, database.tenant, 0))!.epoch, keys };
}

/** A key of the host desk, for a change. */
const keyOfDesk = (id: string): Operation => ({
  op: 'create_credential',
  id,
  principalKind: 'host',
  principal: 'desk',
  environment: 'test',
  rights: {},
  expiresAt: null,
  mac: '00',
});

/** Runs statements as the service in a transaction that is rolled back; with a tenant set, if one is given. */
async function asService<T>(
  tenant: string | undefined,
  work: (query: (text: string) => Promise<{ rowCount: number | null }>) => Promise<T>,
): Promise<T> {
  const client = await database.connect();
  await client.query('begin');
  if (tenant !== undefined) await client.query(`select set_config('placet.tenant', $1, true)`, [tenant]);
  try {
    return await work((text) => client.query(text));
  } finally {
    await client.query('rollback');
    await client.end();
  }
}

describe('tenants are kept apart by the database alone:', () => {
  it('every table has a tenant, row level security, forced, a policy, and an owner who is not the service', async () => {
    const superuser = await database.connect('superuser');
    const { rows } = await superuser.query<{ name: string; good: boolean }>(
      `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity and not pg_has_role('placet_service', c.relowner, 'usage')
         and not (select rolsuper or rolbypassrls from pg_roles where oid = c.relowner)
         and exists (select from pg_policy p where p.polrelid = c.oid)
         and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = case c.relname when 'tenant' then 'id' else 'tenant' end) as good
       from pg_class c where c.relnamespace = 'placet'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'migration'`,
    );
    expect(rows.filter(({ good }) => !good)).toEqual([]);
    expect(rows.map(({ name }) => name)).toContain('ledger_record');
  });

  it('the service is an ordinary role', async () => {
    const client = await database.connect();
    const { rows } = await client.query(
      'select current_user as name, rolsuper, rolbypassrls from pg_roles where rolname = current_user',
    );
    expect(rows).toEqual([{ name: 'placet_service', rolsuper: false, rolbypassrls: false }]);
  });

  it('no row is visible without a tenant, and none of another one', async () => {
    for (const table of tables) {
      const key = table === 'tenant' ? 'id' : 'tenant';
      const superuser = await database.connect('superuser');
      const all = await superuser.query(`select from placet.${table} where ${key} = '${other}'`);
      expect(all.rowCount, `${table} has rows of the other tenant to hide`).toBeGreaterThan(0);
      await superuser.end();
      expect(
        await asService(undefined, async (query) => (await query(`select from placet.${table}`)).rowCount),
        table,
      ).toBe(0);
      const seen = await asService(
        database.tenant,
        async (query) => (await query(`select from placet.${table} where ${key} <> '${database.tenant}'`)).rowCount,
      );
      expect(seen, table).toBe(0);
    }
  });

  it('a row cannot be written for another tenant', async () => {
    const insert = `insert into placet.document (tenant, kind, name, version, revision) values ('${other}', 'Role', 'x', 1, 1)`;
    await expect(asService(database.tenant, (query) => query(insert))).rejects.toMatchObject({ code: '42501' });
  });

  it('a transaction leaves no tenant behind on its connection', async () => {
    const rows = await database.store.call<{ tenant: string | null }>('select placet.current_tenant() as tenant', []);
    expect(rows).toEqual([{ tenant: null }]);
  });
});

describe('the service', () => {
  it.each([
    ['ledger_record', `update placet.ledger_record set body = '{}'`],
    ['ledger_record', 'delete from placet.ledger_record'],
    ['ledger_record', 'truncate placet.ledger_record'],
    ['document_version', `update placet.document_version set changed_by = 'nobody'`],
    ['document_version', 'delete from placet.document_version'],
    ['change', `update placet.change set keys = '{}'`],
    [
      'change',
      `insert into placet.change (tenant, revision, epoch, restricting, keys, commit) values (placet.current_tenant(), 99, 99, false, '{}', 1)`,
    ],
    ['revision', `update placet.revision set message = 'another'`],
    ['revision', 'delete from placet.revision'],
    ['tenant_state', 'update placet.tenant_state set epoch = 0'],
    ['tenant', `insert into placet.tenant (id, name) values (gen_random_uuid(), 'mine')`],
    ['document', 'delete from placet.document'],
    ['consent_answer', `update placet.consent_answer set answer = 'agreed'`],
    ['consent_answer', 'delete from placet.consent_answer'],
    ['consent_event', 'delete from placet.consent_event'],
    ['consent_use', 'delete from placet.consent_use'],
    ['consent', `update placet.consent set binding = ''`],
    ['consent', `update placet.consent set expires_at = 'infinity'`],
    ['consent', `update placet.consent set agreed = '{}'`],
    ['consent', 'delete from placet.consent'],

    ['consent_request', `update placet.consent_request set shown = ''`],
    ['consent_request', `update placet.consent_request set content = '{}'`],
    ['guard', `select placet.guard('placet.document')`],
  ])('may not touch %s with: %s', async (_table, statement) => {
    await expect(asService(database.tenant, (query) => query(statement))).rejects.toMatchObject({ code: '42501' });
  });

  it.each([
    `insert into placet.document (tenant, kind, name, version, revision) values (placet.current_tenant(), 'Role', 'x', 1, 1)`,
    `update placet.document set body = '{}'`,
    `update placet.credential set disabled_at = null`,
    `update placet.credential_secret set mac = ''`,
    `update placet.draft set prune = true`,
    `delete from placet.draft`,
  ])('may not write without a new revision: %s', async (statement) => {
    await expect(asService(database.tenant, (query) => query(statement))).rejects.toThrow(
      'without a new revision of its tenant',
    );
  });

  it('may not write by a revision that another transaction made', async () => {
    await change([]);
    const statement = `update placet.document set body = '{}'`;
    await expect(asService(database.tenant, (query) => query(statement))).rejects.toThrow('without a new revision');
  });

  it('may log the revision that it makes, and no other', async () => {
    await database.store.call(`select placet.bump($1, '{}', false)`, [database.tenant]);
    const late = `insert into placet.revision (tenant, revision, epoch, changed_by, documents, others)
      select tenant, revision, epoch, 'nobody', 0, '[]' from placet.tenant_state`;
    await expect(asService(database.tenant, (query) => query(late))).rejects.toThrow('without a new revision');
    await asService(database.tenant, async (query) => {
      await query(`select placet.bump(placet.current_tenant(), '{}', false)`);
      const insert = (revision: string) =>
        query(`insert into placet.revision (tenant, revision, epoch, changed_by, documents, others)
                 select tenant, ${revision}, epoch, 'system:test', 0, '[]' from placet.tenant_state`);
      expect((await insert('revision')).rowCount).toBe(1);
      await expect(insert('revision + 1')).rejects.toMatchObject({ code: '42501' });
    });
  });

  it('may write after a bump in the same transaction', async () => {
    await asService(database.tenant, async (query) => {
      await query(`select placet.bump(placet.current_tenant(), array['*'], true)`);
      expect((await query(`update placet.document set revision = revision`)).rowCount).toBeGreaterThan(0);
    });
  });

  it('cannot bump without saying what a restricting change touches', async () => {
    const bump = (query: (text: string) => Promise<unknown>) =>
      query(`select placet.bump(placet.current_tenant(), '{}', true)`);
    await expect(asService(database.tenant, bump)).rejects.toThrow('must say what it touches');
  });
});

describe('a change', () => {
  it('moves the revision, and the epoch only if it could restrict', async () => {
    const before = (await loadTenant(database.store, database.tenant, 0))!;
    expect(await change([], { keys: [] })).toEqual({
      outcome: 'committed',
      revision: before.revision + 1,
      epoch: before.epoch,
    });
    expect(await change([], { keys: ['host:desk'] })).toEqual({
      outcome: 'committed',
      revision: before.revision + 2,
      epoch: before.epoch + 1,
    });
  });

  it('keeps every version, deletions among them, and never uses a number twice', async () => {
    const named = roleNamed('kept');
    await change([named]);
    await change([{ op: 'delete_document', kind: 'Role', name: 'kept' }]);
    await change([named]);
    const versions = await database.store.read(database.tenant, (view) =>
      view.query<{ version: number; gone: boolean }[]>(
        `select version, body is null as gone from placet.document_version where name = 'kept' order by version`,
      ),
    );
    expect(versions).toEqual([
      { version: 1, gone: false },
      { version: 2, gone: true },
      { version: 3, gone: false },
    ]);
  });

  it('is refused, whole, where a document is not at the expected version', async () => {
    const fresh = { ...roleNamed('fresh'), expectedVersion: 0 };
    const stale = { ...role, expectedVersion: 7 };
    expect(await change([fresh, stale])).toEqual({ outcome: 'version', operation: 2 });
    expect(await change([fresh])).toMatchObject({ outcome: 'committed' });
    expect(await change([fresh])).toEqual({ outcome: 'version', operation: 1 });
  });

  it('is refused where another change came first', async () => {
    const { revision } = (await loadTenant(database.store, database.tenant, 0))!;
    const results = await Promise.all(Array.from({ length: 8 }, () => change([role], { expectedRevision: revision })));
    expect(results.filter(({ outcome }) => outcome === 'committed')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'moved')).toHaveLength(7);
  });

  it('is refused to a key that was disabled, or is not there', async () => {
    const id = `key-of-${database.tenant.slice(0, 8)}`;
    const by = async (principal: string) => change([], { principal, proof: await proof([`credential:${id}`]) });
    expect(await by(`key:${id}`)).toMatchObject({ outcome: 'committed' });
    await change([{ op: 'disable_credential', id }], { keys: ['host:desk'] });
    expect(await by(`key:${id}`)).toEqual({ outcome: 'principal' });
    for (const nobody of ['key:nobody', 'session:nobody', 'token:nobody', 'person:nobody', 'key', '']) {
      expect(await by(nobody), nobody).toEqual({ outcome: 'principal' });
    }
  });

  it('is refused where what the rights of its maker rest on has changed since, or where nobody says what they rest on', async () => {
    const id = `rights-${database.tenant.slice(0, 8)}`;
    await change([keyOfDesk(id)], { keys: [] });
    const principal = `key:${id}`;
    const before = await proof(['administration', `credential:${id}`]);
    expect(await change([], { principal, proof: before, keys: [] })).toMatchObject({ outcome: 'committed' });
    await change([role], { keys: ['host:desk', 'issuer:okta'] });
    expect(await change([], { principal, proof: before, keys: [] })).toMatchObject({ outcome: 'committed' });
    await change([role], { keys: ['administration'] });
    expect(await change([], { principal, proof: before, keys: [] })).toEqual({ outcome: 'rights' });
    const later = await proof(['administration']);
    expect(await change([], { principal, proof: later, keys: [] })).toMatchObject({ outcome: 'committed' });
    await change([role], { keys: ['*'] });
    expect(await change([], { principal, proof: later, keys: [] })).toEqual({ outcome: 'rights' });
    expect(await change([], { principal, keys: [] })).toEqual({ outcome: 'rights' });
  });

  it('leaves a record that continues the chain of changes, without bodies and MACs', async () => {
    await change([roleNamed('recorded')]);
    const records = await database.store.read(database.tenant, (view) =>
      view.query<{ body: string; hash: string; expected: string }[]>(
        `select body, encode(hash, 'hex') as hash, encode(sha256('\\x00'::bytea || convert_to(body, 'UTF8')), 'hex') as expected
         from placet.ledger_record where writer = 0 order by seq`,
      ),
    );
    let prev = '0'.repeat(64);
    records.forEach(({ body, hash, expected }, index) => {
      expect(JSON.parse(body)).toMatchObject({ kind: 'change', seq: index + 1, prev });
      expect(hash).toBe(expected);
      prev = hash;
    });
    expect(JSON.parse(records.at(-1)!.body)).toMatchObject({
      principal: 'system:test',
      keys: ['*'],
      operations: [{ op: 'put_document', kind: 'Role', name: 'recorded' }],
    });
    expect(records.some(({ body }) => body.includes('"mac"') || body.includes('"body"'))).toBe(false);
  });

  it('is logged with who made it and why, once, and what it wrote besides documents without secrets', async () => {
    const outcome = await change([roleNamed('logged')], {
      about: { message: 'because', draft: 'd', rolledBackTo: 1, seenBy: ['user:co/ann'] },
    });
    const { revision, epoch } = outcome as { revision: number; epoch: number };
    const reader = new RevisionReader(database.store);
    expect(await reader.find(database.tenant, revision)).toEqual({
      revision,
      epoch,
      changedBy: 'system:test',
      administrator: null,
      changedAt: expect.any(String) as string,
      message: 'because',
      draft: 'd',
      rolledBackTo: 1,
      seenBy: ['user:co/ann'],
      documents: 1,
      others: [],
    });
    const first = (await reader.list(database.tenant, false, undefined, 1000)).at(-1)!;
    expect(first).toMatchObject({ documents: 2, message: null });
    expect(first.others).toEqual([
      { op: 'create_credential', id: expect.any(String) as string, principal: 'desk' },
      { op: 'deny', key: 'token:t' },
      { op: 'save_draft', name: 'kept' },
    ]);
    const [record] = await database.store.read(database.tenant, (view) =>
      view.query<{ body: string }[]>(
        'select body from placet.ledger_record where writer = 0 order by seq desc limit 1',
      ),
    );
    expect(JSON.parse(record!.body)).toMatchObject({ revision, about: { message: 'because', draft: 'd' } });
  });

  it('that is refused is not logged', async () => {
    const reader = new RevisionReader(database.store);
    const [before] = await reader.list(database.tenant, false, undefined, 1);
    expect(await change([{ ...role, expectedVersion: 7 }])).toMatchObject({ outcome: 'version' });
    expect((await reader.list(database.tenant, false, undefined, 1))[0]).toEqual(before);
  });

  it('of a draft is refused where it is not at the expected version, which is never used again', async () => {
    const save = (expectedVersion: number) =>
      change(
        [
          {
            op: 'save_draft',
            name: 'd',
            baseRevision: 0,
            body: { prune: false, documents: [], deletions: [] },
            expectedVersion,
          },
        ],
        { keys: [] },
      );
    const discard = (expectedVersion: number) =>
      change([{ op: 'discard_draft', name: 'd', expectedVersion }], { keys: [] });
    const drafts = new DraftReader(database.store);
    expect(await discard(1)).toEqual({ outcome: 'version', operation: 1 });
    await save(0);
    const { version } = (await drafts.find(database.tenant, 'd'))!;
    expect(await save(0)).toEqual({ outcome: 'version', operation: 1 });
    expect(await discard(version)).toMatchObject({ outcome: 'committed' });
    await save(0);
    expect((await drafts.find(database.tenant, 'd'))!.version).not.toBe(version);
    expect(await discard(version)).toEqual({ outcome: 'version', operation: 1 });
  });

  it('shows a replica only what is new, deletions as such', async () => {
    const { revision } = (await loadTenant(database.store, database.tenant, 0))!;
    await change([roleNamed('new'), { op: 'delete_document', kind: 'Role', name: 'kept' }]);
    const delta = (await loadTenant(database.store, database.tenant, revision))!;
    expect(delta.documents).toEqual(
      expect.arrayContaining([
        { kind: 'Role', name: 'new', stored: { document: { kind: 'Role', name: 'new' }, version: 1 } },
        { kind: 'Role', name: 'kept' },
      ]),
    );
    expect(delta.documents).toHaveLength(2);
  });
});

describe('a read that fails', () => {
  it.each<[string, (view: TenantView) => Promise<unknown>]>([
    ['by its own fault', () => Promise.reject(new Error('a fault'))],
    ['in the database', (view) => view.query('select 1 / 0')],
  ])('%s leaves no transaction behind, in which the next would see an old state', async (_what, work) => {
    const read = () =>
      database.store.read(database.tenant, (view) => view.query('select revision from placet.tenant_state'));
    for (let time = 0; time < 20; time++) {
      const failing = Array.from({ length: 10 }, () => database.store.read(database.tenant, work));
      expect((await Promise.allSettled(failing)).every(({ status }) => status === 'rejected')).toBe(true);
      const [before] = (await read()) as { revision: number }[];
      await change([]);
      const after = await Promise.all(Array.from({ length: 10 }, read));
      expect(after.flat()).toEqual(Array.from({ length: 10 }, () => ({ revision: before!.revision + 1 })));
    }
  });
});

describe('a consent', () => {
  const updated = (statement: string) =>
    asService(
      other,
      async (query) => (await query(`update placet.consent set ${statement} where id = '${CONSENT_ID}'`)).rowCount,
    );

  it('can be ended, and not brought back, and its uses become only fewer', async () => {
    expect(await updated('ended_at = now()')).toBe(1);
    await expect(updated('uses_left = 5')).rejects.toMatchObject({ code: '42501' });
    const superuser = await database.connect('superuser');
    await superuser.query(
      `update placet.consent set ended_at = now(), ended_for = 'revoked' where tenant = '${other}'`,
    );
    await expect(updated('ended_at = null')).rejects.toMatchObject({ code: '42501' });
    expect(await updated('last_used_at = now()')).toBe(1);
  });
});
