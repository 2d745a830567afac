import { describe, expect, it } from 'vitest';
import type { StoredCredential } from '#store';
import { generateApiKey, macOf } from './api-key.js';
import { connectorOf, isGood, presentedKey, principalOf, type UnauthenticatedError } from './authenticate.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const ADDRESS = '192.0.2.7';
const CHECK = { pepper: Buffer.alloc(32, 'p'), environment: 'test' };
const { key: KEY } = generateApiKey('test');
const PRESENTED = presentedKey(KEY, CHECK);
const MAC = macOf(KEY, CHECK.pepper);

const token = (over: Partial<StoredCredential> = {}): StoredCredential => ({
  id: KEY.id,
  kind: 'scim',
  principalKind: 'connector',
  principal: 'entra',
  environment: 'test',
  rights: {},
  expiresAt: null,
  disabled: false,
  cidrs: null,
  jwks: null,
  issuer: 'entra',
  subject: null,
  secrets: [{ mac: MAC, expiresAt: null }],
  ...over,
});

const reasonOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as UnauthenticatedError).about?.reason;
  }
};
const connector = (stored: StoredCredential | undefined) => connectorOf('t', stored, PRESENTED, NOW, ADDRESS);
const principal = (stored: StoredCredential) => principalOf('t', stored, PRESENTED, NOW, 1, ADDRESS);

describe('the token of a connector', () => {
  it('is good for its Issuer', () => {
    expect(connector(token())).toEqual({ kind: 'connector', tenant: 't', credential: KEY.id, issuer: 'entra' });
    expect(isGood('t', token(), PRESENTED, NOW, 1, ADDRESS)).toBe(true);
  });

  it.each<[string, Partial<StoredCredential>, string]>([
    ['a key that names an Issuer', { kind: 'api_key' }, 'unknown'],
    ['a client that names an Issuer', { kind: 'client' }, 'unknown'],
    ['a workload of an Issuer', { kind: 'federated' }, 'unknown'],
    ['one of no Issuer', { issuer: null }, 'unknown'],
    ['one of another id', { id: 'other' }, 'unknown'],
    ['one with another secret', { secrets: [{ mac: Buffer.alloc(32), expiresAt: null }] }, 'wrong_secret'],
    ['one that is disabled', { disabled: true }, 'disabled'],
    ['one that has expired', { expiresAt: NOW }, 'expired'],
    ['one whose secret has expired', { secrets: [{ mac: MAC, expiresAt: NOW }] }, 'expired'],
    ['one from elsewhere', { cidrs: ['198.51.100.0/24'] }, 'outside_network'],
  ])('is not %s', (_what, over, reason) => {
    expect(reasonOf(() => connector(token(over)))).toBe(reason);
    if (over.kind === undefined) expect(isGood('t', token(over), PRESENTED, NOW, 1, ADDRESS)).toBe(false);
  });

  it('is nobody else’s, whatever rights stand beside it', () => {
    for (const over of [
      { principalKind: 'administrator', rights: { roles: ['owner'] } },
      { principalKind: 'host', rights: { subjects: ['*'] } },
      {},
    ] as const)
      expect(reasonOf(() => principal(token(over)))).toBe('unknown');
    expect(reasonOf(() => connector(undefined))).toBe('unknown');
  });
});
