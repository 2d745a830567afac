import { describe, expect, it } from 'vitest';
import { hasLookAlikes } from './look-alikes.js';

describe('letters that look like others', () => {
  it.each([
    ['pаypal', true, 'a Cyrillic letter in a Latin word'],
    ['read_fіle', true, 'in a part of a name'],
    ['сосо', true, 'all of it Cyrillic, and as if it were Latin'],
    ['xn/а', true, 'one letter by itself'],
    ['ΡΑΥ', true, 'Greek capitals'],
    ['ᎪᏞᏞ-all', false, 'alphabets in words of their own'],
    ['aᎪ', true, 'a Cherokee letter in a Latin word'],
    ['１００', true, 'wide digits'],
    ['a／b', true, 'a wide slash'],
    ['𝐚𝐝𝐦𝐢𝐧', true, 'mathematical letters'],
    ['1৪', true, 'digits of two systems'],
    ['১৪', false, 'digits of one'],
    ['привет, мир', false, 'Russian'],
    ['Καλημέρα κόσμε', false, 'Greek'],
    ['Tシャツ を 買う', false, 'Latin among Japanese'],
    ['10 m², 1ª', false, 'what people do write'],
    ['naïve Straße', false, 'Latin with marks'],
    ['paypal', false, 'ASCII'],
    ['', false, 'nothing'],
  ])('%s: %s (%s)', (text, expected) => expect(hasLookAlikes(text)).toBe(expected));
});
