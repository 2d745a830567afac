import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from './glob.js';

describe('a glob', () => {
  it.each<[string, string, boolean]>([
    ['read_file', 'read_file', true],
    ['read_file', 'read_files', false],
    ['read_file', 'Read_file', false],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'any/thing\nat all', true],
    ['read_*', 'read_', true],
    ['read_*', 'read_file', true],
    ['read_*', 'xread_file', false],
    ['*_file', 'read_file', true],
    ['*_file', 'read_file_', false],
    ['a*b', 'ab', true],
    ['a*b', 'axb', true],
    ['a*b', 'axbx', false],
    ['ab*bc', 'abc', false],
    ['ab*bc', 'abbc', true],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'acb', false],
    ['a*b*c', 'aXbYc', true],
    ['a*bc*c', 'abc', false],
    ['a*bc*c', 'abcc', true],
    ['*ab*ab*', 'abab', true],
    ['*ab*ab*', 'aab', false],
    ['a**b', 'ab', true],
    ['a.c', 'abc', false],
    ['a?c', 'abc', false],
    ['[ab]', 'a', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\\\*b', 'a\\xb', true],
    ['a\\\\*b', 'a*b', false],
    ['a\\nb', 'a\\nb', true],
    ['a\\', 'a\\', true],
    ['\\**', '*x', true],
    ['\\**', 'x', false],
  ])('%j on %j: %s', (pattern, text, expected) => {
    expect(compileGlob(pattern).matches(text)).toBe(expected);
  });

  it.each([
    ['read_file', 'read_file', 'read_file', 'read_file'],
    ['a\\*b', 'a*b', 'a*b', 'a*b'],
    ['read_*', undefined, 'read_', ''],
    ['*_file', undefined, '', '_file'],
    ['a*b*c', undefined, 'a', 'c'],
  ])('%j has the exact text %j, the beginning %j and the end %j', (pattern, exact, prefix, suffix) => {
    expect(compileGlob(pattern)).toMatchObject({ text: pattern, exact, prefix, suffix });
  });

  it('agrees with a regular expression made of it', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '\\', '.', '\n'), maxLength: 10 });
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const source = pattern.replace(
          /\\([*\\])|([*])|([^])/g,
          (_, escaped?: string, star?: string, plain?: string) =>
            star ? '.*' : (escaped ?? plain)!.replace(/[\\*.]/, '\\$&'),
        );
        expect(compileGlob(pattern).matches(text)).toBe(new RegExp(`^${source}$`, 's').test(text));
      }),
      { numRuns: 5000 },
    );
  });

  it('comes to an end on hostile patterns and texts of 100,000 characters', () => {
    const many = 50_000;
    expect(compileGlob('*a'.repeat(many)).matches('a'.repeat(many) + 'b'.repeat(many))).toBe(false);
    expect(compileGlob('a*'.repeat(many)).matches('a'.repeat(2 * many))).toBe(true);
    expect(compileGlob(`*${'a'.repeat(1000)}b*`).matches('a'.repeat(2 * many))).toBe(false);
    expect(compileGlob('*a*b'.repeat(many / 2)).matches('ab'.repeat(many / 2 - 1))).toBe(false);
  });
});
