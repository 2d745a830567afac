import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  const files = [{ path: 'p.yaml', text: DOCUMENTS }];
  expect((await service.call('POST', '/api/v1/documents/apply', { body: { files } })).status).toBe(200);
});
afterAll(() => service.close());

const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: files }
---
kind: Policy
name: files
target: { servers: [files], actions: [tools/call], resources: ['*'] }
rules:
  - { name: all, effect: allow, to: [any] }
  - { name: tried, effect: deny, enforce: false, to: [any], when: arguments.size > 10 }
`;

async function ask(explain: boolean, given: object) {
  const rights = { subjects: ['user:*'], explain };
  const { key } = (await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights } })).body;
  const params = { name: 'read', arguments: given };
  const mcp = await service.call('POST', '/mcp/v1/decisions', {
    key,
    body: {
      subject: { type: 'user', id: 'ann' },
      server: 'files',
      direction: 'client_to_server',
      message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
    },
  });
  const authzen = await service.call('POST', '/access/v1/evaluation', {
    key,
    body: {
      subject: { type: 'user', id: 'ann' },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'read', properties: { server: 'files' } },
      context: { arguments: given },
    },
  });
  expect(authzen.body.decision).toBe(mcp.body.effect === 'allow');
  expect(authzen.body.context.would_be).toEqual(mcp.body.would_be);
  return mcp.body as { effect: string; would_be?: object; evaluation_id: string };
}

it('a shadow rule decides nothing, and shows what it would', async () => {
  const rules = [{ policy: 'files', version: 1, rule: 'tried' }];
  expect(await ask(true, { size: 20 })).toMatchObject({
    effect: 'allow',
    would_be: { effect: 'deny', reason: 'denied_by_rule', rules },
  });
  expect(await ask(true, {})).toMatchObject({
    effect: 'allow',
    would_be: { effect: 'deny', reason: 'rule_in_error', rules },
  });
  expect(await ask(true, { size: 5 })).not.toHaveProperty('would_be');
});

it('only keys that may have it explained are told, and the record has it all the same', async () => {
  const { effect, evaluation_id, ...rest } = await ask(false, { size: 20 });
  expect(effect).toBe('allow');
  expect(rest).not.toHaveProperty('would_be');
  const admin = await service.database.connect('superuser');
  const { rows } = await admin.query<{ body: string }>(
    `select body from placet.ledger_record where body::jsonb ->> 'evaluation_id' = $1`,
    [evaluation_id],
  );
  expect(JSON.parse(rows[0]!.body)).toMatchObject({ effect: 'allow', would_be: { effect: 'deny' } });
});
