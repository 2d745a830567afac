import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../apps/server/src/service.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let other: Service;
let key: string;

const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: files, identity: { url: 'https://files.example.com/mcp' } }
---
{ kind: Subject, id: ann, aliases: [{ type: mail, id: ann@example.com }] }
---
kind: Policy
name: all
target: { actions: ['*'], resources: ['*'] }
rules: [{ name: all, effect: allow, to: [any] }]
`;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  other = await service.replica();
  await apply();
  const made = await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights: { subjects: ['*'] } } });
  key = made.body.key;
});
afterAll(() => service.close());

const apply = (prune = false) =>
  service.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'p.yaml', text: DOCUMENTS }], prune } });

const path = (of: string, name: string) => `/api/v1/suspensions/${of}/${encodeURIComponent(name)}`;
const suspend = (of: string, name: string, body: object = {}) => service.call('PUT', path(of, name), { body });
const resume = (of: string, name: string) => service.call('DELETE', path(of, name));

/** The effect and reason that the replica gives which has not made the change. */
async function ask(over: object = {}, method = 'tools/call', params: object = { name: 'read', arguments: {} }) {
  const { body } = await service.call('POST', '/mcp/v1/decisions', {
    key,
    url: other.url,
    body: {
      subject: { type: 'user', id: 'ann' },
      server: 'files',
      direction: 'client_to_server',
      message: { jsonrpc: '2.0', id: 1, method, params },
      ...over,
    },
  });
  return [body.effect, body.reason.code];
}
const ALLOWED = ['allow', 'allowed'];
const SUSPENDED = ['deny', 'suspended'];

describe('a suspension', () => {
  it.each<[string, string, object]>([
    ['Server', 'files', {}],
    ['Server', 'files', { server: { url: 'https://files.example.com/mcp' } }],
    ['Host', 'desk', {}],
    ['Subject', 'user:ann', {}],
    ['Subject', 'user:ann', { subject: { type: 'mail', id: 'ann@example.com' } }],
    ['Subject', 'mail:ann@example.com', {}],
    ['Tenant', 'default', {}],
  ])('of %s %s is true on every replica when the call returns, twenty times over: %j', async (of, name, over) => {
    for (let round = 0; round < 20; round++) {
      expect(await ask(over)).toEqual(ALLOWED);
      expect((await suspend(of, name)).status).toBe(200);
      expect([round, await ask(over)]).toEqual([round, SUSPENDED]);
      expect((await resume(of, name)).status).toBe(200);
      const { body } = await service.call('GET', '/api/v1/suspensions');
      expect(body).toEqual({ items: [] });
    }
  });

  it('stops what needs no decision otherwise, and AuthZEN as well', async () => {
    await suspend('Tenant', 'default', { reason: 'an incident' });
    expect(await ask({}, 'ping', {})).toEqual(SUSPENDED);
    const { body } = await service.call('POST', '/access/v1/evaluation', {
      key,
      body: { subject: { type: 'user', id: 'ann' }, action: { name: 'read' }, resource: { type: 'note', id: '1' } },
    });
    expect(body).toMatchObject({ decision: false, context: { reason: 'suspended' } });
    expect(JSON.stringify(body)).not.toContain('an incident');
    await resume('Tenant', 'default');
    expect(await ask({}, 'ping', {})).toEqual(['allow', 'no_decision_needed']);
  });

  it('leaves others alone', async () => {
    await suspend('Subject', 'user:bob');
    expect(await ask()).toEqual(ALLOWED);
    await resume('Subject', 'user:bob');
  });

  it('outlives the documents: saving, pruning and deleting them does not end it', async () => {
    await suspend('Server', 'files', { reason: 'an incident' });
    expect((await apply(true)).status).toBe(200);
    expect(await ask()).toEqual(SUSPENDED);
    const server = await service.call('GET', '/api/v1/documents/Server/files');
    await service.call('DELETE', '/api/v1/documents/Server/files', {
      headers: { 'If-Match': server.headers.get('etag')! },
    });
    await apply();
    expect(await ask()).toEqual(SUSPENDED);
    const listed = await service.call('GET', '/api/v1/suspensions');
    expect(listed.body).toEqual({
      items: [{ of: 'Server', name: 'files', reason: 'an incident', revision: expect.any(Number) as number }],
    });
    await resume('Server', 'files');
  });

  it('said twice is one, with the later reason', async () => {
    await suspend('Host', 'desk', { reason: 'first' });
    await suspend('Host', 'desk', { reason: 'second' });
    const { body } = await service.call('GET', '/api/v1/suspensions');
    expect(body.items).toMatchObject([{ of: 'Host', name: 'desk', reason: 'second' }]);
    await resume('Host', 'desk');
    expect(await ask()).toEqual(ALLOWED);
  });

  it('can be made by an owner only', async () => {
    const { body } = await service.call('POST', '/api/v1/keys', {
      body: { administrator: 'auditor', rights: { roles: ['auditor'] } },
    });
    const refused = await service.call('PUT', path('Host', 'desk'), { key: body.key, body: {} });
    expect(refused.status).toBe(403);
    expect((await service.call('PUT', path('Host', 'desk'), { key, body: {} })).status).toBe(403);
    expect((await service.call('GET', '/api/v1/suspensions', { key: body.key })).body).toEqual({ items: [] });
    expect(await ask()).toEqual(ALLOWED);
  });

  it.each<[string, () => Promise<Answer>, number, string]>([
    ['an unknown server', () => suspend('Server', 'nowhere'), 404, "there is no Server named 'nowhere'"],
    ['an unknown host', () => suspend('Host', 'nobody'), 404, "there is no Host named 'nobody'"],
    ['a subject without a type', () => suspend('Subject', 'ann'), 400, 'as in user:ann'],
    ['a role', () => suspend('Subject', 'role:admin'), 400, 'as in user:ann'],
    ['another tenant', () => suspend('Tenant', 'acme'), 404, "the tenant is called 'default'"],
    ['a role by its kind', () => suspend('Role', 'reader'), 400, 'Server, Host, Subject, Tenant'],
    ['what has another member', () => suspend('Host', 'desk', { until: 'noon' }), 400, "'until'"],
    ['nothing that is suspended', () => resume('Host', 'desk'), 404, "the Host 'desk' is not suspended"],
    [
      'one by way of the documents',
      () => service.call('DELETE', '/api/v1/documents/Suspension/Host:desk'),
      400,
      'DELETE /api/v1/suspensions/{of}/{name}',
    ],
  ])('of %s is refused', async (_what, call, status, detail) => {
    const answer = await call();
    expect([answer.status, answer.body.detail]).toEqual([status, expect.stringContaining(detail)]);
    expect(await ask()).toEqual(ALLOWED);
  });
});
