import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IssuerDocument } from '#policy';
import { CONSENT_ID, consentRows } from '../../test/support/consent-rows.js';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { commitChange } from './change.js';
import { ClientReader } from './client-reader.js';
import { ConnectorTokenReader } from './connector-token-reader.js';
import { ConsentReader } from './consent-reader.js';
import { ConsentStatistics } from './consent-statistics.js';
import { ConsentView } from './consent-view.js';
import { DelegationStore } from './delegation-store.js';
import { CredentialReader } from './credential-reader.js';
import { ensureTenant } from './database.js';
import { DirectoryStore } from './directory-store.js';
import { DocumentReader } from './document-reader.js';
import { DraftReader } from './draft-reader.js';
import { EXPORTED } from './export-columns.js';
import { OAuthStore } from './oauth-store.js';
import { PersonReader } from './person-reader.js';
import { ProvisioningReader } from './provisioning-reader.js';
import { RecordReader } from './record-reader.js';
import { RevisionReader } from './revision-reader.js';
import { SessionStore } from './session-store.js';
import { SignInTestStore } from './sign-in-test-store.js';
import { SigningKeyStore } from './signing-key-store.js';
import type { Store } from './store.js';
import { loadCredential, loadTenant } from './tenant-state.js';

let database: TestDatabase;
let superuser: pg.Client;
let other: string;
const KEY = 'key-of-the-other';

beforeAll(async () => {
  database = await freshDatabase();
  other = await ensureTenant(database.address, 'other');
  superuser = await database.connect('superuser');
  await commitChange(database.store, {
    tenant: other,
    principal: 'system:test',
    keys: ['*'],
    operations: [
      { op: 'put_document', kind: 'Role', name: 'secret', body: { kind: 'Role', name: 'secret' } },
      {
        op: 'create_credential',
        id: KEY,
        principalKind: 'administrator',
        principal: 'a',
        environment: 'test',
        rights: {},
        expiresAt: null,
        mac: '00',
      },
      { op: 'put_document', kind: 'Host', name: 'h', body: { kind: 'Host', name: 'h' } },
      {
        op: 'create_credential',
        credentialKind: 'federated',
        id: 'c',
        principalKind: 'host',
        principal: 'h',
        environment: 'test',
        rights: {},
        expiresAt: null,
        mac: null,
        issuer: 'okta',
        subject: 'w',
      },
      { op: 'deny', key: 'token:t', expiresAt: '2999-01-01T00:00:00Z' },
      {
        op: 'save_draft',
        name: 'd',
        baseRevision: 0,
        body: { prune: false, documents: [], deletions: [] },
        expectedVersion: 0,
      },
    ],
  });
  await superuser.query(`
    insert into placet.credential_use values ('${other}', '${KEY}', now());
    insert into placet.person (tenant, id, issuer, claims) values ('${other}', 'user:okta/1', 'okta', '{}');
    insert into placet.session (tenant, id, mac, person, issuer, authenticated_at, idle_ends_at, ends_at, address)
      values ('${other}', 's', 's', 'user:okta/1', 'okta', now(), now() + interval '1 day', now() + interval '1 day', '192.0.2.1');
    insert into placet.directory_reading values ('${other}', 'okta', now(), now());
    insert into placet.used_once (tenant, mac, expires_at) values ('${other}', 'u', now() + interval '1 day');
    insert into placet.sign_in_test (tenant, id, issuer, begun_by, expires_at)
      values ('${other}', 'sign-in-test', 'okta', 'key:k', now() + interval '1 day');
    insert into placet.oauth_state (tenant, model, id, sealed, grant_id, user_code, expires_at)
      values ('${other}', 'AccessToken', 't', '', 'g', null, now() + interval '1 day'),
        ('${other}', 'DeviceCode', 'd', '', 'g', 'CODE', now() + interval '1 day');
    insert into placet.signing_key (tenant, id, algorithm, public_jwk, sealed) values ('${other}', 'k', 'ES256', '{}', '');
    insert into placet.deleted_tenant (tenant, name, id, created_at, deleted_by, export_digest)
      values ('${other}', 'was', gen_random_uuid(), now(), 'key:k', '');
    insert into placet.ledger_record (tenant, writer, seq, commit, kind, body, hash, subject)
      values ('${other}', 9, 1, 1, 'decision', '{"evaluation_id":"e"}', '', 'x');
    ${consentRows(other, 'user:okta/1')}`);
  const row = { issuer: 'okta', expectedVersion: 0 };
  const user = { externalId: 'scim-person', userName: 'ann', attributes: {} };
  const group = { externalId: null, displayName: 'g' };
  for (const operation of [
    { op: 'put_document', kind: 'Issuer', name: 'okta', body: OKTA },
    { op: 'create_credential', id: 'scim-token', ...TOKEN },
    { op: 'put_scim_user', id: 'scim-user', ...row, identityBy: 'externalId', active: true, body: user },
    { op: 'put_scim_group', id: 'scim-group', ...row, body: group, add: ['scim-user'], remove: [] },
  ] as const) {
    const change = { tenant: other, principal: 'system:test', keys: ['*'], operations: [operation] } as const;
    expect(await commitChange(database.store, change)).toMatchObject({ outcome: 'committed' });
  }
});

afterAll(() => database.close());

const TOKEN = {
  credentialKind: 'scim',
  principalKind: 'connector',
  principal: 'okta',
  issuer: 'okta',
  environment: 'test',
  rights: {},
  expiresAt: null,
  mac: '00',
} as const;

const OKTA = {
  kind: 'Issuer',
  name: 'okta',
  issuer: 'https://okta.example.com',
  provisioning: { scim: true, identity: 'externalId' },
} as unknown as IssuerDocument;

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

/** Every table of ours, with its columns. */
async function tables(): Promise<readonly Table[]> {
  const { rows } = await superuser.query<Table>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'placet'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'migration'
     group by c.relname order by c.relname`,
  );
  return rows;
}

const keyOf = (table: string): string => (table === 'tenant' ? 'id' : 'tenant');

/** All rows of the other tenant, as texts. */
async function rowsOfOther(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { name } of await tables()) {
    const { rows } = await superuser.query<{ row: string }>(
      `select to_jsonb(t)::text as row from placet.${name} t where ${keyOf(name)} = $1 order by 1`,
      [other],
    );
    found[name] = rows.map(({ row }) => row);
  }
  return found;
}

/** What the database says to a statement of the service, which has set its own tenant: a count of rows, or an error's code. */
async function saidTo(statement: string, values: readonly unknown[] = []): Promise<number | string> {
  const client = await database.connect();
  await client.query('begin');
  await client.query(`select set_config('placet.tenant', $1, true)`, [database.tenant]);
  try {
    return (await client.query(statement, [...values])).rowCount ?? 0;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    // Committed, not rolled back: what was written would be seen.
    await client.query('commit');
    await client.end();
  }
}

/** Insufficient privilege, which row level security says as well. */
const REFUSED = '42501';

describe('the catalogue', () => {
  it('has no view that reads with the rights of its owner', async () => {
    const { rows } = await superuser.query(
      `select relname from pg_class where relnamespace = 'placet'::regnamespace and (relkind = 'm'
       or (relkind = 'v' and not coalesce(reloptions @> '{security_invoker=true}', false)))`,
    );
    expect(rows).toEqual([]);
  });

  it('has no function with the rights of its owner that others could lead astray by their search path', async () => {
    const { rows } = await superuser.query<{ name: string; path: string | null }>(
      `select proname as name, (select c from unnest(proconfig) c where c like 'search_path=%') as path
       from pg_proc where pronamespace = 'placet'::regnamespace and prosecdef`,
    );
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ path }) => path !== 'search_path=pg_catalog, pg_temp')).toEqual([]);
  });

  it('has no policy of another tenant for anybody but the owner of the tables, who only looks', async () => {
    const { rows } = await superuser.query<{ name: string; good: boolean }>(
      `select c.relname || '.' || polname as name,
         case when polname = 'own_tenant' then polcmd = '*' or true
           else polcmd = 'r' and polroles = array[c.relowner] end as good
       from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace = 'placet'::regnamespace`,
    );
    expect(rows.filter(({ good }) => !good)).toEqual([]);
  });

  /** Unique over all tenants: what is there can be told from an error. */
  const EVERYWHERE: Readonly<Record<string, string>> = {
    tenant_pkey: 'ids of tenants are 122 random bits',
    tenant_name_is_taken: 'names of tenants are given by the operator, who sees all',
    credential_id: '96 random bits, and the way to the tenant',
    session_mac: 'a MAC of 256 random bits, and the way to the tenant',
    oauth_token_id: 'a MAC of 256 random bits, and the way to the tenant',
  };

  it('has no key over all tenants but those that nobody can guess, and no reference from one to another', async () => {
    const { rows } = await superuser.query<{ name: string }>(
      `select i.relname as name from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
       where c.relnamespace = 'placet'::regnamespace and c.relname <> 'migration' and x.indisunique and not exists (
         select from pg_attribute a where a.attrelid = c.oid and a.attnum = any (x.indkey) and a.attname = 'tenant')
       union all
       select f.conname from pg_constraint f
       where f.connamespace = 'placet'::regnamespace and f.contype = 'f' and not exists (
         select from pg_attribute a where a.attrelid = f.conrelid and a.attnum = any (f.conkey) and a.attname = 'tenant')`,
    );
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(EVERYWHERE).sort());
  });
});

describe('every table', () => {
  it('shows and lets change nothing of another tenant, whatever the statement says', async () => {
    const before = await rowsOfOther();
    for (const { name, columns } of await tables()) {
      const key = keyOf(name);
      expect(before[name]!.length, `${name} has rows of the other tenant`).toBeGreaterThan(0);
      expect([name, 'select', await saidTo(`select from placet.${name} where ${key} = '${other}'`)]).toEqual([
        name,
        'select',
        0,
      ]);
      const writes = {
        update: `update placet.${name} set ${columns.at(-1)} = ${columns.at(-1)} where ${key} = '${other}'`,
        take: `update placet.${name} set ${key} = '${database.tenant}' where ${key} = '${other}'`,
        delete: `delete from placet.${name} where ${key} = '${other}'`,
      };
      for (const [what, statement] of Object.entries(writes))
        expect([0, REFUSED], `${what} ${name}`).toContain(await saidTo(statement));
      const copy = `insert into placet.${name} select * from jsonb_populate_record(null::placet.${name}, $1)`;
      expect([name, 'insert', await saidTo(copy, [before[name]![0]])]).toEqual([name, 'insert', REFUSED]);
    }
    expect(await rowsOfOther()).toEqual(before);
  });

  it('has each of its columns in exports, or withheld from them', async () => {
    const found = await tables();
    const inExports = Object.fromEntries(
      Object.entries(EXPORTED).map(([name, { columns, withheld = [] }]) => [name, [...columns, ...withheld].sort()]),
    );
    const inDatabase = Object.fromEntries(
      found
        // Of these the first line of an export has what counts.
        .filter(({ name }) => !['tenant', 'tenant_state'].includes(name))
        .map(({ name, columns }) => [name, columns.filter((column) => column !== 'tenant').sort()]),
    );
    expect(inExports).toEqual(inDatabase);
  });
});

/** A store that has lost its own filter: whichever tenant is asked for, it reads as the first one. */
const unfiltered = (): Store =>
  new Proxy(database.store, {
    get: (store, name) => {
      if (name === 'read')
        return (_tenant: string, work: Parameters<Store['read']>[1]) => store.read(database.tenant, work);
      const value: unknown = Reflect.get(store, name, store);
      return typeof value === 'function' ? (value.bind(store) as unknown) : value;
    },
  });

/** Every way of reading a tenant, by the file that it is in. */
const READERS: Readonly<Record<string, Readonly<Record<string, (store: Store, tenant: string) => Promise<unknown>>>>> =
  {
    'consent-view.ts': {
      list: (store, tenant) => new ConsentView(store).list(tenant, {}, undefined, 10),
      find: (store, tenant) => new ConsentView(store).find(tenant, CONSENT_ID),
      restingOn: (store, tenant) => new ConsentView(store).restingOn(tenant, { policy: null }, '', 10),
    },
    'delegation-store.ts': {
      of: (store, tenant) => new DelegationStore(store).of(tenant, 'user:okta/1'),
      delegatorsOf: (store, tenant) => new DelegationStore(store).delegatorsOf(tenant, 'user:okta/1'),
    },
    'directory-store.ts': {
      readings: async (store, tenant) => [...(await new DirectoryStore(store).readings(tenant))],
      people: (store, tenant) => new DirectoryStore(store).people(tenant, 'okta', '', 10),
    },
    'client-reader.ts': {
      find: (store, tenant) => new ClientReader(store).find(tenant, 'c'),
      list: (store, tenant) => new ClientReader(store).list(tenant, undefined, undefined, 10),
      federated: (store, tenant) => new ClientReader(store).federated(tenant, 'okta', ['w']),
    },
    'consent-reader.ts': {
      request: (store, tenant) => new ConsentReader(store).request(tenant, 'r'),
      ofRequest: (store, tenant) => new ConsentReader(store).ofRequest(tenant, 'r'),
      usedBy: (store, tenant) => new ConsentReader(store).usedBy(tenant, { writer: 9, seq: 1 }),
      record: (store, tenant) => new ConsentReader(store).record(tenant, { writer: 9, seq: 1 }),
      pending: (store, tenant) => new ConsentReader(store).pending(tenant, undefined, undefined, 10),
    },
    'oauth-store.ts': {
      find: (store, tenant) => new OAuthStore(store).find(tenant, 'AccessToken', 't'),
      findByUserCode: (store, tenant) => new OAuthStore(store).findByUserCode(tenant, 'CODE'),
      findToken: (store, tenant) => new OAuthStore(store).findToken(tenant, 't'),
      tokensOf: (store, tenant) => new OAuthStore(store).tokensOf(tenant, 'g'),
    },
    'person-reader.ts': {
      list: (store, tenant) => new PersonReader(store).list(tenant, undefined, 10),
      find: (store, tenant) => new PersonReader(store).find(tenant, 'user:okta/1'),
      sessions: (store, tenant) => new PersonReader(store).sessions(tenant, 'user:okta/1'),
    },
    'provisioning-reader.ts': {
      user: (store, tenant) => new ProvisioningReader(store).user(tenant, 'okta', 'scim-user'),
      group: (store, tenant) => new ProvisioningReader(store).group(tenant, 'okta', 'scim-group'),
      members: (store, tenant) => new ProvisioningReader(store).members(tenant, 'scim-group'),
      groupsOf: async (store, tenant) => [...(await new ProvisioningReader(store).groupsOf(tenant, ['scim-user']))],
      identities: (store, tenant) => new ProvisioningReader(store).identities(tenant, 'okta', 'scim-group', null),
      users: async (store, tenant) => (await new ProvisioningReader(store).users(tenant, 'okta', {}, 0, 9)).rows,
      groups: async (store, tenant) => (await new ProvisioningReader(store).groups(tenant, 'okta', {}, 0, 9)).rows,
    },
    'connector-token-reader.ts': {
      find: (store, tenant) => new ConnectorTokenReader(store).find(tenant, 'scim-token'),
      list: (store, tenant) => new ConnectorTokenReader(store).list(tenant, undefined, 10),
    },
    'session-store.ts': {
      isKnownAddress: async (store, tenant) =>
        (await new SessionStore(store).isKnownAddress(tenant, 'user:okta/1', '192.0.2.1')) || undefined,
      find: (store, tenant) => new SessionStore(store).find(tenant, { id: 's' }),
      isUsed: async (store, tenant) => (await new SessionStore(store).isUsed(tenant, Buffer.from('u'))) || undefined,
    },
    'sign-in-test-store.ts': {
      find: (store, tenant) => new SignInTestStore(store).find(tenant, 'sign-in-test'),
    },
    'consent-statistics.ts': {
      rules: (store, tenant) => new ConsentStatistics(store).rules(tenant, 30, 1, 0),
      things: (store, tenant) =>
        new ConsentStatistics(store).things(tenant, 30, { policy: 'p', rule: 'r', consent: { by: ['subject'] } }),
    },
    'signing-key-store.ts': {
      list: (store, tenant) => new SigningKeyStore(store).list(tenant),
      ofReceipts: (store, tenant) => new SigningKeyStore(store).ofReceipts(tenant),
    },
    'credential-reader.ts': {
      find: (store, tenant) => new CredentialReader(store).find(tenant, KEY),
      list: (store, tenant) => new CredentialReader(store).list(tenant, undefined, undefined, 10),
    },
    'document-reader.ts': {
      find: (store, tenant) => new DocumentReader(store).find(tenant, 'Role', 'secret'),
      list: (store, tenant) => new DocumentReader(store).list(tenant, undefined, undefined, 10),
      versions: (store, tenant) => new DocumentReader(store).versions(tenant, 'Role', 'secret', undefined, 10),
      versionsNamed: (store, tenant) =>
        new DocumentReader(store).versionsNamed(tenant, 'Role', [{ name: 'secret', version: 1 }]),
      version: (store, tenant) => new DocumentReader(store).version(tenant, 'Role', 'secret', 1),
    },
    'draft-reader.ts': {
      find: (store, tenant) => new DraftReader(store).find(tenant, 'd'),
      list: (store, tenant) => new DraftReader(store).list(tenant, undefined, 10),
      findWithChanges: (store, tenant) => new DraftReader(store).findWithChanges(tenant, 'd'),
    },
    'record-reader.ts': {
      decision: (store, tenant) => new RecordReader(store).find(tenant, 9, 1),
      ofSubject: (store, tenant) => new RecordReader(store).ofSubject(tenant, ['78'], undefined, 10),
    },
    'revision-reader.ts': {
      find: (store, tenant) => new RevisionReader(store).find(tenant, 1),
      list: (store, tenant) => new RevisionReader(store).list(tenant, false, undefined, 10),
      changesOf: (store, tenant) => new RevisionReader(store).changesOf(tenant, 1, undefined, 10),
      difference: async (store, tenant) =>
        (await new RevisionReader(store).difference(tenant, 0, undefined, undefined, 10))?.changes,
      changedSince: (store, tenant) => new RevisionReader(store).changedSince(tenant, 0),
    },
  };

const isNothing = (found: unknown): boolean =>
  found === undefined || found === null || (Array.isArray(found) && found.length === 0);

describe('a reader', () => {
  it('of every file that reads a tenant is tried', () => {
    const files = readdirSync(import.meta.dirname).filter(
      (file) =>
        file.endsWith('.ts') &&
        !file.endsWith('.spec.ts') &&
        /\bstore\.read\(/.test(readFileSync(`${import.meta.dirname}/${file}`, 'utf8')),
    );
    expect(files.sort()).toEqual(Object.keys(READERS).sort());
  });

  const cases = Object.entries(READERS).flatMap(([file, reads]) =>
    Object.entries(reads).map(([name, read]) => [`${file} ${name}`, read] as const),
  );

  it.each(cases)('%s finds nothing of another tenant where only row level security is left', async (_name, read) => {
    expect(isNothing(await read(database.store, other))).toBe(false);
    expect(isNothing(await read(unfiltered(), other))).toBe(true);
  });
});

describe('a function that reads', () => {
  it.each([
    [
      'tenant_delta',
      KEY,
      () => loadTenant(database.store, database.tenant, 0),
      () => loadTenant(database.store, other, 0),
    ],
    [
      'tenant_delta',
      'scim-person',
      () => loadTenant(database.store, database.tenant, 0),
      () => loadTenant(database.store, other, 0),
    ],
    [
      'live_consents',
      CONSENT_ID,
      () => new ConsentReader(database.store).live(database.tenant, ['78']),
      () => new ConsentReader(database.store).live(other, ['78']),
    ],
    [
      'credential_now',
      KEY,
      async () => (await loadCredential(database.store, database.tenant, KEY)).credential,
      async () => (await loadCredential(database.store, other, KEY)).credential,
    ],
  ] as const)('%s finds nothing of another tenant without its own filter', async (name, own, ofOne, ofOther) => {
    const text = (found: unknown) => JSON.stringify(found);
    expect(text(await ofOther())).toContain(own);
    const [{ definition }] = (
      await superuser.query<{ definition: string }>(`select pg_get_functiondef($1::regproc) as definition`, [
        `placet.${name}`,
      ])
    ).rows as [{ definition: string }];
    const unfilteredDefinition = definition.replaceAll(/\b\w\.tenant = wanted/g, 'true');
    expect(unfilteredDefinition).not.toContain('tenant = wanted');
    try {
      await superuser.query(unfilteredDefinition);
      expect(text(await ofOne()) ?? '').not.toContain(own);
      expect(text(await ofOther())).toContain(own);
    } finally {
      await superuser.query(definition);
    }
  });
});
