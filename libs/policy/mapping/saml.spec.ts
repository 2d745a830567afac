import { describe, expect, it } from 'vitest';
import type { IssuerDocument } from '../documents/schema.js';
import type { JsonObject } from '../model.js';
import { groupsOf } from './groups.js';
import { identityOf } from './identity.js';

const issuer = (over: Partial<IssuerDocument> = {}): IssuerDocument => ({
  kind: 'Issuer',
  name: 'idp',
  issuer: 'https://idp.example/',
  profile: 'generic',
  algorithms: ['RS256'],
  subjectType: 'user',
  keysGoodForSeconds: 0,
  signIn: {
    protocol: 'saml',
    url: 'https://idp.example/sso',
    certificates: ['x'],
    signed: 'response',
    encrypted: false,
    idpInitiated: 'off',
  },
  ...over,
});
const said = (attributes: JsonObject, more: JsonObject = {}): JsonObject => ({
  iss: 'https://idp.example/',
  attributes,
  ...more,
});

const GROUPS = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups';
const LINK = 'http://schemas.microsoft.com/claims/groups.link';
const OBJECT = 'http://schemas.microsoft.com/identity/claims/objectidentifier';
const many = (count: number) => Array.from({ length: count }, (_, index) => `g${index}`);

describe('groups of an assertion', () => {
  it.each<[string, Partial<IssuerDocument>, JsonObject, object | null]>([
    ['are those of the attribute groups', {}, { groups: ['a'] }, { names: ['a'], complete: true }],
    ['are unknown without it', {}, {}, null],
    ['are none where the document says so', { groups: { whenAbsent: 'none' } }, {}, { names: [], complete: true }],
    [
      'of Entra stand elsewhere',
      { profile: 'entra' },
      { [GROUPS]: ['a'], groups: ['b'] },
      { names: ['a'], complete: true },
    ],
    [
      'of Entra are unknown where it links to them',
      { profile: 'entra', groups: { whenAbsent: 'none' } },
      { [LINK]: ['https://graph'] },
      null,
    ],
    [
      'of Entra are incomplete beside a link',
      { profile: 'entra' },
      { [GROUPS]: ['a'], [LINK]: ['https://graph'] },
      { names: ['a'], complete: false },
    ],
    [
      'of Entra are complete below 150',
      { profile: 'entra' },
      { [GROUPS]: many(149) },
      { names: many(149), complete: true },
    ],
    [
      'of Entra are incomplete from 150 on',
      { profile: 'entra' },
      { [GROUPS]: many(150) },
      { names: many(150), complete: false },
    ],
    [
      'of Google are those of the attribute',
      { profile: 'google' },
      { groups: ['a'] },
      { names: ['a'], complete: true },
    ],
  ])('%s', (_what, over, attributes, expected) => {
    expect(groupsOf(issuer(over), said(attributes))).toEqual(expected);
  });
});

describe('the identity of an assertion', () => {
  it.each<[string, Partial<IssuerDocument>, JsonObject, string | undefined]>([
    ['is the persistent name', {}, said({}, { sub: 'ann' }), 'idp/ann'],
    ['is nothing without one', {}, said({}, { name_id: { value: 'ann', format: null } }), undefined],
    ['of Entra is its object', { profile: 'entra' }, said({ [OBJECT]: ['3f'] }, { sub: 'ann' }), 'idp/3f'],
    ['of Entra is not its name', { profile: 'entra' }, said({}, { sub: 'ann' }), undefined],
    ['is the only value of an attribute', { identity: { claim: '/attributes/id/0' } }, said({ id: ['7'] }), 'idp/7'],
    ['is none of several values', { identity: { claim: '/attributes/id/0' } }, said({ id: ['7', '8'] }), undefined],
    ['of Okta is no login', { profile: 'okta' }, said({}, { sub: 'ann@example.com' }), undefined],
  ])('%s', (_what, over, claims, expected) => {
    expect(identityOf(issuer(over), claims)?.id).toBe(expected);
  });
});
