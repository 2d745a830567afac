import { describe, expect, it } from 'vitest';
import { PageTokens, type PagePlace } from './page-tokens.js';

const PEPPER = Buffer.alloc(32, 1);
const tokens = new PageTokens(PEPPER);
const PLACE: PagePlace = { after: { id: 'ann', server: null }, limit: 10 };

describe('a page token', () => {
  it.each<PagePlace>([
    PLACE,
    { after: null, limit: 0 },
    { after: { id: 'read', server: 'files' }, limit: null },
    { after: { id: '', server: '' }, limit: null },
    { after: { id: 'Ж"\\', server: null }, limit: null },
  ])('opens to %j on every replica', (place) => {
    expect(new PageTokens(Buffer.from(PEPPER)).open(tokens.seal('r', place), 'r')).toEqual(place);
  });

  it('does not show the place, and is another each time', () => {
    const token = tokens.seal('r', PLACE);
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('ann');
    expect(tokens.seal('r', PLACE)).not.toBe(token);
  });

  const token = tokens.seal('r', PLACE);
  const bytes = Buffer.from(token, 'base64url');
  const flipped = (at: number): string => {
    const copy = Buffer.from(bytes);
    copy[at < 0 ? copy.length + at : at]! ^= 1;
    return copy.toString('base64url');
  };

  it.each<[string, string, string]>([
    ['of another request', tokens.seal('other', PLACE), 'another search'],
    ['under another pepper', new PageTokens(Buffer.alloc(32, 2)).seal('r', PLACE), 'not a token'],
    ['with another first byte', flipped(0), 'not a token'],
    ['with another content', flipped(14), 'not a token'],
    ['with another last byte', flipped(-1), 'not a token'],
    ['that was cut', token.slice(0, -4), 'not a token'],
    ['with something after it', `${token}AAAA`, 'not a token'],
    ['with padding', `${token}=`, 'not a token'],
    ['that is short', 'AAAA', 'not a token'],
    ['of nothing', '', 'not a token'],
    ['in words', 'not-a-token', 'not a token'],
  ])('%s is refused', (_what, given, message) => {
    expect(() => tokens.open(given, 'r')).toThrow(message);
  });
});
