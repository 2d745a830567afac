import { beforeEach, describe, expect, it } from 'vitest';
import { parseDocuments, type IssuerDocument } from '#policy';
import { answerXml, newKey, posted, sign, type Said } from '../../../../../test/support/saml/answers.js';
import type { Attempt } from '../connector.js';
import { SamlConnector } from './saml-connector.js';
import type { SamlSettings } from './saml-parts.js';

const idp = newKey();
const ours = newKey();
const ENTITY = 'https://placet.example/t/default/saml/company/metadata';
const attempt = (nonce = 'nonce', demand: Attempt['demand'] = { acr: [], maxAge: null }): Attempt => ({
  callback: 'https://placet.example/t/default/sign-in/company/callback',
  secrets: { state: 's', nonce, verifier: 'v' },
  demand,
});

function issuer(signIn: object = {}, over: object = {}): IssuerDocument {
  const document = {
    kind: 'Issuer',
    name: 'company',
    issuer: 'https://idp.example/entity',
    signIn: {
      protocol: 'saml',
      url: 'https://idp.example/sso',
      certificates: [idp.certificate],
      signed: 'assertion',
      ...signIn,
    },
    ...over,
  };
  const { documents, problems } = parseDocuments({ text: JSON.stringify(document) });
  expect(problems).toEqual([]);
  return documents[0]!.document as IssuerDocument;
}

let used: Set<string>;
let until: number;
beforeEach(() => {
  used = new Set();
});

function connector(document = issuer()): SamlConnector {
  return new SamlConnector(document, document.signIn as SamlSettings, {
    entityId: () => ENTITY,
    key: async () => ({ certificate: ours.certificate, privateKey: ours.key }),
    decryptionKeys: async () => [ours.key],
    useOnce: async (mac, end) => {
      until = end;
      const key = mac.toString('hex');
      return !used.has(key) && used.add(key) !== undefined;
    },
    now: () => Date.now(),
  });
}

const answer = (over: Partial<Said> = {}): string =>
  sign(
    answerXml({
      issuer: 'https://idp.example/entity',
      audience: ENTITY,
      recipient: attempt().callback,
      requestId: '_nonce',
      ...over,
    }),
    'Assertion',
    idp,
  );
const received = (xml: string) => ({
  method: 'POST' as const,
  url: new URL(attempt().callback),
  form: new URLSearchParams({ SAMLResponse: posted(xml) }),
});

describe('a sign-in by SAML', () => {
  it('is used once, whatever request the assertion is brought for, and that is remembered for as long as it could be used', async () => {
    const xml = answer();
    await expect(connector().finish(received(xml), attempt())).resolves.toMatchObject({
      subject: { type: 'user', id: 'company/ann-0001' },
      upstreamSession: 's1',
    });
    await expect(connector().finish(received(xml), attempt())).rejects.toMatchObject({
      reason: 'token_invalid',
      message: 'the assertion was used before',
    });
    expect(until).toBeGreaterThan(Date.now() + 360_000 + 60_000);
    // Another answer with the same assertion, as after somebody has seen it.
    const again = xml.replace(/^(<samlp:Response [^>]*ID=")[^"]+/, '$1_another');
    await expect(connector().finish(received(again), attempt())).rejects.toMatchObject({ reason: 'token_invalid' });
    await expect(connector().finish(received(answer()), attempt())).resolves.toMatchObject({ issuer: 'company' });
  });

  it('answers the request of this attempt alone', async () => {
    const url = await connector().begin(attempt('other'));
    expect(url.origin).toBe('https://idp.example');
    await expect(connector().finish(received(answer()), attempt('other'))).rejects.toMatchObject({
      reason: 'token_invalid',
    });
  });

  it('needs an answer by POST', async () => {
    const posted = received(answer());
    for (const other of [
      { ...posted, method: 'GET' as const },
      { method: 'POST' as const, url: posted.url },
    ])
      await expect(connector().finish(other, attempt())).rejects.toMatchObject({ reason: 'response_invalid' });
  });

  it('holds the claims that the document requires against the attributes', async () => {
    const required = issuer({}, { require: [{ claim: '/attributes/company', equals: 'example' }] });
    const of = (company: string) => received(answer({ attributes: { company: ['x', company] } }));
    await expect(connector(required).finish(of('example'), attempt())).resolves.toBeDefined();
    await expect(connector(required).finish(of('other'), attempt())).rejects.toMatchObject({
      reason: 'requirement_unmet',
    });
  });

  it('takes a name and an e-mail address to be shown from where the document says', async () => {
    const attributes = { given: ['Ann'], contact: ['ann@example.com'], mail: ['other@example.com'] };
    const named = issuer({ nameAttribute: 'given', emailAttribute: 'contact' });
    await expect(connector(named).finish(received(answer({ attributes })), attempt())).resolves.toMatchObject({
      name: 'Ann',
      email: 'ann@example.com',
    });
    const usual = { firstName: ['Ann'], lastName: ['Example'], mail: ['ann@example.com'] };
    await expect(connector().finish(received(answer({ attributes: usual })), attempt())).resolves.toMatchObject({
      name: 'Ann Example',
      email: 'ann@example.com',
    });
  });

  it('reads Entra by its profile', async () => {
    const entra = issuer({}, { profile: 'entra' });
    const OBJECT = 'http://schemas.microsoft.com/identity/claims/objectidentifier';
    const xml = answer({ format: null, name: 'ann@example.com', attributes: { [OBJECT]: ['3f2c'] } });
    await expect(connector(entra).finish(received(xml), attempt())).resolves.toMatchObject({
      subject: { id: 'company/3f2c' },
    });
  });
});
