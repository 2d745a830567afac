import { describe, expect, it } from 'vitest';
import { duplicateNames, parseDocuments } from './parse.js';

describe('duplicateNames', () => {
  const duplicates = (...texts: string[]) =>
    duplicateNames(texts.flatMap((text, index) => parseDocuments({ file: `${index}.yaml`, text }).documents));

  it('reports the second document of a kind and name, with its place and file', () => {
    const found = duplicates('kind: Role\nname: a', 'kind: Role\nname: b\n---\nkind: Role\nname: a');
    const place = { file: '1.yaml', line: 5, column: 7 };
    expect(found).toEqual([
      {
        code: 'duplicate_name',
        message: "there is another Role named 'a'",
        document: { kind: 'Role', name: 'a' },
        ...place,
      },
    ]);
  });

  it.each([
    ['kind: Role\nname: a', 'kind: Host\nname: a', 0],
    ['{ kind: Subject, id: ann }', '{ kind: Subject, type: user, id: ann }', 1],
    ['{ kind: Subject, id: ann }', '{ kind: Subject, type: service, id: ann }', 0],
    ['{ kind: Scope, server: a }', '{ kind: Scope, server: a }', 1],
    ['{ kind: Scope, server: a }', '{ kind: Scope, host: a }', 0],
    ['{ kind: Scope, server: a }', '{ kind: Scope, name: more, server: a }', 0],
    ['{ kind: Resource, type: t, id: a }', '{ kind: Resource, server: s, type: t, id: a }', 0],
    ['{ kind: Resource, server: s, type: t, id: a }', '{ kind: Resource, server: s, type: t, id: a }', 1],
  ])('%s and %s: %i', (one, other, count) => {
    expect(duplicates(one, other)).toHaveLength(count);
    expect(duplicateNames(parseDocuments({ text: `${one}\n---\n${other}` }).documents)).toHaveLength(count);
  });

  it('names no file where there is none', () => {
    const text = 'kind: Role\nname: a\n---\nkind: Role\nname: a';
    expect(duplicateNames(parseDocuments({ text }).documents)[0]).not.toHaveProperty('file');
  });
});
