import { describe, expect, it } from 'vitest';
import { BY_TOOL, type Json, type JsonObject } from '#policy';
import { listedItems } from './listings.js';
import { mapMessage } from './message.js';
import { MappingError } from './operations.js';

const tool = (name: string) => ({
  name,
  action: 'tools/call',
  resource: { type: 'tool', id: name },
  operation: BY_TOOL,
});

describe('the entries of a list', () => {
  it.each<[string, JsonObject, unknown]>([
    [
      'tools/list',
      { tools: [{ name: 'echo', inputSchema: {} }, { name: 'get-env' }], nextCursor: 'x', ttlMs: 5 },
      [tool('echo'), tool('get-env')],
    ],
    [
      'resources/list',
      { resources: [{ uri: 'db://customers/emea', name: 'EMEA' }] },
      [
        {
          name: 'db://customers/emea',
          action: 'resources/read',
          resource: { type: 'resource', id: 'db://customers/emea' },
          operation: 'read',
        },
      ],
    ],
    [
      'resources/templates/list',
      { resourceTemplates: [{ uriTemplate: 'db://customers/{region}', name: 'customers' }] },
      [
        {
          name: 'db://customers/{region}',
          action: 'resources/read',
          resource: { type: 'resource', id: null },
          operation: 'read',
        },
      ],
    ],
    [
      'prompts/list',
      { prompts: [{ name: 'code_review', arguments: [] }] },
      [
        {
          name: 'code_review',
          action: 'prompts/get',
          resource: { type: 'prompt', id: 'code_review' },
          operation: 'read',
        },
      ],
    ],
  ])('of %s', (method, result, items) => {
    expect(listedItems(method, result)).toEqual(items);
  });

  it.each<[string, Json[], string[]]>([
    ['none', [], []],
    ['duplicates, each in its place', [{ name: 'b' }, { name: 'a' }, { name: 'b' }], ['b', 'a', 'b']],
    ['names that differ by case only', [{ name: 'echo' }, { name: 'Echo' }], ['echo', 'Echo']],
    [
      'names of members of every object',
      [{ name: '__proto__' }, { name: 'constructor' }],
      ['__proto__', 'constructor'],
    ],
    ['names that no tool may have', [{ name: '' }, { name: 'a\u0000b' }], ['', 'a\u0000b']],
    ['other members, which say nothing', [{ name: 'echo', effect: 'allow', uri: 'db://x' }], ['echo']],
  ])('keep %s', (_what, tools, names) => {
    expect(listedItems('tools/list', { tools })).toEqual(names.map(tool));
  });

  it.each<[string, string, JsonObject]>([
    ['tools/list', 'echo', { name: 'echo' }],
    ['resources/list', 'db://customers/emea', { uri: 'db://customers/emea' }],
    ['prompts/list', 'code_review', { name: 'code_review' }],
  ])('of %s are decided as their use will be', (method, name, entry) => {
    const [item] = listedItems(method, { [method.split('/')[0]!]: [entry] });
    const message = { jsonrpc: '2.0', id: 1, method: item!.action, params: entry };
    const host = { direction: 'client_to_server', protocolVersion: undefined, answers: undefined } as const;
    const { action, resource, operation } = item!;
    expect(item!.name).toBe(name);
    expect(mapMessage({ ...host, message })).toMatchObject({ operations: [{ action, resource, operation }] });
  });
});

describe('what is no list is refused', () => {
  it.each<[string, string, JsonObject, string]>([
    ['a method that lists nothing', 'tools/call', { tools: [] }, "nothing to filter in a result of 'tools/call'"],
    ['a list that is not filtered', 'tasks/list', { tasks: [] }, "nothing to filter in a result of 'tasks/list'"],
    ['a member of every object', 'constructor', { undefined: [] }, "nothing to filter in a result of 'constructor'"],
    ['a result without a list', 'tools/list', {}, 'result.tools must be a list'],
    ['a list of another method', 'tools/list', { prompts: [] }, 'result.tools must be a list'],
    ['an object for a list', 'tools/list', { tools: { '0': { name: 'echo' } } }, 'result.tools must be a list'],
    ['null for a list', 'prompts/list', { prompts: null }, 'result.prompts must be a list'],
    ['a text for an entry', 'tools/list', { tools: ['echo'] }, 'result.tools[0].name must be a text'],
    ['null for an entry', 'tools/list', { tools: [{ name: 'a' }, null] }, 'result.tools[1].name must be a text'],
    ['a list for an entry', 'tools/list', { tools: [[{ name: 'a' }]] }, 'result.tools[0].name must be a text'],
    ['an entry without a name', 'tools/list', { tools: [{ title: 'Echo' }] }, 'result.tools[0].name must be a text'],
    [
      'an entry that inherits its name',
      'tools/list',
      { tools: [Object.create({ name: 'echo' }) as JsonObject] },
      'result.tools[0].name must be a text',
    ],
    ['a name that is a number', 'prompts/list', { prompts: [{ name: 7 }] }, 'result.prompts[0].name must be a text'],
    ['a resource without a URI', 'resources/list', { resources: [{ name: 'x' }] }, 'result.resources[0].uri must be'],
    [
      'a template without a URI template',
      'resources/templates/list',
      { resourceTemplates: [{ uri: 'db://x' }] },
      'result.resourceTemplates[0].uriTemplate must be a text',
    ],
  ])('%s', (_what, method, result, reason) => {
    expect(() => listedItems(method, result)).toThrow(MappingError);
    expect(() => listedItems(method, result)).toThrow(reason);
  });
});
