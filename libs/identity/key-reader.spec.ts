import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateApiKey, macOf } from './api-key.js';
import { KeyReader } from './key-reader.js';

const pepper = randomBytes(32);
const reader = () => new KeyReader({ pepper, environment: 'test' });

describe('a key reader', () => {
  it('reads a key to its id and MAC, the first time and every other', () => {
    const keys = reader();
    const [one, other] = [generateApiKey('test'), generateApiKey('test')];
    for (const { text, key } of [one, other, one, other, one]) {
      expect(keys.read(`Bearer ${text}`)).toEqual({ id: key.id, mac: macOf(key, pepper) });
    }
  });

  it.each([
    ['no header', undefined, 'credentials_missing'],
    ['an empty one', '', 'credentials_missing'],
    ['another scheme', `Basic ${generateApiKey('test').text}`, 'credentials_invalid'],
    ['a key of another environment', `Bearer ${generateApiKey('live').text}`, 'credentials_invalid'],
    ['a key that is mistyped', `Bearer ${generateApiKey('test').text.slice(0, -1)}!`, 'credentials_invalid'],
  ])('refuses %s, however often it is shown', (_what, header, code) => {
    const keys = reader();
    for (let time = 0; time < 3; time++) {
      expect(() => keys.read(header)).toThrow(expect.objectContaining({ code }) as Error);
    }
  });
});
