import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { returnPath } from './return-path.js';

describe('a path to go back to', () => {
  it.each([
    ['/', '/'],
    ['/t/default/', '/t/default/'],
    ['/t/default/oauth/interaction/abc?x=1&y=%20z#top', '/t/default/oauth/interaction/abc?x=1&y=%20z#top'],
    ['/a/../b', '/b'],
    ['/console?next=https://placet.example', '/console?next=https://placet.example'],
  ])('%s is one of ours', (text, path) => expect(returnPath(text)).toBe(path));

  it.each([
    '',
    'https://evil.example',
    'evil.example',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/a\\b',
    '/%2f/evil.example',
    '/%2Fevil.example',
    '/%5cevil.example',
    '/%255cevil.example',
    '/%25252f%25252fevil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    '/\t/evil.example',
    '/%09/evil.example',
    '/%0d%0aSet-Cookie:x=y',
    '/\r\nSet-Cookie:x=y',
    '/\u0000',
    '/ü',
    '/\u2028',
    '/a b',
    '/%zz',
    '/"><script>',
    'javascript:alert(1)',
    ' /',
    `/${'a'.repeat(1024)}`,
  ])('%j is not', (text) => expect(returnPath(text)).toBeUndefined());

  it('leads to ourselves, whatever was asked for', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2f',
      '%5c',
      '%2e',
      '@',
      ':',
      '?',
      '#',
      '\t',
      'evil.example',
      'a',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = returnPath(`/${pieces.join('')}`);
        if (path === undefined) return;
        expect(new URL(path, 'https://ours.example').origin).toBe('https://ours.example');
        expect(path).toMatch(/^\/(?![/\\])/);
        expect(returnPath(path)).toBe(path);
      }),
    );
  });
});
