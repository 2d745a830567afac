import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IssuerDocument } from '../documents/schema.js';
import { parseDocuments } from '../documents/parse.js';
import type { JsonObject } from '../model.js';
import { identityOf, unmetRequirement } from './identity.js';

const TENANT = '8a1f0c6e-0000-4000-8000-00000000000a';
const V2 = `https://login.microsoftonline.com/${TENANT}/v2.0`;

function issuer(members = '', iss = 'https://idp.example.com'): IssuerDocument {
  const text = `{ kind: Issuer, name: company, issuer: '${iss}'${members && `, ${members}`} }`;
  const { documents, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return documents[0]!.document as IssuerDocument;
}

const user = (id: string, type = 'user') => ({ type, id: `company/${id}` });

describe('identityOf', () => {
  it.each<[string, IssuerDocument, JsonObject, unknown]>([
    ['the subject', issuer(), { sub: '1103' }, user('1103')],
    ['another type', issuer('subjectType: service'), { sub: 'a' }, user('a', 'service')],
    ['another claim', issuer('identity: { claim: /ids/0 }'), { sub: 'a', ids: ['b'] }, user('b')],
    ['a slash, which changes nothing', issuer(), { sub: 'a/b' }, user('a/b')],
    ['no such claim', issuer(), { email: 'ann@example.com' }, undefined],
    ['a number', issuer(), { sub: 7 }, undefined],
    ['a list', issuer(), { sub: ['a'] }, undefined],
    ['an empty text', issuer(), { sub: '' }, undefined],
    ['a control character', issuer(), { sub: 'a\u0000' }, undefined],
    ['half of a surrogate pair', issuer(), { sub: '\ud800' }, undefined],
    ['a text that is too long', issuer(), { sub: 'a'.repeat(1024) }, undefined],
    ['Entra v2', issuer('profile: entra', V2), { oid: '3f2c', sub: 'pairwise', tid: TENANT }, user('3f2c')],
    ['Entra v1', issuer('profile: entra', `https://sts.windows.net/${TENANT}/`), { oid: 'o', tid: TENANT }, user('o')],
    ['Entra, in capitals', issuer('profile: entra', V2), { oid: 'o', tid: TENANT.toUpperCase() }, user('o')],
    ['Entra without tid', issuer('profile: entra', V2), { oid: 'o' }, user('o')],
    ['Entra of another directory', issuer('profile: entra', V2), { oid: 'o', tid: 'other' }, undefined],
    ['Entra with an odd tid', issuer('profile: entra', V2), { oid: 'o', tid: 7 }, undefined],
    ['Entra with an empty tid', issuer('profile: entra', V2), { oid: 'o', tid: '' }, undefined],
    ['Entra without oid', issuer('profile: entra', V2), { sub: 'pairwise', tid: TENANT }, undefined],
    ['Okta in an ID token', issuer('profile: okta'), { sub: '00u1' }, user('00u1')],
    ['Okta in an access token', issuer('profile: okta'), { sub: 'ann@example.com', uid: '00u1' }, user('00u1')],
    ['Okta with a login alone', issuer('profile: okta'), { sub: 'ann@example.com' }, undefined],
    ['Okta with an odd uid', issuer('profile: okta'), { sub: 'ann', uid: 7 }, undefined],
    ['Okta of a client', issuer('profile: okta'), { sub: '0oabv6', cid: '0oabv6' }, user('0oabv6')],
    ['a tid elsewhere, which means nothing', issuer(), { sub: 'a', tid: 'x' }, user('a')],
  ])('is by %s', (_name, by, claims, identity) => {
    expect(identityOf(by, claims)).toEqual(identity);
  });

  it('is total, and never the same for two texts', () => {
    const by = issuer();
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const [first, second] = [one, other].map((sub) => identityOf(by, { sub } as JsonObject));
        if (typeof one !== 'string') expect(first).toBeUndefined();
        if (first && second) expect(first.id === second.id).toBe(one === other);
      }),
    );
  });
});

describe('unmetRequirement', () => {
  it.each<[JsonObject, string | undefined]>([
    [{ hd: 'example.com', email_verified: true, aud: ['x', 'y'] }, undefined],
    [{ hd: 'example.org', email_verified: true, aud: ['x'] }, '/hd'],
    [{ hd: 'example.com', email_verified: 'true', aud: ['x'] }, '/email_verified'],
    [{ hd: 'example.com', email_verified: true }, '/aud'],
    [{ hd: 'example.com', email_verified: true, aud: ['y'] }, '/aud'],
  ])('of %j is %s', (claims, claim) => {
    const rules =
      '{ claim: /hd, equals: example.com }, { claim: /email_verified, equals: true }, { claim: /aud, equals: x }';
    expect(unmetRequirement(issuer(`require: [${rules}]`), claims)).toBe(claim);
    expect(unmetRequirement(issuer(), claims)).toBeUndefined();
  });
});
