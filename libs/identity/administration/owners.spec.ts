import { describe, expect, it } from 'vitest';
import { PolicySet, type AnyDocument } from '#policy';
import type { StoredCredential } from '#store';
import { hasOwner, ownersOf } from './owners.js';

const NOW = Date.parse('2026-11-20T12:00:00Z');

const key = (over: Partial<StoredCredential>): StoredCredential => ({
  id: 'k',
  kind: 'api_key',
  principalKind: 'administrator',
  principal: 'ann',
  environment: 'test',
  rights: { roles: ['owner'] },
  expiresAt: null,
  disabled: false,
  cidrs: null,
  jwks: null,
  issuer: null,
  subject: null,
  secrets: [],
  ...over,
});

const bound = (roles: string[], over: object = {}) => ({
  kind: 'AdministratorBinding',
  name: 'b',
  to: ['user:entra/1'],
  roles,
  ...over,
});
const heir = { kind: 'AdministratorRole', name: 'heir', inherits: ['owner'] };
const issuer = (over: object = {}) => ({
  kind: 'Issuer',
  name: 'entra',
  issuer: 'https://login.example',
  subjectType: 'user',
  signIn: { clientId: 'placet' },
  ...over,
});
const suspension = (of: string, name: string) => ({ kind: 'Suspension', of, name });
const subject = (aliases: object[]) => ({ kind: 'Subject', type: 'user', id: 'ann', aliases });

const ANN = subject([{ type: 'user', id: 'entra/1' }]);
const MAPPING = {
  kind: 'Mapping',
  name: 'm',
  issuer: 'entra',
  rules: [{ name: 'r', when: 'always', administration: ['owner'] }],
};

const owning = (keys: Partial<StoredCredential>[], documents: object[]) => ({
  credentials: keys.map(key),
  policies: PolicySet.of(documents.map((document) => ({ document: document as AnyDocument, version: 1 }))),
});

describe('whether there is an owner', () => {
  it.each<[string, Partial<StoredCredential>[], object[], boolean]>([
    ['nobody', [], [], false],
    ['a key', [{}], [], true],
    ['a key by a role that inherits it', [{ rights: { roles: ['heir'] } }], [heir], true],
    ['a key by a role that is gone', [{ rights: { roles: ['heir'] } }], [], false],
    ['a disabled key', [{ disabled: true }], [], false],
    ['an expired key', [{ expiresAt: NOW }], [], false],
    ['a key that expires', [{ expiresAt: NOW + 1 }], [], true],
    ['an auditor', [{ rights: { roles: ['auditor'] } }], [], false],
    ['a key as they were once', [{ rights: { role: 'owner' } }], [], false],
    ['a host that says so', [{ principalKind: 'host' }], [], false],
    ['a key where the tenant has stopped itself', [{}], [suspension('Tenant', 'default')], true],
    ['a binding', [], [issuer(), bound(['owner'])], true],
    [
      'a binding where the tenant has stopped itself',
      [],
      [issuer(), bound(['owner']), suspension('Tenant', 'default')],
      true,
    ],
    ['a binding by a role that inherits it', [], [issuer(), heir, bound(['heir'])], true],
    ['a binding to less', [], [issuer(), bound(['auditor'])], false],
    ['a binding that has expired', [], [issuer(), bound(['owner'], { expires: '2026-11-20T12:00:00Z' })], false],
    ['a binding that expires', [], [issuer(), bound(['owner'], { expires: '2026-11-20T12:00:01Z' })], true],
    ['a binding of an Issuer that is not there', [], [bound(['owner'])], false],
    ['a binding of an Issuer of another name', [], [issuer({ name: 'entr' }), bound(['owner'])], false],
    ['a binding of an Issuer that nobody signs in by', [], [issuer({ signIn: undefined }), bound(['owner'])], false],
    ['a binding of another type of subject', [], [issuer({ subjectType: 'robot' }), bound(['owner'])], false],
    ['a binding to nobody of an Issuer', [], [issuer(), bound(['owner'], { to: ['user:entra/'] })], false],
    ['a binding to an Issuer', [], [issuer(), bound(['owner'], { to: ['user:entra'] })], false],
    [
      'a binding to a name without an Issuer',
      [],
      [issuer({ name: 'ann' }), bound(['owner'], { to: ['user:ann'] })],
      false,
    ],
    ['a binding to an alias', [], [issuer(), ANN, bound(['owner'], { to: ['user:ann'] })], false],
    ['a binding to a group', [], [issuer(), bound(['owner'], { to: ['group:entra/admins'] })], false],
    [
      'a binding to several, of whom one can sign in',
      [],
      [issuer(), bound(['owner'], { to: ['group:a', 'user:entra/2'] })],
      true,
    ],
    ['a Mapping', [], [issuer(), MAPPING], false],
    [
      'a binding to somebody who is suspended',
      [],
      [issuer(), bound(['owner']), suspension('Subject', 'user:entra/1')],
      false,
    ],
    [
      'a binding to somebody suspended by another name',
      [],
      [issuer(), ANN, bound(['owner']), suspension('Subject', 'user:ann')],
      false,
    ],
    [
      'a binding to somebody suspended by an alias',
      [],
      [
        issuer(),
        subject([...ANN.aliases, { type: 'mail', id: 'a@b.example' }]),
        bound(['owner']),
        suspension('Subject', 'mail:a@b.example'),
      ],
      false,
    ],
    [
      'a binding where others are suspended',
      [],
      [issuer(), bound(['owner']), suspension('Subject', 'user:entra/2')],
      true,
    ],
  ])('%s', (_what, keys, written, expected) => {
    const given = owning(keys, written);
    expect(hasOwner(given, NOW)).toBe(expected);
    expect([...ownersOf(given, NOW)].length > 0).toBe(expected);
  });

  it('says who they are', () => {
    const given = owning([{}, { id: 'l', disabled: true }], [issuer(), bound(['owner'])]);
    expect([...ownersOf(given, NOW)]).toEqual(['key:k', 'user:entra/1']);
  });
});
