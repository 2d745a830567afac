import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IssuerDocument } from '../documents/schema.js';
import { parseDocuments } from '../documents/parse.js';
import type { JsonObject } from '../model.js';
import { groupsOf } from './groups.js';

/** An Issuer as a file would have it, of these members and the ones that it needs. */
function issuer(members = ''): IssuerDocument {
  const text = `{ kind: Issuer, name: company, issuer: 'https://idp.example.com'${members && `, ${members}`} }`;
  const { documents, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return documents[0]!.document as IssuerDocument;
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `g${index}`);
const all = (...names: string[]) => ({ names, complete: true });

// Claims in the shapes that providers send, with the members that do not matter left out.
const ENTRA_V1 = { ver: '1.0', iss: 'https://sts.windows.net/8a1f/', tid: '8a1f', oid: '3f2c', upn: 'ann@example.com' };
const ENTRA_V2 = { ver: '2.0', iss: 'https://login.microsoftonline.com/8a1f/v2.0', tid: '8a1f', oid: '3f2c' };
const OVERAGE = {
  _claim_names: { groups: 'src1' },
  _claim_sources: { src1: { endpoint: 'https://graph.windows.net/8a1f/users/3f2c/getMemberObjects' } },
};
const OKTA = { iss: 'https://example.okta.com/oauth2/default', uid: '00u1', sub: 'ann@example.com', scp: ['openid'] };
const GOOGLE = { iss: 'https://accounts.google.com', sub: '1103', hd: 'example.com', email: 'ann@example.com' };
const KEYCLOAK = {
  iss: 'https://kc.example.com/realms/company',
  aud: 'account',
  realm_access: { roles: ['offline_access'] },
  resource_access: { account: { roles: ['manage-account'] } },
};
const COGNITO = { 'cognito:groups': ['eu-west-1_Sales'], token_use: 'access', client_id: '7ab' };
const AUTH0 = { iss: 'https://company.eu.auth0.com/', 'https://example.com/roles': ['sales'] };

describe('groupsOf', () => {
  it.each<[string, string, JsonObject, unknown]>([
    ['Entra v1', 'profile: entra', { ...ENTRA_V1, groups: ['4f1c', '9a0b'] }, all('4f1c', '9a0b')],
    ['Entra v2', 'profile: entra', { ...ENTRA_V2, groups: ['4f1c'] }, all('4f1c')],
    ['Entra without the claim', 'profile: entra', ENTRA_V2, null],
    ['Entra without, said to be none', 'profile: entra, groups: { whenAbsent: none }', ENTRA_V2, all()],
    ['Entra with 200', 'profile: entra', { ...ENTRA_V2, groups: numbered(200) }, all(...numbered(200))],
    ['Entra overage', 'profile: entra', { ...ENTRA_V2, ...OVERAGE }, null],
    ['Entra overage, said none', 'profile: entra, groups: { whenAbsent: none }', { ...ENTRA_V2, ...OVERAGE }, null],
    ['Entra hasgroups', 'profile: entra, groups: { whenAbsent: none }', { ...ENTRA_V1, hasgroups: true }, null],
    [
      'Entra hasgroups as text',
      'profile: entra, groups: { whenAbsent: none }',
      { ...ENTRA_V1, hasgroups: 'true' },
      null,
    ],
    [
      'Entra hasgroups: false',
      'profile: entra, groups: { whenAbsent: none }',
      { ...ENTRA_V1, hasgroups: false },
      all(),
    ],
    [
      'Entra with some, and more elsewhere',
      'profile: entra',
      { ...ENTRA_V2, ...OVERAGE, groups: ['4f1c'] },
      { names: ['4f1c'], complete: false },
    ],
    [
      'Entra app roles beside an overage',
      'profile: entra, groups: { claim: /roles }',
      { ...OVERAGE, roles: ['a'] },
      all('a'),
    ],
    ['a marker of an unexpected shape', 'groups: { whenAbsent: none }', { _claim_names: 'groups' }, null],
    ['Okta', 'profile: okta', { ...OKTA, groups: ['Everyone', 'Sales EMEA'] }, all('Everyone', 'Sales EMEA')],
    ['Okta with 99', 'profile: okta', { ...OKTA, groups: numbered(99) }, all(...numbered(99))],
    ['Okta with 100', 'profile: okta', { ...OKTA, groups: numbered(100) }, { names: numbered(100), complete: false }],
    [
      'Okta, 100 with one twice',
      'profile: okta',
      { groups: [...numbered(99), 'g0'] },
      { names: numbered(99), complete: false },
    ],
    [
      'Okta, otherwise cut',
      'profile: okta, groups: { truncatedAt: 2 }',
      { groups: ['a', 'b'] },
      { names: ['a', 'b'], complete: false },
    ],
    ['Okta without the claim', 'profile: okta', OKTA, null],
    ['others are not cut', '', { groups: numbered(100) }, all(...numbered(100))],
    ['Google', 'profile: google', GOOGLE, null],
    ['Google, said to be none', 'profile: google, groups: { whenAbsent: none }', GOOGLE, null],
    ['Google with a claim that is not its own', 'profile: google', { ...GOOGLE, groups: ['a'] }, null],
    [
      'Google by a proxy that adds them',
      'profile: google, groups: { claim: /groups }',
      { ...GOOGLE, groups: ['a'] },
      all('a'),
    ],
    [
      'Keycloak, whole paths',
      'profile: keycloak',
      { ...KEYCLOAK, groups: ['/org/team', '/other/team'] },
      all('/org/team', '/other/team'),
    ],
    [
      'Keycloak, realm roles',
      'profile: keycloak, groups: { claim: /realm_access/roles }',
      KEYCLOAK,
      all('offline_access'),
    ],
    [
      'Keycloak, client roles',
      'profile: keycloak, groups: { claim: /resource_access/account/roles, prefix: "kc:" }',
      KEYCLOAK,
      all('kc:manage-account'),
    ],
    ['Cognito', "groups: { claim: '/cognito:groups' }", COGNITO, all('eu-west-1_Sales')],
    ['Auth0', 'groups: { claim: "/https:~1~1example.com~1roles", prefix: "auth0/" }', AUTH0, all('auth0/sales')],
    ['a prefix', 'groups: { prefix: "x/" }', { groups: ['a', 'b', 'a'] }, all('x/a', 'x/b')],
    ['an empty list', '', { groups: [] }, all()],
    ['one text', '', { groups: 'admins' }, null],
    ['null', 'groups: { whenAbsent: none }', { groups: null }, null],
    ['an object', '', { groups: { a: true } }, null],
    ['an element that is no text', '', { groups: ['a', 1] }, null],
    ['an empty name', 'groups: { prefix: "x/" }', { groups: [''] }, null],
    ['a control character', '', { groups: ['a\n'] }, null],
    ['half of a surrogate pair', '', { groups: ['\ud800'] }, null],
    ['a name that is too long', '', { groups: ['a'.repeat(1025)] }, null],
    ['an inherited member', 'groups: { claim: /constructor, whenAbsent: none }', {}, all()],
  ])('of %s', (_name, members, claims, groups) => {
    expect(groupsOf(issuer(members), claims)).toEqual(groups);
  });

  it('is total, and never says that all are known where something was left out', () => {
    const issuers = ['', 'profile: entra', 'profile: okta', 'profile: google, groups: { whenAbsent: none }'].map(
      issuer,
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...issuers),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.jsonValue(),
        (one, rest, groups) => {
          const found = groupsOf(one, { ...rest, groups } as JsonObject);
          const isList = Array.isArray(groups) && groups.every((name) => typeof name === 'string');
          if (!isList) expect(found).toBeNull();
          expect(groupsOf(one, { ...rest, _claim_names: { groups: 'x' } })?.complete).not.toBe(true);
        },
      ),
    );
  });
});
