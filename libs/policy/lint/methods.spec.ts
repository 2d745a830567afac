import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { operationWord } from '#mcp';
import { intendedMethod, METHODS } from './methods.js';

interface Requests {
  readonly requests: readonly string[];
}

describe('the methods of MCP', () => {
  it('are those that the dialects have and that are decided', () => {
    const golden = JSON.parse(readFileSync('libs/mcp/golden/methods.json', 'utf8')) as Record<
      string,
      Record<string, Requests>
    >;
    const requests = Object.values(golden).flatMap((ways) => Object.values(ways).flatMap((way) => way.requests));
    expect(METHODS.filter((method) => operationWord(method) === undefined)).toEqual([]);
    expect(requests.filter((method) => method !== 'ping' && !(METHODS as readonly string[]).includes(method))).toEqual(
      [],
    );
  });
});

describe('the method that is meant', () => {
  it.each<[string, string | undefined]>([
    ['tool/call', 'tools/call'],
    ['tools/cal', 'tools/call'],
    ['tools/clal', 'tools/call'],
    ['tools/calls', 'tools/call'],
    ['Tools/Call', 'tools/call'],
    ['resource/read', 'resources/read'],
    ['resources/template/list', 'resources/templates/list'],
    ['sampling/create_message', 'sampling/createMessage'],
    ['tool/call:result', 'tools/call:result'],
    ['tools/call:results', 'tools/call:result'],
    ['logging/set-level', 'logging/setLevel'],

    // what it is called, and what somebody else may well call so
    ['tools/call', undefined],
    ['tools/call:result', undefined],
    ['toolcall', undefined],
    ['toolscall', undefined],
    ['stools/call', undefined],
    ['can_read', undefined],
    ['pools/list', undefined],
    ['roofs/list', undefined],
    ['goods/list', undefined],
    ['todos/read', undefined],
    ['tools/delete', undefined],
    ['resources/write', undefined],
    ['tools/', undefined],
    ['/', undefined],
  ])('by %j is %s', (action, method) => {
    expect(intendedMethod(action)).toBe(method);
  });
});
