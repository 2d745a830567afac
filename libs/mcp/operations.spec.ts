import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BY_TOOL } from '#policy';
import { MappingError, methodsOn, operationsOf, operationWord } from './operations.js';

describe('operationWord', () => {
  it.each<[string, ReturnType<typeof operationWord>]>([
    ['tools/call', BY_TOOL],
    ['tools/call:result', BY_TOOL],
    ['resources/read', 'read'],
    ['resources/subscribe', 'read'],
    ['subscriptions/listen', 'read'],
    ['prompts/get', 'read'],
    ['completion/complete', 'read'],
    ['sampling/createMessage', 'sample'],
    ['sampling/createMessage:result', 'sample'],
    ['elicitation/create', 'elicit'],
    ['roots/list', 'roots'],
    ['roots/list:result', 'roots'],
    ['initialize', null],
    ['tools/list', null],
    ['tasks/result', null],

    // An action that nobody has a word for is within no boundary that names operations.
    ['ping', undefined],
    ['can_read', undefined],
    ['tools/call:result:result', undefined],
    [':result', undefined],
    ['', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ])('of %j is %s', (action, word) => {
    expect(operationWord(action)).toBe(word);
  });
});

it.each(['tools/delete', 'constructor', '__proto__', 'toString', ''])('there is no mapping for %j', (method) => {
  expect(() => operationsOf(method, {})).toThrow(MappingError);
});

describe('methodsOn', () => {
  const params = {
    name: 'x',
    uri: 'file:///x',
    taskId: 'x',
    notifications: { resourceSubscriptions: ['file:///x'] },
  };
  const types = ['mcp_server', 'tool', 'resource', 'prompt', 'task', 'sampling', 'elicitation', 'root'];

  it.each(types.flatMap((type) => methodsOn(type).map((method) => [type, method] as const)))(
    'says of the type %s that %s is about it, as the mapping does',
    (type, method) => {
      const ref = { type: type === 'prompt' ? 'ref/prompt' : 'ref/resource', name: 'x', uri: 'file:///x' };
      expect(operationsOf(method, { ...params, ref }).map(({ resource }) => resource.type)).toContain(type);
    },
  );

  it('leaves out no method that has operations', () => {
    const golden = JSON.parse(readFileSync(new URL('golden/methods.json', import.meta.url), 'utf8')) as Record<
      string,
      Record<string, { readonly requests: readonly string[] }>
    >;
    const requests = Object.values(golden).flatMap((version) =>
      Object.values(version).flatMap((each) => each.requests),
    );
    const known = new Set(['ping', ...types.flatMap((type) => methodsOn(type))]);
    expect(requests.length).toBeGreaterThan(20);
    expect(requests.filter((method) => !known.has(method))).toEqual([]);
  });

  it.each(['record', 'constructor', '__proto__', ''])('knows none on the type %j', (type) => {
    expect(methodsOn(type)).toEqual([]);
  });
});
