import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newKey } from '../../../test/support/saml/answers.js';
import { parseDocuments } from './parse.js';

const PEM = newKey().certificate;
const signIn = (over: object = {}) => ({
  protocol: 'saml',
  url: 'https://idp.example/sso',
  certificates: [PEM],
  ...over,
});
const problems = (document: object): string[] =>
  parseDocuments({
    text: JSON.stringify({ kind: 'Issuer', name: 'i', issuer: 'https://idp.example/', ...document }),
  }).problems.map(({ path, message }) => `${path}: ${message}`);

describe('an Issuer of SAML', () => {
  it.each(['https://idp.example/', 'http://www.okta.com/exk1', 'urn:example:idp', 'https://idp.example/?id=1'])(
    'may be %s',
    (issuer) => expect(problems({ issuer, signIn: signIn() })).toEqual([]),
  );

  it.each(['idp', 'https://idp.example/ x', 'https://idp.example/<id>', ''])('may not be %s', (issuer) => {
    expect(problems({ issuer, signIn: signIn() })[0]).toMatch(/^issuer: /);
  });

  it('is filled in by what is safe', () => {
    const [document] = parseDocuments({
      text: JSON.stringify({ kind: 'Issuer', name: 'i', issuer: 'urn:i', signIn: signIn() }),
    }).documents;
    expect(document!.document).toMatchObject({
      signIn: { signed: 'response', encrypted: false, idpInitiated: 'off' },
    });
  });

  it.each<[string, object, string]>([
    ['tokens', { subjectTokens: { audiences: ['a'] } }, 'subjectTokens'],
    ['workloads', { workloads: {} }, 'workloads'],
    ['keys by an address', { jwksUri: 'https://idp.example/keys' }, 'jwksUri'],
    ['an identity by name', { identity: { claim: '/attributes/employee' } }, 'identity.claim'],
    ['an identity that is one of several', { identity: { claim: '/attributes/employee/1' } }, 'identity.claim'],
    ['an identity that can be given to others', { identity: { claim: '/attributes/mail/0' } }, 'identity.claim'],
    ['the name as it is for others', { identity: { claim: '/name_id/value' } }, 'identity.claim'],
    ['no certificate', { signIn: signIn({ certificates: [] }) }, 'signIn.certificates'],
    ['two certificates in one', { signIn: signIn({ certificates: [PEM + PEM] }) }, 'signIn.certificates.0'],
    [
      'a certificate that is none',
      { signIn: signIn({ certificates: [PEM.replace('MII', 'AII')] }) },
      'signIn.certificates.0',
    ],
    ['a key alone', { signIn: signIn({ certificates: [publicKey()] }) }, 'signIn.certificates.0'],
    ['a short key', { signIn: signIn({ certificates: [newKey(1024).certificate] }) }, 'signIn.certificates.0'],
    ['an address without TLS', { signIn: signIn({ url: 'http://idp.example/sso' }) }, 'signIn.url'],
    ['members of OpenID Connect', { signIn: signIn({ clientId: 'c' }) }, 'signIn.clientId'],
    ['no signature', { signIn: signIn({ signed: 'none' }) }, 'signIn.signed'],
    ['another protocol', { signIn: signIn({ protocol: 'wsfed' }) }, 'signIn.protocol'],
  ])('may not have %s', (_what, document, path) => {
    expect(problems({ signIn: signIn(), ...document }).map((problem) => problem.split(':')[0])).toContain(path);
  });
});

const publicKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
