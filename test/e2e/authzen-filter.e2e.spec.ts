import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let client: Client;
/** Keys that may say everything of a row; nothing but its region; and everything, with the right to be told details. */
let key: string;
let narrow: string;
let explain: string;

const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: { resources: { deny: ['secret-*'] } } } }
---
{ kind: Host, name: todo-app }
---
{ kind: Subject, id: ann, groups: [], properties: { region: emea } }
---
{ kind: Subject, id: bob, groups: [], properties: {} }
---
kind: Policy
name: todos
target: { actions: [read], resources: [{ type: todo, id: '*' }] }
rules:
  - { name: region, effect: allow, to: [any], when: resource.properties.region == subject.properties.region, obligations: [{ type: redact, fields: [notes] }] }
  - { name: own, effect: allow, to: [any], when: resource.properties.owner == subject.id }
  - { name: archived, effect: deny, to: [any], when: has(resource.properties.archived) && resource.properties.archived }
---
kind: Policy
name: exports
target: { actions: [export], resources: [{ type: todo, id: '*' }] }
rules: [{ name: short, effect: allow, to: [any], when: resource.properties.title.size() < 80 }]
---
kind: Policy
name: listing
target: { actions: [count], resources: [{ type: todo, id: '*' }] }
rules: [{ name: all, effect: allow, to: ['user:ann'] }]
`;

const ROWS: readonly (readonly [id: string, owner: string | null, region: string | null, archived: boolean | null])[] =
  [
    ['1', 'ann', 'apac', null],
    ['2', 'bob', 'emea', false],
    ['3', 'bob', 'apac', false],
    ['4', 'ann', 'emea', true],
    ['5', null, null, null],
    ['6', 'ann', null, null],
    ['secret-7', 'ann', 'emea', false],
    ['8', "ann' or true --", 'EMEA', false],
  ];

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  const files = [{ path: 'p.yaml', text: DOCUMENTS }];
  expect(await service.call('POST', '/api/v1/documents/apply', { body: { files } })).toMatchObject({ status: 200 });
  const make = async (rights: object) =>
    (
      await service.call('POST', '/api/v1/keys', {
        body: { host: 'todo-app', rights: { subjects: ['user:*'], ...rights } },
      })
    ).body.key as string;
  key = await make({ resourceProperties: ['*'] });
  narrow = await make({ resourceProperties: ['region', 'archived'] });
  explain = await make({ resourceProperties: ['*'], explain: true });
  client = await service.database.connect('superuser');
  await client.query('create table todos (id text primary key, owner text, region text, archived boolean, title text)');
  for (const row of ROWS)
    await client.query('insert into todos (id, owner, region, archived) values ($1, $2, $3, $4)', [...row]);
});

afterAll(() => service.close());

const text = (column: string) => ({ column, type: 'text' });
const sql = {
  id: text('id'),
  properties: { owner: text('owner'), region: text('region'), archived: { column: 'archived', type: 'boolean' } },
};
const body = { subject: { type: 'user', id: 'ann' }, action: { name: 'read' }, resource: { type: 'todo' } };

const filter = (over: object = {}, by = key): Promise<Answer> =>
  service.call('POST', '/access/v1/filter', { key: by, body: { ...body, sql, ...over } });

/** The rows for which an evaluation of each says allow. */
async function oneByOne(by = key, over: object = {}): Promise<string[]> {
  const evaluations = ROWS.map(([id, owner, region, archived]) => {
    const properties = Object.fromEntries(
      Object.entries({ owner, region, archived }).filter(([, value]) => value !== null),
    );
    return { resource: { type: 'todo', id, properties } };
  });
  const answer = await service.call('POST', '/access/v1/evaluations', {
    key: by,
    body: { ...body, ...over, evaluations },
  });
  return ROWS.flatMap(([id], index) => (answer.body.evaluations[index].decision === true ? [id] : []));
}

async function select({ where, params }: { where: string; params: unknown[] }, alias = 'todos'): Promise<string[]> {
  const found = await client.query<{ id: string }>(
    `select id from todos as ${alias} where ${where} order by id`,
    params,
  );
  return found.rows.map(({ id }) => id);
}

describe('a filter', () => {
  it('selects the rows that are allowed one by one', async () => {
    const { status, body: answer } = await filter();
    expect(status).toBe(200);
    expect(answer).toMatchObject({
      filter: 'conditional',
      obligations: [{ type: 'custom', properties: { name: 'redact', fields: ['notes'] } }],
    });
    expect(answer.sql.params).toContain('emea');
    expect(await select(answer.sql)).toEqual(['1', '2', '6']);
    expect(await oneByOne()).toEqual(['1', '2', '6']);
  });

  it('is for the person that is asked about', async () => {
    const subject = { type: 'user', id: 'bob' };
    const { body: answer } = await filter({ subject });
    expect(await select(answer.sql)).toEqual(['2', '3']);
    expect(await oneByOne(key, { subject })).toEqual(['2', '3']);
  });

  it('leaves out what the key may not say of a row', async () => {
    const { body: answer } = await filter({}, narrow);
    expect(await select(answer.sql)).toEqual(['2']);
    expect(await oneByOne(narrow)).toEqual(['2']);
  });

  it('is all or nothing where no row matters', async () => {
    expect((await filter({ action: { name: 'count' }, sql: undefined })).body).toMatchObject({
      filter: 'conditional',
      ast: { op: 'not_glob', left: { id: true }, pattern: 'secret-*' },
      cel: '!resource.id.matches("^(?s:secret-.*)\\\\z")',
    });
    const none = await filter({ action: { name: 'shred' } });
    expect(none.body).toMatchObject({
      filter: 'none',
      ast: { op: 'false' },
      cel: 'false',
      sql: { where: 'FALSE', params: [] },
      obligations: [],
      context: { reason: 'no_rule_allows' },
    });
    expect(await select(none.body.sql)).toEqual([]);
  });

  it('takes its place in a statement of the host’s', async () => {
    const { body: answer } = await filter({ sql: { ...sql, table: 't', first_parameter: 3 } });
    expect(answer.sql.where).toContain('"t"."archived" = $3::boolean');
    expect(answer.sql.where).not.toMatch(/\$[12]\b/);
    expect(
      await select(
        { where: `t.id <> $1 and t.id <> $2 and ${answer.sql.where}`, params: ['1', 'x', ...answer.sql.params] },
        't',
      ),
    ).toEqual(['2', '6']);
  });

  it('has no SQL without columns, and nothing else either that it cannot say', async () => {
    const { body: answer } = await filter({ sql: undefined });
    expect(answer).not.toHaveProperty('sql');
    expect(answer.filter).toBe('conditional');
    expect(await filter({ sql: undefined, action: { name: 'export' } })).toMatchObject({ status: 422 });
  });

  it('is one record, with how much it lets through', async () => {
    const { body: answer } = await filter();
    const records = await service.database.store.read(service.database.tenant, (view) =>
      view.query<{ body: string }[]>('select body from placet.ledger_record where writer > 0'),
    );
    const found = records.filter((record) => record.body.includes(answer.context.evaluation_id as string));
    expect(found).toHaveLength(1);
    expect(JSON.parse(found[0]!.body)).toMatchObject({
      kind: 'listing',
      action: 'filter',
      subject: 'user:ann',
      host: 'todo-app',
      filter: {
        type: 'todo',
        action: 'read',
        rows: 'conditional',
        digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
    });
    // What it compares with are values of the person's, which a record does not hold.
    expect(found[0]!.body).not.toContain('emea');
  });
});

describe('a filter is refused', () => {
  it('where none says exactly what is allowed; the condition is told by right only', async () => {
    const refused = await filter({
      action: { name: 'export' },
      sql: { ...sql, properties: { ...sql.properties, title: text('title') } },
    });
    expect(refused).toMatchObject({
      status: 422,
      body: {
        code: 'no_exact_filter',
        rule: { policy: 'exports', rule: 'short' },
        detail: expect.stringContaining("the rule 'short' of the policy 'exports'") as string,
      },
    });
    expect(refused.body).not.toHaveProperty('clause');
    const told = await filter({ action: { name: 'export' }, sql: undefined }, explain);
    expect(told.body.clause).toBe('resource.properties.title.size()');
  });

  it.each<[string, object]>([
    ['with a quote in a column', { sql: { ...sql, id: text('id" or true --') } }],
    ['with a space in a column', { sql: { ...sql, id: text('id or true') } }],
    ['with a dot in a column', { sql: { ...sql, id: text('t.id') } }],
    ['with a NUL in a column', { sql: { ...sql, id: text('id\0') } }],
    ['with an empty column', { sql: { ...sql, id: text('') } }],
    ['with a column that Postgres would cut short', { sql: { ...sql, id: text('a'.repeat(64)) } }],
    ['with a hostile table', { sql: { ...sql, table: 'todos"; drop table todos; --' } }],
    ['with a hostile column of an attribute', { sql: { ...sql, properties: { owner: text('owner" = "owner') } } }],
    ['with an unknown type', { sql: { ...sql, id: { column: 'id', type: 'text; drop table todos' } } }],
    ['with an unknown member', { sql: { ...sql, colums: {} } }],
    ['with an unknown member beside', { columns: sql }],
    ['with parameter 0', { sql: { ...sql, first_parameter: 0 } }],
    ["for a type of MCP's own", { resource: { type: 'tool', properties: { server: 'files' } } }],
    ['without a type', { resource: {} }],
  ])('%s', async (_what, over) => {
    expect(await filter(over)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('for a subject that the key may not speak for, and without a host’s key', async () => {
    expect(await filter({ subject: { type: 'service', id: 'cron' } })).toMatchObject({
      status: 403,
      body: { code: 'subject_not_assertable' },
    });
    expect(await filter({}, service.owner)).toMatchObject({ status: 403, body: { code: 'not_a_host' } });
  });

  it('for an attribute whose name no object has by itself', async () => {
    const properties = '{"owner":{"column":"owner","type":"text"},"__proto__":{"column":"region","type":"nonsense"}}';
    const raw = JSON.stringify({ ...body, sql: { id: text('id'), properties: 'PROPERTIES' } }).replace(
      '"PROPERTIES"',
      properties,
    );
    expect(
      await service.call('POST', '/access/v1/filter', {
        key,
        body: raw,
        headers: { 'Content-Type': 'application/json' },
      }),
    ).toMatchObject({ status: 400 });
  });
});
