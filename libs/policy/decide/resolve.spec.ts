import { describe, expect, it } from 'vitest';
import { PolicySet } from '../compile/policy-set.js';
import { parseDocuments } from '../documents/parse.js';
import { keyOfServerIdentity } from '../documents/touches.js';
import { BY_TOOL, THE_SERVER, type DecisionInput } from './request.js';
import { resolve } from './resolve.js';

const SET = setOf(`
{ kind: Host, name: desk, properties: { managed: true } }
---
{ kind: Subject, id: ann, aliases: [{ type: mail, id: ann@x }], groups: [emea, apac], properties: { level: 3, constructor: 1 } }
---
{ kind: Subject, id: bob }
---
{ kind: Resource, server: files, type: resource, id: "file:///work/a", properties: { owner: ann } }
---
{ kind: Resource, server: files, type: tool, id: read, properties: { owner: bob } }
---
{ kind: Resource, type: document, id: d, properties: { owner: cid } }
---
{ kind: Resource, server: files, type: tool, id: "null", properties: { owner: eve } }
---
kind: Server
name: files
identity: { url: "https://files.example.com/mcp" }
properties: { tier: 1 }
tools:
  read: { operation: read, inputSchema: { type: object, properties: { n: { type: integer } } } }
  plain: {}
---
{ kind: Server, name: crm, identity: { command: [npx, crm] } }
---
kind: Server
name: notes
identity: { package: { registry: npm, name: "@acme/notes", version: 1.0.2, sha256: "${'a'.repeat(64)}" } }
`);

function setOf(text: string): PolicySet {
  const { documents, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));
}

const CALL: DecisionInput = {
  subject: { type: 'user', id: 'ann', properties: {}, assurance: 'asserted' },
  agent: 'desk',
  action: 'tools/call',
  resource: { type: 'tool', id: 'read', properties: {} },
  server: { name: 'files' },
  arguments: { n: 1 },
  operation: BY_TOOL,
  session: null,
  context: {},
  kind: 'ordinary',
};

const subject = (type: string, id: string, properties = {}): Partial<DecisionInput> => ({
  subject: { type, id, properties, assurance: 'asserted' },
});
const resource = (type: string, id: string | null): Partial<DecisionInput> => ({
  resource: { type, id, properties: {} },
});
const url = 'https://files.example.com/mcp';

function resolved(input: Partial<DecisionInput>) {
  const resolution = resolve(SET, { ...CALL, ...input });
  if (!('request' in resolution)) throw new Error(resolution.detail);
  return resolution.request;
}

describe('a request that cannot be looked up', () => {
  it.each<[Partial<DecisionInput>, string, string]>([
    [{ agent: 'nobody' }, 'agent_unknown', "no host 'nobody' is registered"],
    [{ server: null }, 'server_unknown', 'the request names no server'],
    [{ server: {} }, 'server_unknown', 'the request names no server'],
    [{ server: { name: 'other' } }, 'server_unknown', "no server 'other' is registered"],
    [{ server: { url: 'https://other.example.com' } }, 'server_unknown', "no server 'https://other.example.com'"],
    [{ server: { url: 'not a URL' } }, 'server_unknown', "'not a URL'"],
    [{ server: { command: ['npx', 'other'] } }, 'server_unknown', "'npx other'"],
    [{ server: { name: 'crm', url } }, 'server_unknown', `'crm' and '${url}' are not the same registered server`],
    [{ server: { name: 'files', command: ['npx', 'crm'] } }, 'server_unknown', "'files' and 'npx crm'"],
    [{ server: { name: 'files', url: 'https://other.example.com' } }, 'server_unknown', "'files' and"],
    [{ ...resource('prompt', 'p'), server: null }, 'server_unknown', 'the request names no server'],
    [{ ...resource('root', 'file:///a'), server: null }, 'server_unknown', 'the request names no server'],
    [{ kind: 'unknown-method', action: 'tools/guess' }, 'method_unknown', "the method 'tools/guess' is not known"],
    [
      resource('resource', 'file:///work/../etc'),
      'resource_ambiguous',
      'the URI of the resource has a ".." after a name',
    ],
    [resource('resource', 'not a URI'), 'resource_ambiguous', 'the URI of the resource has no scheme'],
    [resource('tool', 'r\u0435ad'), 'resource_ambiguous', 'a tool is named by up to 128'],
    [resource('tool', 'read file'), 'resource_ambiguous', 'a tool is named by up to 128'],
    [resource('tool', 'read\u200b'), 'resource_ambiguous', 'a tool is named by up to 128'],
    [resource('tool', 'read@files'), 'resource_ambiguous', 'a tool is named by up to 128'],
    [resource('tool', 'read;'), 'resource_ambiguous', 'a tool is named by up to 128'],
    [resource('tool', '[read]'), 'resource_ambiguous', 'a tool is named by up to 128'],
    [resource('tool', ''), 'resource_ambiguous', 'a tool is named by up to 128'],
    [resource('tool', 'a'.repeat(129)), 'resource_ambiguous', 'a tool is named by up to 128'],
    [resource('mcp_server', 'crm'), 'resource_ambiguous', "is the server itself, here 'files', and nothing else"],
    [resource('sampling', 'claude'), 'resource_ambiguous', "is the server itself, here 'files', and nothing else"],
    [resource('root', 'file:///work'), 'resource_ambiguous', "is the server itself, here 'files', and nothing else"],
    [{ arguments: { n: 'x' } }, 'arguments_invalid', "do not fit the schema of the tool 'read'"],
    [{ arguments: { n: 1.5 }, action: 'tools/guess' }, 'arguments_invalid', "do not fit the schema of the tool 'read'"],
  ])('%j is denied as %s: %s', (input, denied, detail) => {
    const resolution = resolve(SET, { ...CALL, ...input });
    expect(resolution).toMatchObject({ denied });
    expect('detail' in resolution && resolution.detail).toContain(detail);
  });

  it('is denied for its agent before its server, and for its server before the rest', () => {
    const worst = { agent: 'nobody', server: null, kind: 'unknown-method', arguments: { n: 'x' } } as const;
    expect(resolve(SET, { ...CALL, ...worst })).toMatchObject({ denied: 'agent_unknown' });
    expect(resolve(SET, { ...CALL, ...worst, agent: 'desk' })).toMatchObject({ denied: 'server_unknown' });
    expect(resolve(SET, { ...CALL, ...worst, agent: 'desk', server: { name: 'files' } })).toMatchObject({
      denied: 'method_unknown',
    });
  });
});

describe('a request about something that is suspended', () => {
  const suspended = (
    of: 'Server' | 'Host' | 'Subject' | 'Tenant',
    name: string,
    input: Partial<DecisionInput> = {},
  ) => {
    const made = { document: { kind: 'Suspension', of, name, reason: 'an incident' }, version: 1 } as const;
    SET.apply([{ kind: 'Suspension', name: `${of}:${name}`, stored: made }]);
    const resolution = resolve(SET, { ...CALL, ...input });
    SET.apply([{ kind: 'Suspension', name: `${of}:${name}` }]);
    return 'denied' in resolution ? [resolution.denied, resolution.detail] : 'request';
  };
  const detail = (of: string, name: string) => ['suspended', `the ${of} '${name}' is suspended: an incident`];

  it.each<['Server' | 'Host' | 'Subject' | 'Tenant', string, Partial<DecisionInput>]>([
    ['Tenant', 'default', {}],
    ['Host', 'desk', {}],
    ['Server', 'files', {}],
    ['Server', 'files', { server: { url } }],
    ['Subject', 'user:ann', {}],
    ['Subject', 'user:ann', subject('mail', 'ann@x')],
    ['Subject', 'mail:ann@x', {}],
    ['Subject', 'user:stranger', subject('user', 'stranger')],
    ['Subject', 'user:ann', { kind: 'none' }],
    ['Server', 'files', { kind: 'unknown-method' }],
    ['Tenant', 'default', { agent: 'nobody', server: null }],
    ['Host', 'desk', { ...resource('document', 'd'), server: null }],
  ])('is denied before all else: %s %s, asked for %j', (of, name, input) => {
    expect(suspended(of, name, input)).toEqual(detail(of, name));
  });

  it.each<['Server' | 'Host' | 'Subject', string]>([
    ['Server', 'crm'],
    ['Server', 'user:ann'],
    ['Host', 'files'],
    ['Subject', 'user:bob'],
    ['Subject', 'desk'],
    ['Subject', 'group:emea'],
  ])('is not concerned by the suspension of another: %s %s', (of, name) => {
    expect(suspended(of, name)).toBe('request');
  });
});

describe('a request that is looked up', () => {
  it.each<[Partial<DecisionInput>]>([
    [{ server: { name: 'files' } }],
    [{ server: { url } }],
    [{ server: { url: 'HTTPS://FILES.example.com:443/mcp' } }],
    [{ server: { name: 'files', url } }],
  ])('finds its server by whatever leads to it: %j', (input) => {
    expect(resolved(input).server).toEqual({ id: 'files', properties: { tier: 1 }, identity: [url] });
  });

  it.each<[string, string]>([
    ['mcp_server', THE_SERVER],
    ['mcp_server', 'files'],
    ['mcp_server', url],
    ['sampling', THE_SERVER],
    ['root', THE_SERVER],
  ])('knows the server itself by its registered name, as a %s named %j', (type, id) => {
    expect(resolved(resource(type, id)).resource.id).toBe('files');
  });

  it('finds a server by its exact command line only', () => {
    expect(resolved({ ...resource('tool', 'x'), server: { command: ['npx', 'crm'] } }).server?.id).toBe('crm');
    expect(resolve(SET, { ...CALL, server: { command: ['npx crm'] } })).toMatchObject({ denied: 'server_unknown' });
    expect(resolve(SET, { ...CALL, server: { command: ['npx', 'crm', '-y'] } })).toMatchObject({
      denied: 'server_unknown',
    });
  });

  it('finds a server by its package in all four parts only', () => {
    const notes = { registry: 'npm', name: '@acme/notes', version: '1.0.2', sha256: 'a'.repeat(64) };
    const serverOf = (server: DecisionInput['server']) => resolve(SET, { ...CALL, ...resource('tool', 'x'), server });
    expect(serverOf({ package: notes })).toMatchObject({ request: { server: { id: 'notes' } } });
    expect(serverOf({ name: 'notes', package: notes })).toMatchObject({ request: { server: { id: 'notes' } } });
    for (const part of ['registry', 'name', 'version', 'sha256']) {
      const other = { ...notes, [part]: 'other' };
      expect(serverOf({ name: 'notes', package: other })).toMatchObject({ denied: 'server_unknown' });
    }
    expect(serverOf({ name: 'files', package: notes })).toMatchObject({ denied: 'server_unknown' });
  });

  it('needs no server where its resource is not of the protocol, and has none then', () => {
    expect(resolved({ ...resource('document', 'd'), server: null }).server).toBeNull();
    expect(resolved({ ...resource('document', 'd'), server: { name: 'files' } }).server).toBeNull();
    expect(resolved({ ...resource('document', 'd'), server: { name: 'other' } }).server).toBeNull();
  });

  it('knows people by their name and by their aliases', () => {
    const ann = { type: 'user', id: 'ann', key: 'user:ann', groups: new Set(['emea', 'apac']) };
    expect(resolved({}).subject).toMatchObject(ann);
    expect(resolved(subject('mail', 'ann@x')).subject).toMatchObject(ann);
    expect(resolved(subject('mail', 'ANN@x')).subject).toMatchObject({ key: 'mail:ANN@x', groups: null });
  });

  it('lets stored attributes win over asserted ones', () => {
    const { properties } = resolved(subject('user', 'ann', { level: 9, region: 'emea', constructor: 2 })).subject;
    expect({ ...properties }).toEqual({ level: 3, region: 'emea', constructor: 1 });
    expect({ ...resolved(subject('user', 'cid', { level: 9 })).subject.properties }).toEqual({ level: 9 });
  });

  it.each<[string, unknown, string[] | null]>([
    ['ann', ['admins'], ['emea', 'apac']],
    ['bob', ['admins', 'x'], ['admins', 'x']],
    ['bob', [], []],
    ['bob', undefined, null],
    ['bob', null, null],
    ['bob', 'admins', null],
    ['bob', ['admins', 7], null],
    ['bob', { admins: true }, null],
    ['cid', ['admins'], ['admins']],
  ])('takes as groups of %s, where %j are asserted: %j', (id, groups, expected) => {
    const asserted = groups === undefined ? {} : { groups };
    expect(resolved(subject('user', id, asserted)).subject.groups).toEqual(
      expected === null ? null : new Set(expected),
    );
  });

  it('takes no groups from what an object inherits', () => {
    const properties = Object.create({ groups: ['admins'] }) as Record<string, never>;
    expect(resolved(subject('user', 'bob', properties)).subject.groups).toBeNull();
  });

  it.each(['role', 'group'])('never takes somebody of the type %s for one', (type) => {
    const { key } = resolved(subject(type, 'admins')).subject;
    expect(key).not.toBe(`${type}:admins`);
    const set = setOf(`
{ kind: Role, name: admins }
---
{ kind: Binding, name: b, subjects: ["group:admins"], roles: [admins] }`);
    const held = set.memberships.rolesOf(key, new Set(), 0);
    expect(held.roles).toEqual(new Set());
    expect(held.indexKeys).not.toContain(`${type}:admins`);
  });

  it('finds the attributes of its resource by the one spelling of its URI', () => {
    expect({ ...resolved(resource('resource', 'FILE:/work/%61')).resource.properties }).toEqual({ owner: 'ann' });
    expect(resolved(resource('resource', 'FILE:/work/%61')).resource.id).toBe('file:///work/a');
    expect({ ...resolved(resource('resource', 'file:///work/b')).resource.properties }).toEqual({});
    expect({ ...resolved({}).resource.properties }).toEqual({ owner: 'bob' });
    expect({ ...resolved(resource('document', 'd')).resource.properties }).toEqual({ owner: 'cid' });
    const asserted = { resource: { type: 'tool', id: 'read', properties: { owner: 'me', n: 1 } } };
    expect({ ...resolved(asserted).resource.properties }).toEqual({ owner: 'bob', n: 1 });
  });

  it('has no id where that is not known', () => {
    const { resource: of, tool } = resolved(resource('resource', null));
    expect(of.id).toBeNull();
    expect({ ...of.properties }).toEqual({});
    expect(tool).toBeNull();
    expect(resolved(resource('tool', null)).tool).toBeNull();
    expect({ ...resolved(resource('tool', null)).resource.properties }).toEqual({});
  });

  it('knows its tool, and whether that is declared', () => {
    expect(resolved({}).tool).toMatchObject({ name: 'read', registered: { document: { operation: 'read' } } });
    expect(resolved(resource('tool', 'other')).tool).toEqual({ name: 'other', registered: undefined });
    expect(resolved(resource('tool', 'constructor')).tool).toEqual({ name: 'constructor', registered: undefined });
    expect(resolved(resource('prompt', 'read')).tool).toBeNull();
    expect(resolved(resource('document', 'read')).tool).toBeNull();
  });

  it.each(['AMZamz059_./:-', '5', 'a'.repeat(128)])('may have the tool %j', (name) => {
    expect(resolved(resource('tool', name)).tool).toEqual({ name, registered: undefined });
  });

  it('may have a prompt of any name', () => {
    expect(resolved(resource('prompt', 'my prompt!')).resource).toMatchObject({ type: 'prompt', id: 'my prompt!' });
  });

  it('does not look at arguments that are not known, nor at those of a tool without a schema', () => {
    expect(resolved({ arguments: 'unknown' }).arguments).toBe('unknown');
    expect(resolved({ ...resource('tool', 'plain'), arguments: { n: 'x' } }).arguments).toEqual({ n: 'x' });
    expect(resolved({ ...resource('prompt', 'read'), arguments: { n: 'x' } }).arguments).toEqual({ n: 'x' });
  });

  it.each<[Partial<DecisionInput>, string | null | undefined]>([
    [{}, 'read'],
    [resource('tool', 'plain'), undefined],
    [resource('tool', 'other'), undefined],
    [resource('prompt', 'p'), undefined],
    [{ operation: 'write' }, 'write'],
    [{ operation: null }, null],
    [{ operation: undefined }, undefined],
  ])('does, by %j: %j', (input, operation) => {
    expect(resolved(input).operation).toBe(operation);
  });

  it('passes on the rest as it came', () => {
    const rest = { action: 'tools/call', session: { id: 's' }, context: { purpose: 'p' } };
    expect(resolved(rest)).toMatchObject({ ...rest, agent: { id: 'desk', properties: { managed: true } } });
    expect(resolved({}).subject.assurance).toBe('asserted');
  });
});

describe('what an answer rests on', () => {
  const keys = (input: Partial<DecisionInput>) => resolve(SET, { ...CALL, ...input }).keys;

  it.each<[Partial<DecisionInput>, string[]]>([
    [{}, ['subject:user:ann', 'subject:mail:ann@x', 'host:desk', 'group:emea', 'group:apac', 'server:files']],
    [
      subject('mail', 'ann@x'),
      ['subject:mail:ann@x', 'subject:user:ann', 'host:desk', 'group:emea', 'group:apac', 'server:files'],
    ],
    [subject('user', 'bob'), ['subject:user:bob', 'host:desk', 'group:*', 'server:files']],
    [subject('user', 'bob', { groups: [] }), ['subject:user:bob', 'host:desk', 'server:files']],
    [
      { ...subject('user', 'bob', { groups: ['a'] }), agent: 'nobody' },
      ['subject:user:bob', 'host:nobody', 'group:a', 'server:files'],
    ],
    [{ server: null }, ['subject:user:ann', 'subject:mail:ann@x', 'host:desk', 'group:emea', 'group:apac']],
    [
      { server: { name: 'other' } },
      ['subject:user:ann', 'subject:mail:ann@x', 'host:desk', 'group:emea', 'group:apac', 'server:other'],
    ],
    [
      { server: { url } },
      [
        'subject:user:ann',
        'subject:mail:ann@x',
        'host:desk',
        'group:emea',
        'group:apac',
        'server:files',
        keyOfServerIdentity(url),
      ],
    ],
    [
      { server: { url: 'no URL' } },
      [
        'subject:user:ann',
        'subject:mail:ann@x',
        'host:desk',
        'group:emea',
        'group:apac',
        keyOfServerIdentity('unreadable no URL'),
      ],
    ],
    [
      { server: { name: 'other', command: ['x'] } },
      [
        'subject:user:ann',
        'subject:mail:ann@x',
        'host:desk',
        'group:emea',
        'group:apac',
        'server:other',
        keyOfServerIdentity('command ["x"]'),
      ],
    ],
    [
      { kind: 'unknown-method' },
      ['subject:user:ann', 'subject:mail:ann@x', 'host:desk', 'group:emea', 'group:apac', 'server:files'],
    ],
  ])('by %j: %j', (input, expected) => {
    expect(keys(input)).toEqual(expected);
  });
});
