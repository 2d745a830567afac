import { describe, expect, it } from 'vitest';
import { PolicySet } from '../compile/policy-set.js';
import { parseDocuments } from '../documents/parse.js';
import type { JsonObject } from '../model.js';
import { boundaryOf, type BoundaryOutcome } from './boundary.js';
import { BY_TOOL, type DecisionInput } from './request.js';
import { resolve } from './resolve.js';

const BASE = `
{ kind: Host, name: desk }
---
{ kind: Subject, id: ann, properties: { home: /home/ann } }
---
kind: Server
name: files
tools:
  read: { operation: read, arguments: { path: path } }
  move: { operation: write, arguments: { from: path, to: path } }
  edit: { operation: write, arguments: { files.path: path } }
  deep: { operation: read, arguments: { a.b.c: path } }
  list: { operation: read }
  odd: { arguments: { path: path } }
`;

/** Scopes of a host and of a server, in the notation of their documents. */
function boundary(scopes: { host?: string; server?: string }, input: Partial<DecisionInput>): BoundaryOutcome {
  const named = Object.entries(scopes).map(([kind, clauses]) =>
    kind === 'host' ? `{ kind: Scope, host: desk, ${clauses} }` : `{ kind: Scope, server: files, ${clauses} }`,
  );
  const { documents, problems } = parseDocuments({ text: [BASE, ...named].join('\n---\n') });
  expect(problems).toEqual([]);
  const set = PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));
  const resolution = resolve(set, { ...CALL, ...input });
  if (!('request' in resolution)) throw new Error(resolution.detail);
  const { request } = resolution;
  return boundaryOf(request.server ? set.serverScopes('files') : [], set.hostScopes('desk'), request);
}

const CALL: DecisionInput = {
  subject: { type: 'user', id: 'ann', properties: {}, assurance: 'asserted' },
  agent: 'desk',
  action: 'tools/call',
  resource: { type: 'tool', id: 'read', properties: {} },
  server: { name: 'files' },
  arguments: { path: '/work/a' },
  operation: BY_TOOL,
  session: null,
  context: {},
  kind: 'ordinary',
};

const tool = (id: string, given: JsonObject | 'unknown' = {}): Partial<DecisionInput> => ({
  resource: { type: 'tool', id, properties: {} },
  arguments: given,
});
const resource = (id: string | null): Partial<DecisionInput> => ({
  action: 'resources/read',
  resource: { type: 'resource', id, properties: {} },
  operation: 'read',
  arguments: {},
});
const serverless: Partial<DecisionInput> = { resource: { type: 'document', id: 'd', properties: {} }, server: null };

describe('the boundary of a host without a scope', () => {
  it('has nothing inside', () => {
    const detail = "the host 'desk' has no scope, and the tenant has no default one";
    expect(boundary({}, {})).toEqual({
      outcome: 'false',
      outside: { scope: 'none', clause: 'host', detail },
      paths: [],
    });
    expect(boundary({ server: '' }, {}).outcome).toBe('false');
  });

  it('is the default one of the tenant', () => {
    const text = `${BASE}\n---\n{ kind: Tenant, name: t, defaults: { hostScope: { actions: { allow: [tools/call] } } } }`;
    const set = PolicySet.of(parseDocuments({ text }).documents.map(({ document }) => ({ document, version: 1 })));
    expect([...set.hostScopes('desk')].map(({ name }) => name)).toEqual(['defaults.hostScope']);
  });
});

describe('a boundary', () => {
  it.each<[string, Partial<DecisionInput>, string]>([
    ['', {}, 'true'],
    ['servers: { allow: [files] }', {}, 'true'],
    ['servers: { allow: ["f*"] }', {}, 'true'],
    ['servers: { allow: [crm] }', {}, 'servers'],
    ['servers: { allow: [] }', {}, 'servers'],
    ['servers: { deny: [files] }', {}, 'servers'],
    ['servers: { deny: [crm] }', {}, 'true'],
    ['servers: { allow: [files], deny: ["f*"] }', {}, 'servers'],
    ['servers: { allow: ["*"] }', serverless, 'servers'],
    ['servers: { deny: [crm] }', serverless, 'servers'],
    ['', serverless, 'true'],
    ['actions: { allow: [tools/call] }', {}, 'true'],
    ['actions: { allow: ["tools/*"] }', {}, 'true'],
    ['actions: { allow: [tools/list] }', {}, 'actions'],
    ['actions: { deny: [tools/call] }', {}, 'actions'],
    ['resources: { allow: [read] }', {}, 'true'],
    ['resources: { allow: ["r*"] }', {}, 'true'],
    ['resources: { allow: [list] }', {}, 'resources'],
    ['resources: { deny: [read] }', {}, 'resources'],
    ['resources: { allow: [d] }', serverless, 'true'],
    ['resources: { deny: [d] }', serverless, 'resources'],
    ['resources: { allow: ["file:///work/*"] }', resource('FILE:/work/a'), 'true'],
    ['resources: { allow: ["file:///work/*"] }', resource('file:///etc/a'), 'resources'],

    // what the Server document says that the tool does
    ['operations: { allow: [read] }', tool('read'), 'true'],
    ['operations: { allow: [read] }', tool('move'), 'operations'],
    ['operations: { deny: [write] }', tool('read'), 'true'],
    ['operations: { deny: [write] }', tool('move'), 'operations'],
    ['operations: { allow: [read] }', tool('odd'), 'operations'],
    ['operations: { deny: [write] }', tool('odd'), 'operations'],
    ['operations: { deny: [write] }', tool('undeclared'), 'operations'],
    ['operations: { allow: [read] }', { operation: 'read' }, 'true'],
    ['operations: { allow: [read] }', { operation: 'write' }, 'operations'],
    ['operations: { allow: [] }', { operation: null }, 'true'],
    ['operations: { deny: [write] }', { operation: undefined }, 'operations'],
    ['operations: { allow: [read] }', { ...serverless, operation: BY_TOOL }, 'operations'],
  ])('of { %s } on %j: %s', (clauses, input, expected) => {
    for (const scopes of [{ host: clauses }, { host: '', server: clauses }]) {
      // A server's own scope does not concern what has no server.
      if (input.server === null && 'server' in scopes) continue;
      const { outcome, outside } = boundary(scopes, input);
      expect(outside?.clause ?? outcome).toBe(expected);
      expect(outcome).toBe(expected === 'true' ? 'true' : 'false');
    }
  });

  it.each<[string, Partial<DecisionInput>, string]>([
    ['servers: { allow: [crm] }', {}, "'files' is not let through"],
    ['servers: { allow: [crm] }', serverless, 'the request names no server'],
    ['operations: { allow: [read] }', tool('odd'), "the Server document does not say what the tool 'odd' does"],
    ['operations: { allow: [read] }', { ...resource('file:///a'), operation: undefined }, 'nothing says what it does'],
  ])('of { %s } says why %j is outside: %s', (clauses, input, detail) => {
    expect(boundary({ host: clauses }, input).outside).toMatchObject({ scope: 'host:desk', detail });
  });

  it('must hold like every other one, and names the first that does not', () => {
    expect(
      boundary({ host: 'actions: { allow: [tools/call] }', server: 'resources: { allow: [read] }' }, {}).outcome,
    ).toBe('true');
    const first = (host: string, server: string) =>
      boundary(
        { host: `name: ${host}, actions: { deny: ['*'] }`, server: `name: ${server}, actions: { deny: ['*'] }` },
        {},
      );
    expect(first('a', 'b').outside?.scope).toBe('a');
    expect(first('b', 'a').outside?.scope).toBe('a');
    const both = boundary({ host: 'actions: { deny: [tools/call] }', server: 'resources: { deny: [read] }' }, {});
    expect(both.outside).toMatchObject({ scope: 'host:desk', clause: 'actions' });
    expect(boundary({ host: '', server: 'resources: { deny: [read] }' }, {}).outside).toMatchObject({
      scope: 'server:files',
    });
  });
});

describe('a boundary by paths', () => {
  const within = 'paths: { allow: [/work/**, "~/docs/**"] }';
  const without = 'paths: { deny: [/work/secret/**] }';

  it.each<[string, JsonObject, string | string[]]>([
    ['read', { path: '/work/a' }, ['/work/a']],
    ['read', { path: '~/docs/x' }, ['/home/ann/docs/x']],
    ['read', { path: '/etc/passwd' }, "the argument 'path' is outside: within none of the allowed paths"],
    ['read', { path: '~/x' }, "the argument 'path' is outside: within none of the allowed paths"],
    ['read', { path: 'a' }, "the argument 'path' is outside: neither an absolute path nor a file:///path"],
    ['read', { path: null }, "the argument 'path' is outside: not a text"],
    ['read', { path: 7 }, "the argument 'path' is outside: not a text"],
    ['read', { path: { path: '/work/a' } }, "the argument 'path' is outside: not a text"],
    ['read', {}, "the argument 'path' is missing"],
    ['read', { Path: '/work/a' }, "the argument 'path' is missing"],
    ['read', { path: '/work/%61' }, ['/work/%61', '/work/a']],
    // lists
    ['read', { path: ['/work/a', '/work/b'] }, ['/work/a', '/work/b']],
    ['read', { path: ['/work/a', '/work/a'] }, ['/work/a']],
    ['read', { path: ['/work/a', '/etc/passwd'] }, "the argument 'path' is outside: within none of the allowed paths"],
    ['read', { path: [['/work/a'], ['/work/b']] }, ['/work/a', '/work/b']],
    [
      'read',
      { path: ['/work/a', ['/etc/passwd']] },
      "the argument 'path' is outside: within none of the allowed paths",
    ],
    ['read', { path: ['/work/a', 7] }, "the argument 'path' is outside: not a text"],
    ['read', { path: ['/work/a', null] }, "the argument 'path' is outside: not a text"],
    ['read', { path: [] }, "the argument 'path' is missing"],
    ['read', { path: ['/work/a', []] }, "the argument 'path' is missing"],
    // several arguments
    ['move', { from: '/work/a', to: '/work/b' }, ['/work/a', '/work/b']],
    ['move', { from: '/work/a', to: '/etc/b' }, "the argument 'to' is outside: within none of the allowed paths"],
    ['move', { from: '/etc/a', to: '/work/b' }, "the argument 'from' is outside: within none of the allowed paths"],
    ['move', { from: '/work/a' }, "the argument 'to' is missing"],
    // places
    ['edit', { files: { path: '/work/a' } }, ['/work/a']],
    ['edit', { files: [{ path: '/work/a' }, { path: ['/work/b'] }] }, ['/work/a', '/work/b']],
    ['edit', { files: [{ path: '/work/a' }, {}] }, "the argument 'files.path' is missing"],
    ['edit', { files: [{ path: '/work/a' }, '/work/b'] }, "the argument 'files.path' is missing"],
    ['edit', { files: [{ path: '/work/a' }, { path: [] }] }, "the argument 'files.path' is missing"],
    ['edit', { files: [] }, "the argument 'files.path' is missing"],
    ['edit', { files: null }, "the argument 'files.path' is missing"],
    ['edit', { 'files.path': '/work/a' }, "the argument 'files.path' is missing"],
    ['deep', { a: { b: { c: '/work/a' } } }, ['/work/a']],
    [
      'deep',
      { a: [{ b: [{ c: '/work/a' }] }, { b: { c: '/etc' } }] },
      "the argument 'a.b.c' is outside: within none of the allowed paths",
    ],
    ['deep', { a: { b: '/work/a' } }, "the argument 'a.b.c' is missing"],
    // tools without paths, and undeclared ones
    ['list', { path: '/etc/passwd' }, []],
    ['undeclared', { path: '/work/a' }, "the tool 'undeclared' is not declared in the Server document"],
  ])('has of %s on %j: %j', (name, given, expected) => {
    for (const scopes of [{ host: within }, { host: '', server: within }]) {
      const { outcome, outside, paths } = boundary(scopes, tool(name, given));
      expect(outside ?? { outcome, paths }).toMatchObject(
        typeof expected === 'string' ? { clause: 'paths', detail: expected } : { outcome: 'true', paths: expected },
      );
    }
  });

  it.each<[Partial<DecisionInput>, string | string[]]>([
    [resource('file:///work/a'), ['/work/a']],
    [resource('file:///work/a%20b'), ['/work/a%20b', '/work/a b']],
    [resource('file:///etc/passwd'), 'within none of the allowed paths'],
    [resource('notes://work/a'), 'a resource that is not a file has no path'],
    [resource('https://example.com/work/a'), 'a resource that is not a file has no path'],
    [{ ...resource(null), resource: { type: 'prompt', id: 'p', properties: {} } }, []],
    [{ ...resource(null), resource: { type: 'mcp_server', id: 'files', properties: {} } }, []],
    [serverless, []],
  ])('has of %j: %j', (input, expected) => {
    const { outcome, outside, paths } = boundary({ host: within }, input);
    expect(outside ?? { outcome, paths }).toMatchObject(
      typeof expected === 'string' ? { clause: 'paths', detail: expected } : { outcome: 'true', paths: expected },
    );
  });

  it('keeps the denied out', () => {
    expect(boundary({ host: without }, tool('read', { path: '/etc/a' })).outcome).toBe('true');
    expect(boundary({ host: without }, tool('read', { path: '/WORK/Secret/a' })).outcome).toBe('false');
    expect(boundary({ host: within, server: without }, tool('read', { path: '/work/secret/a' })).outcome).toBe('false');
  });

  it('collects the paths of all scopes once, and none of what is outside', () => {
    const scopes = { host: within, server: without };
    expect(boundary(scopes, tool('move', { from: '/work/a', to: '/work/b' })).paths).toEqual(['/work/a', '/work/b']);
    expect(
      boundary({ ...scopes, server: 'resources: { deny: [read] }' }, tool('read', { path: '/work/a' })).paths,
    ).toEqual([]);
  });

  it.each<[unknown, boolean]>([
    ['/home/ann', true],
    ['/home/ann/', true],
    ['/home/%61nn', false],
    ['/home/ann.', false],
    ['/home/./ann', false],
    ['home/ann', false],
    ['~', false],
    ['/', false],
    ['', false],
    [['/home/ann'], false],
    [null, false],
    [undefined, false],
  ])('knows the home directory %j: %s', (home, known) => {
    const properties = (home === undefined ? {} : { home }) as JsonObject;
    const subject = { type: 'user', id: 'bob', properties, assurance: 'asserted' as const };
    const inHome = boundary(
      { host: 'paths: { allow: ["~/docs/**"] }' },
      { subject, ...tool('read', { path: '~/docs/x' }) },
    );
    expect(inHome.outcome).toBe(known ? 'true' : 'false');
    const elsewhere = boundary(
      { host: 'paths: { deny: ["~/docs/**"] }' },
      { subject, ...tool('read', { path: '/work/a' }) },
    );
    expect(elsewhere.outcome).toBe(known ? 'true' : 'false');
  });
});

describe('a boundary in a listing', () => {
  it.each<[string, Partial<DecisionInput>, string]>([
    ['paths: { allow: [/work/**] }', tool('read', 'unknown'), 'unknown'],
    ['paths: { allow: [/work/**] }', tool('list', 'unknown'), 'true'],
    ['paths: { allow: [/work/**] }', tool('undeclared', 'unknown'), 'false'],
    ['paths: { allow: [/work/**] }', resource(null), 'unknown'],
    ['resources: { allow: [a] }', resource(null), 'unknown'],
    ['resources: { allow: [] }, actions: { deny: ["*"] }', resource(null), 'false'],
    ['operations: { allow: [read] }', { ...resource(null), operation: undefined }, 'unknown'],
    ['operations: { allow: [write] }', resource(null), 'false'],
    ['operations: { allow: [read] }', resource(null), 'true'],
    ['paths: { allow: [/work/**] }, operations: { allow: [write] }', tool('read', 'unknown'), 'false'],
  ])('of { %s } on %j: %s', (clauses, input, expected) => {
    expect(boundary({ host: clauses }, input).outcome).toBe(expected);
  });

  it('is outside where a later clause is, whatever is unknown before', () => {
    const outcome = boundary(
      { host: 'paths: { allow: [/work/**] }', server: 'operations: { deny: [read] }' },
      tool('read', 'unknown'),
    );
    expect(outcome).toMatchObject({ outcome: 'false', outside: { scope: 'server:files', clause: 'operations' } });
  });
});
