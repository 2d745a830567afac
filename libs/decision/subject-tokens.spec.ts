import { describe, expect, it } from 'vitest';
import type { TokenVerifier, VerifiedToken } from '#identity';
import type { TenantSnapshot } from '#snapshot';
import { RememberedTokens } from './remembered-tokens.js';
import { SubjectTokens } from './subject-tokens.js';

const NOW = 1_000_000;
const issuer = { document: { name: 'company' }, version: 1 } as VerifiedToken['issuer'];
const snapshot = {
  tenant: 'one',
  denies: () => false,
  policies: { documents: { all: () => [issuer], find: () => issuer } },
} as unknown as TenantSnapshot;

/** What the verifier was asked, and how much may be remembered. */
function remembering(bounds: { readonly tokens: number; readonly bytes: number }) {
  const asked: string[] = [];
  const verify: TokenVerifier['verify'] = async (_issuers, text) => {
    asked.push(text);
    const subject = { type: 'user', id: text };
    return { issuer, subject, claims: {}, fingerprint: text, issuedAt: 0, expiresAt: NOW + 600_000 };
  };
  return { tokens: new SubjectTokens({ verify }, undefined, bounds), asked };
}

describe('tokens of subjects that were verified', () => {
  it('are not verified again while they are remembered', async () => {
    const { tokens, asked } = remembering({ tokens: 10, bytes: 1000 });
    for (let count = 0; count < 3; count++) await tokens.verify(snapshot, 'a', NOW);
    expect(asked).toEqual(['a']);
    await tokens.verify(snapshot, 'a', NOW + 60_000);
    expect(asked).toEqual(['a', 'a']);
  });

  it.each([
    ['by their number', { tokens: 2, bytes: 1000 }],
    ['by their size', { tokens: 10, bytes: 250 }],
  ])('are bounded %s: the one that was used longest ago goes', async (_what, bounds) => {
    const { tokens, asked } = remembering(bounds);
    const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(100)) as [string, string, string];
    for (const text of [a, b, a, c, a, b]) await tokens.verify(snapshot, text, NOW);
    expect(asked).toEqual([a, b, c, b]);
  });

  it('are not remembered at all where one is larger than all may be', async () => {
    const { tokens, asked } = remembering({ tokens: 10, bytes: 50 });
    for (let count = 0; count < 2; count++) await tokens.verify(snapshot, 'a'.repeat(51), NOW);
    expect(asked).toHaveLength(2);
  });
});

describe('what is remembered', () => {
  it('counts what is there, also where one takes the place of another', () => {
    const remembered = new RememberedTokens({ tokens: 10, bytes: 100 });
    const token = { token: {} as VerifiedToken, until: NOW, bytes: 40 };
    for (let count = 0; count < 10; count++) remembered.set('a', token);
    remembered.set('b', token);
    expect(remembered.get('a')).toBe(token);
    remembered.delete('b');
    remembered.delete('b');
    remembered.set('c', token);
    expect([remembered.get('a'), remembered.get('c')]).toEqual([token, token]);
    remembered.set('d', token);
    expect(remembered.get('a')).toBeUndefined();
  });
});
