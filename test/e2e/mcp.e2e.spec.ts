import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digest } from '#policy';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.close());

const base = { subject: { type: 'user', id: 'ann' }, server: 'everything', direction: 'client_to_server' };

const decide = (message: unknown, over: object = {}): Promise<Answer> =>
  service.call('POST', '/mcp/v1/decisions', { key: service.host, body: { ...base, message, ...over } });

const request = (method: string, params?: unknown) => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  ...(params === undefined ? {} : { params }),
});
const toolCall = (name: string, given: object) => request('tools/call', { name, arguments: given });

/** The last record of the ledger. */
async function lastRecord(): Promise<Record<string, unknown>> {
  const rows = await service.database.store.read(service.database.tenant, (view) =>
    view.query<{ body: string }[]>(
      `select body from placet.ledger_record where writer > 0 order by writer desc, seq desc limit 1`,
    ),
  );
  return JSON.parse(rows[0]!.body) as Record<string, unknown>;
}

describe('a decision about an MCP message', () => {
  it('says what, why, by which rule, and under which record', async () => {
    const answer = await decide(toolCall('echo', { message: 'hello' }), { purpose: 'support', session: { id: 's1' } });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        effect: 'allow',
        revision: 1,
        reason: { code: 'allowed', message: 'Allowed by policy.' },
        rules: [{ policy: 'everything', version: 1, rule: 'harmless-tools' }],
        obligations: [],
        valid_for: 0,
      },
    });
    expect(await lastRecord()).toMatchObject({
      kind: 'decision',
      evaluation_id: answer.body.evaluation_id,
      effect: 'allow',
      subject: 'user:ann',
      host: 'quickstart',
      server: 'everything',
      action: 'tools/call',
      resource: { type: 'tool', id: 'echo' },
      purpose: 'support',
      session: 's1',
      revision: 1,
      request: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    });
  });

  it('keeps no arguments, only the digest of the request', async () => {
    await decide(toolCall('echo', { message: 'a very private text' }));
    expect(JSON.stringify(await lastRecord())).not.toContain('private');
  });

  it('records the trace and the digest of the definition that the host saw', async () => {
    const definition = { name: 'echo', inputSchema: { type: 'object' } };
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await service.call('POST', '/mcp/v1/decisions', {
      key: service.host,
      body: { ...base, message: toolCall('echo', { message: 'x' }), tool: { definition } },
      headers: { traceparent: trace },
    });
    expect(await lastRecord()).toMatchObject({ trace, tool: digest(definition) });
  });

  it.each<[string, string, object, string, string]>([
    ['a tool with a forbidden word', 'echo', { message: 'my API key is' }, 'deny', 'denied_by_rule'],
    ['a tool with arguments that do not fit', 'get-sum', { a: '1', b: 2 }, 'deny', 'arguments_invalid'],
    ['a tool that a rule forbids', 'get-env', {}, 'deny', 'denied_by_rule'],
    ['a tool that no rule allows', 'get-tiny-image', {}, 'deny', 'no_rule_allows'],
  ])('%s', async (_what, tool, given, effect, code) => {
    expect((await decide(toolCall(tool, given))).body).toMatchObject({ effect, reason: { code } });
  });

  it('that asks lists what is required, and creates nothing', async () => {
    const { body } = await decide(toolCall('delete_database_record', { id: 7 }), { server: 'database-server' });
    expect(body).toMatchObject({
      effect: 'ask',
      reason: { code: 'consent_required' },
      ask: {
        requirements: [
          {
            policy: 'database',
            rule: 'delete-with-consent',
            by: ['subject'],
            approvals: 1,
            uses: 1,
            bind: 'all',
            show: ['id'],
          },
        ],
      },
    });
    const other = await decide(toolCall('delete_database_record', { id: 8 }), { server: 'database-server' });
    expect(other.body.ask.requirements[0].bound).not.toBe(body.ask.requirements[0].bound);
  });

  it('tells a host in detail only by right', async () => {
    const rights = { subjects: ['user:*'] };
    const { key } = (await service.call('POST', '/api/v1/keys', { body: { host: 'quickstart', rights } })).body;
    const body = { ...base, server: 'database-server', message: toolCall('drop_table', {}) };
    expect((await service.call('POST', '/mcp/v1/decisions', { key: service.host, body })).body.reason.detail).toContain(
      'operations',
    );
    expect((await service.call('POST', '/mcp/v1/decisions', { key, body })).body.reason.detail).toBeUndefined();
  });

  it.each<[string, unknown, object, string, string]>([
    ['ping', request('ping'), {}, 'allow', 'no_decision_needed'],
    ['a ping from the server', request('ping'), { direction: 'server_to_client' }, 'allow', 'no_decision_needed'],
    [
      'a known notification',
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      {},
      'allow',
      'no_decision_needed',
    ],
    [
      'the same in the other direction',
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { direction: 'server_to_client' },
      'deny',
      'method_unknown',
    ],
    ['a connection', request('initialize', { protocolVersion: '2025-11-25' }), {}, 'allow', 'allowed'],
    ['a discovery', request('server/discover', {}), {}, 'allow', 'allowed'],
    [
      'a discovery in the session dialect',
      request('server/discover', {}),
      { protocolVersion: '2025-11-25' },
      'deny',
      'method_unknown',
    ],
    [
      'a session in the stateless dialect',
      request('initialize', { protocolVersion: '2025-11-25' }),
      { protocolVersion: '2026-07-28' },
      'deny',
      'method_unknown',
    ],
    [
      'sampling that no rule allows',
      request('sampling/createMessage', { messages: [] }),
      { direction: 'server_to_client' },
      'deny',
      'no_rule_allows',
    ],
    [
      'sampling in the wrong direction',
      request('sampling/createMessage', { messages: [] }),
      {},
      'deny',
      'method_unknown',
    ],
  ])('%s', async (_what, message, over, effect, code) => {
    expect((await decide(message, over)).body).toMatchObject({ effect, reason: { code } });
  });

  it('asks about a response what it answers', async () => {
    const response = { jsonrpc: '2.0', id: 1, result: { content: [] } };
    expect(await decide(response, { direction: 'server_to_client' })).toMatchObject({
      status: 400,
      body: { code: 'mapping_error' },
    });
    const answers = { method: 'tools/call', params: { name: 'echo', arguments: { message: 'x' } } };
    expect((await decide(response, { direction: 'server_to_client', answers })).body).toMatchObject({
      effect: 'deny',
      reason: { code: 'no_rule_allows' },
    });
  });

  it('decides every part of a message that has several, and all must be allowed', async () => {
    const listen = (...resourceSubscriptions: string[]) =>
      request('subscriptions/listen', { notifications: { resourceSubscriptions } });
    const { body } = await decide(listen('db://customers/emea', 'db://customers/apac'), { server: 'crm' });
    expect(body).toMatchObject({ effect: 'deny' });
    expect(
      body.operations.map((operation: { action: string; resource: { type: string } }) => [
        operation.action,
        operation.resource.type,
      ]),
    ).toEqual([
      ['subscriptions/listen', 'mcp_server'],
      ['subscriptions/listen', 'resource'],
      ['subscriptions/listen', 'resource'],
    ]);
  });

  it('decides the answers that a retry carries to the server', async () => {
    const retry = request('tools/call', {
      name: 'echo',
      arguments: { message: 'x' },
      inputResponses: { a: { action: 'accept', content: {} } },
      requestState: 's',
    });
    expect(await decide(retry)).toMatchObject({ status: 400, body: { code: 'mapping_error' } });
    const { body } = await decide(retry, {
      answers: { a: { method: 'elicitation/create', params: { mode: 'form', message: 'name?' } } },
    });
    expect(body.effect).toBe('deny');
    expect(
      body.operations.map((operation: { action: string; effect: string }) => [operation.action, operation.effect]),
    ).toEqual([
      ['tools/call', 'allow'],
      ['elicitation/create:result', 'deny'],
    ]);
    expect(await decide(retry, { answers: { a: { method: 'tools/call', params: {} } } })).toMatchObject({
      status: 400,
    });
  });

  it('reads resources by stored attributes of theirs and of the person', async () => {
    const read = (uri: string, id = 'ann') =>
      decide(request('resources/read', { uri }), { server: 'crm', subject: { type: 'user', id } });
    expect((await read('db://customers/emea')).body).toMatchObject({
      effect: 'allow',
      obligations: [{ type: 'log', level: 'metadata' }],
    });
    expect((await read('db://customers/apac')).body).toMatchObject({ effect: 'deny' });
    expect((await read('db://customers/apac', 'bob')).body).toMatchObject({ effect: 'allow' });
    expect((await read('db://customers/emea', 'john@example.com')).body).toMatchObject({ effect: 'allow' });
    expect((await read('DB://customers/%65mea')).body).toMatchObject({ effect: 'allow' });
    expect((await read('db://customers/unknown')).body).toMatchObject({ effect: 'deny' });
  });
});

describe('a listing', () => {
  const list = (method: string, result: object, over: object = {}): Promise<Answer> =>
    service.call('POST', '/mcp/v1/listings', {
      key: service.host,
      body: { subject: base.subject, server: 'everything', method, result, ...over },
    });

  it('says of each entry what a use could come to', async () => {
    const tools = ['echo', 'get-sum', 'get-env', 'get-tiny-image'].map((name) => ({ name, inputSchema: {} }));
    const { body } = await list('tools/list', { tools });
    expect(body.items).toEqual([
      { name: 'echo', effect: 'allow', conditional: true },
      { name: 'get-sum', effect: 'allow', conditional: true },
      { name: 'get-env', effect: 'deny', conditional: false },
      { name: 'get-tiny-image', effect: 'deny', conditional: false },
    ]);
    expect(await lastRecord()).toMatchObject({
      kind: 'listing',
      evaluation_id: body.evaluation_id,
      items: [
        ['echo', 'allow', true],
        ['get-sum', 'allow', true],
        ['get-env', 'deny', false],
        ['get-tiny-image', 'deny', false],
      ],
    });
  });

  it('shows what must be asked for, and hides what a boundary keeps out', async () => {
    const tools = ['query', 'delete_database_record', 'drop_table', 'undeclared'].map((name) => ({ name }));
    const { body } = await list('tools/list', { tools }, { server: 'database-server' });
    expect(body.items.map((item: { effect: string }) => item.effect)).toEqual(['allow', 'ask', 'deny', 'deny']);
  });

  it('covers resources, templates and prompts', async () => {
    const resources = [{ uri: 'db://customers/emea' }, { uri: 'db://customers/apac' }];
    expect(
      (await list('resources/list', { resources }, { server: 'crm' })).body.items.map(
        (item: { effect: string }) => item.effect,
      ),
    ).toEqual(['allow', 'deny']);
    const resourceTemplates = [{ uriTemplate: 'db://customers/{region}' }];
    expect((await list('resources/templates/list', { resourceTemplates }, { server: 'crm' })).body.items).toMatchObject(
      [{ effect: 'allow', conditional: true }],
    );
    expect((await list('prompts/list', { prompts: [{ name: 'p' }] })).body.items).toMatchObject([{ effect: 'deny' }]);
  });

  it.each([
    ['another method', 'tools/call', { tools: [] }],
    ['no list', 'tools/list', {}],
    ['a list of something else', 'tools/list', { tools: ['echo'] }],
  ])('of %s is refused', async (_what, method, result) => {
    expect((await list(method, result)).status).toBe(400);
  });

  it('of an unknown server has nothing', async () => {
    expect((await list('tools/list', { tools: [{ name: 'echo' }] }, { server: 'nowhere' })).body.items).toEqual([
      { name: 'echo', effect: 'deny', conditional: false },
    ]);
  });
});
