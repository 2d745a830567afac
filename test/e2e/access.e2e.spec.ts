import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let host: string;
let reader: string;

const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Host, name: ide }
---
{ kind: Scope, host: ide, servers: { allow: [files] } }
---
kind: Server
name: files
tools:
  read: { operation: read, arguments: { path: path } }
  stat: { operation: read }
  wipe: { operation: delete }
---
{ kind: Server, name: mail, tools: { send: { operation: send } } }
---
{ kind: Scope, server: files, paths: { allow: ['~/work/**'] }, operations: { deny: [delete] } }
---
{ kind: Role, name: employee }
---
{ kind: Role, name: sales, inherits: [employee] }
---
{ kind: Subject, id: ann, groups: [emea], properties: { home: /home/ann } }
---
{ kind: Subject, id: bob, groups: [], aliases: [{ type: user, id: bob@example.com }] }
---
{ kind: Subject, type: service, id: cron, groups: [emea] }
---
{ kind: Binding, name: sales-people, subjects: ['group:emea'], roles: [sales] }
---
{ kind: Binding, name: carl, subjects: ['user:carl'], roles: [employee] }
---
{ kind: Resource, type: record, id: r1, properties: { level: 1 } }
---
{ kind: Resource, type: resource, server: mail, id: 'mail://inbox' }
---
{ kind: Resource, type: prompt, server: mail, id: greet }
---
kind: Policy
name: files
target: { servers: [files], actions: [tools/call], resources: [read, stat, wipe, 'x_*'] }
rules:
  - { name: employees, effect: allow, to: [role:employee] }
  - { name: dora, effect: allow, to: ['user:dora'], via: [desk] }
---
kind: Policy
name: mail
target: { servers: [mail], actions: [tools/call], resources: [send] }
rules:
  - { name: anybody, effect: allow, to: [any] }
  - { name: not-bob, effect: deny, to: ['user:bob'] }
  - { name: many, effect: ask, to: [any], when: arguments.count > 10, consent: { by: [subject] } }
---
kind: Policy
name: stored
target: { servers: [mail], actions: [resources/read, prompts/get], resources: ['*'] }
rules: [{ name: sales, effect: allow, to: [role:sales], consent: { by: [subject] } }]
---
kind: Policy
name: records
target: { actions: [read, write], resources: [{ type: record, id: '*' }] }
rules:
  - { name: readers, effect: allow, to: ['user:ann', 'user:bob'], when: action.name == "read" && resource.properties.level < 2 }
  - { name: purpose, effect: allow, to: ['user:ann'], when: context.purpose == "audit" }
`;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  await apply(DOCUMENTS);
  const make = async (body: object) => (await service.call('POST', '/api/v1/keys', { body })).body.key as string;
  host = await make({ host: 'desk', rights: { subjects: ['*'] } });
  reader = await make({ administrator: 'eve', rights: { roles: ['auditor'] } });
});

afterAll(() => service.close());

async function apply(text: string): Promise<void> {
  const body = { files: [{ path: 'p.yaml', text }] };
  expect(await service.call('POST', '/api/v1/documents/apply', { body })).toMatchObject({ status: 200 });
}

const subjects = (body: object, key?: string): Promise<Answer> =>
  service.call('POST', '/api/v1/access/subjects', { body, ...(key === undefined ? {} : { key }) });
const capabilities = (body: object, key?: string): Promise<Answer> =>
  service.call('POST', '/api/v1/access/capabilities', { body, ...(key === undefined ? {} : { key }) });

interface Item {
  subject: { id: string | null };
  server?: string;
  resource: { type: string; id: string };
  action: { name: string };
  host: string;
  effect?: string;
  conditional: boolean;
  reason?: string;
  rules: { policy: string; rule: string; reached: { by: string; binding?: string }[] }[];
}

/** As in `ann desk allow?`. */
const people = ({ body }: Answer): string[] =>
  (body.items as Item[]).map(
    ({ subject, host: through, effect, conditional }) =>
      `${subject.id ?? '*'} ${through} ${effect}${conditional ? '?' : ''}`,
  );

const things = ({ body }: Answer): string[] =>
  (body.items as Item[]).map(
    ({ server, resource, action, effect, conditional }) =>
      `${server ?? ''}/${resource.type}:${resource.id} ${action.name} ${effect ?? 'within'}${conditional ? '?' : ''}`,
  );

const call = (server: string, id: string) => ({ server, resource: { id } });

describe('who can do this', () => {
  it.each<[string, object, string[]]>([
    // dora is known by a rule alone. Without arguments a path might lie inside.
    [
      'a tool with a path',
      call('files', 'read'),
      ['ann desk allow?', 'ann ide allow?', 'carl desk allow?', 'carl ide allow?', 'dora desk allow?'],
    ],
    ['through one host', { ...call('files', 'stat'), host: 'ide' }, ['ann ide allow', 'carl ide allow']],
    [
      'with arguments, of which the home matters',
      { ...call('files', 'read'), host: 'desk', arguments: { path: '~/work/a' } },
      ['ann desk allow'],
    ],
    ['outside of a boundary', call('files', 'wipe'), []],
    ['an undeclared tool that a pattern covers', { ...call('files', 'x_1'), host: 'desk' }, []],
    [
      'a tool that anybody may call, whom no document names among them',
      call('mail', 'send'),
      ['* desk allow?', 'ann desk allow?', 'carl desk allow?', 'dora desk allow?'],
    ],
    [
      'whom it asks',
      { ...call('mail', 'send'), arguments: { count: 11 } },
      ['* desk ask', 'ann desk ask', 'carl desk ask', 'dora desk ask'],
    ],
    ['who is denied', { ...call('mail', 'send'), host: 'desk', effects: ['deny'] }, ['bob desk deny']],
    ['of another type', { ...call('files', 'stat'), subject: { type: 'service' }, host: 'desk' }, ['cron desk allow']],
    ['a resource', { server: 'mail', resource: { type: 'resource', id: 'mail://inbox' } }, ['ann desk ask']],
    ['a prompt', { server: 'mail', resource: { type: 'prompt', id: 'greet' } }, ['ann desk ask']],
    [
      'a record, by what is stored about it',
      { resource: { type: 'record', id: 'r1' }, action: { name: 'read' }, host: 'desk' },
      ['ann desk allow', 'bob desk allow'],
    ],
    [
      'a record that is not stored, by what is said about it',
      { resource: { type: 'record', id: 'r2', properties: { level: 0 } }, action: { name: 'read' }, host: 'desk' },
      ['ann desk allow', 'bob desk allow'],
    ],
    [
      'for a purpose',
      {
        resource: { type: 'record', id: 'r1' },
        action: { name: 'write' },
        context: { purpose: 'audit' },
        host: 'desk',
      },
      ['ann desk allow'],
    ],
  ])('%s', async (_what, body, expected) => {
    const answer = await subjects(body);
    expect(answer.status).toBe(200);
    expect(people(answer)).toEqual(expected);
    expect(answer.body.next_page_token).toBeUndefined();
  });

  it('says by which rules, and how they name the person', async () => {
    const { body } = await subjects({ ...call('files', 'stat'), host: 'desk' });
    const rule = { policy: 'files', version: 1, effect: 'allow', outcome: 'true', asks: false };
    const employees = { ...rule, rule: 'employees' };
    const role = { by: 'role', role: 'employee' };
    expect(body).toEqual({
      revision: expect.any(Number),
      items: [
        ['ann', employees, { ...role, binding: 'sales-people', group: 'emea', chain: ['sales', 'employee'] }],
        ['carl', employees, { ...role, binding: 'carl', chain: ['employee'] }],
        ['dora', { ...rule, rule: 'dora' }, { by: 'subject' }],
      ].map(([id, by, reach]) => ({
        subject: { type: 'user', id },
        host: 'desk',
        effect: 'allow',
        conditional: false,
        rules: [{ ...(by as object), reached: [reach] }],
      })),
    });
  });

  it('says why not', async () => {
    const { body } = await subjects({ ...call('files', 'wipe'), host: 'desk', effects: ['deny'] });
    const reasons = (body.items as Item[]).map(({ subject, reason }) => [subject.id, reason]);
    expect(reasons).toContainEqual(['ann', 'outside_boundary']);
    expect(reasons).toContainEqual([null, 'outside_boundary']);
  });

  it.each([
    [call('files', 'read'), { path: '~/work/a' }],
    [call('files', 'stat'), {}],
    [call('mail', 'send'), { count: 3 }],
    [call('mail', 'send'), { count: 30 }],
    [call('mail', 'send'), {}],
  ])('agrees with a decision on each: %j with %j', async (body, given) => {
    const answer = await subjects({ ...body, arguments: given, host: 'desk', effects: ['allow', 'ask', 'deny'] });
    expect(answer.body.items).toHaveLength(5);
    for (const { subject, effect } of answer.body.items as Item[]) {
      const decided = await service.call('POST', '/mcp/v1/decisions', {
        key: host,
        body: {
          subject: { type: 'user', id: subject.id ?? 'somebody else' },
          server: body.server,
          direction: 'client_to_server',
          message: {
            jsonrpc: '2.0',
            id: 1,
            method: 'tools/call',
            params: { name: body.resource.id, arguments: given },
          },
        },
      });
      expect(decided.body.effect, String(subject.id)).toBe(effect);
    }
  });

  it('goes from page to page', async () => {
    const found: string[] = [];
    const body = { ...call('files', 'read'), page_size: 2 };
    let token: string | undefined;
    let pages = 0;
    do {
      const answer: Answer = await subjects({ ...body, ...(token === undefined ? {} : { page_token: token }) });
      found.push(...people(answer));
      token = answer.body.next_page_token as string | undefined;
      pages++;
    } while (token !== undefined && pages < 10);
    expect(pages).toBe(3);
    expect(found).toEqual(people(await subjects(call('files', 'read'))));
  });

  it('answers on the state that the last change has made', async () => {
    const one = call('files', 'stat');
    const before = await subjects(one);
    await service.call('PUT', '/api/v1/suspensions/Subject/user%3Acarl', { body: {} });
    const during = await subjects(one);
    expect(people(during)).toEqual(people(before).filter((person) => !person.startsWith('carl')));
    expect(during.body.revision).toBe(before.body.revision + 1);
    await service.call('DELETE', '/api/v1/suspensions/Subject/user%3Acarl');
    expect(people(await subjects(one))).toEqual(people(before));
  });
});

it('answers on every replica on the state that the last change has made', async () => {
  const { url } = await service.replica();
  const body = { ...call('files', 'stat'), host: 'ide' };
  for (let round = 0; round < 5; round++) {
    const { body: change } = await service.call('PUT', '/api/v1/suspensions/Host/ide', { body: {} });
    const during = await service.call('POST', '/api/v1/access/subjects', { body, url });
    expect(during.body).toMatchObject({ items: [], revision: change.revision as number });
    await service.call('DELETE', '/api/v1/suspensions/Host/ide');
  }
});

describe('what can they do', () => {
  it('lists for a person what is declared and stored, on every server and on none', async () => {
    const answer = await capabilities({ subject: { id: 'ann' }, host: 'desk' });
    expect(things(answer)).toEqual([
      '/record:r1 read allow',
      'files/tool:read tools/call allow?',
      'files/tool:stat tools/call allow',
      'mail/prompt:greet prompts/get ask',
      'mail/resource:mail://inbox resources/read ask',
      'mail/tool:send tools/call allow?',
    ]);
    expect(answer.body.default_effect).toBe('deny');
    expect(answer.body.items[2].rules[0]).toMatchObject({ policy: 'files', reached: [{ binding: 'sales-people' }] });
  });

  it('lists what reaches further than that', async () => {
    const { body } = await capabilities({ subject: { id: 'ann' }, host: 'desk', server: 'files' });
    expect(body.further).toEqual({
      rules: [
        {
          policy: 'files',
          version: 1,
          rule: 'employees',
          reached: [
            { by: 'role', role: 'employee', binding: 'sales-people', group: 'emea', chain: ['sales', 'employee'] },
          ],
          target: {
            servers: ['files'],
            actions: ['tools/call'],
            resources: [{ id: 'read' }, { id: 'stat' }, { id: 'wipe' }, { id: 'x_*' }],
          },
        },
        expect.objectContaining({ policy: 'records', rule: 'purpose' }),
        expect.objectContaining({ policy: 'records', rule: 'readers' }),
      ],
      more: false,
    });
  });

  it.each<[string, object, string[]]>([
    ['a person under another name', { subject: { id: 'bob@example.com' }, host: 'desk' }, ['/record:r1 read allow']],
    ['a person through every host', { subject: { id: 'bob' } }, ['/record:r1 read allow']],
    ['somebody whom nobody knows', { subject: { id: 'zoe' } }, ['mail/tool:send tools/call allow?']],
    [
      'of one server',
      { subject: { id: 'dora' }, server: 'files', host: 'desk' },
      ['files/tool:read tools/call allow?', 'files/tool:stat tools/call allow'],
    ],
    ['of one server, through another host', { subject: { id: 'dora' }, server: 'files', host: 'ide' }, []],
    [
      'what is denied',
      { subject: { id: 'bob' }, server: 'files', host: 'desk', effects: ['deny'] },
      expect.arrayContaining([
        'files/tool:wipe tools/call deny',
        'files/sampling:files sampling/createMessage deny',
      ]) as string[],
    ],
    [
      'anybody through a host',
      { host: 'ide', server: 'files' },
      expect.arrayContaining([
        'files/tool:read tools/call within?',
        'files/tool:stat tools/call within',
        'files/elicitation:url elicitation/create within',
      ]) as string[],
    ],
    ['anybody through a host, on a server outside of its scope', { host: 'ide', server: 'mail' }, []],
  ])('%s', async (_what, body, expected) => {
    const answer = await capabilities(body);
    expect(answer.status).toBe(200);
    expect(things(answer)).toEqual(expected);
  });

  it('leaves out for a host what its boundaries or those of the server keep out', async () => {
    const answer = await capabilities({ host: 'ide', page_size: 500 });
    expect(things(answer).some((thing) => thing.startsWith('mail/') || thing.includes('wipe'))).toBe(false);
    expect(answer.body.items[0]).not.toHaveProperty('effect');
    expect(answer.body.items[0]).not.toHaveProperty('rules');
    expect(answer.body).not.toHaveProperty('further');
  });

  it('goes from page to page, and says with the first one what reaches further', async () => {
    const whole = await capabilities({ subject: { id: 'ann' } });
    const found: string[] = [];
    let token: string | undefined;
    for (let pages = 0; pages < 20; pages++) {
      const page = await capabilities({
        subject: { id: 'ann' },
        page_size: 1,
        ...(token === undefined ? {} : { page_token: token }),
      });
      found.push(...things(page));
      expect('further' in page.body).toBe(pages === 0);
      token = page.body.next_page_token as string | undefined;
      if (token === undefined) break;
    }
    expect(found).toEqual(things(whole));
    // Through both hosts, on the one server that is open to both.
    expect(found).toHaveLength(8);
  });
});

describe('what is refused', () => {
  const CASES: readonly [string, object, number, string, string][] = [
    ['subjects', { resource: { id: 'send' } }, 400, 'invalid_request', 'server'],
    ['subjects', { ...call('files', 'read'), host: 'nobody' }, 404, 'not_found', "Host named 'nobody'"],
    ['subjects', call('nowhere', 'read'), 404, 'not_found', "Server named 'nowhere'"],
    ['subjects', { resource: { type: 'record', id: 'r1' } }, 400, 'invalid_request', 'action'],
    [
      'subjects',
      { resource: { type: 'record', id: 'r1' }, action: { name: 'read' }, server: 'files' },
      400,
      'invalid_request',
      'server',
    ],
    ['subjects', { ...call('files', 'read'), subject: { type: 'group' } }, 400, 'invalid_request', 'subject.type'],
    ['subjects', { ...call('files', 'read'), effects: [] }, 400, 'invalid_request', 'effects'],
    ['subjects', { ...call('files', 'read'), page_size: 501 }, 400, 'invalid_request', 'page_size'],
    ['subjects', { ...call('files', 'read'), page_token: 'x' }, 400, 'invalid_request', 'page_token'],
    ['subjects', { ...call('files', 'read'), anything: 1 }, 400, 'invalid_request', 'anything'],
    ['capabilities', {}, 400, 'invalid_request', 'subject'],
    ['capabilities', { subject: { id: 'ann' }, server: 'nowhere' }, 404, 'not_found', "Server named 'nowhere'"],
    ['capabilities', { host: 'nobody' }, 404, 'not_found', "Host named 'nobody'"],
    ['capabilities', { subject: { type: 'role', id: 'sales' } }, 400, 'invalid_request', 'subject.type'],
    [
      'capabilities',
      { host: 'desk', page_token: Buffer.from('["a"]').toString('base64url') },
      400,
      'invalid_request',
      'page_token',
    ],
  ];

  it.each(CASES)('%s of %j: %d %s', async (route, body, status, code, detail) => {
    const answer = await service.call('POST', `/api/v1/access/${route}`, { body });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(JSON.stringify(answer.body)).toContain(detail);
  });

  it('is whoever is no administrator; a reader may ask', async () => {
    const body = call('files', 'read');
    expect(await subjects(body, host)).toMatchObject({ status: 403, body: { code: 'not_an_administrator' } });
    expect(await capabilities({ host: 'desk' }, host)).toMatchObject({ status: 403 });
    expect(people(await subjects(body, reader))).toEqual(people(await subjects(body)));
    expect(await capabilities({ host: 'desk' }, reader)).toMatchObject({ status: 200 });
  });
});

it('records nothing of what an administrator asks', async () => {
  const client = await service.database.connect('superuser');
  const count = async () =>
    (await client.query('select count(*)::int as n from placet.ledger_record')).rows[0].n as number;
  const before = await count();
  await subjects(call('mail', 'send'));
  await capabilities({ subject: { id: 'ann' } });
  expect(await count()).toBe(before);
});
