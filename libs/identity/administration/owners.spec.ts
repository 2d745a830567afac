import { describe, expect, it } from 'vitest';
import { DocumentSet, type AnyDocument } from '#policy';
import type { StoredCredential } from '#store';
import { hasOwner } from './owners.js';

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

const documents = (...all: object[]) =>
  DocumentSet.of(all.map((document) => ({ document: document as AnyDocument, version: 1 })));
const bound = (roles: string[], expires?: string) => ({
  kind: 'AdministratorBinding',
  name: 'b',
  to: ['user:entra/1'],
  roles,
  ...(expires === undefined ? {} : { expires }),
});
const heir = { kind: 'AdministratorRole', name: 'heir', inherits: ['owner'] };

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
    ['a binding', [], [bound(['owner'])], true],
    ['a binding by a role that inherits it', [], [heir, bound(['heir'])], true],
    ['a binding that has expired', [], [bound(['owner'], '2026-11-20T12:00:00Z')], false],
    ['a binding that expires', [], [bound(['owner'], '2026-11-20T12:00:01Z')], true],
  ])('%s', (_what, keys, written, expected) => {
    expect(hasOwner(keys.map(key), documents(...written), NOW)).toBe(expected);
  });
});
