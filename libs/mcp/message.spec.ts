import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BY_TOOL, type Json, type JsonObject } from '#policy';
import { mapMessage, type HostMessage, type MappedMessage } from './message.js';
import { MappingError, type Operation } from './operations.js';

type Golden = Pick<HostMessage, 'direction' | 'message'> & { answers?: JsonObject; operations: Json[] };
type Methods = Record<string, Record<HostMessage['direction'], { requests: string[]; notifications: string[] }>>;

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8')) as T;

const METHODS = read<Methods>('methods');
const VERSIONS = Object.keys(METHODS);
const GOLDEN = VERSIONS.flatMap((version) => read<Golden[]>(version).map((golden) => ({ version, ...golden })));
const DIRECTIONS = ['client_to_server', 'server_to_client'] as const;

const map = (message: Json, over: Partial<HostMessage> = {}): MappedMessage =>
  mapMessage({ direction: 'client_to_server', protocolVersion: undefined, answers: undefined, message, ...over });

const request = (method: string, params?: Json): JsonObject => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  ...(params === undefined ? {} : { params }),
});

/** An operation as the golden files write it. */
const written = (operation: Operation): unknown => ({
  ...operation,
  operation: operation.operation === BY_TOOL ? 'by tool' : operation.operation,
});

/** What it came to: the mapped message, or why it is none. */
function outcome(message: Json, over?: Partial<HostMessage>): MappedMessage | string {
  try {
    return map(message, over);
  } catch (error) {
    if (error instanceof MappingError) return error.message;
    throw error;
  }
}

describe('a message on the wire', () => {
  const described = GOLDEN.map((golden) => {
    const { method } = golden.message as { method?: string };
    const answered = (golden.answers as { method?: string } | undefined)?.method;
    return [golden.version, golden.direction, method ?? `the answer to ${answered}`, golden] as const;
  });

  it.each(described)('%s, %s: %s', (version, direction, _what, { message, answers, operations }) => {
    const mapped = map(message, { direction, protocolVersion: version, answers });
    expect(mapped.kind).toBe(operations.length === 0 ? 'none' : 'operations');
    expect(mapped.kind === 'operations' ? mapped.operations.map(written) : []).toEqual(operations);
    // Without a version the same message is the same question.
    expect(map(message, { direction, answers })).toEqual(mapped);
  });

  it.each(VERSIONS)('stands in the golden file of %s for every request of that version', (version) => {
    const shown = (direction: string) =>
      GOLDEN.filter((golden) => golden.version === version && golden.direction === direction)
        .map(({ message }) => (message as { method?: string }).method)
        .filter((method) => method !== undefined);
    for (const direction of DIRECTIONS) {
      expect([...new Set(shown(direction))].sort()).toEqual([...METHODS[version]![direction].requests].sort());
    }
  });
});

describe('what needs no decision', () => {
  it.each(VERSIONS)('are the notifications of %s, in their direction', (version) => {
    const all = Object.values(METHODS).flatMap((by) => DIRECTIONS.flatMap((way) => by[way].notifications));
    for (const direction of DIRECTIONS) {
      for (const method of all) {
        const known = METHODS[version]![direction].notifications.includes(method);
        const message = { jsonrpc: '2.0', method, params: { any: ['thing'] } };
        expect(map(message, { direction, protocolVersion: version })).toEqual({
          kind: known ? 'none' : 'unknown',
          method,
        });
      }
    }
  });
});

describe('what nobody knows is unknown, which is denied', () => {
  it.each<[string, JsonObject, Partial<HostMessage>]>([
    ['a method of no version', request('tools/delete', {}), {}],
    ['a method in another case', request('Tools/Call', { name: 'echo' }), {}],
    ['an empty method', request(''), {}],
    ['a member of every object', request('constructor'), {}],
    ['a request in the wrong direction', request('tools/call', { name: 'echo' }), { direction: 'server_to_client' }],
    ['a server request from the client', request('sampling/createMessage', { messages: [] }), {}],
    ['a session in the stateless dialect', request('initialize', {}), { protocolVersion: '2026-07-28' }],
    ['a discovery in the session dialect', request('server/discover'), { protocolVersion: '2025-11-25' }],
    [
      'a session in a message that says it is stateless',
      request('initialize', { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }),
      {},
    ],
    [
      'the version of the host, not that of the message, counts',
      request('server/discover', { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }),
      { protocolVersion: '2025-11-25' },
    ],
    ['a notification of no version', { jsonrpc: '2.0', method: 'notifications/other' }, {}],
    ['a request without an id', { jsonrpc: '2.0', method: 'tools/call', params: { name: 'echo' } }, {}],
    ['a notification with an id', request('notifications/initialized'), {}],
    ['ping without an id', { jsonrpc: '2.0', method: 'ping' }, {}],
  ])('%s', (_what, message, over) => {
    expect(map(message, over)).toEqual({ kind: 'unknown', method: message.method });
  });

  it.each([
    ['a method of no version', 'tools/delete', {}],
    ['a request that goes the other way', 'sampling/createMessage', {}],
    ['a request of the other dialect', 'server/discover', { protocolVersion: '2025-11-25' }],
    ['a notification', 'notifications/progress', {}],
    ['an answer', 'tools/call:result', {}],
  ])('an answer to %s', (_what, method, over) => {
    const answer = { jsonrpc: '2.0', id: 1, result: {} };
    expect(map(answer, { direction: 'server_to_client', answers: { method, params: { name: 'x' } }, ...over })).toEqual(
      {
        kind: 'unknown',
        method: `${method}:result`,
      },
    );
  });
});

describe('what is no message of MCP is refused', () => {
  const RESULT = { jsonrpc: '2.0', id: 1, result: {} };
  const RETRY = request('tools/call', { name: 'echo', inputResponses: { who: { action: 'accept' } } });
  const call = (params: Json) => request('tools/call', params);

  it.each<[string, Json, string, Partial<HostMessage>?]>([
    // JSON-RPC
    ['a batch', [request('ping')], 'batches of JSON-RPC messages are not allowed'],
    ['an empty batch', [], 'batches of JSON-RPC messages are not allowed'],
    ['a text', 'ping', 'must be a JSON-RPC object'],
    ['null', null, 'must be a JSON-RPC object'],
    ['no version of JSON-RPC', { id: 1, method: 'ping' }, 'jsonrpc must be "2.0"'],
    ['another version of JSON-RPC', { ...request('ping'), jsonrpc: 2 }, 'jsonrpc must be "2.0"'],
    ['a method that is no text', { ...request('ping'), method: ['ping'] }, 'method must be a text'],
    ['a method that is null', { ...request('ping'), method: null }, 'method must be a text'],
    ['an id that is null', { ...request('ping'), id: null }, 'id must be a text or a number'],
    ['an id that is a list', { ...request('ping'), id: [1] }, 'id must be a text or a number'],
    ['a request with a result', { ...request('ping'), result: {} }, 'a request or a response, not both'],
    ['a request with an error', { ...request('ping'), error: {} }, 'a request or a response, not both'],
    ['params that are a list', call(['echo']), 'params must be an object'],
    ['params that are a text', call('echo'), 'params must be an object'],
    ['a version that is none', request('ping'), "'v1' is not a protocol version", { protocolVersion: 'v1' }],
    [
      'a message that declares a version that is none',
      request('tools/list', { _meta: { 'io.modelcontextprotocol/protocolVersion': 'v1' } }),
      "'v1' is not a protocol version",
    ],

    // names that are missing or of the wrong type
    ['a call of no tool', call({}), 'params.name must be a text'],
    ['a call without params', request('tools/call'), 'params.name must be a text'],
    ['a call of an empty name', call({ name: '' }), 'params.name must be a text'],
    ['a call of several tools', call({ name: ['echo', 'get-env'] }), 'params.name must be a text'],
    ['a call with a list of arguments', call({ name: 'echo', arguments: ['x'] }), 'params.arguments must be an object'],
    ['a call with a text as arguments', call({ name: 'echo', arguments: '{}' }), 'params.arguments must be an object'],
    ['a prompt of no name', request('prompts/get', { arguments: {} }), 'params.name must be a text'],
    [
      'a prompt with a list',
      request('prompts/get', { name: 'p', arguments: [] }),
      'params.arguments must be an object',
    ],
    ['reading no URI', request('resources/read', { url: 'db://x' }), 'params.uri must be a text'],
    ['reading several URIs', request('resources/read', { uri: ['db://x'] }), 'params.uri must be a text'],
    ['subscribing to nothing', request('resources/subscribe', {}), 'params.uri must be a text'],
    ['unsubscribing from nothing', request('resources/unsubscribe', {}), 'params.uri must be a text'],
    ['a task of no id', request('tasks/get', {}), 'params.taskId must be a text'],
    ['a task of a number', request('tasks/cancel', { taskId: 7 }), 'params.taskId must be a text'],
    ['a completion of nothing', request('completion/complete', {}), 'params.type must be a text'],
    ['a completion of a text', request('completion/complete', { ref: 'p' }), 'params.ref must be an object'],
    ['a completion of a tool', request('completion/complete', { ref: { type: 'ref/tool', name: 'x' } }), 'ref.type is'],
    ['a completion of no prompt', request('completion/complete', { ref: { type: 'ref/prompt', uri: 'x' } }), 'name'],
    ['a completion of no URI', request('completion/complete', { ref: { type: 'ref/resource', name: 'x' } }), 'uri'],
    [
      'an elicitation of a mode that is no text',
      request('elicitation/create', { mode: null }),
      'params.mode must be a text',
      { direction: 'server_to_client' },
    ],
    [
      'a filter that is no object',
      request('subscriptions/listen', { notifications: ['db://x'] }),
      'params.notifications must be an object',
    ],
    [
      'a filter with one URI',
      request('subscriptions/listen', { notifications: { resourceSubscriptions: 'db://x' } }),
      'resourceSubscriptions is a list of URIs',
    ],
    [
      'a filter with something else than URIs',
      request('subscriptions/listen', { notifications: { resourceSubscriptions: ['db://x', 7] } }),
      'resourceSubscriptions is a list of URIs',
    ],
    [
      'a filter with an empty URI',
      request('subscriptions/listen', { notifications: { resourceSubscriptions: [''] } }),
      'resourceSubscriptions is a list of URIs',
    ],

    // answers
    ['nothing at all', { jsonrpc: '2.0', id: 1 }, 'a message has a method, a result or an error'],
    ['both results', { ...RESULT, error: {} }, 'a message has a method, a result or an error', { answers: {} }],
    ['an answer to nothing', RESULT, 'a response must say what it answers'],
    ['an answer to no method', RESULT, 'answers is written as {method, params}', { answers: { params: {} } }],
    ['an answer to a number', RESULT, 'answers is written as {method, params}', { answers: { method: 1 } }],
    [
      'an answer to a list of params',
      RESULT,
      'answers is written as {method, params}',
      { answers: { method: 'ping', params: [] } },
    ],
    [
      'an answer to a call of no tool',
      RESULT,
      'params.name must be a text',
      { direction: 'server_to_client', answers: { method: 'tools/call', params: {} } },
    ],
    [
      'an answer in no version',
      RESULT,
      "'v1' is not a protocol version",
      { answers: { method: 'roots/list' }, protocolVersion: 'v1' },
    ],

    // answers within a retry
    ['a retry that does not say what it answers', RETRY, 'answers is written as {method, params}'],
    [
      'a retry that says so of another key',
      RETRY,
      'answers is written as {method, params}',
      { answers: { where: { method: 'roots/list' } } },
    ],
    [
      'a retry that answers what no server may ask',
      RETRY,
      "answers.who.method: 'tools/call' is nothing that a server may ask",
      { answers: { who: { method: 'tools/call', params: { name: 'echo' } } } },
    ],
    [
      'a retry that answers a ping',
      RETRY,
      "'ping' is nothing that a server may ask",
      { answers: { who: { method: 'ping' } } },
    ],
    [
      'a retry with a list of answers',
      call({ name: 'echo', inputResponses: [{}] }),
      'inputResponses must be an object',
    ],
    ['a retry with null for answers', call({ name: 'echo', inputResponses: null }), 'inputResponses must be an object'],
  ])('%s', (_what, message, reason, over) => {
    expect(outcome(message, over)).toContain(reason);
  });
});

describe('arguments', () => {
  const single = (message: Json): Operation => {
    const mapped = map(message);
    expect(mapped).toMatchObject({ kind: 'operations', operations: [{}] });
    return (mapped as Extract<MappedMessage, { kind: 'operations' }>).operations[0]!;
  };
  const parsed = (text: string) => JSON.parse(text) as Json;

  it.each(['__proto__', 'constructor', 'toString', 'jsonrpc', '_meta', 'inputResponses'])(
    'of a call keep the member %s',
    (name) => {
      const given = parsed(`{"name":"echo","arguments":{"${name}":1}}`);
      const { arguments: kept } = single(request('tools/call', given));
      expect(Object.entries(kept)).toEqual([[name, 1]]);
    },
  );

  it('of other requests keep such members, too, and leave out what belongs to the protocol', () => {
    const given = parsed('{"__proto__":{"cursor":"x"},"_meta":{},"requestState":"s","inputResponses":{}}');
    const { arguments: kept } = single(request('tools/list', given));
    expect(Object.keys(kept)).toEqual(['__proto__']);
    expect(kept.cursor).toBeUndefined();
  });

  it('are read from own members only', () => {
    const inheriting = (inherited: object, given: object) => Object.assign(Object.create(inherited) as object, given);
    const nameless = inheriting({ name: 'echo' }, { arguments: {} });
    expect(outcome(request('tools/call', nameless as Json))).toContain('params.name must be a text');
    const bare = inheriting({ arguments: { forged: true } }, { name: 'echo' });
    expect(single(request('tools/call', bare as Json)).arguments).toEqual({});
  });
});
