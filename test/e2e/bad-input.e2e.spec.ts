import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.close());

const question = {
  subject: { type: 'user', id: 'ann' },
  server: 'database-server',
  direction: 'client_to_server',
  message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'query', arguments: { sql: 'select 1' } } },
};

const evaluation = {
  subject: { type: 'user', id: 'ann' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'query', properties: { server: 'database-server' } },
};

const text = JSON.stringify(question);
const withArguments = (given: string): string => text.replace('{"sql":"select 1"}', given);
const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

/** Bodies that no decision route may let in, whatever else is right. */
const BODIES: [string, string | Uint8Array, number, string][] = [
  ['nothing', '', 400, 'malformed_json'],
  ['half of it', text.slice(0, -5), 400, 'malformed_json'],
  ['two values', `${text}${text}`, 400, 'malformed_json'],
  ['a list', `[${text}]`, 400, 'invalid_request'],
  ['a text', '"allow"', 400, 'invalid_request'],
  ['null', 'null', 400, 'invalid_request'],
  ['a trailing comma', `${text.slice(0, -1)},}`, 400, 'malformed_json'],
  ['a byte order mark', `\ufeff${text}`, 400, 'malformed_json'],
  ['a byte that is no UTF-8', bytes(text.slice(0, -1), ',"x":"', [0xff], '"}'), 400, 'malformed_json'],
  ['an overlong slash', bytes(text.slice(0, -1), ',"x":"', [0xc0, 0xaf], '"}'), 400, 'malformed_json'],
  ['a key twice', `${text.slice(0, -1)},"subject":{"type":"user","id":"bob"}}`, 400, 'duplicate_key'],
  ['a key twice, once escaped', withArguments('{"path":"a","p\\u0061th":"b"}'), 400, 'duplicate_key'],
  ['__proto__ twice', withArguments('{"__proto__":1,"__proto__":2}'), 400, 'duplicate_key'],
  ['65 levels', withArguments(`{"x":${'['.repeat(65)}${']'.repeat(65)}}`), 400, 'too_deep'],
  ['100,000 levels', withArguments(`{"x":${'['.repeat(100_000)}`), 400, 'too_deep'],
  ['10,001 elements', withArguments(`{"x":[${'0,'.repeat(10_000)}0]}`), 400, 'too_many_entries'],
  [
    '10,001 members',
    withArguments(`{${Array.from({ length: 10_001 }, (_, at) => `"k${at}":0`).join(',')}}`),
    400,
    'too_many_entries',
  ],
  ['an int that a double cannot hold', withArguments('{"n":9007199254740993}'), 400, 'imprecise_number'],
  ['a number that is infinite as a double', withArguments('{"n":1e400}'), 400, 'imprecise_number'],
  ['a number that is zero as a double', withArguments('{"n":1e-400}'), 400, 'imprecise_number'],
  ['more digits than a double has', withArguments('{"n":0.12345678901234567890}'), 400, 'imprecise_number'],
  ['a lone surrogate', withArguments('{"s":"\\ud800"}'), 400, 'lone_surrogate'],
  ['a lone surrogate in a key', withArguments('{"\\udc00":1}'), 400, 'lone_surrogate'],
  ['more than 1 MiB', withArguments(`{"s":"${'x'.repeat(1024 * 1024)}"}`), 413, 'body_too_large'],
];

describe('a body of', () => {
  it.each(BODIES)('%s gets no decision', async (_what, body, status, code) => {
    const answer = await service.call('POST', '/mcp/v1/decisions', { key: service.host, body });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ code, status, type: `urn:placet:problem:${code}` });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.stringify(answer.body)).not.toMatch(/allow"|node_modules|\bat .*\.js/);
  });

  it.each(BODIES)('%s gets none from AuthZEN either', async (_what, body) => {
    const answer = await service.call('POST', '/access/v1/evaluation', { key: service.host, body });
    expect([400, 413]).toContain(answer.status);
    expect(answer.body.decision).toBeUndefined();
  });

  it('numbers that a double does hold is taken', async () => {
    const given = '{"a":9007199254740991,"b":-0.1,"c":1e3,"d":1.50,"e":123456789012345680000,"f":5e-324,"g":0.0}';
    const answer = await service.call('POST', '/mcp/v1/decisions', { key: service.host, body: withArguments(given) });
    expect(answer.body).toMatchObject({ effect: 'allow' });
  });

  it('1 MiB less a little is taken', async () => {
    const body = withArguments(`{"s":"${'x'.repeat(1024 * 1024 - 400)}"}`);
    expect((await service.call('POST', '/mcp/v1/decisions', { key: service.host, body })).body).toMatchObject({
      effect: 'allow',
    });
  });
});

describe('the content type', () => {
  it.each([
    ['application/json; charset=utf-8', 200, 200],
    ['application/json;charset="UTF-8"', 200, 200],
    ['text/plain', 415, 400],
    ['application/x-www-form-urlencoded', 415, 400],
    ['application/json; charset=utf-16', 415, 400],
    ['application/jsonp', 415, 400],
  ])('%s', async (type, mcp, authzen) => {
    const headers = { 'Content-Type': type };
    expect((await service.call('POST', '/mcp/v1/decisions', { key: service.host, body: text, headers })).status).toBe(
      mcp,
    );
    expect(
      (await service.call('POST', '/access/v1/evaluation', { key: service.host, body: evaluation, headers })).status,
    ).toBe(authzen);
  });

  it('must be there', async () => {
    const response = await fetch(`${service.url}/mcp/v1/decisions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${service.host}` },
      body: Buffer.from(text),
    });
    expect(response.status).toBe(415);
  });
});

describe('credentials', () => {
  const flipped = (key: string): string => key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
  it.each<[string, (keys: { host: string; owner: string }) => Record<string, string>, number, string]>([
    ['none', () => ({}), 401, 'credentials_missing'],
    ['an empty header', () => ({ Authorization: '' }), 401, 'credentials_missing'],
    ['another scheme', ({ host }) => ({ Authorization: `Basic ${host}` }), 401, 'credentials_invalid'],
    ['no key of ours', () => ({ Authorization: 'Bearer abc' }), 401, 'credentials_invalid'],
    ['a mistyped key', ({ host }) => ({ Authorization: `Bearer ${flipped(host)}` }), 401, 'credentials_invalid'],
    ['two keys', ({ host, owner }) => ({ Authorization: `Bearer ${host} ${owner}` }), 401, 'credentials_invalid'],
    ['the key of an administrator', ({ owner }) => ({ Authorization: `Bearer ${owner}` }), 403, 'not_a_host'],
  ])('%s: no decision', async (_what, headers, status, code) => {
    for (const [path, body] of [
      ['/mcp/v1/decisions', question],
      ['/access/v1/evaluation', evaluation],
    ] as const) {
      const answer = await service.call('POST', path, { key: null, body, headers: headers(service) });
      expect(answer.body).toMatchObject({ status, code });
      if (status !== 401) continue;
      const metadata = `resource_metadata="${service.url}/.well-known/oauth-protected-resource"`;
      const error = code === 'credentials_invalid' ? ', error="invalid_token"' : '';
      expect(answer.headers.get('www-authenticate')).toBe(`Bearer realm="placet", ${metadata}${error}`);
    }
  });

  it('with a good checksum but unknown are refused, whether the id or the secret is wrong', async () => {
    const { generateApiKey, generateSecret, parseApiKey } = await import('#identity');
    const unknown = generateApiKey('test').text;
    const wrongSecret = generateSecret(parseApiKey(service.host)!).text;
    const elsewhere = generateApiKey('prod').text;
    for (const key of [unknown, wrongSecret, elsewhere]) {
      const answer = await service.call('POST', '/mcp/v1/decisions', { key, body: question });
      expect(answer.body).toMatchObject({ status: 401, code: 'credentials_invalid', detail: 'the key is not valid' });
    }
  });

  it('never reach the log', () => {
    const log = service.log.join('');
    expect(log).toContain('request not authenticated');
    for (const secret of [service.host, service.owner]) expect(log).not.toContain(secret.split('_')[3]!.slice(0, 20));
  });
});

describe('a decision request', () => {
  const mcp = (over: object, message: object = {}) =>
    service.call('POST', '/mcp/v1/decisions', {
      key: service.host,
      body: { ...question, ...over, message: { ...question.message, ...message } },
    });

  it.each<[string, object, object, number, string]>([
    ['an unknown member', { extra: 1 }, {}, 400, 'invalid_request'],
    ['no subject', { subject: undefined }, {}, 400, 'invalid_request'],
    ['a subject without id', { subject: { type: 'user' } }, {}, 400, 'invalid_request'],
    [
      'a subject as a token',
      { subject: { token: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.' } },
      {},
      422,
      'subject_token_invalid',
    ],
    [
      'a subject that the key may not speak for',
      { subject: { type: 'service', id: 'x' } },
      {},
      403,
      'subject_not_assertable',
    ],
    ['a direction of its own', { direction: 'sideways' }, {}, 400, 'invalid_request'],
    ['a protocol version of its own', { protocolVersion: 'latest' }, {}, 400, 'mapping_error'],
    ['no jsonrpc', {}, { jsonrpc: '1.0' }, 400, 'mapping_error'],
    ['no tool name', {}, { params: { arguments: {} } }, 400, 'mapping_error'],
    ['arguments as a list', {}, { params: { name: 'query', arguments: [] } }, 400, 'mapping_error'],
    ['params as a list', {}, { params: [] }, 400, 'mapping_error'],
    ['a method as a number', {}, { method: 1 }, 400, 'mapping_error'],
    ['a response and a request at once', {}, { result: {} }, 400, 'mapping_error'],
    ['a revision that is not there yet', { at_least: 1_000_000 }, {}, 409, 'revision_not_reached'],
  ])('with %s gets no decision', async (_what, over, message, status, code) => {
    expect((await mcp(over, message)).body).toMatchObject({ status, code });
  });

  it.each<[string, object, string, string]>([
    ['no subject', { subject: undefined }, 'subject', "'subject' is missing: a subject is {type, id}, as in "],
    ['a subject as a text', { subject: 'user:ann' }, 'subject', 'subject: a subject is {type, id}, as in '],
    ['a subject without a type', { subject: { id: 'ann' } }, 'subject.type', "subject: 'type' is missing"],
    ['an unknown member', { extra: 1 }, 'extra', "there is no member 'extra' here"],
    [
      'an unknown member of the subject',
      { subject: { type: 'user', id: 'ann', sub: 1 } },
      'subject.sub',
      "subject: there is no member 'sub' here",
    ],
    [
      'a direction of its own',
      { direction: 'up' },
      'direction',
      'direction: is one of client_to_server, server_to_client',
    ],
    ['a server as a number', { server: 7 }, 'server', 'server: must be a text, or must be an object'],
    ['a server by nothing', { server: {} }, 'server', 'server: name the server by name, url, command or package'],
    ['half a revision', { at_least: 1.5 }, 'at_least', 'at_least: must be a whole number'],
    ['too long a purpose', { purpose: 'x'.repeat(257) }, 'purpose', 'purpose: has at most 256 characters'],
    [
      'an unknown member that would write on a terminal',
      { ['\u001b[2J']: 1 },
      '\\u{1b}[2J',
      "there is no member '\\u{1b}[2J' here",
    ],
  ])('with %s is told so in plain words', async (_what, over, path, detail) => {
    const { body } = await mcp(over);
    expect(body.errors[0].path).toBe(path);
    expect(body.detail.slice(0, detail.length)).toBe(detail);
  });

  it('with no message is told what is missing, and nothing of what was sent', async () => {
    const body = { ...question, message: undefined, context: 'hunter2'.repeat(99) };
    const answer = await service.call('POST', '/mcp/v1/decisions', { key: service.host, body });
    expect(answer.body.errors).toEqual([
      { path: 'context', message: 'must be an object' },
      { path: 'message', message: expect.stringMatching(/^'message' is missing/) as unknown },
    ]);
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
  });

  it('with very many mistakes gets a hundred of them', async () => {
    const extra = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`${at}${'x'.repeat(100)}`, 1]));
    const { body } = await mcp(extra);
    expect(body.errors).toHaveLength(100);
    expect(JSON.stringify(body).length).toBeLessThan(20_000);
  });

  it('with a JSON-RPC batch gets none', async () => {
    const body = { ...question, message: [question.message, question.message] };
    expect((await service.call('POST', '/mcp/v1/decisions', { key: service.host, body })).body).toMatchObject({
      status: 400,
      code: 'mapping_error',
    });
  });

  it.each<[string, object, object, string]>([
    ['an unknown server', { server: 'nowhere' }, {}, 'server_unknown'],
    ['no server', { server: undefined }, {}, 'server_unknown'],
    ['two names for different servers', { server: { name: 'crm', url: 'https://example.com/' } }, {}, 'server_unknown'],
    ['an unknown method', {}, { method: 'tools/destroy' }, 'method_unknown'],
    ['a method of an object', {}, { method: 'constructor' }, 'method_unknown'],
    ['a method in the wrong direction', { direction: 'server_to_client' }, {}, 'method_unknown'],
    [
      'a method of the other dialect',
      { protocolVersion: '2026-07-28' },
      { method: 'logging/setLevel', params: { level: 'info' } },
      'method_unknown',
    ],
    ['an unknown notification', {}, { id: undefined, method: 'notifications/unknown' }, 'method_unknown'],
    ['an unknown person', { subject: { type: 'user', id: 'nobody' } }, {}, 'rule_in_error'],
    ['a person with a NUL in the name', { subject: { type: 'user', id: 'ann\0' } }, {}, 'rule_in_error'],
    ['a person with line breaks in the name', { subject: { type: 'user', id: '\nann\x1f\n' } }, {}, 'rule_in_error'],
    ['a server with a NUL in the name', { server: 'crm\0' }, {}, 'server_unknown'],
    ['a tool with a confusable name', {}, { params: { name: 'qu\u0435ry', arguments: {} } }, 'resource_ambiguous'],
    [
      'a URI with dots',
      { server: 'crm' },
      { method: 'resources/read', params: { uri: 'db://customers/emea/../apac' } },
      'resource_ambiguous',
    ],
  ])('about %s is a deny: %j %j %s', async (_what, over, message, reason) => {
    const answer = await mcp(over, message);
    expect(answer.status).toBe(200);
    expect(answer.body.effect).toBe('deny');
    if (reason !== 'rule_in_error') expect(answer.body.reason.code).toBe(reason);
  });

  it.each([
    ['GET', '/mcp/v1/decisions', 405],
    ['PUT', '/access/v1/evaluation', 405],
    ['POST', '/mcp/v1/nothing', 404],
    ['POST', '/mcp/v1/decisions/', 404],
    ['POST', '//mcp/v1/decisions', 404],
    ['DELETE', '/access/v1/evaluations', 405],
  ])('to %s %s is refused', async (method, path, status) => {
    const answer = await service.call(method, path, {
      key: service.host,
      ...(method === 'GET' ? {} : { body: question }),
    });
    expect(answer.body).toMatchObject({ status });
  });

  it('in which keys are called as in Object.prototype are seen by the decision', async () => {
    const body = withArguments('{"__proto__":{"a":1},"constructor":"x","toString":1}');
    expect((await service.call('POST', '/mcp/v1/decisions', { key: service.host, body })).body).toMatchObject({
      effect: 'allow',
    });
  });

  it('gets its own request id back, on errors too', async () => {
    for (const body of [question, 'garbage']) {
      const answer = await service.call('POST', '/mcp/v1/decisions', {
        key: service.host,
        body,
        headers: { 'X-Request-ID': 'my id 1' },
      });
      expect(answer.headers.get('x-request-id')).toBe('my id 1');
    }
  });
});
