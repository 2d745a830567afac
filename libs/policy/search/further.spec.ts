import { describe, expect, it } from 'vitest';
import { PolicySet } from '../compile/policy-set.js';
import { parseDocuments } from '../documents/parse.js';
import { furtherRules } from './further.js';
import { knownThings, subjectsOfRules } from './things.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');

const { documents, problems } = parseDocuments({
  text: `
{ kind: Subject, id: ann, groups: [staff], aliases: [{ type: user, id: ann@example.com }] }
---
{ kind: Subject, id: bob }
---
{ kind: Server, name: files, tools: { list: {}, read: {} } }
---
{ kind: Server, name: mail }
---
{ kind: Resource, type: resource, id: 'file:///a', server: files }
---
{ kind: Resource, type: record, id: r1 }
---
kind: Policy
name: known
target: { servers: [files], actions: [tools/call], resources: [list, read, 'file:///a', files] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: ids
target: { servers: [files], actions: [tools/call], resources: ['re*'] }
rules:
  - { name: all, effect: allow, to: [any] }
  - { name: shadow, effect: allow, to: [any], enforce: false }
  - { name: none, effect: deny, to: [any] }
  - { name: asks, effect: ask, to: [any], consent: { by: [subject] } }
  - { name: staff, effect: allow, to: [group:staff] }
  - { name: ann, effect: allow, to: ['user:ann@example.com', 'user:zoe', 'service:cron'] }
  - { name: desk, effect: allow, to: [any], via: [desk] }
---
kind: Policy
name: undeclared
target: { servers: [files], actions: [tools/call], resources: [list, undeclared] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: any-action
target: { servers: [files], actions: ['tools/*'], resources: [list] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: any-server
target: { servers: ['m*'], actions: [tools/call], resources: [list] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: both
target: { servers: [mail, files], actions: [tools/call], resources: [list] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: mixed
target: { servers: [files, 'm*'], actions: [tools/call], resources: [list] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: gone
target: { servers: [gone], actions: [tools/call], resources: [list] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: no-server
target: { actions: [read], resources: [{ type: record, id: r1 }] }
rules: [{ name: all, effect: allow, to: [any] }]
`,
});
const set = PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));

it('are from documents that are valid', () => {
  expect(problems).toEqual([]);
});

describe('rules that reach further', () => {
  // Not of a server that is not registered: it is denied, whatever rules say.
  const anybody = [
    ...['any-action/all', 'any-server/all', 'both/all', 'ids/all', 'ids/desk', 'mixed/all', 'no-server/all'],
    'undeclared/all',
  ];
  it.each<[string, string | null, string | null, string[]]>([
    ['bob', null, null, anybody],
    // By a group; the stored name counts, and not the alias by which a rule names nobody.
    ['ann', null, null, [...anybody, 'ids/staff']],
    ['ann@example.com', null, null, [...anybody, 'ids/staff']],
    ['zoe', null, null, [...anybody, 'ids/ann']],
    ['bob', 'mail', null, ['any-server/all', 'both/all', 'mixed/all', 'no-server/all']],
    ['bob', 'files', null, anybody.filter((name) => name !== 'any-server/all')],
    ['bob', null, 'ide', anybody.filter((name) => name !== 'ids/desk')],
    ['bob', null, 'desk', anybody],
  ])('for %s, of the server %j, through %j', (id, only, host, expected) => {
    const further = furtherRules(set, { type: 'user', id }, { only, host }, NOW);
    const found = [...set.rules()].flatMap((rule) => further(rule) ?? []);
    expect(found.map(({ ref }) => `${ref.policy}/${ref.rule}`).sort()).toEqual([...expected].sort());
  });

  it('are told with their targets, and how they name somebody', () => {
    const further = furtherRules(set, { type: 'user', id: 'ann' }, { only: null, host: null }, NOW);
    const found = [...set.rules()].flatMap((rule) => further(rule) ?? []);
    expect(found.find(({ ref }) => ref.rule === 'desk')).toEqual({
      ref: { policy: 'ids', version: 1, rule: 'desk' },
      reached: [{ by: 'any' }],
      servers: ['files'],
      actions: ['tools/call'],
      resources: [{ type: null, id: 're*' }],
      via: ['desk'],
    });
    expect(found.find(({ ref }) => ref.policy === 'no-server')).toMatchObject({
      servers: null,
      resources: [{ type: 'record', id: 'r1' }],
      via: null,
    });
    expect(found.find(({ ref }) => ref.rule === 'staff')).toMatchObject({ reached: [{ by: 'group', group: 'staff' }] });
  });
});

describe('the known things', () => {
  const names = (only: string | null) =>
    [...knownThings(set, only)]
      .filter((thing) => thing !== null)
      .map(({ server, type, id }) => `${server}/${type}/${id}`);
  const ofServer = (name: string) => [
    `${name}/mcp_server/${name}`,
    `${name}/sampling/${name}`,
    `${name}/root/${name}`,
    `${name}/elicitation/form`,
    `${name}/elicitation/url`,
  ];
  it.each<[string | null, string[]]>([
    [
      null,
      [
        ...ofServer('files'),
        'files/tool/list',
        'files/tool/read',
        ...ofServer('mail'),
        'files/resource/file:///a',
        'null/record/r1',
      ],
    ],
    ['mail', ofServer('mail')],
    ['files', [...ofServer('files'), 'files/tool/list', 'files/tool/read', 'files/resource/file:///a']],
    ['nothing', []],
  ])('of the server %j', (only, expected) => {
    expect(names(only).sort()).toEqual([...expected].sort());
  });
});

it('the subjects that rules name are those that are not stored', () => {
  expect([...subjectsOfRules(set, 'user')].filter((id) => id !== null)).toEqual(['zoe']);
  expect([...subjectsOfRules(set, 'service')].filter((id) => id !== null)).toEqual(['cron']);
  expect([...subjectsOfRules(set, 'group')].filter((id) => id !== null)).toEqual([]);
});
