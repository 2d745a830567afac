import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from './glob.js';
import { readUri } from './uris.js';

describe('readUri', () => {
  it.each([
    // schemes
    ['notes://daily/1', 'notes://daily/1'],
    ['Notes://Daily/1', 'notes://Daily/1'],
    ['urn:isbn:0451450523', 'urn:isbn:0451450523'],
    ['mailto:ann@example.com', 'mailto:ann@example.com'],
    ['data:text/plain,hello', 'data:text/plain,hello'],
    ['x-a.b+c5:y', 'x-a.b+c5:y'],
    ['notes://h/.env', 'notes://h/.env'],
    ['notes://h/.a/..b/...', 'notes://h/.a/..b/...'],
    ['notes://h/a;..;b', 'notes://h/a;..;b'],
    ['notes:%E9%95%AA%F0%9F%98%80', 'notes:镪😀'],

    // files
    ['file:///work/a', 'file:///work/a'],
    ['file:/work/a', 'file:///work/a'],
    ['FILE:/work/a', 'file:///work/a'],
    ['file://localhost/work/a', 'file:///work/a'],
    ['FILE://LOCALHOST/work/a', 'file:///work/a'],
    ['file:///work/', 'file:///work'],
    ['file:///', 'file:///'],
    ['file:///work/%61', 'file:///work/a'],
    ['file:///work/a%20b', 'file:///work/a%20b'],
    ['file:///work/a%23b%3fc', 'file:///work/a%23b%3Fc'],
    ['file:///work/a(b)!', 'file:///work/a(b)!'],
    ['file:///work/a%28b%29%21', 'file:///work/a(b)!'],
    ['file:///work/%5Bid%5D.tsx', 'file:///work/[id].tsx'],
    ['file:///work/%7Ba%7D^%7C', 'file:///work/{a}^|'],
    ['file:///work/a"b<c>d', 'file:///work/a%22b%3Cc%3Ed'],
    ['db://h/a`b%60c', 'db://h/a%60b%60c'],
    ['file:///work/10%3A00.log', 'file:///work/10:00.log'],
    ['file:///work/ab:c/de:f', 'file:///work/ab:c/de:f'],
    ['file:///work/%C3%A9', 'file:///work/é'],
    ['file:///work/e%CC%81', 'file:///work/é'],
    ['file:///work/e\u0301', 'file:///work/é'],

    // where a reserved character means something, its encoding means something else
    ['db://h/t?a=1%262&b=%3D', 'db://h/t?a=1%262&b=%3D'],
    ['db://h/t?a=%2b%3b%23', 'db://h/t?a=%2B%3B%23'],
    ['db://h/t?at=10%3A00%40%3F', 'db://h/t?at=10:00@?'],
    ['db://h/t#a%26b', 'db://h/t#a&b'],
    ['db://ann%40host/t', 'db://ann@host/t'],
    ['db://h%3A80/t', 'db://h%3A80/t'],
    ['db://a%3fb/t', 'db://a%3Fb/t'],
    ['db://%22%3C%3E%60%23%5B%5D/', 'db://%22%3C%3E%60%23%5B%5D/'],
    ['db://h/%20%22%3C%3E%60%23%3F', 'db://h/%20%22%3C%3E%60%23%3F'],
    ['db://h/?%20%22%3C%3E%60%23', 'db://h/?%20%22%3C%3E%60%23'],
    ['db://h/#%20%22%3C%3E%60%23', 'db://h/#%20%22%3C%3E%60%23'],
    ['db://h#a%26b', 'db://h#a&b'],

    // the web
    ['https://example.com', 'https://example.com/'],
    ['https://example.com?a=b', 'https://example.com/?a=b'],
    ['HTTPS://example.com/a', 'https://example.com/a'],
    ['https://example.com:8443/a', 'https://example.com:8443/a'],
    ['https://ex%61mple.com/a', 'https://example.com/a'],
    ['https://xn--aypal-uye.com/', 'https://xn--aypal-uye.com/'],
    ['https://allowed.com.evil.com/', 'https://allowed.com.evil.com/'],
    ['http://127.0.0.1/', 'http://127.0.0.1/'],
    ['sftp://EXAMPLE.com', 'sftp://EXAMPLE.com'],
    ['https+x://EXAMPLE.com', 'https+x://EXAMPLE.com'],
    ['http://[::1]/', 'http://[::1]/'],
  ])('%j is spelt %j', (text, uri) => {
    expect(readUri(text)).toEqual({ uri });
  });

  it.each([
    // no URI
    ['', 'no scheme'],
    ['/work/a', 'no scheme'],
    ['a/b', 'no scheme'],
    ['://a', 'no scheme'],
    ['1a:b', 'no scheme'],
    ['C:/work/a', 'no scheme'],
    ['x:/work', 'no scheme'],
    ['%66ile:///work', 'no scheme'],

    // characters
    ['notes:a b', 'white space'],
    ['notes:a\tb', 'white space'],
    ['notes:a\n', 'white space'],
    ['notes:a\u0000', 'white space'],
    ['notes:a%0ab', 'white space'],
    ['notes:a%00', 'white space'],
    ['notes:a%7f', 'white space'],
    ['notes:a%c2%85', 'white space'],
    ['notes:a\u00a0b', 'white space'],
    ['notes:a%E2%80%8Bb', 'white space'],
    ['notes:a\u200bb', 'white space'],
    ['notes:a\u202eb', 'white space'],
    ['notes:a\ufe0f', 'white space'],
    ['notes:a\\b', 'a backslash'],
    ['notes:a%5cb', 'an encoded slash'],
    ['notes:a%2Fb', 'an encoded slash'],
    ['notes:a%2561', 'an encoded slash'],
    ['notes:a%', 'a percent sign'],
    ['notes:a%2', 'a percent sign'],
    ['notes:a%zz', 'a percent sign'],
    ['notes:a%c0%ae', 'not UTF-8'],
    ['notes:a%80', 'not UTF-8'],
    ['notes:a\ud800', 'surrogate'],
    ['notes:．．/a', 'compatibility'],
    ['notes://h/a／b', 'compatibility'],
    ['notes:%ef%bc%8e', 'compatibility'],
    ['notes:a%3C\u0301', 'an accent'],
    ['notes:a<\u0301', 'an accent'],
    ['notes:a%3c%cc%81', 'an accent'],

    // paths
    ['resource://x/../../', '"." or ".."'],
    ['resource://x/./a', '"." or ".."'],
    ['resource://x/..', '"." or ".."'],
    ['resource://x/%2e%2e/a', '"." or ".."'],
    ['resource://x/.%2E', '"." or ".."'],
    ['resource://../etc/passwd', '"." or ".."'],
    ['resource://./etc', '"." or ".."'],
    ['resource:../a', '"." or ".."'],
    ['resource://x/..;ab/c', '"." or ".."'],
    ['resource://x/.;/c', '"." or ".."'],
    ['resource://x/a//b', 'empty name'],
    ['resource:////a', 'empty name'],
    ['resource:a//b', 'empty name'],

    // files
    ['file:///work/../etc/passwd', '".." after a name'],
    ['file:///work/%2e%2e/etc/passwd', '".." after a name'],
    ['file:///work/./a', 'servers read differently'],
    ['file:///work//a', 'servers read differently'],
    ['file:///work/a//', 'servers read differently'],
    ['file:///work/a.', 'servers read differently'],
    ['file:///work/a%20', 'servers read differently'],
    ['file:///work/a%20/b', 'servers read differently'],
    ['file:///work/a::$DATA', 'a stream'],
    ['file:///work/a~1', 'short name'],
    ['file:///work/$HOME', 'a variable'],
    ['file:///C:/work', 'a drive'],
    ['file:////etc/passwd', 'a network path'],
    ['file://host/work/a', 'another host'],
    ['file://127.0.0.1/work/a', 'another host'],
    ['file://localhost:80/work/a', 'another host'],
    ['file://user@localhost/work/a', 'another host'],
    ['file:work/a', 'no absolute path'],
    ['file://', 'no absolute path'],
    ['file:~/a', 'no absolute path'],
    ['file:///work/a?b', 'query or fragment'],
    ['file:///work/a#b', 'query or fragment'],
    ['file:///work/a?', 'query or fragment'],

    // the web (UR-1)
    ['http://2130706433/', 'more than one spelling'],
    ['http://0x7f.1/', 'more than one spelling'],
    ['http://0177.0.0.1/', 'more than one spelling'],
    ['http://127.1/', 'more than one spelling'],
    ['http://127.1', 'more than one spelling'],
    ['http://[::ffff:169.254.169.254]/', 'more than one spelling'],
    ['http://[::ffff:a9fe:a9fe]/', 'more than one spelling'],
    ['http://[0:0:0:0:0:0:0:1]/', 'more than one spelling'],
    ['http://[::1]:80a/', 'more than one spelling'],
    ['http://localhost./', 'more than one spelling'],
    ['http://example.com.:8080/', 'more than one spelling'],
    ['http://evil.com@127.0.0.1/', 'more than one spelling'],
    ['http://evil.com%40127.0.0.1/', 'more than one spelling'],
    ['http://:pw@host/', 'more than one spelling'],
    ['http://127.0.0.1#@evil.com', 'more than one spelling'],
    ['https://раypal.com/', 'more than one spelling'],
    ['https://EXAMPLE.com/', 'more than one spelling'],
    ['https://example.com:443/', 'more than one spelling'],
    ['https://example.com:/', 'more than one spelling'],
    ['https://example.com/a#b', 'more than one spelling'],
    ['http:/example.com/', 'more than one spelling'],
    ['http:example.com', 'more than one spelling'],
    ['http:///example.com/', 'more than one spelling'],
    ['http://', 'more than one spelling'],
    ['http://a%20b/', 'more than one spelling'],
    ['wss://EXAMPLE.com/', 'more than one spelling'],
    ['ws://EXAMPLE.com/', 'more than one spelling'],
    ['https://example.com/?a#b', 'more than one spelling'],
    ['ftp://user@host/', 'more than one spelling'],
  ])('%j is refused: %s', (text, reason) => {
    const read = readUri(text);
    expect('ambiguous' in read && read.ambiguous).toContain(reason);
  });
});

const nasty = fc
  .tuple(
    fc.constantFrom(...'file:///work/ file:///work/ file:/// FILE:/work/ notes://h/ https://h.org/'.split(' '), ''),
    fc.array(
      fc.constantFrom(
        ...'/ / work a b .. . %2e %2F %5c %252e %20 %00 %41 %c3%a9 %cc%81 %c0%ae %26 %3A %3d %23 %7b'.split(' '),
        ...'\\ : ; ? # & = + @ ! ( " < ` { | e \u0301 ． \u200b % $H ~1 C: H /..'.split(' '),
      ),
      { maxLength: 8 },
    ),
  )
  .map(([start, parts]) => start + parts.join(''));

describe('the one spelling of a URI', () => {
  it('is its own one spelling', () => {
    let read = 0;
    fc.assert(
      fc.property(nasty, (text) => {
        const reading = readUri(text);
        if (!('uri' in reading)) return;
        read++;
        expect(readUri(reading.uri)).toEqual(reading);
      }),
      { numRuns: 20_000 },
    );
    expect(read).toBeGreaterThan(500);
  });

  it('does not depend on which of the characters that need no encoding are encoded', () => {
    const plain = fc.string({ unit: fc.constantFrom(...'abé/!$&(),;=@[]{|}^'), maxLength: 6 });
    fc.assert(
      fc.property(plain, fc.infiniteStream(fc.boolean()), (path, coins) => {
        const encode = (text: string) =>
          [...text].map((letter) => (coins.next().value && letter !== '/' ? percent(letter) : letter)).join('');
        const [one, other] = [readUri(`db://h/${path}`), readUri(`DB://h/${encode(path)}`)];
        expect(other).toEqual(one);
      }),
      { numRuns: 5000 },
    );
  });

  const percent = (letter: string): string =>
    [...new TextEncoder().encode(letter)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

  it('lies below file:///work/ only if every server finds it below /work', () => {
    let met = 0;
    const pattern = compileGlob('file:///work/*');
    fc.assert(
      fc.property(nasty, (text) => {
        const reading = readUri(text);
        if (!('uri' in reading) || !pattern.matches(reading.uri)) return;
        met++;
        for (const path of pathsOf(text)) expect(`${path}/`).toMatch(/^\/work\//);
      }),
      { numRuns: 20_000 },
    );
    expect(met).toBeGreaterThan(500);
  });

  /** What servers of several kinds make of a file URI: by the URL standard, by cutting the scheme off, on Windows. */
  function pathsOf(text: string): string[] {
    const raw = text.replace(/^file:(\/\/localhost)?\/*/i, '/');
    const decoded = [raw, new URL(text).pathname].flatMap((path) => [path, decodeURIComponent(path)]);
    return decoded.flatMap((path) => [
      posix.resolve('/elsewhere', path.normalize('NFKC')),
      win32
        .normalize(path)
        .replace(/^[A-Za-z]:/, '')
        .replaceAll('\\', '/'),
    ]);
  }
});
