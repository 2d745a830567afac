import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { parseJson } from '#http';
import { generateApiKey, KeySets, macOf, Outgoing, TokenVerifier, type PresentedKey } from '#identity';
import type { CommitPort } from '#ledger';
import type { AnyDocument } from '#policy';
import { Snapshots } from '#snapshot';
import {
  commitChange,
  ConsentReader,
  DecisionCommits,
  loadTenant,
  Tenants,
  type Operation,
  type Operator,
} from '#store';
import { Decisions } from './decisions.js';
import type { Call, Question } from './question.js';
import { SubjectTokens } from './subject-tokens.js';

const OPERATOR = 'key-of-the-operator';
const OWNER_KEY = { id: 'key-of-an-owner', environment: 'test', mac: '00' };
const NO_QUOTAS = {
  documents: null,
  documentBytes: null,
  historyBytes: null,
  credentials: null,
  persons: null,
  decisionsPerSecond: null,
};

let database: TestDatabase;
let commits: DecisionCommits;
let tenants: Tenants;
let tenant: { readonly id: string; readonly name: string };
let key: PresentedKey;

const document = (body: AnyDocument, name: string): Operation => ({ op: 'put_document', kind: body.kind, name, body });

const credential = (id: string, principalKind: 'host' | 'administrator', rights: object, mac = '00'): Operation => ({
  op: 'create_credential',
  id,
  principalKind,
  principal: 'pep',
  environment: 'test',
  rights,
  expiresAt: null,
  mac,
});

beforeAll(async () => {
  database = await freshDatabase();
  commits = new DecisionCommits(database.store, 2);
  tenants = new Tenants(database.store);
  await commitChange(database.store, {
    tenant: database.tenant,
    principal: 'system:test',
    keys: [],
    operations: [
      credential(OPERATOR, 'administrator', { roles: ['owner', 'operator'] }),
      document({ kind: 'Host', name: 'pep' }, 'pep'),
      credential('key-of-a-host', 'host', {}),
    ],
  });
});

afterAll(async () => {
  await commits.close();
  await database.close();
});

/** A tenant of its own for each test, in which everything is allowed. */
beforeEach(async () => {
  const { key: made } = generateApiKey('test');
  key = { id: made.id, mac: macOf(made, randomBytes(32)) };
  tenant = { id: randomUUID(), name: `t${randomBytes(6).toString('hex')}` };
  const rights = { subjects: ['*'], subjectProperties: [], resourceProperties: [], explain: false };
  await tenants.create(await operator(), { ...tenant, title: null, quotas: NO_QUOTAS }, [
    document({ kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } }, 'default'),
    document({ kind: 'Host', name: 'pep' }, 'pep'),
    document(
      {
        kind: 'Policy',
        name: 'p',
        target: { actions: ['read'], resources: ['*'] },
        rules: [{ name: 'all', effect: 'allow', to: ['any'] }],
      },
      'p',
    ),
    credential(key.id, 'host', rights, key.mac.toString('hex')),
  ]);
});

async function operator(over: Partial<Operator> = {}): Promise<Operator> {
  const { epoch } = (await loadTenant(database.store, database.tenant, 0))!;
  return {
    principal: `key:${OPERATOR}`,
    proof: { epoch, keys: ['administration', `credential:${OPERATOR}`] },
    ...over,
  };
}

async function deleted(): Promise<void> {
  const by = await operator();
  const revision = await tenants.suspend(by, tenant.name, null);
  await tenants.finishExport(by, tenant.name, { revision, digest: 'd', lines: 1 });
  await tenants.delete(by, tenant.name, 'd');
}

/** A replica that follows nothing by itself, with something that happens before its first commit. */
async function replica(before: (snapshots: Snapshots) => Promise<unknown>) {
  const snapshots = new Snapshots(database.store, undefined, { idleMs: 0, home: undefined });
  await snapshots.of(tenant.id);
  let made = 0;
  const port: CommitPort = {
    newWriter: () => commits.newWriter(),
    async commit(...given) {
      if (made++ === 0) await before(snapshots);
      return commits.commit(...given);
    },
  };
  const metrics = { decided: () => undefined, committed: () => undefined, refused: () => undefined };
  const tokens = new SubjectTokens(new TokenVerifier(new KeySets(new Outgoing('off', '')), parseJson));
  return {
    snapshots,
    decisions: new Decisions(snapshots, port, database.store.clock, metrics, tokens, new ConsentReader(database.store)),
  };
}

const question: Question = {
  subject: { type: 'user', id: 'ann', properties: {} },
  action: 'read',
  resource: { type: 'record', id: 'r', properties: {} },
  server: null,
  arguments: {},
  operation: undefined,
  session: null,
  context: {},
  kind: 'ordinary',
};

const call = (): Call => ({
  tenant: tenant.id,
  key,
  address: '127.0.0.1',
  front: 'authzen',
  requestDigest: '',
  trace: undefined,
  atLeast: undefined,
  noted: {},
});

describe('a decision that has been evaluated and is not committed yet', () => {
  it('is none any more where the operator suspends the tenant', async () => {
    const { decisions } = await replica(async () => tenants.suspend(await operator(), tenant.name, null));
    await expect(decisions.decide(call(), [question])).rejects.toMatchObject({ code: 'tenant_suspended' });
  });

  it('is none any more where the tenant is deleted', async () => {
    const { decisions } = await replica(deleted);
    await expect(decisions.decide(call(), [question])).rejects.toMatchObject({ code: 'ledger_unavailable' });
  });

  it('is worked out anew where a guardrail comes to stand above it, though the home tenant is not loaded here', async () => {
    const board: AnyDocument = {
      kind: 'Guardrail',
      name: 'board',
      reason: 'so says the board',
      effect: 'deny',
      target: { actions: ['read'], resources: ['*'] },
    };
    const inHome = (operation: Operation) =>
      commitChange(database.store, {
        tenant: database.tenant,
        principal: 'system:test',
        keys: ['*'],
        operations: [operation],
      });
    const { decisions, snapshots } = await replica(() => inHome(document(board, 'board')));
    const [denied] = await decisions.decide(call(), [question]);
    expect(denied!.decision).toMatchObject({ effect: 'deny', reason: 'guardrail' });
    expect(snapshots.held(database.tenant)).toBeUndefined();
    await inHome({ op: 'delete_document', kind: 'Guardrail', name: 'board' });
    // Nobody has told it: it is the commit that finds out, also of what is gone.
    const [allowed] = await decisions.decide(call(), [question]);
    expect(allowed!.decision).toMatchObject({ effect: 'allow' });
  });

  it('keeps the state in memory that it rests on, and is the only one to', async () => {
    const { decisions, snapshots } = await replica(async (held) => {
      held.sweep();
      expect(held.held(tenant.id)).toBeDefined();
    });
    const [answer] = await decisions.decide(call(), [question]);
    expect(answer!.decision.effect).toBe('allow');
    snapshots.sweep();
    expect(snapshots.held(tenant.id)).toBeUndefined();
    expect((await decisions.decide(call(), [question]))[0]!.decision.effect).toBe('allow');
  });
});

describe('an operation', () => {
  const all = (by: Operator): [string, () => Promise<unknown>][] => [
    ['create', () => tenants.create(by, { id: randomUUID(), name: 'more', title: null, quotas: NO_QUOTAS }, [])],
    ['list', () => tenants.list(by, undefined, 10)],
    ['suspend', () => tenants.suspend(by, tenant.name, null)],
    ['resume', () => tenants.resume(by, tenant.name)],
    ['quotas', () => tenants.setQuotas(by, tenant.name, NO_QUOTAS)],
    ['export', () => tenants.beginExport(by, tenant.name)],
    ['finish', () => tenants.finishExport(by, tenant.name, { revision: 1, digest: 'd', lines: 1 })],
    ['delete', () => tenants.delete(by, tenant.name, 'd')],
    ['owner key', () => tenants.makeOwnerKey(by, tenant.name, OWNER_KEY, 'lost')],
  ];

  it.each(['system:bootstrap', 'key:nobody', 'key:key-of-a-host', 'session:nobody', 'token:nobody', 'key', ''])(
    'is not done for %j',
    async (principal) => {
      const by = await operator({ principal });
      await tenants.suspend(await operator(), tenant.name, null);
      await tenants.finishExport(await operator(), tenant.name, { revision: 2, digest: 'd', lines: 1 });
      for (const [name, work] of all(by))
        await expect(work(), name).rejects.toMatchObject({ name: 'OperationRefused', why: 'principal' });
      expect((await tenants.find(await operator(), tenant.name))!.exportDigest).toBe('d');
      expect(await tenants.find(await operator(), 'more')).toBeUndefined();
      expect((await loadTenant(database.store, tenant.id, 0))!.credentials.map(({ id }) => id)).toEqual([key.id]);
    },
  );

  it('is not done where what the rights rest on has changed since they were worked out', async () => {
    const by = await operator();
    await tenants.suspend(by, tenant.name, null);
    await tenants.finishExport(by, tenant.name, { revision: 2, digest: 'd', lines: 1 });
    await commitChange(database.store, {
      tenant: database.tenant,
      principal: 'system:test',
      keys: ['administration'],
      operations: [],
    });
    for (const [name, work] of all(by))
      await expect(work(), name).rejects.toMatchObject({ name: 'OperationRefused', why: 'rights' });
    expect(await tenants.find(await operator(), 'more')).toBeUndefined();
    expect((await loadTenant(database.store, tenant.id, 0))!.credentials.map(({ id }) => id)).toEqual([key.id]);
  });

  it('is not done by whoever is somebody in another tenant', async () => {
    const by = await operator({ principal: `key:${key.id}` });
    await expect(tenants.suspend(by, tenant.name, null)).rejects.toMatchObject({ why: 'principal' });
  });
});

describe('a further key of an owner', () => {
  it.each<[string, object, string]>([
    ['without a secret', { mac: '' }, 'lost'],
    ['without a reason', {}, ''],
  ])('is not made %s, whatever the service asks for', async (_what, over, reason) => {
    const made = { ...OWNER_KEY, id: randomUUID(), ...over };
    await expect(tenants.makeOwnerKey(await operator(), tenant.name, made, reason)).rejects.toMatchObject({
      code: 'database_refuses',
    });
  });

  it('is not made in the home tenant', async () => {
    await expect(tenants.makeOwnerKey(await operator(), 'default', OWNER_KEY, 'lost')).rejects.toMatchObject({
      why: 'home',
    });
  });
});

describe('quotas', () => {
  it('bound the people who sign in, those that were there before not', async () => {
    await tenants.setQuotas(await operator(), tenant.name, { ...NO_QUOTAS, persons: 2 });
    const client = await database.connect();
    const signIn = async (id: string) => {
      await client.query('begin');
      await client.query(`select set_config('placet.tenant', $1, true)`, [tenant.id]);
      const insert = `insert into placet.person (tenant, id, issuer, claims) values ($1, $2, 'okta', '{}')
        on conflict (tenant, id) do update set last_at = clock_timestamp()`;
      try {
        await client.query(insert, [tenant.id, id]);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw error;
      }
    };
    for (const id of ['user:okta/1', 'user:okta/2']) await signIn(id);
    await expect(signIn('user:okta/3')).rejects.toMatchObject({ code: 'PL429' });
    await signIn('user:okta/1');
  });

  it('count what is there, whatever was done to it', async () => {
    const change = (...operations: Operation[]) =>
      commitChange(database.store, { tenant: tenant.id, principal: 'system:test', keys: ['*'], operations });
    const role = (name: string) => document({ kind: 'Role', name }, name);
    const gone = (name: string): Operation => ({ op: 'delete_document', kind: 'Role', name });
    await change(role('a'), role('b'), role('a'));
    await change(gone('a'), role('c'));
    await change(gone('a'), gone('b'), { op: 'disable_credential', id: key.id });
    const draft = { prune: false, documents: [], deletions: [] };
    await change({ op: 'save_draft', name: 'd', baseRevision: 0, body: draft, expectedVersion: 0 });
    const superuser = await database.connect('superuser');
    const { rows } = await superuser.query(
      `select u.documents = (select count(*) from placet.document d where d.tenant = $1 and d.body is not null) as documents,
         u.document_bytes = (select sum(octet_length(d.body::text)) from placet.document d where d.tenant = $1)
           + (select sum(octet_length(r.documents::text) + octet_length(r.deletions::text)) from placet.draft r where r.tenant = $1) as bytes,
         u.credentials = 0 as credentials
       from placet.usage u where u.tenant = $1`,
      [tenant.id],
    );
    expect(rows).toEqual([{ documents: true, bytes: true, credentials: true }]);
  });
});
