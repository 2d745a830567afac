import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newKey } from '../../test/support/saml/answers.js';
import { all, parse } from '../../test/support/saml/xml.js';
import { authnRequestUrl } from './authn-request.js';
import { readProviderMetadata } from './provider-metadata.js';
import { SamlRefused } from './saml-refused.js';
import { selfSigned } from './self-signed.js';
import { serviceMetadata } from './service-metadata.js';

const one = newKey();
const two = newKey();
const bare = (pem: string): string => pem.replace(/-----[^-]+-----|\s/g, '');

describe('a certificate of our own', () => {
  it.each([
    ['of this century', Date.UTC(2026, 10, 22), Date.UTC(2046, 10, 22)],
    ['that lasts beyond 2049', Date.UTC(2049, 0, 1), Date.UTC(2055, 0, 1)],
  ])('is read by others: %s', (_what, from, to) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = selfSigned(publicKey, privateKey, { commonName: 'Placet', serial: Buffer.from([0, 1, 2]), from, to });
    const certificate = new X509Certificate(pem);
    expect(certificate.subject).toBe('CN=Placet');
    expect(certificate.issuer).toBe('CN=Placet');
    expect(certificate.validFromDate.getTime()).toBe(from);
    expect(certificate.validToDate.getTime()).toBe(to);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
  });
});

describe('our metadata', () => {
  const xml = serviceMetadata({
    entityId: 'https://placet.example/t/a&b/saml/idp/metadata',
    recipient: 'https://placet.example/t/a&b/sign-in/idp/callback',
    signing: [one.certificate, two.certificate],
    encryption: one.certificate,
    persistentName: true,
  });
  const root = parse(xml).documentElement;

  it('has both keys that sign, and the one to encrypt for', () => {
    const keys = all(root, 'KeyDescriptor').map((each) => [
      each.getAttribute('use'),
      all(each, 'X509Certificate')[0]!.textContent,
    ]);
    expect(keys).toEqual([
      ['signing', bare(one.certificate)],
      ['signing', bare(two.certificate)],
      ['encryption', bare(one.certificate)],
    ]);
  });

  it('says where answers go, what is signed, and which name is wanted', () => {
    expect(root.getAttribute('entityID')).toBe('https://placet.example/t/a&b/saml/idp/metadata');
    const [service] = all(root, 'AssertionConsumerService');
    expect(service!.getAttribute('Location')).toBe('https://placet.example/t/a&b/sign-in/idp/callback');
    expect(service!.getAttribute('Binding')).toBe('urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST');
    const [descriptor] = all(root, 'SPSSODescriptor');
    expect(descriptor!.getAttribute('AuthnRequestsSigned')).toBe('true');
    expect(descriptor!.getAttribute('WantAssertionsSigned')).toBe('true');
    expect(all(root, 'NameIDFormat').map((each) => each.textContent)).toEqual([
      'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    ]);
  });
});

const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const key = (use: string, pem: string): string =>
  `<md:KeyDescriptor${use}><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>\n${bare(pem)}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`;
const entity = (id: string, inner: string): string =>
  `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${id}">${inner}</md:EntityDescriptor>`;
const idp = (keys: string, binding = REDIRECT): string =>
  `<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${keys}<md:SingleSignOnService Binding="${binding}" Location="https://idp.example/sso?a=1&amp;b=2"/></md:IDPSSODescriptor>`;

describe('metadata of an identity provider', () => {
  it('comes to what a document needs', () => {
    const keys =
      key(' use="signing"', one.certificate) +
      key('', two.certificate) +
      key(' use="signing"', one.certificate) +
      key(' use="encryption"', newKey().certificate);
    expect(
      readProviderMetadata(`<?xml version="1.0"?><!-- of the company -->${entity('https://idp.example/', idp(keys))}`),
    ).toEqual({
      entityId: 'https://idp.example/',
      url: 'https://idp.example/sso?a=1&b=2',
      certificates: [one, two].map(({ certificate }) => ({
        pem: certificate.trim(),
        sha256: createHash('sha256')
          .update(Buffer.from(bare(certificate), 'base64'))
          .digest('hex'),
        validUntil: new X509Certificate(certificate).validToDate.toISOString(),
      })),
    });
  });

  it('of several is that of the one that is named', () => {
    const both = ['a', 'b'].map((name) => entity(`https://${name}.example/`, idp(key('', one.certificate)))).join('');
    const xml = `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${both}</md:EntitiesDescriptor>`;
    expect(() => readProviderMetadata(xml)).toThrow('name one of https://a.example/, https://b.example/');
    expect(readProviderMetadata(xml, 'https://b.example/').entityId).toBe('https://b.example/');
    expect(() => readProviderMetadata(xml, 'https://c.example/')).toThrow(SamlRefused);
  });

  it.each([
    ['none', '<x/>', 'describes no identity provider'],
    [
      'that of a service provider',
      entity('https://sp.example/', '<md:SPSSODescriptor/>'),
      'describes no identity provider',
    ],
    ['without a key', entity('https://idp.example/', idp('')), 'no certificate'],
    ['with a key that is none', entity('https://idp.example/', idp(key('', 'AAAA'))), 'cannot be read'],
    ['without our binding', entity('https://idp.example/', idp(key('', one.certificate), 'urn:x')), 'HTTP-Redirect'],
    [
      'with a document type',
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${entity('&e;', '')}`,
      'a document type',
    ],
  ])('that is %s is refused', (_what, xml, message) => {
    expect(() => readProviderMetadata(xml)).toThrow(message);
  });
});

describe('a request', () => {
  const request = {
    destination: 'https://idp.example/sso?app=1',
    issuer: 'https://placet.example/sp',
    recipient: 'https://placet.example/callback',
    id: '_abc',
    force: false,
    contextClasses: [],
    persistentName: true,
    key: one.key,
  };

  it('is signed over its query, and keeps that of the address', async () => {
    const url = await authnRequestUrl(request);
    const query = url.search.slice(1).split('&');
    expect(query.map((part) => part.split('=')[0])).toEqual(['app', 'SAMLRequest', 'SigAlg', 'Signature']);
    const verifier = (await import('node:crypto')).createVerify('RSA-SHA256').update(query.slice(1, 3).join('&'));
    const publicKey = createPublicKey(createPrivateKey(one.key));
    expect(verifier.verify(publicKey, url.searchParams.get('Signature')!, 'base64')).toBe(true);
    expect(url.searchParams.get('SigAlg')).toBe('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256');
  });
});
