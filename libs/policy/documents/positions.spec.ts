import { describe, expect, it } from 'vitest';
import { parseDocuments } from './parse.js';

/** The places of all problems of a text, as `line:column`. */
const places = (text: string): string[] =>
  parseDocuments({ text }).problems.map(({ line, column }) => `${line}:${column}`);

describe('the place of a mistake', () => {
  it.each([
    // syntax
    ['kind: Role\nname: [a', '2:9'],
    ['kind: Role\nname: a\nname: b', '3:1'],
    ['kind: Role\nname: "a', '2:9'],
    ['kind: Role\nname: a\n---\nkind: Role\nname: *a', '5:7'],

    // structure
    ['kind: Role\nname: &x a\ndescription: *x', '3:14'],
    ['kind: Role\nname: a\ninherits:\n  - b\n  - !t c', '5:8'],
    ['kind: Host\nname: h\nproperties:\n  a: 1\n  b: 9007199254740993', '5:6'],
    ['kind: Host\nname: h\nproperties:\n  a: 1\n  2: b', '5:3'],
    [`{ kind: Host, name: h, properties: ${'['.repeat(64)}${']'.repeat(64)} }`, '1:99'],

    // kinds
    ['kind: Nope', '1:7'],
    ['name: a\nkind:   Nope', '2:9'],
    ['\n\n  name: a', '3:3'],
    ['---\n- a', '2:1'],
    ['# comment\nRole', '2:1'],

    // values
    ['kind: Role\nname: "!"', '2:7'],
    ['kind: Role\nname:\n  "!"', '3:3'],
    ['kind: Role\nname: a\ninherits: [b, "!", c]', '3:15'],
    ['kind: Role\r\nname: "!"\r\n', '2:7'],
    ['kind: Role\nname: a\ncolour: red\nsize: 2', '3:1 4:1'],
    ['{ kind: Role, name: a, "colour": red }', '1:24'],
    ['kind: Role\nname: a\ncolour:\n  red: 1', '3:1'],
    ['kind: Role\nname: a\n---\nkind: Role\nname: "!"', '5:7'],
    ['kind: Tenant\nname: t\ndefaults:\n  hostScope:\n    rateLimit: {}', '5:5'],
    ['kind: Server\nname: s\ntools:\n  "a b":\n    operation: read', '4:3'],
    ['kind: Server\nname: s\ntools:\n  t:\n    arguments:\n      __proto__: path', '6:7'],

    // what is missing stands where it would be
    ['\nkind: Role', '2:1'],
    [
      'kind: Policy\nname: p\ntarget: { actions: [a], resources: [a] }\nrules:\n  - name: r\n    effect: allow\n  - name: q\n    to: [any]',
      '5:5 7:5',
    ],
    ['kind: Policy\nname: p\ntarget:\n  actions: [a]\nrules:\n  - { name: r, effect: deny, to: [any] }', '4:3'],
  ])('%j: %s', (text, expected) => {
    expect(places(text).join(' ')).toBe(expected);
  });
});

describe('the place of a character', () => {
  /** Where the text `<HERE>` stands in a rule's condition, by its offset in the condition. */
  function placeOfHere(condition: string): { line?: number; column?: number } {
    const text = `kind: Policy
name: p
target: { actions: [a], resources: [a] }
rules:
  - name: r
    effect: allow
    to: [any]
    when: ${condition}
`;
    const [found] = parseDocuments({ text }).documents;
    const { when } = (found!.document as unknown as { rules: [{ when: string }] }).rules[0];
    return found!.position(['rules', 0, 'when'], when.indexOf('HERE'));
  }

  it.each([
    ['HERE == 1', 8, 11],
    ['a == 1 && HERE == 1', 8, 21],
    ['   a == HERE', 8, 19],
    ['a == HERE   # comment', 8, 16],
    ['"a == HERE"', 8, 17],
    ["'a == HERE'", 8, 17],
    ['"a == 1 && b == HERE"', 8, 27],
    ["'it == HERE'", 8, 18],
    // before an escape the place is exact, after it only the start is known
    ['"a == HERE || b == \\"x\\""', 8, 17],
    ['"\\"x\\" == HERE"', 8, 11],
    ["'a == ''x'' && HERE'", 8, 11],
    // the same where lines are folded, and in block scalars
    ['HERE ==\n      1', 8, 11],
    ['1 ==\n      HERE', 8, 11],
    ['"1 ==\n      HERE"', 8, 11],
    ['|\n      1 == HERE', 8, 11],
    ['|-\n      HERE', 8, 11],
    ['>\n      1 ==\n      HERE', 8, 11],
    ['>-\n\n      HERE', 8, 11],
  ])('in %j is %i:%i', (condition, line, column) => {
    expect(placeOfHere(condition)).toEqual({ line, column });
  });

  it('is that of the member without an offset, and of what holds it where it is not written', () => {
    const text =
      'kind: Policy\nname: p\ntarget:\n  actions: [a]\n  resources: ["*"]\nrules:\n  - { name: r, effect: deny, to: [any] }';
    const position = (path: PropertyKey[], offset?: number) => parsed.position(path, offset);
    const parsed = parseDocuments({ text }).documents[0]!;
    expect(position([])).toEqual({ line: 1, column: 1 });
    expect(position(['name'])).toEqual({ line: 2, column: 7 });
    expect(position(['target', 'resources', 0])).toEqual({ line: 5, column: 15 });
    expect(position(['target', 'resources', 0], 1)).toEqual({ line: 5, column: 17 });
    expect(position(['target', 'resources'], 3)).toEqual({ line: 5, column: 14 });
    expect(position(['target', 'servers', 3])).toEqual({ line: 4, column: 3 });
    expect(position(['rules', 0, 'consent', 'by', 0], 2)).toEqual({ line: 7, column: 5 });
    expect(position(['rules', 7])).toEqual({ line: 7, column: 3 });
    expect(position(['name', 'of', 'it'])).toEqual({ line: 2, column: 7 });
    expect(position(['name', 'of'], 1)).toEqual({ line: 2, column: 7 });
  });
});
