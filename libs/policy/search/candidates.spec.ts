import { describe, expect, it } from 'vitest';
import type { ServerReference } from '../compile/registry.js';
import { PolicySet } from '../compile/policy-set.js';
import { parseDocuments } from '../documents/parse.js';
import { knownResources, knownSubjects, namedActions, type Candidate } from './candidates.js';

const { documents, problems } = parseDocuments({
  text: `
{ kind: Subject, id: ann, aliases: [{ type: user, id: ann@example.com }, { type: employee, id: '7' }] }
---
{ kind: Subject, id: bob }
---
{ kind: Subject, type: service, id: cron }
---
{ kind: Role, name: clerk }
---
{ kind: Binding, name: clerks, subjects: ['user:carl', 'user:bob', 'group:user', 'service:backup'], roles: [clerk] }
---
{ kind: Binding, name: more-clerks, subjects: ['user:carl', 'user:ann@example.com', 'employee:7'], roles: [clerk] }
---
{ kind: Server, name: files, identity: { url: 'https://files.example' }, tools: { list: {}, read: {} } }
---
{ kind: Server, name: mail, tools: { list: {} } }
---
{ kind: Server, name: bare }
---
{ kind: Resource, type: record, id: r1 }
---
{ kind: Resource, type: record, id: r2, server: files }
---
{ kind: Resource, type: tool, id: read, server: files }
---
{ kind: Resource, type: tool, id: hidden, server: mail }
---
{ kind: Resource, type: tool, id: nowhere }
---
{ kind: Resource, type: resource, id: 'file:///a', server: files }
---
kind: Policy
name: p
target: { actions: [read, 'can_*', tools/call], resources: ['*'] }
rules: [{ name: one, effect: allow, to: [any] }, { name: two, effect: deny, to: ['user:zoe'] }]
---
kind: Policy
name: q
target: { actions: [write, '*'], resources: [{ type: record, id: r1 }] }
rules: [{ name: one, effect: deny, to: [any] }]
`,
});
const set = PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));

const names = (candidates: Iterable<Candidate | null>): string[] =>
  [
    ...new Set(
      [...candidates].filter((one) => one !== null).map(({ id, server }) => (server === null ? id : `${server}/${id}`)),
    ),
  ].sort();

it('are from documents that are valid', () => {
  expect(problems).toEqual([]);
});

describe('the known subjects', () => {
  it.each<[string, string[]]>([
    // Not the alias that a binding names, and nobody whom a rule alone names.
    ['user', ['ann', 'bob', 'carl']],
    ['service', ['backup', 'cron']],
    // Who is known by an alias of another type is found by the stored type.
    ['employee', []],
    ['group', []],
    ['role', []],
    ['spaceship', []],
    ['__proto__', []],
    ['', []],
  ])('of the type %j', (type, expected) => {
    expect(names(knownSubjects(set, type))).toEqual(expected);
  });
});

describe('the known resources', () => {
  it.each<[string, ServerReference | null, string[]]>([
    ['record', null, ['r1']],
    // A server limits MCP's own types only: the others have none.
    ['record', { name: 'files' }, ['r1']],
    ['tool', null, ['files/list', 'files/read', 'mail/hidden', 'mail/list']],
    ['tool', { name: 'files' }, ['files/list', 'files/read']],
    ['tool', { url: 'https://files.example' }, ['files/list', 'files/read']],
    ['tool', { name: 'mail', url: 'https://files.example' }, []],
    ['tool', { name: 'unknown' }, []],
    ['tool', { name: 'bare' }, []],
    ['mcp_server', null, ['bare/bare', 'files/files', 'mail/mail']],
    ['mcp_server', { name: 'mail' }, ['mail/mail']],
    ['sampling', { name: 'mail' }, ['mail/mail']],
    ['resource', null, ['files/file:///a']],
    ['resource', { name: 'mail' }, []],
    ['prompt', null, []],
    ['spaceship', null, []],
  ])('of the type %j of the server %j', (type, only, expected) => {
    expect(names(knownResources(set, type, only))).toEqual(expected);
  });
});

it('the named actions are those without a pattern', () => {
  expect(names(namedActions(set))).toEqual(['read', 'tools/call', 'write']);
});
