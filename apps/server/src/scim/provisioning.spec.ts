import { describe, expect, it } from 'vitest';
import type { IssuerDocument } from '#policy';
import { keysOfUsers } from './provisioning.js';

const ISSUER = { kind: 'Issuer', name: 'entra', subjectType: 'user' } as IssuerDocument;

describe('what a change of some users touches', () => {
  it('is each of them, once, and nobody who has no identity', () => {
    expect(keysOfUsers(ISSUER, ['a', 'b', null, 'a'])).toEqual(['subject:user:entra/a', 'subject:user:entra/b']);
    expect(keysOfUsers(ISSUER, [null])).toEqual([]);
  });

  it('is everybody where there are too many to name', () => {
    const many = Array.from({ length: 2001 }, (_, n) => `${n}`);
    expect(keysOfUsers(ISSUER, many)).toEqual(['*']);
    expect(keysOfUsers(ISSUER, many.slice(1))).toHaveLength(2000);
  });
});
