import { describe, expect, it } from 'vitest';
import { checkPath, compilePathPattern, pathPatternProblem } from './patterns.js';

const HOME = '/home/ann';

interface Lists {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

function isInside({ allow, deny = [] }: Lists, path: unknown, home: string | undefined = HOME): boolean {
  const rules = { allow: allow?.map(compilePathPattern), deny: deny.map(compilePathPattern) };
  return 'inside' in checkPath(rules, path, home);
}

describe('a path pattern', () => {
  it.each<[string, string, boolean]>([
    ['/work', '/work', true],
    ['/work', '/work/', true],
    ['/work', '/work/a', false],
    ['/work', '/Work', false],
    ['/work/*', '/work/a', true],
    ['/work/*', '/work', false],
    ['/work/*', '/work/a/b', false],
    ['/work/*.md', '/work/a.md', true],
    ['/work/*.md', '/work/a.md.exe', false],
    ['/work/*/x', '/work/a/x', true],
    ['/work/*/x', '/work/x', false],
    ['/work/**', '/work/a', true],
    ['/work/**', '/work/a/b/c', true],
    ['/work/**', '/work', true],
    ['/work/**', '/workshop', false],
    ['/work/**', '/', false],
    ['/work/', '/work/a/b', true],
    ['/work/', '/work', true],
    ['/work/', '/workshop', false],
    ['/**', '/anything', true],
    ['/', '/any/thing', true],
    ['/', '/', true],
    ['/*', '/a', true],
    ['/*', '/a/b', false],
    ['/**/x', '/x', true],
    ['/**/x', '/a/b/x', true],
    ['/**/x', '/a/x/b', false],
    ['/a/**/b/**/c', '/a/b/c', true],
    ['/a/**/b/**/c', '/a/1/b/2/3/c', true],
    ['/a/**/b/**/c', '/a/1/c', false],
    ['/work/a.b', '/work/aXb', false],
    ['/work/caf\u00e9', '/work/cafe\u0301', true],
    ['/work/cafe\u0301', '/work/caf\u00e9', true],
    ['~/docs/**', '/home/ann/docs/x', true],
    ['~/docs/**', '~/docs/x', true],
    ['~/docs/**', '/home/ann/docs', true],
    ['~/docs/', '~/docs/x', true],
    ['~/docs/**', '/home/bob/docs/x', false],
    ['~/docs/**', '/home/annex/docs/x', false],
    ['~/docs/**', '/docs/x', false],
    ['~/**', '~', true],
    ['~/', '~/a', true],
    ['~/*', '~', false],
    ['/home/ann/**', '~/docs', true],
    ['/home/*/docs', '~/docs', true],
  ])('that allows %j lets %j through: %s', (pattern, path, expected) => {
    expect(isInside({ allow: [pattern] }, path)).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    ['/work/secret', '/work/open', true],
    ['/work/secret', '/work/secret', false],
    ['/work/secret', '/work/secret/a/b', false],
    ['/work/secret', '/work/secrets', true],
    ['/work/secret', '/work', true],
    ['/work/secret/', '/work/secret/a', false],
    ['/work/secret/', '/work/secret', false],
    ['/work/secret/**', '/work/secret/a', false],
    ['/work/secret/**', '/work/secret', false],
    ['/work/*', '/work', true],
    ['/work/*', '/work/a/b', false],
    ['/work/*.key', '/work/a.key', false],
    ['/work/*.key', '/work/a.keys', true],
    ['/**/.env', '/a/b/.env', false],
    ['/**/.env', '/.env/x', false],
    ['/**/.env', '/a/b/.envrc', true],
    ['/', '/anything', false],
    ['~/.ssh/', '~/.ssh/id_rsa', false],
    ['~/.ssh/', '/home/ann/.ssh', false],
    ['~/.ssh/', '/HOME/Ann/.SSH/id_rsa', false],
    ['~/.ssh/', '/home/bob/.ssh', true],
  ])('that denies %j lets %j through: %s', (pattern, path, expected) => {
    expect(isInside({ deny: [pattern] }, path)).toBe(expected);
  });

  it.each([
    ['work/**', 'starts with "/" or "~/"'],
    ['', 'starts with "/" or "~/"'],
    ['~', 'starts with "/" or "~/"'],
    ['~bob/**', 'starts with "/" or "~/"'],
    ['C:/work', 'starts with "/" or "~/"'],
    ['**', 'starts with "/" or "~/"'],
    ['/work\\a', 'written with "/"'],
    ['/work/\\*', 'written with "/"'],
    ['/work/{a,b}', 'wildcards'],
    ['/work/a?', 'wildcards'],
    ['/work/[a', 'wildcards'],
    ['/work/a]', 'wildcards'],
    ['/work/{a', 'wildcards'],
    ['/work/a}', 'wildcards'],
    ['/work/[ab]', 'wildcards'],
    ['/work/．．', 'plain characters: /work/..'],
    ['/work/ﬁle', 'plain characters: /work/file'],
    ['/work/../etc', '"." or ".."'],
    ['/work/./a', '"." or ".."'],
    ['/..', '"." or ".."'],
    ['~/..', '"." or ".."'],
    ['//host/share', 'empty names'],
    ['/work//a', 'empty names'],
    ['/work//', 'empty names'],
    ['//', 'empty names'],
    ['~//a', 'empty names'],
    ['/work/a**', 'stands alone'],
    ['/work/***', 'stands alone'],
  ])('%j is refused: %s', (pattern, problem) => {
    expect(pathPatternProblem(pattern)).toContain(problem);
  });

  it.each([
    '/',
    '/work',
    '/work/',
    '/work/*',
    '/work/a*b*',
    '/work/**',
    '/**/.env',
    '~/',
    '~/.ssh/**',
    '/a b/c.d',
    '/e\u0301',
  ])('%j is accepted', (pattern) => {
    expect(pathPatternProblem(pattern)).toBeUndefined();
  });
});
