import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { EXAMPLES } from '../testing/index.js';
import { parseDocuments } from './parse.js';
import { AUTHORED_KINDS } from './schema.js';

describe('parseDocuments', () => {
  it('has an example of every kind', () => {
    expect(new Set(EXAMPLES.map(({ kind }) => kind))).toEqual(new Set(AUTHORED_KINDS));
  });

  it('takes no Suspension: a file could leave it out, and so end it', () => {
    expect(parseDocuments({ text: '{ kind: Suspension, of: Server, name: files }' })).toMatchObject({
      documents: [],
      problems: [{ code: 'unknown_kind' }],
    });
  });

  it.each(EXAMPLES)('takes a $kind as JSON and as YAML', (example) => {
    for (const text of [JSON.stringify(example), JSON.stringify(example, null, 2), stringify(example)]) {
      const { documents, problems } = parseDocuments({ text });
      expect(problems).toEqual([]);
      expect(documents.map(({ document }) => document)).toEqual([example]);
    }
  });

  it('fills in what a document leaves to us', () => {
    const text = `
kind: Tenant
name: default
defaults: { effect: ask, consent: { by: [subject] } }
---
{ kind: Tenant, name: other, defaults: {} }
---
{ kind: Subject, id: ann }`;
    const [asking, denying, ann] = parseDocuments({ text }).documents.map(({ document }) => document);
    const block = { by: ['subject'], approvals: 1, notSelf: false, bind: 'all' };
    expect(asking).toMatchObject({ defaults: { effect: 'ask', consent: block } });
    expect(denying).toMatchObject({ defaults: { effect: 'deny' } });
    expect(ann).toMatchObject({ type: 'user' });
  });

  it.each([
    ['', 0],
    ['# a comment', 0],
    ['---', 0],
    ['---\n---\n# only\n---', 0],
    ['---\nkind: Role\nname: a\n---\n---\nkind: Role\nname: b\n---\n', 2],
    ['kind: Role\nname: a\n...\n---\nkind: Role\nname: b', 2],
    ['\ufeffkind: Role\r\nname: a\r\n', 1],
    ['{ "kind": "Role", "name": "a" }\n---\n{ "kind": "Role", "name": "b" }', 2],
    ['%YAML 1.1\n---\nkind: Role\nname: a', 1],
  ])('finds in %j %i documents and no problem', (text, count) => {
    const { documents, problems } = parseDocuments({ text });
    expect(problems).toEqual([]);
    expect(documents).toHaveLength(count);
  });

  it('reads YAML 1.2 whatever version a text claims', () => {
    const text = '%YAML 1.1\n---\n{ kind: Host, name: h, properties: { a: yes, b: 1:30, c: 0o17, d: 0x1F, e: 1_000 } }';
    const [found] = parseDocuments({ text }).documents;
    expect(found?.document).toMatchObject({ properties: { a: 'yes', b: '1:30', c: 15, d: 31, e: '1_000' } });
  });

  it('keeps the good documents beside a broken one, and reports every mistake', () => {
    const text =
      'kind: Role\nname: a\n---\nkind: Role\nname: "!"\ncolour: red\n---\nkind: Role\nname: [\n---\nkind: Nope\n---\nkind: Role\nname: b';
    const { documents, problems } = parseDocuments({ text });
    expect(documents.map(({ document }) => (document as { name: string }).name)).toEqual(['a', 'b']);
    expect(problems.map(({ code }) => code)).toEqual(['invalid', 'unknown_field', 'syntax', 'unknown_kind']);
  });

  it('carries the file along', () => {
    const good = { file: 'a.yaml', text: 'kind: Role\nname: a' };
    expect(parseDocuments(good).documents[0]?.source).toBe(good);
    for (const text of [
      'kind: Role',
      'kind: X',
      'a: [',
      'kind: Role\nname: &a x\ndescription: *a',
      '{ kind: Server, name: s, tools: { __proto__: {} } }',
    ]) {
      expect(parseDocuments({ file: 'a.yaml', text }).problems).toMatchObject([{ file: 'a.yaml' }]);
      expect(parseDocuments({ text }).problems[0]).not.toHaveProperty('file');
    }
  });
});

describe('a member named __proto__', () => {
  const own = (value: unknown) => Object.getOwnPropertyDescriptor(value, '__proto__')?.value as unknown;

  it('is kept in attributes and schemas, where it may mean something to somebody', () => {
    const text = `
{ kind: Host, name: h, properties: { __proto__: { a: 1 }, b: { __proto__: 2 } } }
---
{ "kind": "Server", "name": "s", "tools": { "t": { "inputSchema": { "properties": { "__proto__": { "type": "string" } } } } } }`;
    const [host, server] = parseDocuments({ text }).documents.map(({ document }) => document);
    const { properties } = host as unknown as { properties: { b: object } };
    expect(own(properties)).toEqual({ a: 1 });
    expect(own(properties.b)).toBe(2);
    const { tools } = server as unknown as { tools: { t: { inputSchema: { properties: object } } } };
    expect(own(tools.t.inputSchema.properties)).toEqual({ type: 'string' });
  });

  it.each([
    ['{ kind: Server, name: s, tools: { __proto__: { operation: read } } }', 'unknown_field', 'tools.__proto__'],
    [
      '{ kind: Server, name: s, tools: { t: { arguments: { __proto__: path } } } }',
      'unknown_field',
      'tools.t.arguments.__proto__',
    ],
    [
      '{ kind: Server, name: s, tools: { t: { arguments: { a: path, __proto__: path } } } }',
      'unknown_field',
      'tools.t.arguments.__proto__',
    ],
    ['{ kind: Server, name: s, tools: { t: { __proto__: { a: 1 } } } }', 'unknown_field', 'tools.t.__proto__'],
    ['{ kind: Role, name: r, __proto__: { a: 1 } }', 'unknown_field', '__proto__'],
    [
      '{ "kind": "Scope", "server": "s", "paths": { "allow": [], "__proto__": { "deny": [] } } }',
      'unknown_field',
      'paths.__proto__',
    ],
  ])('is refused elsewhere, never lost: %s', (text, code, path) => {
    const { documents, problems } = parseDocuments({ text });
    expect(documents).toEqual([]);
    expect(problems).toMatchObject([{ code, path, line: 1 }]);
    expect(problems[0]?.message).toContain("'__proto__'");
  });

  it('has no say in what other names mean', () => {
    const text = '{ kind: Server, name: s, tools: { constructor: { operation: read }, toString: {} } }';
    const { tools } = parseDocuments({ text }).documents[0]!.document as { tools: object };
    expect(Object.keys(tools)).toEqual(['constructor', 'toString']);
  });
});
