import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService, type TestTenant } from '../support/service.js';

let service: TestService;
let acme: TestTenant;

const GUARDRAILS = [
  {
    kind: 'Guardrail',
    name: 'no-exports',
    reason: 'Nothing leaves in bulk',
    effect: 'deny',
    target: { actions: ['*'], resources: ['export_*', 'file:///secret/**'] },
  },
  {
    kind: 'Guardrail',
    name: 'payments',
    reason: 'Payments are looked at by risk',
    effect: 'ask',
    target: { actions: ['tools/call'], resources: ['pay'] },
    unless: 'arguments.amount <= 10000',
    consent: { by: ['role:risk'], notSelf: true },
  },
  {
    kind: 'Guardrail',
    name: 'vetted',
    reason: 'Only servers that were looked at',
    effect: 'deny',
    target: { actions: ['tools/call'], resources: ['vetted_*'] },
    unless: 'server.properties.vetted',
  },
];

/** All that a tenant can write in its own favour. */
const OWN = [
  { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
  { kind: 'Role', name: 'risk' },
  { kind: 'Role', name: 'owner' },
  { kind: 'Subject', id: 'ann', groups: ['admins'], properties: { amount: 1 } },
  { kind: 'Binding', name: 'b', subjects: ['user:ann'], roles: ['risk', 'owner'] },
  {
    kind: 'Server',
    name: 'crm',
    properties: { vetted: 'perhaps' },
    tools: {
      export_all: { operation: 'read', inputSchema: { type: 'object' } },
      pay: { operation: 'read', inputSchema: { type: 'object' } },
    },
  },
  { kind: 'Resource', type: 'tool', id: 'export_all', server: 'crm', properties: { open: true } },
  {
    kind: 'Policy',
    name: 'all',
    target: { actions: ['*'], resources: ['*'] },
    rules: [
      { name: 'all', effect: 'allow', to: ['any'] },
      {
        name: 'glass',
        effect: 'ask',
        to: ['any'],
        when: 'false',
        consent: { by: ['subject'], breakGlass: ['user:ann'] },
      },
    ],
  },
];

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  acme = await service.secondTenant('acme');
  await apply(service, GUARDRAILS);
  await apply(acme, OWN);
});
afterAll(() => service.close());

async function apply(to: Pick<TestTenant, 'call'>, documents: readonly object[]): Promise<void> {
  const text = documents.map((each) => JSON.stringify(each)).join('\n---\n');
  const { status, body } = await to.call('POST', '/api/v1/documents/apply', {
    body: { files: [{ path: 'p.yaml', text }] },
  });
  expect(status, JSON.stringify(body)).toBe(200);
}

const mcp = async (method: string, params: object, over: object = {}, tenant = acme) =>
  (
    await service.call('POST', '/mcp/v1/decisions', {
      key: tenant.host,
      body: {
        subject: { type: 'user', id: 'ann' },
        server: 'crm',
        direction: 'client_to_server',
        message: { jsonrpc: '2.0', id: 1, method, params },
        ...over,
      },
    })
  ).body as { effect: string; reason: { code: string } };

describe('a tenant that allows itself everything', () => {
  it.each([
    'export_all',
    'export_',
    ' export_all',
    'export_all ',
    'export_all\n',
    'export_all\u0000',
    'export\u200b_all',
    '\uff45xport_all',
    'export_all\u0301',
    'export%5Fall',
    '\u0435xport_all',
  ])('does not get past a guardrail by a tool that is called %j', async (name) => {
    expect((await mcp('tools/call', { name, arguments: {} })).effect).toBe('deny');
  });

  it.each([
    'file:///secret/a',
    'FILE:///secret/a',
    'file:///x/../secret/a',
    'file:///%73ecret/a',
    'file://localhost/secret/a',
  ])('nor by a resource that is called %j', async (uri) => {
    expect((await mcp('resources/read', { uri })).effect).toBe('deny');
  });

  it.each<[string, unknown, string]>([
    ['what it may', 10_000, 'allow'],
    ['more', 10_001, 'ask'],
    ['a little more', 10_000.000001, 'ask'],
    ['a text', '1', 'ask'],
    ['a list', [1], 'ask'],
    ['an object', { valueOf: 1 }, 'ask'],
    ['nothing', undefined, 'ask'],
    ['null', null, 'ask'],
    ['true', true, 'ask'],
  ])('nor by paying %s', async (_what, amount, effect) => {
    expect((await mcp('tools/call', { name: 'pay', arguments: { amount } })).effect).toBe(effect);
  });

  it('nor by what it says of its own servers, where that is in error', async () => {
    expect(await mcp('tools/call', { name: 'vetted_x', arguments: {} })).toMatchObject({
      effect: 'deny',
      reason: { code: 'guardrail' },
    });
  });

  it('nor by another route, a batch, or the name of a server', async () => {
    const subject = { type: 'user', id: 'ann' };
    const resource = { type: 'tool', id: 'export_all', properties: { server: 'crm' } };
    const action = { name: 'tools/call' };
    const post = async (path: string, body: object) =>
      (await service.call('POST', path, { key: acme.host, body })).body as Record<string, unknown>;
    expect(await post('/access/v1/evaluation', { subject, action, resource })).toMatchObject({ decision: false });
    for (const semantic of ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit']) {
      const { evaluations } = await post('/access/v1/evaluations', {
        subject,
        action,
        options: { evaluations_semantic: semantic },
        evaluations: [{ resource }, { resource }],
      });
      expect(new Set((evaluations as { decision: boolean }[]).map(({ decision }) => decision))).toEqual(
        new Set([false]),
      );
    }
    const actions = await post('/access/v1/search/action', { subject, resource });
    expect(actions['results']).toEqual([]);
    await apply(acme, [{ kind: 'Server', name: 'other', identity: { url: 'https://other.example.com/mcp' } }]);
    for (const server of ['other', { url: 'https://other.example.com/mcp' }])
      expect((await mcp('tools/call', { name: 'export_all', arguments: {} }, { server })).effect).toBe('deny');
    const listed = await post('/mcp/v1/listings', {
      subject,
      server: 'crm',
      method: 'tools/list',
      result: { tools: [{ name: 'export_all', inputSchema: { type: 'object' } }] },
    });
    expect(JSON.stringify(listed['keep'] ?? listed)).not.toMatch(/"allow"/);
  });

  it('nor by being new', async () => {
    const fresh = await service.secondTenant('fresh');
    await apply(fresh, OWN);
    expect((await mcp('tools/call', { name: 'export_all', arguments: {} }, {}, fresh)).effect).toBe('deny');
  });

  it('nor by what becomes of the home tenant', async () => {
    for (const [method, path] of [
      ['PUT', '/api/v1/tenants/default/suspension'],
      ['DELETE', '/api/v1/tenants/default'],
    ] as const)
      expect((await service.call(method, path, { body: {}, headers: { 'If-Match': '*' } })).status).toBeGreaterThan(
        399,
      );
    expect((await service.call('PUT', '/api/v1/suspensions/Tenant/default', { body: {} })).status).toBeLessThan(300);
    expect((await mcp('tools/call', { name: 'export_all', arguments: {} })).effect).toBe('deny');
    expect((await mcp('tools/call', { name: 'read', arguments: {} })).effect).toBe('allow');
    expect((await service.call('DELETE', '/api/v1/suspensions/Tenant/default')).status).toBeLessThan(300);
  });

  it('and learns of no guardrail that does not concern it, by whatever name it tries', async () => {
    await apply(service, [{ ...GUARDRAILS[0], name: 'for-others', tenants: ['fresh'] }]);
    const errorsOf = async (name: string) => {
      const body = {
        kind: 'Test',
        name: 'probe',
        defaults: { host: 'desk', server: 'crm', subject: { id: 'ann' } },
        cases: [{ name: 'c', request: { tool: 'read' }, expect: { effect: 'deny', rule: `guardrail:${name}/deny` } }],
      };
      const answer = await acme.call('PUT', '/api/v1/documents/Test/probe', { body });
      return JSON.stringify(answer.body)
        .replaceAll(name, 'NAME')
        .replaceAll(/\d+(\.\d+)?/g, 'N');
    };
    expect(await errorsOf('for-others')).toBe(await errorsOf('for-nobody'));
  });
});
