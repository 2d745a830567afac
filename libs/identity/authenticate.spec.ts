import type * as Crypto from 'node:crypto';
import { timingSafeEqual } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { StoredCredential } from '#store';
import { generateApiKey, generateSecret, macOf } from './api-key.js';
import { keyFromHeader, presentedKey, principalOf, UnauthenticatedError } from './authenticate.js';

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof Crypto>();
  return { ...real, timingSafeEqual: vi.fn(real.timingSafeEqual) };
});

const NOW = Date.parse('2026-11-20T12:00:00Z');
const ADDRESS = '192.0.2.7';
const CHECK = { pepper: Buffer.alloc(32, 'p'), environment: 'test' };
const OTHER_PEPPER = Buffer.alloc(32, 'q');

const { text: TEXT, key: KEY } = generateApiKey('test');
const PRESENTED = presentedKey(KEY, CHECK);

/** A credential of a host with the key above, but for what is said otherwise. */
const stored = (over: Partial<StoredCredential> = {}): StoredCredential => ({
  id: KEY.id,
  kind: 'api_key',
  principalKind: 'host',
  principal: 'desk',
  environment: 'test',
  rights: { subjects: ['user:*'] },
  expiresAt: null,
  disabled: false,
  cidrs: null,
  jwks: null,
  issuer: null,
  subject: null,
  secrets: [{ mac: macOf(KEY, CHECK.pepper), expiresAt: null }],
  ...over,
});

const secret = (expiresAt: number | null, key = KEY) => ({ mac: macOf(key, CHECK.pepper), expiresAt });

/** Why there is no principal: what the caller is told, and what only the log is. */
function refusal(work: () => unknown): Pick<UnauthenticatedError, 'code' | 'detail' | 'message'> {
  try {
    work();
  } catch (error) {
    if (error instanceof UnauthenticatedError) return error;
    throw error;
  }
  throw new Error('there was no refusal');
}

describe('keyFromHeader', () => {
  it.each([`Bearer ${TEXT}`, `bearer ${TEXT}`, `BEARER   ${TEXT}`])('reads %.8s...', (header) => {
    expect(keyFromHeader(header)).toEqual(KEY);
  });

  it.each([
    ['no header', undefined, 'credentials_missing', 'no Authorization header'],
    ['an empty header', '', 'credentials_missing', 'no Authorization header'],
    ['the bare key', TEXT, 'credentials_invalid', 'not a bearer token'],
    ['another scheme', `Basic ${TEXT}`, 'credentials_invalid', 'not a bearer token'],
    ['no token', 'Bearer ', 'credentials_invalid', 'not a bearer token'],
    ['two tokens', `Bearer ${TEXT} ${TEXT}`, 'credentials_invalid', 'not a bearer token'],
    ['a scheme that only begins alike', `Bearerx ${TEXT}`, 'credentials_invalid', 'not a bearer token'],
    ['somebody else\u2019s token', 'Bearer eyJhbGciOiJub25lIn0.e30.', 'credentials_invalid', 'not a key of ours'],
    ['a mistyped key', `Bearer ${TEXT.slice(0, -1)}!`, 'credentials_invalid', 'not a key of ours, or mistyped'],
  ])('refuses %s', (_what, header, code, detail) => {
    expect(refusal(() => keyFromHeader(header))).toMatchObject({
      code,
      detail: expect.stringContaining(detail) as unknown,
    });
  });
});

describe('presentedKey', () => {
  it('is the id and the MAC, and no longer the secret', () => {
    expect(PRESENTED).toEqual({ id: KEY.id, mac: macOf(KEY, CHECK.pepper) });
  });

  it.each(['prod', 'tes', 'test2', ''])('refuses a key of "test" where the environment is "%s"', (environment) => {
    expect(refusal(() => presentedKey(KEY, { ...CHECK, environment }))).toMatchObject({
      code: 'credentials_invalid',
      detail: 'a key of another environment',
    });
  });
});

describe('principalOf', () => {
  it.each<[string, Partial<StoredCredential>, object]>([
    [
      'a host, with no rights but those that are stored',
      {},
      {
        kind: 'host',
        host: 'desk',
        rights: {
          subjects: ['user:*'],
          subjectProperties: [],
          resourceProperties: [],
          explain: false,
          scopes: ['decisions', 'listings', 'search', 'filter'],
          agents: [],
        },
        validUntil: null,
      },
    ],
    ['a host without rights', { rights: {} }, { rights: { subjects: [], explain: false } }],
    [
      'an administrator',
      { principalKind: 'administrator', principal: 'ann', rights: { roles: ['auditor'] } },
      { kind: 'administrator', name: 'ann', roles: ['auditor'], subject: null, assurance: null },
    ],
    ['until the key expires', { expiresAt: NOW + 1 }, { validUntil: NOW + 1 }],
    ['until its secret expires', { secrets: [secret(NOW + 1)] }, { validUntil: NOW + 1 }],
    ['until the first of both', { expiresAt: NOW + 9, secrets: [secret(NOW + 5)] }, { validUntil: NOW + 5 }],
    ['from where it may be used', { cidrs: ['10.0.0.0/8', '192.0.2.0/24'] }, {}],
    ['while another secret is older', { secrets: [secret(NOW - 1, generateSecret(KEY).key), secret(null)] }, {}],
  ])('is %s', (_what, over, principal) => {
    expect(principalOf('t1', stored(over), PRESENTED, NOW, 7, ADDRESS)).toMatchObject({
      tenant: 't1',
      credential: KEY.id,
      ...principal,
    });
  });

  it.each<[string, StoredCredential | undefined, string]>([
    ['a key that nobody stored', undefined, 'no such key'],
    ['a credential of another id', stored({ id: generateApiKey('test').key.id }), 'no such key'],
    ['a secret that is another', stored({ secrets: [secret(null, generateSecret(KEY).key)] }), 'wrong secret'],
    ['no secret at all', stored({ secrets: [] }), 'wrong secret'],
    ['another pepper', stored({ secrets: [{ mac: macOf(KEY, OTHER_PEPPER), expiresAt: null }] }), 'wrong secret'],
    [
      'the same key in another environment',
      stored({ secrets: [secret(null, { ...KEY, environment: 'prod' })] }),
      'wrong secret',
    ],
    ['a MAC that was cut off', stored({ secrets: [{ mac: Buffer.alloc(0), expiresAt: null }] }), 'wrong secret'],
    ['a key that was revoked', stored({ disabled: true }), 'disabled'],
    ['a key that expires now', stored({ expiresAt: NOW }), 'expired'],
    ['a key that has expired', stored({ expiresAt: NOW - 1 }), 'expired'],
    ['a secret that expires now', stored({ secrets: [secret(NOW)] }), 'expired'],
    [
      'a secret that has expired in a key that has not',
      stored({ expiresAt: NOW + 9, secrets: [secret(1)] }),
      'expired',
    ],
    ['a key from elsewhere', stored({ cidrs: ['10.0.0.0/8', '2001:db8::/32'] }), 'not from one of its networks'],
    ['a key that may be used from nowhere', stored({ cidrs: [] }), 'not from one of its networks'],
    ['rights that nobody knows', stored({ rights: { everything: true } }), 'rights of an unknown shape'],
    [
      'the rights of an administrator on a host',
      stored({ rights: { roles: ['owner'] } }),
      'rights of an unknown shape',
    ],
    [
      'the rights of a host on an administrator',
      stored({ principalKind: 'administrator', rights: { subjects: ['user:*'] } }),
      'rights of an unknown shape',
    ],
    [
      'more than a role',
      stored({ principalKind: 'administrator', rights: { roles: ['auditor'], tenants: ['*'] } }),
      'rights of an unknown shape',
    ],
    [
      'one role, as it was written once',
      stored({ principalKind: 'administrator', rights: { role: 'owner' } }),
      'rights of an unknown shape',
    ],
  ])('refuses %s, and tells the caller no more than that', (_what, credential, detail) => {
    const refused = refusal(() => principalOf('t1', credential, PRESENTED, NOW, 7, ADDRESS));
    expect(refused).toMatchObject({ code: 'credentials_invalid', message: 'the key is not valid', detail });
    expect(refused.detail).not.toContain(KEY.secret);
  });

  it('compares the secret in constant time', () => {
    vi.mocked(timingSafeEqual).mockClear();
    const credential = stored();
    principalOf('t1', credential, PRESENTED, NOW, 7, ADDRESS);
    expect(vi.mocked(timingSafeEqual).mock.calls).toEqual([[credential.secrets[0]!.mac, PRESENTED.mac]]);
  });

  it('reads changed rights anew, for a credential that changes is another one', () => {
    const rightsOf = (rights: object) => principalOf('t1', stored({ rights }), PRESENTED, NOW, 7, ADDRESS);
    expect(rightsOf({ explain: true })).toMatchObject({ rights: { explain: true } });
    expect(rightsOf({})).toMatchObject({ rights: { explain: false } });
  });
});
