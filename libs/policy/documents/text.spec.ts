import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXAMPLES } from '../testing/index.js';
import { parseDocuments } from './parse.js';
import type { AnyDocument } from './schema.js';
import { documentText } from './text.js';

const read = (text: string): AnyDocument => {
  const { documents, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return documents[0]!.document;
};

/** A value with the members of every object in it in an order of their own. */
function permuted<T>(value: T): fc.Arbitrary<T> {
  if (Array.isArray(value)) return fc.tuple(...value.map((item: unknown) => permuted(item))) as fc.Arbitrary<never>;
  if (typeof value !== 'object' || value === null) return fc.constant(value);
  const entries = Object.entries(value);
  return fc
    .tuple(
      fc.shuffledSubarray(entries, { minLength: entries.length }),
      fc.tuple(...entries.map(([, member]) => permuted(member))),
    )
    .map(
      ([order, members]) => Object.fromEntries(order.map((entry) => [entry[0], members[entries.indexOf(entry)]])) as T,
    );
}

const ODD = {
  kind: 'Host',
  name: 'odd',
  properties: { b: 1, a: { z: [{ y: 1, x: 2 }], __proto__x: 1 }, '10': 'x', '9': 'y', kind: 'k', name: 'n' },
} as const;

describe('the text of a document', () => {
  it.each([...EXAMPLES, ODD])('is the same for $kind in any order, and reads back as it was', (example) => {
    const document = read(JSON.stringify(example));
    const text = documentText(document);
    expect(read(text)).toEqual(document);
    fc.assert(
      fc.property(permuted(document), (other) => {
        expect(documentText(other)).toBe(text);
      }),
    );
  });

  it('has the members in the order of the schema, and free ones by the alphabet', () => {
    const document = {
      rules: [
        {
          consent: { bind: 'all', until: '8h', by: ['subject'], approvals: 1, notSelf: false },
          to: ['any'],
          effect: 'ask',
          obligations: [{ fields: ['ssn'], type: 'redact' }],
          name: 'r',
        },
      ],
      target: { resources: [{ id: 'x', type: 'tool' }, 'y'], actions: ['tools/call'], servers: ['crm'] },
      name: 'p',
      kind: 'Policy',
    };
    expect(documentText(document as AnyDocument)).toBe(`kind: Policy
name: p
target:
  servers:
    - crm
  actions:
    - tools/call
  resources:
    - type: tool
      id: x
    - y
rules:
  - name: r
    effect: ask
    to:
      - any
    consent:
      by:
        - subject
      approvals: 1
      notSelf: false
      until: 8h
      bind: all
    obligations:
      - type: redact
        fields:
          - ssn
`);
    const server = {
      tools: {
        b: { inputSchema: { type: 'object', properties: {} }, arguments: { q: 'path', p: 'path' }, operation: 'read' },
        a: {},
      },
      properties: { zone: 1, area: { name: 1, kind: 2 } },
      name: 's',
      kind: 'Server',
    };
    expect(documentText(server as unknown as AnyDocument)).toBe(`kind: Server
name: s
properties:
  area:
    kind: 2
    name: 1
  zone: 1
tools:
  a: {}
  b:
    operation: read
    arguments:
      p: path
      q: path
    inputSchema:
      properties: {}
      type: object
`);
  });

  it('keeps what it does not know, and a member named __proto__', () => {
    const newer = { zeta: 1, kind: 'Role', extra: { b: 1, a: 2 }, name: 'r' } as unknown as AnyDocument;
    expect(documentText(newer)).toBe('kind: Role\nname: r\nextra:\n  a: 2\n  b: 1\nzeta: 1\n');
    const host = read('{ kind: Host, name: h, properties: { b: 1, __proto__: { a: 1 } } }');
    expect(documentText(host)).toBe('kind: Host\nname: h\nproperties:\n  __proto__:\n    a: 1\n  b: 1\n');
  });
});
