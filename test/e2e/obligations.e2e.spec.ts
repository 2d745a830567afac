import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPlacetClient, guardClient, PlacetDenied, type GuardOptions } from '#client';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let key: string;

/** Who may see what of a customer; records for AuthZEN's own types. */
const DOCUMENTS = `
kind: Tenant
name: default
defaults: { effect: deny, hostScope: {} }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: crm }
---
{ kind: Subject, id: ann, groups: [sales] }
---
{ kind: Subject, id: bob, groups: [support] }
---
{ kind: Subject, id: eve, groups: [sales, support] }
---
{ kind: Subject, id: zoe, groups: [audit] }
---
{ kind: Resource, type: record, id: open }
---
{ kind: Resource, type: record, id: secret }
---
kind: Policy
name: connecting
target: { servers: [crm], actions: [initialize, server/discover, tools/list], resources: ['*'] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: customers
target: { servers: [crm], actions: [tools/call], resources: [get_customer, broken] }
rules:
  - name: sales
    effect: allow
    to: [group:sales]
    fields: { arguments: [id, options.*], result: [name, orders.*] }
  - name: support
    effect: allow
    to: [group:support]
    fields: { result: [name, contact] }
    obligations: [{ type: mask, fields: [contact.email] }]
  - name: audit
    effect: allow
    to: [group:audit]
    obligations: [{ type: redact, fields: [contact, 'card_*'] }, { type: session_termination }]
---
kind: Policy
name: plain
target: { servers: [crm], actions: [tools/call], resources: [ping] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: records
target: { actions: [read], resources: [{ type: record, id: '*' }] }
rules:
  - { name: all, effect: allow, to: [any] }
  - name: secret
    effect: allow
    to: [any]
    when: resource.id == "secret"
    obligations: [{ type: redact, fields: [ssn] }, { type: step-up, acr: gold }]
`;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  const applied = await service.call('POST', '/api/v1/documents/apply', {
    body: { files: [{ path: 'd.yaml', text: DOCUMENTS }] },
  });
  expect(applied.body.problems).toBeUndefined();
  const rights = { subjects: ['user:*'], subjectProperties: [], resourceProperties: [], explain: true };
  key = (await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights } })).body.key;
});

afterAll(() => service.close());

const post = (path: string, body: unknown): Promise<Answer> => service.call('POST', path, { key, body });
const user = (id: string) => ({ type: 'user', id });

async function lastRecord(): Promise<Record<string, unknown>> {
  const rows = await service.database.store.read(service.database.tenant, (view) =>
    view.query<{ body: string }[]>(
      `select body from placet.ledger_record where writer > 0 order by writer desc, seq desc limit 1`,
    ),
  );
  return JSON.parse(rows[0]!.body) as Record<string, unknown>;
}

describe('a decision on an MCP message', () => {
  const call = (who: string, given: object, supported?: readonly unknown[], tool = 'get_customer') =>
    post('/mcp/v1/decisions', {
      subject: user(who),
      server: 'crm',
      direction: 'client_to_server',
      message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: given } },
      ...(supported === undefined ? {} : { supported_obligations: supported }),
    });

  it.each<[string, string, object, string[] | undefined, string, string]>([
    ['for a host that says nothing', 'ann', { id: 1 }, undefined, 'allow', 'allowed'],
    ['for a host that can do it', 'ann', { id: 1, options: { full: true } }, ['fields', 'dance'], 'allow', 'allowed'],
    ['for a host that can do something else', 'ann', { id: 1 }, ['redact'], 'deny', 'obligation_unsupported'],
    ['for a host that can do nothing', 'ann', { id: 1 }, [], 'deny', 'obligation_unsupported'],
    ['by the names of the AuthZEN profile', 'ann', { id: 1 }, ['custom'], 'deny', 'obligation_unsupported'],
    ['with an argument that is not covered', 'ann', { id: 1, sql: 'x' }, undefined, 'deny', 'no_rule_allows'],
    ['with an argument that another rule covers', 'eve', { id: 1, sql: 'x' }, undefined, 'allow', 'allowed'],
  ])('%s', async (_, who, given, supported, effect, code) => {
    const { status, body } = await call(who, given, supported);
    expect({ status, effect: body.effect, code: body.reason.code }).toEqual({ status: 200, effect, code });
  });

  it('says what of the result is covered', async () => {
    const obligations = async (who: string) => (await call(who, {})).body.obligations;
    expect(await obligations('ann')).toEqual([{ type: 'fields', keep: ['name', 'orders.*'] }]);
    expect(await obligations('eve')).toEqual([
      { type: 'mask', fields: ['contact.email'] },
      { type: 'fields', keep: ['contact', 'name', 'orders.*'] },
    ]);
    expect(await obligations('zoe')).toContainEqual({ type: 'session_termination', subject: 'user:zoe' });
  });

  it('names what the host cannot do, and is recorded with what it said', async () => {
    const { body } = await call('zoe', {}, ['redact', 'dance']);
    expect(body).toMatchObject({
      effect: 'deny',
      obligations: [],
      reason: { detail: "the host does not say that it can carry out 'session_termination'" },
    });
    expect(await lastRecord()).toMatchObject({
      effect: 'deny',
      reason: 'obligation_unsupported',
      detail: body.reason.detail,
      supported_obligations: ['redact'],
      obligations: [],
    });
  });

  it.each([['redact'], [[1]], [{}], [null]])('takes no list that is none: %j', async (supported) => {
    const { status, body } = await call('ann', {}, supported as never);
    expect(status).toBe(400);
    expect(body.code).toBe('invalid_request');
  });

  it('agrees with the listing', async () => {
    const listing = async (supported?: string[]) => {
      const { body } = await post('/mcp/v1/listings', {
        subject: user('bob'),
        server: 'crm',
        method: 'tools/list',
        result: { tools: [{ name: 'get_customer' }, { name: 'ping' }] },
        ...(supported ? { supported_obligations: supported } : {}),
      });
      return (body.items as { effect: string }[]).map(({ effect }) => effect);
    };
    expect(await listing()).toEqual(['allow', 'allow']);
    expect(await listing(['fields', 'mask'])).toEqual(['allow', 'allow']);
    expect(await listing(['fields'])).toEqual(['deny', 'allow']);
  });
});

describe('an AuthZEN evaluation', () => {
  const read = (id: string, context?: object) => ({
    subject: user('ann'),
    action: { name: 'read' },
    resource: { type: 'record', id },
    ...(context ? { context } : {}),
  });
  const reading = (id: string, supported?: unknown) =>
    post('/access/v1/evaluation', read(id, supported === undefined ? undefined : { supported_obligations: supported }));

  it.each<[string, string[] | undefined, boolean]>([
    ['secret', undefined, true],
    ['secret', ['step-up', 'custom'], true],
    ['secret', ['step-up', 'custom:redact'], true],
    ['secret', ['step-up', 'custom:redact', 'x-other'], true],
    ['secret', ['step-up', 'custom:mask'], false],
    ['secret', ['step-up', 'redact'], false],
    ['secret', ['custom:step-up', 'custom:redact'], false],
    ['secret', ['step-up'], false],
    ['secret', ['custom'], false],
    ['secret', [], false],
    ['open', [], true],
  ])('of the record %s with %j: %s', async (id, supported, decision) => {
    const { body } = await reading(id, supported);
    expect(body.decision).toBe(decision);
    if (!decision) expect(body.context).toMatchObject({ reason: 'obligation_unsupported' });
    if (!decision) expect(body.context.obligations).toBeUndefined();
  });

  it.each([null, 'custom', { custom: true }, [1], ['custom', null]])('with %j is a 400', async (supported) => {
    const { status, body } = await reading('open', supported);
    expect({ status, path: body.errors[0].path }).toEqual({ status: 400, path: 'context.supported_obligations' });
  });

  it('carries the end of a session by the profile', async () => {
    const { body } = await post('/access/v1/evaluation', {
      subject: user('zoe'),
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'get_customer', properties: { server: 'crm' } },
    });
    expect(body.context.obligations).toEqual([
      { id: 'obligation-1', type: 'custom', properties: { name: 'redact', fields: ['contact', 'card_*'] } },
      { id: 'obligation-2', type: 'session_termination', properties: { subject: 'user:zoe' } },
    ]);
  });

  it('of many has what they share, and what each replaces', async () => {
    const { body } = await post('/access/v1/evaluations', {
      ...read('secret', { supported_obligations: [] }),
      evaluations: [
        {},
        { context: {} },
        { context: { supported_obligations: 1 } },
        { resource: { type: 'record', id: 'open' } },
      ],
    });
    expect(body.evaluations.map(({ decision }: { decision: boolean }) => decision)).toEqual([false, true, false, true]);
    expect(body.evaluations[2].context.error.status).toBe(400);
  });

  it('is what a search finds', async () => {
    const found = async (supported?: string[]) => {
      const { body } = await post('/access/v1/search/resource', {
        ...read('', supported && { supported_obligations: supported }),
        resource: { type: 'record' },
      });
      return (body.results as { id: string }[]).map(({ id }) => id);
    };
    expect(await found()).toEqual(['open', 'secret']);
    expect(await found(['step-up', 'custom'])).toEqual(['open', 'secret']);
    expect(await found(['step-up'])).toEqual(['open']);
    expect(await lastRecord()).toMatchObject({ kind: 'listing', supported_obligations: ['step-up'] });
  });

  it('cannot read what the host supports in a condition', async () => {
    const rule = "{ name: r, effect: allow, to: [any], when: 'has(context.supported_obligations)' }";
    const text = `{ kind: Policy, name: odd, target: { actions: [write], resources: ['*'] }, rules: [${rule}] }`;
    await service.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'o.yaml', text }] } });
    const write = { ...read('open', { supported_obligations: [] }), action: { name: 'write' } };
    expect((await post('/access/v1/evaluation', write)).body.decision).toBe(false);
  });
});

describe('the guard before a real server', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const CUSTOMER = {
    name: 'Acme',
    contact: { email: 'mail@acme.example', phone: '555' },
    card_number: '4242',
    orders: [{ id: 1, total: 5 }],
  };

  function crm(): McpServer {
    const server = new McpServer({ name: 'crm', version: '1' });
    const outputSchema = z.looseObject({ name: z.string() });
    server.registerTool('get_customer', { inputSchema: z.looseObject({}), outputSchema }, () => ({
      content: [
        { type: 'text', text: JSON.stringify(CUSTOMER) },
        { type: 'text', text: 'Acme, card 4242, phone 555' },
      ],
      structuredContent: CUSTOMER,
      _meta: { card: '4242' },
    }));
    server.registerTool('broken', { inputSchema: z.looseObject({}) }, () => {
      throw new Error('card 4242 is expired');
    });
    server.registerTool('ping', { inputSchema: z.looseObject({}) }, () => ({
      content: [{ type: 'text', text: 'pong' }],
    }));
    return server;
  }

  async function connected(who: string, obligations: GuardOptions['obligations'] = {}) {
    const [near, far] = InMemoryTransport.createLinkedPair();
    const serving = serveStdio(crm, { transport: far });
    const client = new Client({ name: 'desk', version: '1' });
    closing.push(
      () => client.close(),
      () => serving.close(),
    );
    const placet = createPlacetClient({ url: service.url, key });
    const guarded = guardClient(client, { placet, subject: user(who), server: 'crm', obligations });
    await guarded.connect(near);
    return guarded;
  }

  const jsonOf = (result: object) =>
    JSON.parse((result as { content: { text: string }[] }).content[0]!.text) as unknown;

  it.each<[string, unknown]>([
    ['ann', { name: 'Acme', orders: [{ id: 1, total: 5 }] }],
    ['bob', { name: 'Acme', contact: { email: '***', phone: '555' } }],
    ['eve', { name: 'Acme', contact: { email: '***', phone: '555' }, orders: [{ id: 1, total: 5 }] }],
  ])('shows %s what is covered, and no more', async (who, shown) => {
    const guarded = await connected(who);
    const result = await guarded.callTool({ name: 'get_customer', arguments: { id: 1 } });
    expect(result.structuredContent).toEqual(shown);
    expect(jsonOf(result)).toEqual(shown);
    expect(JSON.stringify(result)).not.toContain('4242');
    expect(JSON.stringify(result)).toContain('[left out: ');
  });

  it('hands on what nothing limits as it came', async () => {
    const guarded = await connected('ann');
    const { content } = await guarded.callTool({ name: 'ping', arguments: {} });
    expect(content).toEqual([{ type: 'text', text: 'pong' }]);
  });

  it('lets no error say what the result may not', async () => {
    const guarded = await connected('ann');
    const outcome = await guarded.callTool({ name: 'broken', arguments: { id: 1 } }).catch((error: unknown) => error);
    expect(`${String(outcome)} ${JSON.stringify(outcome)}`).not.toContain('4242');
  });

  it('is told that it cannot, where the host has no handler, and nothing is sent', async () => {
    const guarded = await connected('zoe');
    const refused = guarded.callTool({ name: 'get_customer', arguments: {} });
    await expect(refused).rejects.toThrow(PlacetDenied);
    await expect(refused).rejects.toMatchObject({ reason: { code: 'obligation_unsupported' } });
    // It is Placet that denies, and its record that says so.
    expect(await lastRecord()).toMatchObject({ reason: 'obligation_unsupported' });
    const { tools } = await guarded.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['ping']);
  });

  it('does with a handler of the host what it cannot do itself', async () => {
    const ended: unknown[] = [];
    const guarded = await connected('zoe', { session_termination: ({ subject }) => void ended.push(subject) });
    const { structuredContent } = await guarded.callTool({ name: 'get_customer', arguments: {} });
    expect(structuredContent).toEqual({ name: 'Acme', orders: [{ id: 1, total: 5 }] });
    expect(ended).toEqual(['user:zoe']);
    expect((await guarded.listTools()).tools.map(({ name }) => name)).toContain('get_customer');
  });

  it('sends no argument that no rule covers', async () => {
    const guarded = await connected('ann');
    const call = guarded.callTool({ name: 'get_customer', arguments: { id: 1, sql: 'select card_number' } });
    await expect(call).rejects.toMatchObject({ reason: { code: 'no_rule_allows' } });
  });
});
