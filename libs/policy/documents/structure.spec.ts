import { describe, expect, it } from 'vitest';
import { parseDocuments } from './parse.js';

describe('what YAML can say and a document may not', () => {
  const host = (properties: string) => `kind: Host\nname: h\nproperties: ${properties}`;

  it.each([
    ['{ a: 1, a: 2 }', 'Map keys must be unique'],
    ['{ a: 1, "a": 2 }', 'Map keys must be unique'],
    ['{ __proto__: 1, "__proto__": 2 }', 'Map keys must be unique'],
    ['{ 1: a, "1": b }', 'a key is a text'],
    ['{ true: a, "true": b }', 'a key is a text'],
    ['{ ~: a, "": b }', 'a key is a text'],
    ['{ : a, "": b }', 'a key is a text'],
    ['{ ? { a: 1 } : b }', 'a key is a text'],
    ['{ ? [1] : b }', 'a key is a text'],
    ['{ a: &x 1, b: *x }', 'anchors and aliases'],
    ['{ a: &x { b: 1 }, <<: *x }', 'anchors and aliases'],
    ['{ &x a: 1, *x : 2 }', 'anchors and aliases'],
    ['&x { a: *x }', 'anchors and aliases'],
    ['{ a: !secret 1 }', 'tags are not allowed'],
    ['{ a: ! 1 }', 'tags are not allowed'],
    ['{ a: !!str 1 }', 'tags are not allowed'],
    ['{ a: !!binary aGVsbG8= }', 'tags are not allowed'],
    ['{ a: !!timestamp 2026-01-01 }', 'tags are not allowed'],
    ['{ a: !!set { x, y } }', 'tags are not allowed'],
    ['!!omap [a: 1]', 'tags are not allowed'],
    ['{ !!str a: 1 }', 'tags are not allowed'],
    ['{ a: 9007199254740993 }', 'the number 9007199254740993 cannot be kept exactly: write it as a text'],
    ['{ a: 0.1234567890123456789 }', 'cannot be kept exactly'],
    ['{ a: 1e400 }', 'cannot be kept exactly'],
    ['{ a: 1e-400 }', 'cannot be kept exactly'],
    ['{ a: -9007199254740993 }', 'cannot be kept exactly'],
    ['{ a: 0x20000000000001 }', 'cannot be kept exactly'],
    ['{ a: 0o777777777777777777777 }', 'cannot be kept exactly'],
    ['{ a: .inf }', 'cannot be kept exactly'],
    ['{ a: -.INF }', 'cannot be kept exactly'],
    ['{ a: .nan }', 'cannot be kept exactly'],
    ['{ a: "\\0" }', 'no NUL'],
    ['{ "\\0": a }', 'no NUL'],
    ['{ a: "\\ud800" }', 'surrogate'],
    ['{ "\\udc00": a }', 'surrogate'],
    [`${'['.repeat(64)}${']'.repeat(64)}`, 'nested deeper than 64 levels'],
    [`${'{ a: '.repeat(64)}1${' }'.repeat(64)}`, 'nested deeper than 64 levels'],
    ['{ a: 1', 'Flow map in block collection must be sufficiently indented'],
    ['"a', 'Missing closing "quote'],
    ['{ a: b: c }', 'Block collections are not allowed'],
  ])('%s: %s', (properties, message) => {
    const { documents, problems } = parseDocuments({ text: host(properties) });
    expect(documents).toEqual([]);
    expect(problems[0]?.code).toBe('syntax');
    expect(problems[0]?.message).toContain(message);
    expect(problems[0]?.message).not.toContain(' at line ');
    expect(problems.length).toBeLessThanOrEqual(10);
  });

  it('is refused as well where it is very long', () => {
    const numeral = parseDocuments({ text: host(`{ a: 0.1${'0'.repeat(1_000_000)}1 }`) }).problems;
    expect(numeral).toMatchObject([{ message: expect.stringMatching(/^the number 0\.10{37} cannot/) as string }]);
    const brackets = parseDocuments({ text: host('['.repeat(100_000)) }).problems;
    expect(brackets).toHaveLength(10);
    expect(brackets[0]?.message).toBe('nested deeper than 64 levels');
  });

  it.each<[string, unknown]>([
    [
      '{ a: 9007199254740992, b: 1.5, c: 1e21, d: -0.1, e: 0.10, f: +1, g: 0123, h: 1.0e-5 }',
      { a: 2 ** 53, b: 1.5, c: 1e21, d: -0.1, e: 0.1, f: 1, g: 123, h: 1e-5 },
    ],
    ['{ a: "1", b: no, c: null, d: ~, e: , f: "" }', { a: '1', b: 'no', c: null, d: null, e: null, f: '' }],
    [
      '{ constructor: 1, toString: 2, hasOwnProperty: 3, <<: 4 }',
      { constructor: 1, toString: 2, hasOwnProperty: 3, '<<': 4 },
    ],
    ['{ a: "\\u0001\\ud83d\\ude00" }', { a: '\u0001😀' }],
    ['&x { &y a: &z 1 }', { a: 1 }],
  ])('but %s is kept as it is', (properties, expected) => {
    const { documents, problems } = parseDocuments({ text: host(properties) });
    expect(problems).toEqual([]);
    expect(documents[0]?.document).toEqual({ kind: 'Host', name: 'h', properties: expected });
  });

  it('is found without anything around it', () => {
    expect(parseDocuments({ text: '}' })).toMatchObject({ documents: [], problems: [{ code: 'syntax', line: 1 }] });
  });

  it('takes 64 levels', () => {
    const { documents, problems } = parseDocuments({ text: host(`{ a: ${'['.repeat(62)}1${']'.repeat(62)} }`) });
    expect(problems).toEqual([]);
    expect(documents).toHaveLength(1);
  });
});
