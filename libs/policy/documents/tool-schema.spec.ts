import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../model.js';
import { compileSchema, schemaProblem } from './tool-schema.js';

/** Schemas as real servers declare them (read_text_file and edit_file of server-filesystem, and a query tool). */
const READ_TEXT_FILE = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    path: { type: 'string' },
    tail: { description: 'If provided, returns only the last N lines of the file', type: 'number' },
    head: { description: 'If provided, returns only the first N lines of the file', type: 'number' },
  },
  required: ['path'],
};
const EDIT_FILE = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    path: { type: 'string' },
    edits: {
      type: 'array',
      items: {
        type: 'object',
        properties: { oldText: { type: 'string' }, newText: { type: 'string' } },
        required: ['oldText', 'newText'],
      },
    },
    dryRun: { default: false, description: 'Preview changes using git-style diff format', type: 'boolean' },
  },
  required: ['path', 'edits'],
};
const JSON_VALUE = {
  type: 'object',
  properties: { value: { $ref: '#/$defs/json' } },
  required: ['value'],
  additionalProperties: false,
  $defs: {
    json: {
      anyOf: [
        { type: ['string', 'number', 'boolean', 'null'] },
        { type: 'array', items: { $ref: '#/$defs/json' } },
        { type: 'object', additionalProperties: { $ref: '#/$defs/json' } },
      ],
    },
  },
};

/** Arguments as they come from the wire, where `__proto__` is a member like any other. */
const wire = (text: string) => JSON.parse(text) as JsonObject;

describe('arguments', () => {
  it.each<[string, JsonObject, Json, boolean]>([
    ['read_text_file', READ_TEXT_FILE, { path: '/work/a' }, true],
    ['read_text_file', READ_TEXT_FILE, { path: '/work/a', tail: 3, extra: 1 }, true],
    ['read_text_file', READ_TEXT_FILE, { tail: 3 }, false],
    ['read_text_file', READ_TEXT_FILE, { path: ['/work/a'] }, false],
    ['read_text_file', READ_TEXT_FILE, { path: '/work/a', tail: '3' }, false],
    ['read_text_file', READ_TEXT_FILE, 'path', false],
    ['edit_file', EDIT_FILE, { path: '/a', edits: [{ oldText: 'a', newText: 'b' }] }, true],
    ['edit_file', EDIT_FILE, { path: '/a', edits: [] }, true],
    ['edit_file', EDIT_FILE, { path: '/a', edits: [{ oldText: 'a' }] }, false],
    ['edit_file', EDIT_FILE, { path: '/a', edits: [], dryRun: 'no' }, false],
    ['any JSON', JSON_VALUE, { value: [{ a: [null, true, { b: 'c' }] }, 1.5] }, true],
    ['any JSON', JSON_VALUE, {}, false],
    ['any JSON', JSON_VALUE, { value: 1, other: 2 }, false],

    ['formats', { properties: { a: { type: 'string', format: 'email' } } }, { a: 'no address' }, true],
    ['unknown words', { properties: { a: { type: 'string', 'x-mine': { b: 1 } } } }, { a: 'x' }, true],
    ['patterns', { properties: { a: { pattern: '^[a-z]+$' } } }, { a: 'abc' }, true],
    ['patterns', { properties: { a: { pattern: '^[a-z]+$' } } }, { a: 'ab1' }, false],
    ['patterns', { properties: { a: { pattern: 'b' } } }, { a: 'abc' }, true],
    ['patterns', { patternProperties: { '^x-': { type: 'number' } } }, { 'x-a': 'b' }, false],
    ['patterns', { patternProperties: { '^x-': { type: 'number' } } }, { 'y-a': 'b' }, true],
    ['unique items', { properties: { a: { uniqueItems: true } } }, { a: [1, '1', [1], { a: 1 }] }, true],
    [
      'unique items',
      { properties: { a: { uniqueItems: true } } },
      {
        a: [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      },
      false,
    ],
    ['unique items', { properties: { a: { uniqueItems: false } } }, { a: [1, 1] }, true],
    ['references', { $ref: '#/$defs/a', $defs: { a: { required: ['x'] } } }, { x: 1 }, true],
    ['references', { $ref: '#/$defs/a', $defs: { a: { required: ['x'] } } }, {}, false],
    [
      'references beside others',
      { $ref: '#/$defs/a', required: ['y'], $defs: { a: { required: ['x'] } } },
      { x: 1 },
      false,
    ],
    ['references by a name', { properties: { a: { $ref: 'n' }, b: { $id: 'n', type: 'string' } } }, { a: 1 }, false],
    [
      'what references looked at',
      { $ref: '#/$defs/a', unevaluatedProperties: false, $defs: { a: { properties: { x: {} } } } },
      { x: 1 },
      true,
    ],
    [
      'what references looked at',
      { $ref: '#/$defs/a', unevaluatedProperties: false, $defs: { a: { properties: { x: {} } } } },
      { y: 1 },
      false,
    ],
    [
      'recursion',
      { $dynamicAnchor: 'n', properties: { c: { $dynamicRef: '#n' }, v: { type: 'number' } } },
      { c: { c: { v: 1 } } },
      true,
    ],
    [
      'recursion',
      { $dynamicAnchor: 'n', properties: { c: { $dynamicRef: '#n' }, v: { type: 'number' } } },
      { c: { c: { v: 'x' } } },
      false,
    ],
    ['null', { properties: { a: { default: null, enum: [null, 1] } } }, { a: null }, true],
    [
      'names of its own',
      { $id: 'https://example.com/a', $ref: 'https://example.com/a#/$defs/b', $defs: { b: { required: ['x'] } } },
      { y: 1 },
      false,
    ],
    ['names of its own', { $id: 'https://example.com/a', $async: true, required: ['x'] }, { x: 1 }, true],
    ['names of its own', { $id: 'https://example.com/a', $async: true, required: ['x'] }, {}, false],

    // only members that are there
    ['required names', { required: ['constructor'] }, {}, false],
    ['required names', { required: ['constructor'] }, { constructor: 1 }, true],
    ['required names', { required: ['__proto__'] }, {}, false],
    ['required names', { required: ['__proto__'] }, wire('{ "__proto__": 1 }'), true],
    ['inherited names', { properties: { toString: { type: 'string' } } }, {}, true],
    ['inherited names', { properties: { toString: { type: 'string' } } }, { toString: 1 }, false],
    ['no other names', { additionalProperties: false }, wire('{ "__proto__": 1 }'), false],
  ])('fit a schema of %s (row %#)', (_what, schema, value, expected) => {
    expect(schemaProblem(schema)).toBeUndefined();
    expect(compileSchema(schema)(value)).toBe(expected);
  });

  it('of hostile length come to an end', () => {
    const many = 200_000;
    const text = (pattern: string) => compileSchema({ properties: { a: { pattern } } });
    expect(text('(a+)+$')({ a: `${'a'.repeat(many)}b` })).toBe(false);
    expect(text('^(.*a){10}$')({ a: 'a'.repeat(many) })).toBe(true);
    const unique = compileSchema({ properties: { a: { uniqueItems: true } } });
    const items = Array.from({ length: 10_000 }, (_, index) => ({ index, same: true }));
    expect(unique({ a: items })).toBe(true);
    expect(unique({ a: [...items, { same: true, index: 5000 }] })).toBe(false);
  });

  it('may be large where the schema refers to itself once in each place', () => {
    const fits = compileSchema(JSON_VALUE);
    let deep: Json = 'leaf';
    for (let level = 0; level < 60; level++) deep = level % 2 ? [deep] : { deep };
    expect(fits({ value: deep })).toBe(true);
    expect(fits({ value: Array.from({ length: 10_000 }, (_, index) => ({ index, tags: ['a', 'b'] })) })).toBe(true);
  });

  it.each(['$ref', '$dynamicRef', '$recursiveRef'])('that would take exponential time by %s do not fit', (keyword) => {
    const again = { [keyword]: keyword === '$dynamicRef' ? '#node' : '#' };
    const branch = (t: number) => ({ properties: { child: again, t: { const: t } }, required: ['t'] });
    const fits = compileSchema({ $dynamicAnchor: 'node', type: 'object', anyOf: [branch(1), branch(2)] });
    let deep: Json = { t: 3 };
    for (let level = 0; level < 60; level++) deep = { t: level % 2, child: { t: 2, child: deep } };
    expect(fits(deep)).toBe(false);
    expect(fits({ t: 1, child: { t: 2 } })).toBe(true);
    expect(fits({ t: 1, child: { t: 3 } })).toBe(false);
  });

  it('that many references look at, member by member, do not fit', () => {
    const doubling: Record<string, Json> = { a13: { items: { type: 'number' } } };
    for (let step = 0; step < 13; step++) {
      const next = { $ref: `#/$defs/a${step + 1}` };
      doubling[`a${step}`] = { allOf: [next, next] };
    }
    const fits = compileSchema({ properties: { a: { $ref: '#/$defs/a0' } }, $defs: doubling });
    expect(fits({ a: [1, 2] })).toBe(true);
    expect(fits({ a: ['1'] })).toBe(false);
    expect(fits({ a: Array.from({ length: 10_000 }, (_, index) => index) })).toBe(false);
  });

  it('are given every step anew', () => {
    const fits = compileSchema(JSON_VALUE);
    const value = { value: Array.from({ length: 10_000 }, (_, index) => [[index], [index]]) };
    for (let turn = 0; turn < 10; turn++) expect(fits(value)).toBe(true);
  });

  it('that would take too much of a pattern do not fit', () => {
    const fits = compileSchema({ properties: { a: { pattern: '^[ab]*(a?b?){200}$' } } });
    expect(fits({ a: 'ab'.repeat(1000) })).toBe(true);
    expect(fits({ a: 'ab'.repeat(100_000) })).toBe(false);
  });
});

describe('a schema', () => {
  it.each<[JsonObject, string]>([
    [{ type: 'text' }, 'schema/type must be equal to one of the allowed values'],
    [{ properties: { a: { items: [{}] } } }, 'schema/properties/a/items must be object,boolean'],
    [{ properties: [] }, 'schema/properties must be object'],
    [{ properties: { a: { pattern: '(' } } }, 'missing closing )'],
    [{ properties: { a: { pattern: '(?=a)' } } }, 'invalid or unsupported Perl syntax'],
    [{ properties: { a: { pattern: '(a)\\1' } } }, 'invalid escape sequence'],
    [{ $ref: 'https://example.com/schema.json' }, "can't resolve reference"],
    [{ $ref: 'file:///etc/passwd' }, "can't resolve reference"],
    [{ $ref: 'https://json-schema.org/draft/2020-12/schema' }, "can't resolve reference"],
    [{ $ref: 'http://json-schema.org/draft-07/schema#' }, "can't resolve reference"],
    [{ $ref: '#/$defs/nothing' }, "can't resolve reference"],
    [{ $ref: '#' }, 'refers to itself without end'],
    [{ allOf: [{ $ref: '#' }] }, 'refers to itself without end'],
    [{ not: { $ref: '#' } }, 'refers to itself without end'],
    [
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      'refers to itself without end',
    ],
    [wire('{ "properties": { "__proto__": { "type": "string" } } }'), '"__proto__" cannot be the name of an argument'],
    [wire('{ "patternProperties": { "__proto__": { "type": "string" } } }'), '"__proto__" cannot be the name'],
  ])('%j is refused: %s', (schema, message) => {
    expect(schemaProblem(schema)).toContain(`not a JSON Schema that can be used: `);
    expect(schemaProblem(schema)).toContain(message);
  });

  it('that doubles at each step is refused', () => {
    const doubling: Record<string, Json> = { a30: { type: 'object' } };
    for (let step = 0; step < 30; step++) {
      const next = { $ref: `#/$defs/a${step + 1}` };
      doubling[`a${step}`] = { allOf: [next, next] };
    }
    expect(schemaProblem({ $ref: '#/$defs/a0', $defs: doubling })).toContain('takes more than 2000000 steps');
  });

  it('may refer to one large part many times', () => {
    const all = (count: number, value: Json) => ({
      properties: Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, value])),
    });
    const large = all(40, all(40, { type: 'string' }));
    expect(schemaProblem({ $defs: { large }, ...all(500, { $ref: '#/$defs/large' }) })).toBeUndefined();
  });

  it('that is not valid throws when it is compiled all the same', () => {
    expect(() => compileSchema({ type: 'text' })).toThrow('schema/type');
  });

  it('is not reached by the names in another one', () => {
    expect(schemaProblem({ properties: { a: { $id: 'shared', type: 'string' } } })).toBeUndefined();
    expect(schemaProblem({ properties: { a: { $id: 'shared', type: 'number' } } })).toBeUndefined();
    expect(schemaProblem({ properties: { a: { $ref: 'shared' } } })).toContain("can't resolve reference");
  });
});
