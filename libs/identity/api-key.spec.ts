import type * as Crypto from 'node:crypto';
import { timingSafeEqual } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { generateApiKey, generateSecret, macOf, parseApiKey, sameMac, sameSecret } from './api-key.js';

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof Crypto>();
  return { ...real, timingSafeEqual: vi.fn(real.timingSafeEqual) };
});

beforeEach(() => void vi.mocked(timingSafeEqual).mockClear());

/** What scanners for leaked keys search for. */
const LEAKED = /placet_[a-z0-9]{1,16}_[0-9a-z]{19}_[0-9A-Za-z]{49}/;

const PEPPER = Buffer.alloc(32, 'p');

/** Keys with checksums and MACs that were computed apart from this code: what is stored must stay valid. */
const KNOWN = [
  {
    text: 'placet_test_0123456789abcdefghi_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg0UyR75',
    key: { environment: 'test', id: '0123456789abcdefghi', secret: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg' },
    mac: '9694829e6a6b1897882fff506a66e26e1fbcdec2f1710666a50af0233d840226',
  },
  {
    text: `placet_dev_${'z'.repeat(62).replace(/^z{19}/, '$&_')}3K1o2V`,
    key: { environment: 'dev', id: 'z'.repeat(19), secret: 'z'.repeat(43) },
    mac: 'f12dc9f8924b17de17eb6252e04a79515778411a04f826e1de544f43dc1c72c7',
  },
] as const;
const [{ text: TEXT, key: KEY }] = KNOWN;
const HEAD = TEXT.slice(0, -6);

describe('a key', () => {
  it.each(KNOWN)('$text is taken apart, and has the MAC that is stored', ({ text, key, mac }) => {
    expect(parseApiKey(text)).toEqual(key);
    expect(macOf(key, PEPPER).toString('hex')).toBe(mac);
  });

  it.each(['a', 'dev', 'test', 'production', 'a1b2c3d4e5f6g7h8'])(
    'that is made for %s is taken apart again',
    (name) => {
      const { text, key } = generateApiKey(name);
      expect(key.environment).toBe(name);
      expect(parseApiKey(text)).toEqual(key);
      expect(LEAKED.exec(`key=${text};`)?.[0]).toBe(text);
    },
  );

  it('is never made twice, and random in every place', () => {
    const made = Array.from({ length: 500 }, () => generateApiKey('test').key);
    expect(new Set(made.map(({ id }) => id)).size).toBe(500);
    expect(new Set(made.map(({ secret }) => secret)).size).toBe(500);
    for (const [part, length, digits] of [
      ['id', 19, 36],
      ['secret', 43, 62],
    ] as const) {
      const columns = Array.from({ length }, (_, at) => new Set(made.map((key) => key[part][at])).size);
      // The first digit holds what is left over.
      expect(Math.min(...columns.slice(1))).toBeGreaterThan(digits * 0.8);
    }
  });

  it('gets a new secret under the same name', () => {
    const { text, key } = generateSecret(KEY);
    expect(parseApiKey(text)).toEqual(key);
    expect(key).toMatchObject({ environment: KEY.environment, id: KEY.id });
    expect(key.secret).not.toBe(KEY.secret);
  });
});

describe('what is no key', () => {
  it.each([
    ['nothing', ''],
    ['a word', 'secret'],
    ['a key in blanks', ` ${TEXT}`],
    ['a key with a line end', `${TEXT}\n`],
    ['a key with something after it', `${TEXT}0`],
    ['a key without its end', TEXT.slice(0, -1)],
    ['another prefix', TEXT.replace('placet', 'Placet')],
    ['an environment in capitals', TEXT.replace('test', 'TEST')],
    ['an environment that is too long', TEXT.replace('test', 'a'.repeat(17))],
    ['no environment', TEXT.replace('_test_', '_')],
    ['an id in capitals', TEXT.replace('defghi', 'DEFGHI')],
    ['the checksum of another environment', TEXT.replace('test', 'prod')],
    ['a secret that is too long, with its checksum', `${HEAD}h0w0XsM`],
    ['a line before the key, with the checksum of both', `x\n${HEAD}2nxYru`],
    ['a secret with a sign', TEXT.replace('ABC', 'A-C')],
  ])('%s', (_what, text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });

  it('any key with one mistyped character, or with two that changed places', () => {
    const at = fc.nat({ max: TEXT.length - 2 });
    const character = fc.constantFrom(...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_');
    fc.assert(
      fc.property(at, character, (index, typed) => {
        fc.pre(TEXT[index] !== typed);
        expect(parseApiKey(TEXT.slice(0, index) + typed + TEXT.slice(index + 1))).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(at, (index) => {
        fc.pre(TEXT[index] !== TEXT[index + 1]);
        const swapped = TEXT[index + 1]! + TEXT[index]!;
        expect(parseApiKey(TEXT.slice(0, index) + swapped + TEXT.slice(index + 2))).toBeUndefined();
      }),
    );
  });
});

describe('a MAC', () => {
  const mac = macOf(KEY, PEPPER);

  it.each([
    ['environment', { ...KEY, environment: 'prod' }, PEPPER],
    ['id', { ...KEY, id: '0123456789abcdefghj' }, PEPPER],
    ['secret', { ...KEY, secret: KEY.secret.replace('0', '1') }, PEPPER],
    ['pepper', KEY, Buffer.alloc(32, 'q')],
  ])('is another with another %s', (_what, key, pepper) => {
    expect(sameMac(mac, macOf(key, pepper))).toBe(false);
  });

  it('is compared in constant time, and only where the lengths are equal', () => {
    const same = Buffer.from(mac);
    expect(sameMac(mac, same)).toBe(true);
    expect(vi.mocked(timingSafeEqual).mock.calls).toEqual([[mac, same]]);
    expect(sameMac(mac, mac.subarray(1))).toBe(false);
    expect(sameMac(mac, Buffer.alloc(0))).toBe(false);
    expect(timingSafeEqual).toHaveBeenCalledTimes(1);
  });
});

describe('a text that only we can know', () => {
  it.each([
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['\u00e9', 'e\u0301', false],
  ])('%j and %j are compared in constant time: %s', (left, right, same) => {
    expect(sameSecret(left, right)).toBe(same);
    expect(timingSafeEqual).toHaveBeenCalledTimes(left.length === right.length ? 1 : 0);
  });

  it('is no other one of another length', () => {
    expect([sameSecret('abc', 'ab'), sameSecret('', 'a')]).toEqual([false, false]);
  });
});
