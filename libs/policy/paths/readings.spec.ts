import { describe, expect, it } from 'vitest';
import { readPath } from './readings.js';

const HOME = '/home/ann';

describe('readPath', () => {
  it.each<[string, string[]]>([
    // one reading
    ['/', ['/']],
    ['/work/a', ['/work/a']],
    ['/work/a/', ['/work/a']],
    ['/work//a', ['/work/a']],
    ['/work/./a', ['/work/a']],
    ['/./work/a/.', ['/work/a']],
    ['/../work/a', ['/work/a']],
    ['/work/..a', ['/work/..a']],
    ['/work/a..b', ['/work/a..b']],
    ['/work/.env', ['/work/.env']],
    ['/work/a b', ['/work/a b']],
    ['/work/a+b&c=d#e?f', ['/work/a+b&c=d#e?f']],
    ['/work/é', ['/work/é']],
    ['/work/資料', ['/work/資料']],
    ['/work/100%', ['/work/100%']],
    ['/work/5%off', ['/work/5%off']],
    ['/work/a$', ['/work/a$']],
    ['/work/a~', ['/work/a~']],
    ['~', [HOME]],
    ['~/', [HOME]],
    ['~/docs/x', [`${HOME}/docs/x`]],
    ['~//docs', [`${HOME}/docs`]],

    // file URIs
    ['file:///work/a', ['/work/a']],
    ['file:/work/a', ['/work/a']],
    ['FILE:/work/a', ['/work/a']],
    ['file://localhost/work/a', ['/work/a']],
    ['File://LOCALHOST/work/a', ['/work/a']],
    ['file:///work/a%20b', ['/work/a%20b', '/work/a b']],
    ['file:///~/a', ['/~/a']],

    // decoded and not
    ['/work/%41', ['/work/%41', '/work/A']],
    ['/work/%41b%43', ['/work/%41b%43', '/work/AbC']],
    ['/work/u002e', ['/work/u002e']],
    ['/work/%2541', ['/work/%2541', '/work/%41', '/work/A']],
    ['/work/%252541', ['/work/%252541', '/work/%2541', '/work/%41', '/work/A']],
    ['/work/a%2Fb', ['/work/a%2Fb', '/work/a/b']],
    ['/work/%C3%A9%C3%A8', ['/work/%C3%A9%C3%A8', '/work/éè']],

    // backslashes, and what code pages make of them, as characters and as separators
    ['/work\\a\\b', ['/work\\a\\b', '/work/a/b']],
    ['/work/a%5cb', ['/work/a%5cb', '/work/a\\b', '/work/a/b']],
    ['/work∖a', ['/work∖a', '/work/a']],
    ['/work∕a', ['/work∕a', '/work/a']],
    ['/work⁄a', ['/work⁄a', '/work/a']],
    ['/work¥a', ['/work¥a', '/work/a']],
    ['/work₩a', ['/work₩a', '/work/a']],

    // compatibility and invisible characters folded and not
    ['/work/ｓecret', ['/work/ｓecret', '/work/secret']],
    ['/work／a', ['/work／a', '/work/a']],
    ['/work＼a', ['/work＼a', '/work\\a', '/work/a']],
    ['/work/℀', ['/work/℀', '/work/a/c']],
    ['/work/s\u200be\u200bcret', ['/work/s\u200be\u200bcret', '/work/secret']],
    ['/work/\u00adssh', ['/work/\u00adssh', '/work/ssh']],
    ['/work/❤\ufe0f', ['/work/❤\ufe0f', '/work/❤']],
    ['/work/e\u0301', ['/work/e\u0301', '/work/é']],

    // cut the way Windows cuts names
    ['/work/a.', ['/work/a.', '/work/a']],
    ['/work/a. . ', ['/work/a. . ', '/work/a']],
    ['/work/a /b', ['/work/a /b', '/work/a/b']],
    ['/work/a\u2028', ['/work/a\u2028', '/work/a']],
    ['/work/secret.txt:zone', ['/work/secret.txt:zone', '/work/secret.txt']],
    ['/work/ab:\u2028x', ['/work/ab:\u2028x', '/work/ab']],
    ['/work/10:00.log', ['/work/10:00.log', '/work/10']],
    ['/work/a%2e', ['/work/a%2e', '/work/a.', '/work/a']],
  ])('reads %j as %j', (text, expected) => {
    const read = readPath(text, HOME);
    expect('readings' in read && [...read.readings].sort()).toEqual([...expected].sort());
  });

  it.each<[unknown, string]>([
    [undefined, 'not a text'],
    [null, 'not a text'],
    [3, 'not a text'],
    [['/work/a'], 'not a text'],
    [{ toString: () => '/work/a' }, 'not a text'],
    ['', 'empty'],
    [`/${'a'.repeat(4096)}`, 'longer than 4096'],

    ['a', 'absolute'],
    ['./a', 'absolute'],
    ['../a', 'absolute'],
    [' /work/a', 'absolute'],
    ['%2fwork/a', 'absolute'],
    ['\\work\\a', 'absolute'],
    ['//host/share', 'network path'],
    ['/\\host/share', 'network path'],
    ['\\\\host\\share', 'absolute'],
    ['\\\\?\\C:\\work', 'absolute'],
    ['//?/C:/work', 'network path'],
    ['/%2fhost/share', 'network path'],

    // after a name, `..` depends on links
    ['/work/../etc/passwd', '".." after a name'],
    ['/work/a/../b', '".." after a name'],
    ['/work/..', '".." after a name'],
    ['/work/%2e%2e/etc', '".." after a name'],
    ['/work/%252e%252e/etc', '".." after a name'],
    ['/work/%25252e%25252e/etc', '".." after a name'],
    ['/work/.%2e/etc', '".." after a name'],
    ['/work/..%2fetc', '".." after a name'],
    ['/work/..%5cetc', '".." after a name'],
    ['/work/..%255cetc', '".." after a name'],
    ['/work/..\\etc', '".." after a name'],
    ['/work\\..\\etc', '".." after a name'],
    ['/work/..∖etc', '".." after a name'],
    ['/work/．．/etc', '".." after a name'],
    ['/work/‥/etc', '".." after a name'],
    ['/work/..／etc', '".." after a name'],
    ['/work/%ef%bc%8e%ef%bc%8e/etc', '".." after a name'],
    ['/work/.\u200b./etc', '".." after a name'],
    ['~/../bob', '".." after a name'],
    ['file:///work/../etc', '".." after a name'],

    // encodings
    ['/work/%c0%ae%c0%ae/etc', 'an encoding'],
    ['/work/%ff', 'an encoding'],
    ['/work/%e2%80', 'an encoding'],
    ['/work/%u002e%u002e/etc', 'an encoding'],
    ['/work/%U002E', 'an encoding'],
    ['/work/%u9fAd', 'an encoding'],
    [`/work/%${'25'.repeat(20)}41`, 'encodings within encodings'],

    // what is no plain name
    ['/work/a\u0000', 'control characters'],
    ['/work/a%00.txt', 'control characters'],
    ['/work/a\n', 'control characters'],
    ['/work/a\u007f', 'control characters'],
    ['/work/a\u0085', 'control characters'],
    ['/work/\ud800', 'control characters'],
    ['/work/...', 'dots and blanks'],
    ['/work/.. /etc', 'dots and blanks'],
    ['/work/. ./etc', 'dots and blanks'],
    ['/work/ /a', 'dots and blanks'],
    ['/work/…', 'dots and blanks'],
    ['/work/\u00a0', 'dots and blanks'],
    ['/work/\u2028', 'dots and blanks'],
    ['/C:/work', 'a drive'],
    ['/work/A:x', 'a drive'],
    ['/work/Z:x', 'a drive'],
    ['/work/a:x', 'a drive'],
    ['/work/z:x', 'a drive'],
    ['/work/..:x/etc', 'a stream'],
    ['/work/a:../etc', 'a stream'],
    ['/work/a:', 'a stream'],
    ['/work/:a', 'a stream'],
    ['/work/a::$DATA', 'a stream'],
    ['/work/ab: :c', 'a stream'],
    ['/work/PROGRA~1', 'short name'],
    ['/work/a~2.txt', 'short name'],

    // what a shell would expand
    ['/work/$HOME', 'a variable'],
    ['/work/a$HOME', 'a variable'],
    ['/work/${HOME}', 'a variable'],
    ['/work/$(id)', 'a variable'],
    ['/work/`id`', 'a variable'],
    ['/work/%USERPROFILE%', 'a variable'],
    ['/work/a%TEMP%b', 'a variable'],
    ['/work/%ProgramFiles(x86)%', 'a variable'],
    ['/work/%41BIT%', 'a variable'],
    ['$HOME/.ssh', 'absolute'],
    ['%USERPROFILE%\\.ssh', 'absolute'],

    // homes
    ['~bob', 'home directory'],
    ['~bob/.ssh', 'home directory'],
    ['~+', 'home directory'],
    ['~\\docs', 'home directory'],

    // other URIs
    ['C:\\work\\a', 'absolute'],
    ['C:/work/a', 'absolute'],
    ['c:', 'absolute'],
    ['https://host/work/a', 'absolute'],
    ['resource://x/../../', 'absolute'],
    ['file:work/a', 'absolute'],
    ['file:///work/a?x', 'absolute'],
    ['file:///work/a#x', 'absolute'],
    ['file://host/work/a', 'network path'],
    ['file://localhost:80/work/a', 'network path'],
    ['file:\\work\\a', 'absolute'],
    ['file:~/a', 'absolute'],
    ['file:////host/share', 'network path'],
    ['f%69le:///work/a', 'absolute'],
    ['xfile:///work/a', 'absolute'],
    ['/etc/file:///work/a', 'a stream'],
  ])('cannot prove where %j leads', (text, reason) => {
    const read = readPath(text, HOME);
    expect('unproven' in read && read.unproven).toContain(reason);
  });

  it.each([
    [13, 15],
    [14, 16],
    [15, 0],
  ])('follows encodings within encodings %i deep to %i readings', (depth, count) => {
    const read = readPath(`/work/%${'25'.repeat(depth)}41`, HOME);
    expect('readings' in read ? read.readings : []).toHaveLength(count);
  });

  it('reads no "~" where the home directory is not known', () => {
    expect(readPath('~/docs', undefined)).toEqual({ unproven: 'a home directory that is not known' });
    expect(readPath('~', undefined)).toEqual({ unproven: 'a home directory that is not known' });
    expect(readPath('/work/~', undefined)).toEqual({ readings: ['/work/~'] });
  });

  it.each<[string, string[]]>([
    [`/${'a'.repeat(4095)}`, [`/${'a'.repeat(4095)}`]],
    [`/${'. '.repeat(2000)}x`, [`/${'. '.repeat(2000)}x`]],
    [`/${'…x'.repeat(2000)}`, [`/${'…x'.repeat(2000)}`, `/${'...x'.repeat(2000)}`]],
    [`/${'a/'.repeat(2000)}`, [`/${'a/'.repeat(1999)}a`]],
    [`/a${':'.repeat(4000)}b`, []],
    [`/${'%'.repeat(4000)}b`, []],
  ])('comes to an end on long hostile texts (row %#)', (text, expected) => {
    const read = readPath(text, HOME);
    expect('readings' in read ? read.readings : []).toEqual(expected);
  });
});
