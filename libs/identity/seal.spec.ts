import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { derivedKey, digestOf, seal, SealError, unseal } from './seal.js';

const PEPPER = Buffer.alloc(32, 'p');
const PLACE = ['tenant', 'AccessToken', 'id'];

describe('what is sealed', () => {
  it('is opened in its place, and never looks the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (content) => {
        const sealed = seal(PEPPER, PLACE, content);
        expect(unseal(PEPPER, PLACE, sealed)).toBe(content);
        expect(sealed.equals(seal(PEPPER, PLACE, content))).toBe(false);
      }),
    );
  });

  it.each([
    ['another tenant', PEPPER, ['other', 'AccessToken', 'id']],
    ['another kind', PEPPER, ['tenant', 'RefreshToken', 'id']],
    ['another id', PEPPER, ['tenant', 'AccessToken', 'di']],
    ['names that only read alike', PEPPER, ['tenant', 'AccessToken","id']],
    ['another pepper', Buffer.alloc(32, 'q'), PLACE],
  ])('is not opened by %s', (_what, pepper, place) => {
    const sealed = seal(PEPPER, PLACE, 'secret');
    expect(() => unseal(pepper, place, sealed)).toThrow(SealError);
  });

  it('is not opened once a single bit of it is another, or a part is missing', () => {
    const sealed = seal(PEPPER, PLACE, 'secret');
    fc.assert(
      fc.property(fc.nat({ max: sealed.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(sealed);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => unseal(PEPPER, PLACE, changed)).toThrow(SealError);
      }),
    );
    for (let length = 0; length < sealed.length; length++)
      expect(() => unseal(PEPPER, PLACE, sealed.subarray(0, length))).toThrow(SealError);
  });
});

describe('keys and digests', () => {
  it('are others for another purpose and for another pepper', () => {
    const all = [
      derivedKey(PEPPER, 'a', 'b'),
      derivedKey(PEPPER, 'ab'),
      derivedKey(PEPPER, 'a,b'),
      derivedKey(Buffer.alloc(32, 'q'), 'a', 'b'),
    ].map((key) => key.toString('hex'));
    expect(new Set(all).size).toBe(all.length);
    expect(digestOf(PEPPER, 'x', 'value')).toBe(digestOf(PEPPER, 'x', 'value'));
    expect(digestOf(PEPPER, 'y', 'value')).not.toBe(digestOf(PEPPER, 'x', 'value'));
  });
});
