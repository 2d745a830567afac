import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '#http';
import type { KeyCheck } from '#identity';
import { ConsentLinks, type LinkTo } from './links.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const check: KeyCheck = { pepper: Buffer.alloc(32, 7), environment: 'test' };
const to: LinkTo = { tenant: 't', request: 'cr_1', person: 'user:company/ann' };
const links = new ConsentLinks(check);

function isGood(link: string, whom: LinkTo = to, now = NOW, by = links): boolean {
  try {
    by.read(link, whom, now);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).code).toBe('link_refused');
    return false;
  }
}

describe('a link', () => {
  it('is good for whom it was made for, until it is over', () => {
    const link = links.make(to, NOW + 1000);
    expect(links.read(link, to, NOW)).toEqual({
      mac: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      until: NOW + 1000,
    });
    expect(isGood(link, to, NOW + 999)).toBe(true);
    expect(isGood(link, to, NOW + 1000)).toBe(false);
    expect(isGood(link, to, NaN)).toBe(false);
  });

  it.each<[string, Partial<LinkTo>]>([
    ['tenant', { tenant: 'u' }],
    ['request', { request: 'cr_2' }],
    ['person', { person: 'user:company/bob' }],
  ])('is nothing for another %s', (_what, over) => {
    expect(isGood(links.make(to, NOW + 1000), { ...to, ...over })).toBe(false);
  });

  it('is nothing under another pepper, or in another environment', () => {
    const others = [
      new ConsentLinks({ ...check, pepper: Buffer.alloc(32, 8) }),
      new ConsentLinks({ ...check, environment: 'live' }),
    ];
    for (const other of others) expect(isGood(other.make(to, NOW + 1000))).toBe(false);
  });

  it('cannot be changed in one character, be lengthened, or be spelt in another way', () => {
    const link = links.make(to, NOW + 1000);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n'.split('');
    fc.assert(
      fc.property(fc.nat(link.length - 1), fc.constantFrom(...alphabet), fc.boolean(), (at, one, isAdded) => {
        const other = link.slice(0, at) + one + link.slice(isAdded ? at : at + 1);
        expect(isGood(other)).toBe(other === link);
      }),
      { numRuns: 2000 },
    );
    // Of the last character two bits are of no account.
    for (const one of alphabet) expect(isGood(link.slice(0, -1) + one)).toBe(link.endsWith(one));
    for (const other of ['', '.', link + '=', ` ${link}`, `0${link}`, `${link}\n`, link.toUpperCase()])
      expect(isGood(other)).toBe(false);
  });

  it('is marked as used by what makes no link', () => {
    const link = links.make(to, NOW + 1000);
    const { mac } = links.read(link, to, NOW);
    const signed = Buffer.from(link.split('.')[1]!, 'base64url').toString('hex');
    expect(mac).not.toBe(signed);
    expect(links.read(links.make(to, NOW + 2000), to, NOW).mac).not.toBe(mac);
  });
});
