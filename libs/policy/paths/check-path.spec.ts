import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPath, compilePathPattern } from './patterns.js';

const HOME = '/home/ann';

interface Lists {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

function isInside({ allow, deny = [] }: Lists, path: unknown, home: string | undefined = HOME): boolean {
  const rules = { allow: allow?.map(compilePathPattern), deny: deny.map(compilePathPattern) };
  return 'inside' in checkPath(rules, path, home);
}

describe('checkPath', () => {
  it('limits nothing without lists, and lets nothing through an empty allow list', () => {
    expect(isInside({}, '/anything')).toBe(true);
    expect(isInside({ allow: [] }, '/anything')).toBe(false);
    expect(isInside({ deny: [] }, '/anything')).toBe(true);
  });

  it('lets deny beat allow', () => {
    const lists = { allow: ['/work/**'], deny: ['/work/secret/**'] };
    expect(isInside(lists, '/work/a')).toBe(true);
    expect(isInside(lists, '/work/secret/a')).toBe(false);
    expect(isInside({ allow: ['/work/secret/a'], deny: ['/work/**'] }, '/work/secret/a')).toBe(false);
  });

  it('looks at every pattern of a list', () => {
    expect(isInside({ allow: ['/a/**', '/b/**'] }, '/b/x')).toBe(true);
    expect(isInside({ deny: ['/a/**', '/b/**'] }, '/b/x')).toBe(false);
    expect(checkPath(compiled({ deny: ['/b', '/**'] }), '/b', HOME)).toEqual({ outside: 'within the denied /b' });
  });

  it.each<[Lists, string, boolean]>([
    [{ allow: ['~/docs/**'] }, '/home/ann/docs/x', false],
    [{ allow: ['~/docs/**'] }, '~/docs/x', false],
    [{ allow: ['~/docs/**', '/work/**'] }, '/work/x', true],
    [{ deny: ['~/.ssh/**'] }, '/work/x', false],
    [{ deny: ['/etc/**'] }, '/work/x', true],
    [{ deny: ['/etc/**'] }, '~/x', false],
  ])('with an unknown home, %j lets %j through: %s', (lists, path, expected) => {
    expect('inside' in checkPath(compiled(lists), path, undefined)).toBe(expected);
  });

  const compiled = ({ allow, deny = [] }: Lists) => ({
    allow: allow?.map(compilePathPattern),
    deny: deny.map(compilePathPattern),
  });

  it('says what is outside of what, and names every reading of what is inside', () => {
    const rules = compiled({ allow: ['/work/**'], deny: ['/work/secret/**'] });
    expect(checkPath(rules, '/etc', HOME)).toEqual({ outside: 'within none of the allowed paths' });
    expect(checkPath(rules, '/work/secret/a', HOME)).toEqual({ outside: 'within the denied /work/secret/**' });
    expect(checkPath(rules, 'a', HOME)).toEqual({ outside: 'neither an absolute path nor a file:///path' });
    expect(checkPath(compiled({ deny: ['~/a'] }), '/b', undefined)).toEqual({
      outside: 'a home directory that is not known',
    });
    expect(checkPath(rules, '/work/./a', HOME)).toEqual({ inside: ['/work/a'] });
    expect(checkPath(rules, '/work/%6cink', HOME)).toEqual({ inside: ['/work/%6cink', '/work/link'] });
  });

  // Each is one spelling of something within /work/secret, or of something outside of /work, for some server.
  it.each<[string, unknown]>([
    ['PA-1', '/work/../work/secret/a'],
    ['PA-1', '/work/./secret/a'],
    ['PA-1', '/work//secret/a'],
    ['PA-1', '/work/open/../secret/a'],
    ['PA-1', '/work/secret'],
    ['PA-1', '$HOME/.ssh'],
    ['PA-1', '/work/$X/../secret'],
    ['PA-1', '/work/sec${X}ret'],
    ['PA-1', '%USERPROFILE%\\.ssh'],
    ['PA-1', '~bob/.ssh'],
    ['PA-1', '~root'],
    ['PA-1', '~'],
    ['PA-1', '~/secret'],
    ['PA-1', '/work/`id`'],
    ['PA-2', '/work/%73ecret/a'],
    ['PA-2', '/work/%2573ecret/a'],
    ['PA-2', '/work/%252573ecret/a'],
    ['PA-2', '/work/secret%2fa'],
    ['PA-2', '/work/open%2f..%2fsecret'],
    ['PA-2', '/work/%2e%2e/work/secret'],
    ['PA-2', '/work/%c0%ae%c0%ae/work/secret'],
    ['PA-2', '/work/..%5cwork/secret'],
    ['PA-2', '/work/..\\work\\secret'],
    ['PA-2', '/work\\secret\\a'],
    ['PA-2', '/work/\\secret/a'],
    ['PA-2', '/work\\/secret/a'],
    ['PA-2', '/work/secret\\..\\secret\\a'],
    ['PA-2', '/work／secret'],
    ['PA-2', '/work＼secret'],
    ['PA-2', '/work/．．/work/secret'],
    ['PA-2', '/work/‥/work/secret'],
    ['PA-3', '/work/secret\u0000'],
    ['PA-3', '/work/secret%00'],
    ['PA-3', '/work/secret.'],
    ['PA-3', '/work/secret '],
    ['PA-3', '/work/secret. .'],
    ['PA-3', '/work /secret'],
    ['PA-3', '/work./secret'],
    ['PA-3', '/work/secret\u2028'],
    ['PA-3', '/work/secret\u00a0'],
    ['PA-3', '/work/secret:stream'],
    ['PA-3', '/work/secret::$DATA'],
    ['PA-3', '/work/secret::$INDEX_ALLOCATION/a'],
    ['PA-3', '/work/SECRET~1/a'],
    ['PA-3', '/work/secre~1'],
    ['PA-3', 'C:/work/secret'],
    ['PA-3', 'C:\\work\\secret'],
    ['PA-3', '/C:/work/secret'],
    ['PA-3', '\\\\?\\C:\\work\\secret'],
    ['PA-3', '\\\\host\\work\\secret'],
    ['PA-3', '//host/work/secret'],
    ['PA-4', 'file:///work/secret'],
    ['PA-4', 'file:/work/secret'],
    ['PA-4', 'FILE:///work/secret'],
    ['PA-4', 'file://localhost/work/secret'],
    ['PA-4', 'file:///work/%73ecret'],
    ['PA-4', 'file:////work/secret'],
    ['PA-4', 'file://host/work/secret'],
    ['PA-4', 'file:///work/open/../secret'],
    ['PA-4', 'file:work/secret'],
    ['PA-4', 'file:///work/secret?a'],
    ['PA-4', 'resource://work/../../secret'],
    ['PA-6', '/work/SECRET/a'],
    ['PA-6', '/Work/Secret/a'],
    ['PA-6', '/WORK/secret'],
    ['PA-6', '/work/ſecret/a'],
    ['PA-6', '/work/ｓｅｃｒｅｔ'],
    ['PA-6', '/work/se\u200dcret'],
    ['PA-6', '/work/secret\ufeff'],
    ['PA-7', ''],
    ['PA-7', ' '],
    ['PA-7', '.'],
    ['PA-7', '..'],
    ['PA-7', 'secret'],
    ['PA-7', './secret'],
    ['PA-7', null],
    ['PA-7', 7],
    ['PA-7', ['/work/open']],
    ['PA-7', { path: '/work/open' }],
  ])('keeps out, by an allow list and by a deny list (%s): %j', (_case, path) => {
    expect(isInside({ allow: ['/work/open/**'] }, path)).toBe(false);
    expect(isInside({ deny: ['/work/secret/**', '~/**'] }, path)).toBe(false);
  });

  it.each<[string, string]>([
    ['/work/straße', '/work/STRASSE/a'],
    ['/work/STRASSE', '/work/STRA\u1e9eE'],
    ['/work/STRASSE', '/work/straße/a'],
    ['/work/σας', '/work/ΣΑΣ'],
    ['/work/*σ', '/work/ΑΣ'],
    ['/work/kelvin', '/work/\u212aelvin'],
    ['/work/caf\u00e9', '/work/CAFE\u0301'],
    ['/work/CAFE\u0301', '/work/caf\u00e9'],
    ['/work/❤', '/work/❤\ufe0f'],
    ['/work/❤\ufe0f', '/work/❤'],
    ['/work/*/x', '/work/℀/x'],
    ['/work/.git', '/work/.g\u200cit/config'],
  ])('denies what some file system takes for the denied %j: %j', (pattern, path) => {
    expect(isInside({ deny: [pattern] }, path)).toBe(false);
  });
});

/** Ways in which servers understand a path, written without regard to how readPath reads it. */
function interpretations(text: string): string[] {
  const texts = new Set([text]);
  for (const known of texts) {
    texts.add(known.normalize('NFKC'));
    texts.add(known.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))));
    texts.add(known.replaceAll('\u200b', ''));
  }
  return [...texts].flatMap((known) => {
    const path = known.startsWith('file:') ? known.replace(/^file:(\/\/localhost)?\/*/, '/') : known;
    const expanded = path.replace(/^~(?=\/|$)/, HOME).replaceAll('$HOME', HOME);
    const onWindows = win32
      .normalize(expanded)
      .replace(/^[A-Za-z]:/, '')
      .replaceAll('\\', '/');
    const names = onWindows.split('/').map((name) => name.replace(/:.*/, '').replace(/[. ]+$/, ''));
    return [
      posix.resolve('/elsewhere', expanded),
      posix.resolve('/elsewhere', onWindows),
      posix.resolve('/elsewhere', names.join('/')),
    ];
  });
}

const nasty = fc
  .array(
    fc.constantFrom(
      ...['/', '/', 'work', 'work', 'secret', 'open', 'a', '..', '.', ' ', '~', '~1', ':', '$HOME', '%', '\\', '//'],
      ...'%2e %252e %2f %5c %255C %00 %c0%ae %41 ． ／ ‥ ＼ \u200b \u0000 é S'.split(' '),
    ),
    { maxLength: 10 },
  )
  .chain((parts) =>
    fc.constantFrom('', '/', '/work/', 'file:///work/', '/work/secret/', '~/').map((start) => start + parts.join('')),
  );

describe('what checkPath proves', () => {
  it('to be inside /work is there by every way to understand the path', () => {
    let proven = 0;
    fc.assert(
      fc.property(nasty, (text) => {
        if (!isInside({ allow: ['/work/**'] }, text)) return;
        proven++;
        for (const path of interpretations(text)) expect(`${path}/`).toMatch(/^\/work\//);
      }),
      { numRuns: 20_000 },
    );
    expect(proven).toBeGreaterThan(500);
  });

  it('to be outside of /work/secret is so by every way to understand the path, and whatever the case', () => {
    let proven = 0;
    fc.assert(
      fc.property(nasty, (text) => {
        if (!isInside({ deny: ['/work/secret'] }, text)) return;
        proven++;
        for (const path of interpretations(text)) expect(`${path}/`).not.toMatch(/^\/work\/secret\//i);
      }),
      { numRuns: 20_000 },
    );
    expect(proven).toBeGreaterThan(500);
  });
});
