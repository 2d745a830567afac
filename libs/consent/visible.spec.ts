import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasUnseen, hasUnseenInLines, mixesDirections, visible, visibleLines } from './visible.js';

/** What a shown text was made from. */
const readBack = (shown: string): string =>
  shown.replace(/⟨(?:(\d+) × )?U\+([0-9A-F]+)⟩/g, (_, times: string | undefined, point: string) =>
    String.fromCodePoint(parseInt(point, 16)).repeat(Number(times ?? 1)),
  );

/** Texts of what attackers use, and of anything at all. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom('a', 'e', 'é', 'e\u0301', '\u0301', '\u0323', '\u202e', '\u200b', '\u2066', ' ', '  ', '\n', '↵'),
      fc.constantFrom(
        '⟨',
        '⟩',
        '⟨U+202E⟩',
        '⟨3 × U+200B⟩',
        '\u212b',
        'Å',
        '한',
        '\u1112\u1161\u11ab',
        '\u0000',
        '\r\n',
      ),
      fc.constantFrom('\ud800', '\udc00', '\ufe0f', '\u{e0041}', '\u115f', '\u034f', '\u0338', '\u2800', '🧑‍💻', 'र्'),
      fc.constantFrom('\u{16d63}', '\u{16d67}', '\u{16121}', '\u{1611e}', '\u0db3', '\u0dca', '\u0dcf', '\u3099', 'か'),
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/** What must never stand in a shown text. */
const UNSEEN = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;

describe('a name that is shown', () => {
  it.each([
    ['plain', 'read_file', 'read_file'],
    ['of words', 'a b', 'a b'],
    ['empty', '', ''],
    ['turned around', 'a\u202egpj.exe', 'a⟨U+202E⟩gpj.exe'],
    ['isolated', 'a\u2067b\u2069', 'a⟨U+2067⟩b⟨U+2069⟩'],
    ['with no width', 'pay\u200bpal', 'pay⟨U+200B⟩pal'],
    ['with a hundred of no width', `a${'\u200b'.repeat(100)}b`, 'a⟨100 × U+200B⟩b'],
    ['with a line break', 'a\nApproved by: root', 'a⟨U+000A⟩Approved by: root'],
    ['with another line break', 'a\u2028b\u2029c\u0085d\re', 'a⟨U+2028⟩b⟨U+2029⟩c⟨U+0085⟩d⟨U+000D⟩e'],
    ['with half a pair', 'a\ud800b', 'a⟨U+D800⟩b'],
    ['with a pair', 'a😀b', 'a😀b'],
    ['with a blank that is no space', 'a\u00a0b\u3000c\u2800d', 'a⟨U+00A0⟩b⟨U+3000⟩c⟨U+2800⟩d'],
    ['with spaces at the ends', ' admin ', '⟨U+0020⟩admin⟨U+0020⟩'],
    ['with many spaces', `safe${' '.repeat(500)}rm`, 'safe⟨500 × U+0020⟩rm'],
    ['with two spaces', 'a  b', 'a⟨U+0020⟩⟨U+0020⟩b'],
    ['with letters for emoji tags', 'a\u{e0072}\u{e006d}', 'a⟨U+E0072⟩⟨U+E006D⟩'],
    ['with a variation selector', 'a\ufe0f', 'a⟨U+FE0F⟩'],
    ['with fillers', 'a\u3164\u115f\u17b4b', 'a⟨U+3164⟩⟨U+115F⟩⟨U+17B4⟩b'],
    ['of private use, and of nothing', 'a\ue000\u{10ffff}', 'a⟨U+E000⟩⟨U+10FFFF⟩'],
    ['that looks like ours', '⟨U+202E⟩', '⟨U+27E8⟩U+202E⟨U+27E9⟩'],
    ['with marks', 'é naïve हिन्दी', 'é naïve हिन्दी'],
    ['with marks in two parts', 'e\u0301', 'e⟨U+0301⟩'],
    ['with another sign for a letter', '\u212b\u2126', '⟨U+212B⟩⟨U+2126⟩'],
    ['with a syllable in parts', '\u1112\u1161\u11ab', '⟨U+1112⟩⟨U+1161⟩⟨U+11AB⟩'],
    ['with marks that cover lines', `a${'\u0316'.repeat(20)}`, 'a⟨20 × U+0316⟩'],
    ['with a mark that strikes it out', 'no\u0336', 'no⟨U+0336⟩'],
    ['with a mark on nothing', '\u0301a 1\u0301', '⟨U+0301⟩a 1⟨U+0301⟩'],
  ])('%s', (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('can be read back, has nothing unseen in it, and one spelling of each letter', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const shown = visible(text);
        expect(readBack(shown)).toBe(text);
        expect(shown).not.toMatch(UNSEEN);
        expect(shown).not.toMatch(/^ | $| {2}|\p{M}{5}/u);
        expect(shown.normalize('NFC')).toBe(shown);
        expect(shown.isWellFormed()).toBe(true);
        expect(visible(text)).toBe(shown);
      }),
      { numRuns: 3000 },
    );
  });

  it('is told from every other one', () => {
    fc.assert(
      fc.property(nasty, nasty, (one, other) => {
        expect(visible(one).normalize('NFC') === visible(other).normalize('NFC')).toBe(one === other);
      }),
    );
  });
});

describe('a text of several lines that is shown', () => {
  it.each([
    ['lines', 'a\nb', 'a↵\nb'],
    ['lines that look like ours', 'a↵\nb', 'a↵↵\nb'],
    ['an empty end', 'a\n', 'a↵\n'],
    ['indented lines', 'if:\n    do', 'if:↵\n    do'],
    ['what is far off to the right', `ok${' '.repeat(41)}rm`, 'ok⟨41 × U+0020⟩rm'],
    ['spaces at the ends of lines', ' a \nb ', '⟨U+0020⟩a⟨U+0020⟩↵\nb⟨U+0020⟩'],
    ['a line of spaces', 'a\n  \nb', 'a↵\n⟨U+0020⟩⟨U+0020⟩↵\nb'],
    ['tabs', 'a\tb', 'a⟨U+0009⟩b'],
    ['other line ends', 'a\r\nb', 'a⟨U+000D⟩↵\nb'],
  ])('%s', (_what, text, shown) => expect(visibleLines(text)).toBe(shown));

  it('can be read back, and has nothing unseen in it but the ends of lines', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const shown = visibleLines(text);
        expect(readBack(shown.replaceAll('↵\n', '\n'))).toBe(text);
        expect(shown.replaceAll('↵\n', '')).not.toMatch(UNSEEN);
        for (const line of shown.split('↵\n')) expect(line).not.toMatch(/ $/);
        expect(shown.normalize('NFC')).toBe(shown);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('what a reader is warned of', () => {
  it.each([
    ['nothing', 'read_file', false],
    ['nothing in other languages', 'Grüße, 你好, привет, हिन्दी', false],
    ['our own brackets are seen', '⟨a⟩', false],
    ['a direction', 'a\u202eb', true],
    ['a line break in a name', 'a\nb', true],
    ['a mark on nothing', '1\u0301', true],
    ['a letter in two parts', 'e\u0301', true],
    ['half a pair', '\udc00', true],
  ])('%s', (_what, text, isUnseen) => expect(hasUnseen(text)).toBe(isUnseen));

  it('lines and tabs of a text of several lines are as they should be', () => {
    expect(hasUnseenInLines('a\n\tb')).toBe(false);
    expect(hasUnseenInLines('a\r\nb')).toBe(true);
  });

  it('whatever stands as its code point is warned of, but spaces and our own brackets', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const points = visible(text).match(/U\+([0-9A-F]+)⟩/g) ?? [];
        const isOdd = points.some((point) => !['U+0020⟩', 'U+27E8⟩', 'U+27E9⟩'].includes(point));
        if (isOdd) expect(hasUnseen(text)).toBe(true);
      }),
    );
  });

  it.each([
    ['שלום', false],
    ['pay 100 to שלום', true],
    ['שלום 5', true],
    ['abc', false],
  ])('directions in %s: %s', (text, mixes) => expect(mixesDirections(text)).toBe(mixes));
});
