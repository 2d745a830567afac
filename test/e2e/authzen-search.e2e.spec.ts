import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
/** Keys that may speak for every user; for some of them; and another one like the first. */
let key: string;
let narrow: string;
let other: string;

const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: { actions: { allow: ['*'], deny: [forbidden] } } } }
---
{ kind: Host, name: pep }
---
kind: Server
name: files
identity: { url: 'https://files.example' }
tools:
  list: { operation: read }
  wipe: { operation: delete }
  pay: { operation: write, inputSchema: { type: object, required: [amount], properties: { amount: { type: integer } } } }
---
kind: Server
name: mail
tools: { list: { operation: read }, send: { operation: write } }
---
{ kind: Server, name: closed, tools: { list: { operation: read } } }
---
{ kind: Scope, server: files, operations: { allow: [read, write] } }
---
{ kind: Scope, server: closed, actions: { allow: [nothing] } }
---
{ kind: Subject, id: ann, groups: [staff], properties: { level: 3 } }
---
{ kind: Subject, id: bob, groups: [], properties: { level: 1 } }
---
{ kind: Subject, id: eve, groups: [staff], aliases: [{ type: user, id: eve@example.com }] }
---
{ kind: Subject, type: service, id: cron, groups: [staff] }
---
{ kind: Role, name: contractor }
---
{ kind: Binding, name: contractors, subjects: ['user:carl', 'user:ann', 'user:eve@example.com'], roles: [contractor] }
---
{ kind: Binding, name: former, subjects: ['user:dan'], roles: [contractor], expires: '2020-01-01T00:00:00Z' }
---
{ kind: Binding, name: members, subjects: ['group:staff'], roles: [contractor] }
---
{ kind: Resource, type: record, id: r1, properties: { level: 1 } }
---
{ kind: Resource, type: record, id: r2, properties: { level: 2 } }
---
{ kind: Resource, type: record, id: r3, properties: { level: 3 } }
---
{ kind: Resource, type: resource, id: 'file:///public', server: files }
---
kind: Policy
name: records
target: { actions: [read, shred, forbidden, share], resources: [{ type: record, id: '*' }] }
rules:
  - { name: by-level, effect: allow, to: [any], when: 'action.name == "read" && subject.properties.level >= resource.properties.level' }
  - { name: shredding, effect: allow, to: [role:contractor], when: 'action.name in ["shred", "forbidden"]' }
  - { name: share, effect: allow, to: [any], when: 'action.name == "share"' }
  - { name: share-asks, effect: ask, to: [any], when: 'action.name == "share"', consent: { by: [subject] } }
---
kind: Policy
name: tools
target: { servers: ['*'], actions: [tools/call], resources: [{ type: tool, id: '*' }] }
rules:
  - { name: staff, effect: allow, to: ['user:ann', 'user:bob'] }
  - { name: sending, effect: ask, to: ['user:bob'], when: tool.name == "send", consent: { by: [subject] } }
---
kind: Policy
name: connecting
target: { servers: [files, mail], actions: [initialize, tools/list, 'resources/*'], resources: ['*'] }
rules: [{ name: all, effect: allow, to: [any] }]
`;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  const files = [{ path: 'p.yaml', text: DOCUMENTS }];
  expect(await service.call('POST', '/api/v1/documents/apply', { body: { files } })).toMatchObject({ status: 200 });
  const make = async (subjects: string[]) =>
    (await service.call('POST', '/api/v1/keys', { body: { host: 'pep', rights: { subjects } } })).body.key as string;
  key = await make(['user:*']);
  narrow = await make(['user:bob', 'user:c*']);
  other = await make(['user:*']);
});

afterAll(() => service.close());

const search = (kind: string, body: unknown, by = key): Promise<Answer> =>
  service.call('POST', `/access/v1/search/${kind}`, { key: by, body });

const user = (id: string) => ({ type: 'user', id });
const record = (id: string) => ({ type: 'record', id });
const tool = (id: string, server: string) => ({ type: 'tool', id, properties: { server } });
const named = (name: string) => ({ name });

const readers = { subject: { type: 'user' }, action: named('read'), resource: record('r1') };
const tools = { subject: user('ann'), action: named('tools/call'), resource: { type: 'tool' } };
const on = (server: string) => ({ ...tools, resource: { type: 'tool', properties: { server } } });

describe('a search for subjects', () => {
  it.each<[string, object, string[]]>([
    ['by attributes that are stored', readers, ['ann', 'bob']],
    ['by those of the resource', { ...readers, resource: record('r3') }, ['ann']],
    // carl is known by a binding alone, dan by one that has expired, and eve is found by her stored name.
    ['by roles, groups and bindings', { ...readers, action: named('shred') }, ['ann', 'carl', 'eve']],
    ['outside of the boundary of the host', { ...readers, action: named('forbidden') }, []],
    ['where everybody is asked first', { ...readers, action: named('share') }, []],
    ['of an unknown resource', { ...readers, resource: record('r9') }, []],
    ['of an unknown type of resource', { ...readers, resource: { type: 'spaceship', id: 'r1' } }, []],
    ['of an unknown action', { ...readers, action: named('launch') }, []],
    ['of an unknown type', { ...readers, subject: { type: 'spaceship' } }, []],
    ['that the key may not speak for', { ...readers, subject: { type: 'service' }, action: named('shred') }, []],
    [
      'by a property that is claimed of whoever is found',
      { ...readers, subject: { type: 'user', properties: { level: 9 } } },
      ['ann', 'bob'],
    ],
    [
      'who may call a tool',
      { ...readers, action: named('tools/call'), resource: tool('list', 'files') },
      ['ann', 'bob'],
    ],
    [
      'where some are asked first',
      { ...readers, action: named('tools/call'), resource: tool('send', 'mail') },
      ['ann'],
    ],
    [
      'of a tool outside of the scope of its server',
      { ...readers, action: named('tools/call'), resource: tool('wipe', 'files') },
      [],
    ],
    [
      'of a tool without a server',
      { ...readers, action: named('tools/call'), resource: { type: 'tool', id: 'list' } },
      [],
    ],
    [
      'of a server that is not registered',
      { ...readers, action: named('tools/call'), resource: tool('list', 'x') },
      [],
    ],
  ])('%s', async (_what, body, expected) => {
    const { status, body: answer } = await search('subject', body);
    expect(status).toBe(200);
    expect(answer.results).toEqual(expected.map((id) => ({ type: (body as typeof readers).subject.type, id })));
  });

  it('tells a key only about those it may speak for', async () => {
    const { body } = await search('subject', { ...readers, action: named('shred') }, narrow);
    expect(body.results).toEqual([user('carl')]);
  });

  it('finds somebody until the binding expires', async () => {
    const expires = new Date(Date.now() + 1500).toISOString();
    const text = `{ kind: Binding, name: brief, subjects: ['user:gil'], roles: [contractor], expires: '${expires}' }`;
    await service.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'b.yaml', text }] } });
    const found = async () =>
      (await search('subject', { ...readers, action: named('shred') })).body.results as object[];
    expect(await found()).toContainEqual(user('gil'));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(expires) - Date.now()) + 100));
    expect(await found()).not.toContainEqual(user('gil'));
  });
});

describe('a search for resources', () => {
  it.each<[string, object, object[]]>([
    [
      'that are stored',
      { ...tools, action: named('read'), resource: { type: 'record' } },
      ['r1', 'r2', 'r3'].map(record),
    ],
    [
      'for somebody else',
      { subject: user('bob'), action: named('read'), resource: { type: 'record' } },
      [record('r1')],
    ],
    ['for somebody unknown', { subject: user('zoe'), action: named('read'), resource: { type: 'record' } }, []],
    ['of an unknown type', { ...tools, resource: { type: 'spaceship' } }, []],
    // Not closed/list and files/wipe, which Scopes keep out; files/pay needs arguments, and any would do.
    [
      'that are tools',
      tools,
      [tool('list', 'files'), tool('list', 'mail'), tool('pay', 'files'), tool('send', 'mail')],
    ],
    ['that are tools of one server', on('mail'), [tool('list', 'mail'), tool('send', 'mail')]],
    [
      'that are tools of a server by its URL',
      on('https://files.example'),
      [tool('list', 'files'), tool('pay', 'files')],
    ],
    [
      'that are tools of one server, named in the context',
      { ...tools, context: { server: 'mail' } },
      [tool('list', 'mail'), tool('send', 'mail')],
    ],
    ['that are tools of a server that is not registered', on('x'), []],
    ['that are tools of a closed server', on('closed'), []],
    ['with arguments that do not fit', { ...on('files'), context: { arguments: {} } }, [tool('list', 'files')]],
    [
      'with arguments that do',
      { ...on('files'), context: { arguments: { amount: 1 } } },
      [tool('list', 'files'), tool('pay', 'files')],
    ],
    ['without those that must be asked for', { ...on('mail'), subject: user('bob') }, [tool('list', 'mail')]],
    [
      'that are servers',
      { ...tools, action: named('tools/list'), resource: { type: 'mcp_server' } },
      ['files', 'mail'].map((id) => ({ type: 'mcp_server', id })),
    ],
    [
      'that are one server',
      { ...tools, action: named('tools/list'), resource: { type: 'mcp_server', properties: { server: 'mail' } } },
      [{ type: 'mcp_server', id: 'mail' }],
    ],
    [
      'that belong to servers',
      { ...tools, action: named('resources/read'), resource: { type: 'resource' } },
      [{ type: 'resource', id: 'file:///public', properties: { server: 'files' } }],
    ],
  ])('%s', async (_what, body, expected) => {
    const { status, body: answer } = await search('resource', body);
    expect(status).toBe(200);
    expect(answer.results).toEqual(expected);
  });

  it('finds what an evaluation then allows, and nothing that it denies', async () => {
    const { body } = await search('resource', { ...tools, context: { arguments: {} } });
    for (const [id, server] of [
      ['list', 'files'],
      ['list', 'mail'],
      ['send', 'mail'],
      ['wipe', 'files'],
      ['pay', 'files'],
      ['list', 'closed'],
    ] as const) {
      const request = { ...tools, resource: tool(id, server), context: { arguments: {} } };
      const { body: evaluation } = await service.call('POST', '/access/v1/evaluation', { key, body: request });
      const found = (body.results as object[]).some(
        (each) => JSON.stringify(each) === JSON.stringify(tool(id, server)),
      );
      expect([id, server, found]).toEqual([id, server, evaluation.decision]);
    }
  });
});

describe('a search for actions', () => {
  it.each<[string, object, string[]]>([
    ['that policies name', { subject: user('ann'), resource: record('r1') }, ['read', 'shred']],
    ['for somebody else', { subject: user('bob'), resource: record('r1') }, ['read']],
    ['on something unknown', { subject: user('bob'), resource: record('r9') }, []],
    ['on an unknown type', { subject: user('bob'), resource: { type: 'spaceship', id: 'x' } }, []],
    ['on a tool', { subject: user('ann'), resource: tool('list', 'files') }, ['tools/call']],
    ['on a tool out of bounds', { subject: user('ann'), resource: tool('wipe', 'files') }, []],
    ['on a tool where it is asked first', { subject: user('bob'), resource: tool('send', 'mail') }, []],
    // Of the methods that a pattern covers, those that are about a server.
    [
      'on a server',
      { subject: user('zoe'), resource: { type: 'mcp_server', id: 'mail' } },
      ['initialize', 'resources/list', 'resources/templates/list', 'tools/list'],
    ],
    [
      'on a server by its URL',
      { subject: user('zoe'), resource: { type: 'mcp_server', id: 'https://files.example' } },
      ['initialize', 'resources/list', 'resources/templates/list', 'tools/list'],
    ],
    ['on a server that is not registered', { subject: user('zoe'), resource: { type: 'mcp_server', id: 'x' } }, []],
    [
      'on a resource',
      { subject: user('zoe'), resource: { type: 'resource', id: 'file:///public', properties: { server: 'mail' } } },
      ['resources/read', 'resources/subscribe', 'resources/unsubscribe'],
    ],
  ])('%s', async (_what, body, expected) => {
    const { status, body: answer } = await search('action', body);
    expect(status).toBe(200);
    expect(answer.results).toEqual(expected.map(named));
  });
});

it.each([
  ['resource', tools],
  ['resource', { ...tools, resource: { type: 'of which there is none' } }],
  ['action', { subject: user('ann'), resource: record('r1') }],
])('a search for a %s is refused about a subject that the key may not speak for', async (kind, body) => {
  const answer = await search(kind, body, narrow);
  expect(answer).toMatchObject({ status: 403, body: { code: 'subject_not_assertable' } });
});

it.each(['subject', 'resource', 'action'])('a search for a %s takes the key of a host', async (kind) => {
  const body = { ...tools, resource: record('r1') };
  expect(await search(kind, body, service.owner)).toMatchObject({ status: 403, body: { code: 'not_a_host' } });
});

describe('the pages', () => {
  const first = async (kind: string, body: object, limit: number) =>
    (await search(kind, { ...body, page: { limit } })).body as { page: { next_token: string }; results: object[] };

  it('divide the results, also between two of the same id', async () => {
    const found: object[] = [];
    for (let page: object = { limit: 1 }, pages = 0; pages < 10; pages++) {
      const { body } = await search('resource', { ...tools, page });
      expect(body.page.count).toBe(body.results.length);
      found.push(...(body.results as object[]));
      if (body.page.next_token === '') break;
      page = { token: body.page.next_token };
    }
    expect(found).toEqual([tool('list', 'files'), tool('list', 'mail'), tool('pay', 'files'), tool('send', 'mail')]);
  });

  it('have no more than 500 results, whatever the limit', async () => {
    expect((await search('subject', { ...readers, page: { limit: 1_000_000 } })).body.results).toEqual([
      user('ann'),
      user('bob'),
    ]);
  });

  it('begin anew with an empty token', async () => {
    expect((await search('subject', { ...readers, page: { token: '', limit: 1 } })).body.results).toEqual([
      user('ann'),
    ]);
  });

  it.each<[string, string, object, string]>([
    ['another action', 'subject', { ...readers, action: named('shred') }, 'another search'],
    ['another resource', 'subject', { ...readers, resource: record('r2') }, 'another search'],
    [
      'more about the resource',
      'subject',
      { ...readers, resource: { ...record('r1'), properties: { a: 1 } } },
      'another search',
    ],
    ['another type', 'subject', { ...readers, subject: { type: 'service' } }, 'another search'],
    ['a context', 'subject', { ...readers, context: { purpose: 'x' } }, 'another search'],
    ['another limit', 'subject', { ...readers, page: { limit: 2 } }, 'page.limit'],
    ['another search', 'resource', tools, 'another search'],
  ])('do not go on for %s', async (_what, kind, body, message) => {
    const token = (await first('subject', readers, 1)).page.next_token;
    const page = { token, ...(body as { page?: object }).page };
    const answer = await search(kind, { ...body, page });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.message).toContain(message);
    expect(answer.body.errors).toMatchObject([{ path: message === 'page.limit' ? 'page.limit' : 'page.token' }]);
  });

  it('do not go on for another server', async () => {
    const token = (await first('resource', on('files'), 1)).page.next_token;
    expect(await search('resource', { ...on('mail'), page: { token } })).toMatchObject({ status: 400 });
    expect((await search('resource', { ...on('files'), page: { token } })).body.results).toEqual([
      tool('pay', 'files'),
    ]);
  });

  it('do not go on for another key', async () => {
    const token = (await first('subject', readers, 1)).page.next_token;
    expect(await search('subject', { ...readers, page: { token } }, other)).toMatchObject({ status: 400 });
  });

  it('go on whatever is said of what is searched for, or in another order', async () => {
    const token = (await first('subject', readers, 1)).page.next_token;
    const { subject, action, resource } = readers;
    const again = { page: { token, limit: 1 }, resource, action, subject: { id: 'x', ...subject } };
    expect((await search('subject', again)).body.results).toEqual([user('bob')]);
  });
});

it('gives at most 500 results in a page, whatever limit is asked for, and the rest in the next', async () => {
  const crowd = Array.from({ length: 503 }, (_, at) => `{ kind: Subject, type: crowd, id: '${1000 + at}' }`);
  const counting = `kind: Policy
name: counting
target: { actions: [count], resources: ['*'] }
rules: [{ name: all, effect: allow, to: [any] }]`;
  const files = [{ path: 'crowd.yaml', text: [...crowd, counting].join('\n---\n') }];
  expect(await service.call('POST', '/api/v1/documents/apply', { body: { files } })).toMatchObject({ status: 200 });
  const rights = { subjects: ['crowd:*'] };
  const by = (await service.call('POST', '/api/v1/keys', { body: { host: 'pep', rights } })).body.key as string;
  const body = { subject: { type: 'crowd' }, action: named('count'), resource: record('r1') };
  for (const limit of [{ limit: 501 }, { limit: 1_000_000 }, {}]) {
    const first = await search('subject', { ...body, page: limit }, by);
    expect(first.body.results).toHaveLength(500);
    const second = await search('subject', { ...body, page: { ...limit, token: first.body.page.next_token } }, by);
    expect(second.body).toMatchObject({
      results: ['1500', '1501', '1502'].map((id) => ({ id })),
      page: { next_token: '' },
    });
  }
});

it('is never overtaken: who was taken away in the meantime is not found', async () => {
  const apply = (text: string) =>
    service.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'h.yaml', text }] } });
  const shredders = { ...readers, action: named('shred') };
  for (let round = 0; round < 5; round++) {
    await apply(`{ kind: Binding, name: brief, subjects: ['user:hal'], roles: [contractor] }`);
    expect((await search('subject', shredders)).body.results).toContainEqual(user('hal'));
    let gone = false;
    const asking = Array.from({ length: 4 }, async () => {
      while (!gone) await search('subject', shredders);
    });
    await apply(`{ kind: Binding, name: brief, subjects: ['user:ida'], roles: [contractor] }`);
    gone = true;
    expect((await search('subject', shredders)).body.results).not.toContainEqual(user('hal'));
    await Promise.all(asking);
  }
});

describe('the ledger', () => {
  const records = async () =>
    (
      await service.database.store.read(service.database.tenant, (view) =>
        view.query<{ body: string }[]>('select body from placet.ledger_record where writer > 0 order by writer, seq'),
      )
    ).map(({ body }) => JSON.parse(body) as Record<string, unknown>);

  it('has one record of a page, with each candidate', async () => {
    const before = (await records()).length;
    const { body } = await search('resource', { ...on('mail'), subject: user('bob') });
    const all = await records();
    expect(all.length).toBe(before + 1);
    expect(all.find(({ evaluation_id: id }) => id === body.context.evaluation_id)).toMatchObject({
      kind: 'listing',
      action: 'search/resource',
      subject: 'user:bob',
      host: 'pep',
      front: 'authzen',
      revision: body.context.revision,
      search: { type: 'tool', action: 'tools/call' },
      items: [
        ['list', 'allow', false, 'mail'],
        ['send', 'ask', false, 'mail'],
      ],
    });
  });

  it('names no subject where one is searched for', async () => {
    const { body } = await search('subject', readers);
    const found = (await records()).find(({ evaluation_id: id }) => id === body.context.evaluation_id);
    expect(found).toMatchObject({
      action: 'search/subject',
      search: { type: 'user', action: 'read', resource: record('r1') },
    });
    expect(found).not.toHaveProperty('subject');
  });
});
