import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateApiKey, macOf } from '#identity';
import { commitChange, type Operation } from '#store';
import type { Service } from '../../apps/server/src/service.js';
import { startTestService, type TestService, type TestTenant } from '../support/service.js';

let service: TestService;
let replica: Service;
let acme: TestTenant;
let beta: TestTenant;

/** Stands in the guardrails' text, and in nothing that tenants may see. */
const SECRET = 'project-hidden';

const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Role, name: risk }
---
{ kind: Server, name: crm }
---
{ kind: Subject, id: ann, groups: [] }
---
kind: Policy
name: all
target: { actions: ['*'], resources: ['*'] }
rules: [{ name: all, effect: allow, to: [any] }]
`;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  replica = await service.replica();
  acme = await company('acme');
  beta = await company('beta');
});

afterAll(() => service.close());

async function company(name: string): Promise<TestTenant> {
  const tenant = await service.secondTenant(name);
  const body = { files: [{ path: 'p.yaml', text: DOCUMENTS }] };
  expect((await tenant.call('POST', '/api/v1/documents/apply', { body })).status).toBe(200);
  return tenant;
}

const NO_EXPORTS = {
  kind: 'Guardrail',
  name: 'no-exports',
  description: SECRET,
  reason: 'Nothing leaves in bulk',
  effect: 'deny',
  target: { actions: ['*'], resources: ['export_*', { type: 'record', id: '*' }] },
  when: `resource.id != "${SECRET}"`,
};

const PAYMENTS = {
  kind: 'Guardrail',
  name: 'payments',
  reason: 'Payments are looked at by risk',
  effect: 'ask',
  target: { actions: ['tools/call'], resources: ['pay'] },
  consent: { by: ['role:risk'], notSelf: true },
};

const put = async (document: { name: string }, over: object = {}) => {
  const body = { files: [{ path: 'g.yaml', text: JSON.stringify({ ...document, ...over }) }] };
  expect((await service.call('POST', '/api/v1/documents/apply', { body })).status).toBe(200);
};

const gone = async (name: string) => {
  const path = `/api/v1/documents/Guardrail/${name}`;
  const headers = { 'If-Match': String((await service.call('GET', path)).body.version) };
  expect((await service.call('DELETE', path, { headers })).status).toBe(200);
};

const ask = async (tenant: TestTenant, tool: string, url = service.url) => {
  const { status, body } = await service.call('POST', '/mcp/v1/decisions', {
    key: tenant.host,
    url,
    body: {
      subject: { type: 'user', id: 'ann' },
      server: 'crm',
      direction: 'client_to_server',
      explain: true,
      message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } },
    },
  });
  expect(status).toBe(200);
  return body;
};

const effects = (tool: string) =>
  Promise.all(
    [acme, beta].flatMap((tenant) =>
      [service.url, replica.url].map(async (url) => (await ask(tenant, tool, url)).effect as string),
    ),
  );

describe('a guardrail', () => {
  it('holds in every tenant when the call returns, on every replica, and no longer than it is there', async () => {
    expect(await effects('export_all')).toEqual(['allow', 'allow', 'allow', 'allow']);
    for (let round = 0; round < 10; round++) {
      await put(NO_EXPORTS);
      expect(await effects('export_all')).toEqual(['deny', 'deny', 'deny', 'deny']);
      expect(await effects('read')).toEqual(['allow', 'allow', 'allow', 'allow']);
      await gone('no-exports');
      expect(await effects('export_all')).toEqual(['allow', 'allow', 'allow', 'allow']);
    }
    await put(NO_EXPORTS, { tenants: ['beta'] });
    expect(await effects('export_all')).toEqual(['allow', 'allow', 'deny', 'deny']);
  });

  it('is true at once for those who keep asking', async () => {
    await gone('no-exports');
    let returned = Infinity;
    const late: unknown[] = [];
    const asking = Array.from({ length: 6 }, async (_, at) => {
      for (let round = 0; round < 25; round++) {
        const sentAt = performance.now();
        const { effect } = await ask(acme, 'export_all', at % 2 ? service.url : replica.url);
        if (sentAt > returned && effect !== 'deny') late.push(effect);
      }
    });
    await put(NO_EXPORTS);
    returned = performance.now();
    await Promise.all(asking);
    expect(late).toEqual([]);
  });

  it('is told by its name and its reason, whatever the tenant looks at', async () => {
    await put(NO_EXPORTS);
    await put(PAYMENTS);
    const denied = await ask(acme, 'export_all');
    expect(denied).toMatchObject({ effect: 'deny', reason: { code: 'guardrail' } });
    expect(denied.explanation).toMatchObject({
      step: 'deny_rules',
      guardrails: [{ name: 'no-exports', effect: 'deny', reason: 'Nothing leaves in bulk' }],
    });
    const asked = await ask(acme, 'pay');
    expect(asked).toMatchObject({ effect: 'ask', reason: { code: 'approval_required' } });
    const subject = { type: 'user', id: 'ann' };
    const looks = [
      denied,
      asked,
      ...(await Promise.all(
        [
          `/api/v1/decisions/${denied.evaluation_id}`,
          '/api/v1/documents',
          '/api/v1/documents?kind=Guardrail',
          '/api/v1/documents/Guardrail/no-exports',
          '/api/v1/documents/Guardrail/no-exports/versions',
          '/api/v1/revisions?all=true',
          '/api/v1/diff?from=1',
        ].map(async (path) => (await acme.call('GET', path)).body as unknown),
      )),
      (await acme.call('POST', '/api/v1/access/capabilities', { body: { subject, host: 'desk' } })).body,
      (
        await acme.call('POST', '/api/v1/access/subjects', {
          body: { subject_type: 'user', action: 'tools/call', resource: { type: 'tool', id: 'pay' }, server: 'crm' },
        })
      ).body,
    ];
    expect(JSON.stringify(looks)).not.toContain(SECRET);
    expect((await acme.call('GET', '/api/v1/documents/Guardrail/no-exports')).body.code).toBe('forbidden');
    expect((await acme.call('POST', '/api/v1/tenants/acme/export')).body.code).toBe('forbidden');
  });

  it('holds in searches and filters', async () => {
    await put(NO_EXPORTS);
    const call = async (path: string, body: object) =>
      (await service.call('POST', path, { key: acme.host, body })).body as Record<string, unknown>;
    const subject = { type: 'user', id: 'ann' };
    const resource = { type: 'tool', id: 'export_all', properties: { server: 'crm' } };
    const found = await call('/access/v1/search/subject', {
      subject: { type: 'user' },
      action: { name: 'tools/call' },
      resource,
    });
    expect(found.results).toEqual([]);
    const filter = await call('/access/v1/filter', { subject, action: { name: 'read' }, resource: { type: 'record' } });
    expect(JSON.stringify(filter)).toMatch(/conditional|none/);
    const listed = await call('/mcp/v1/listings', {
      subject,
      server: 'crm',
      method: 'tools/list',
      result: {
        tools: [
          { name: 'export_all', inputSchema: {} },
          { name: 'read', inputSchema: {} },
        ],
      },
    });
    expect(JSON.stringify(listed)).not.toContain(SECRET);
  });

  it('holds in the tests of a tenant, which are about what really comes out', async () => {
    await put(NO_EXPORTS);
    const test = (expected: object) => ({
      kind: 'Test',
      name: 'exports',
      defaults: { host: 'desk', server: 'crm', subject: { id: 'ann' } },
      cases: [{ name: 'c', request: { tool: 'export_all' }, expect: expected }],
    });
    const save = (expected: object) => acme.call('PUT', '/api/v1/documents/Test/exports', { body: test(expected) });
    expect((await save({ effect: 'allow' })).body).toMatchObject({
      code: 'documents_invalid',
      errors: [{ code: 'test_failed' }],
    });
    expect((await save({ effect: 'deny', reason: 'guardrail', rule: 'guardrail:no-exports/deny' })).status).toBe(201);
    await acme.call('DELETE', '/api/v1/documents/Test/exports', { headers: { 'If-Match': '1' } });
  });

  it('is no document of a tenant, whatever rights its administrators have', async () => {
    // No owner of another tenant can give the role of operators away; should somebody have it all the same, it does nothing.
    const { key: made, text: operator } = generateApiKey('test');
    service.secrets.add(operator);
    const credential: Operation = {
      op: 'create_credential',
      id: made.id,
      principalKind: 'administrator',
      principal: 'eve',
      environment: 'test',
      rights: { roles: ['owner', 'operator'] },
      expiresAt: null,
      mac: macOf(made, service.keyCheck.pepper).toString('hex'),
    };
    const change = { tenant: acme.id, principal: 'system:test', keys: [], operations: [credential] };
    expect((await commitChange(service.database.store, change)).outcome).toBe('committed');
    const mine = { ...NO_EXPORTS, name: 'mine' };
    for (const [key, code] of [
      [acme.owner, 'forbidden'],
      [operator, 'documents_invalid'],
    ] as const) {
      const saved = await acme.call('PUT', '/api/v1/documents/Guardrail/mine', { key, body: mine });
      expect(saved.body.code).toBe(code);
      const applied = await acme.call('POST', '/api/v1/documents/apply', {
        key,
        body: { files: [{ path: 'g.yaml', text: JSON.stringify(mine) }] },
      });
      expect(applied.body.code).toBe(code);
      const headers = { 'If-Match': '1' };
      expect(
        (await acme.call('DELETE', '/api/v1/documents/Guardrail/no-exports', { key, headers })).status,
      ).toBeGreaterThan(399);
    }
    const draft = { files: [{ path: 'g.yaml', text: JSON.stringify(mine) }] };
    await acme.call('PUT', '/api/v1/drafts/mine', { body: draft });
    const published = await acme.call('POST', '/api/v1/drafts/mine/publish', { body: { message: 'try' } });
    expect(['forbidden', 'documents_invalid']).toContain(published.body.code);
    const policy = { kind: 'Policy', name: 'guardrail:no-exports', target: { actions: ['*'], resources: ['*'] } };
    const named = await acme.call('POST', '/api/v1/documents/apply', {
      body: {
        files: [
          {
            path: 'p.yaml',
            text: JSON.stringify({ ...policy, rules: [{ name: 'deny', effect: 'allow', to: ['any'] }] }),
          },
        ],
      },
    });
    expect(named.body.code).toBe('documents_invalid');
    expect((await ask(acme, 'export_all')).effect).toBe('deny');
  });

  it('is written by operators only, in the home tenant too', async () => {
    const made = await service.call('POST', '/api/v1/keys', {
      body: { administrator: 'p', rights: { roles: ['owner'] } },
    });
    const asOwner = { key: made.body.key as string };
    const saved = await service.call('PUT', '/api/v1/documents/Guardrail/x', {
      ...asOwner,
      body: { ...NO_EXPORTS, name: 'x' },
    });
    expect(saved.body.code).toBe('forbidden');
    expect((await service.call('GET', '/api/v1/documents/Guardrail/no-exports', asOwner)).body.code).toBe('forbidden');
    expect((await service.call('GET', '/api/v1/documents/Guardrail/no-exports')).status).toBe(200);
  });

  it('counts in the home tenant as well, unless it is for others', async () => {
    await service.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'p.yaml', text: DOCUMENTS }] } });
    await service.call('PUT', '/api/v1/documents/Host/desk', { body: { kind: 'Host', name: 'desk' } });
    const rights = { subjects: ['*'], explain: true };
    const { body } = await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights } });
    const home = { ...acme, host: body.key as string };
    await put(NO_EXPORTS);
    expect(await ask(home, 'export_all')).toMatchObject({ effect: 'deny', reason: { code: 'guardrail' } });
    await put(NO_EXPORTS, { tenants: ['acme'] });
    expect((await ask(home, 'export_all')).effect).toBe('allow');
    expect((await ask(acme, 'export_all')).effect).toBe('deny');
  });
});
