import { describe, expect, it } from 'vitest';
import {
  answerXml,
  encryptAssertion,
  encryptXml,
  newKey,
  posted,
  sign,
  type Said,
} from '../../test/support/saml/answers.js';
import { EVIL, wrapped, wrappedAround, WRAPPINGS } from '../../test/support/saml/wrappings.js';
import { SamlRefused } from './saml-refused.js';
import { verifyResponse, type Verification } from './verify-response.js';

const idp = newKey();
const ours = newKey();
const said: Said = {
  issuer: 'https://idp.example/entity',
  audience: 'https://placet.example/t/default/saml/company/metadata',
  recipient: 'https://placet.example/t/default/sign-in/company/callback',
  requestId: '_request',
};
const wanted = (over: Partial<Verification> = {}): Verification => ({
  issuer: said.issuer,
  audience: said.audience,
  recipient: said.recipient,
  requestId: '_request',
  now: Date.now(),
  certificates: [idp.certificate],
  signedResponses: false,
  encrypted: false,
  decryptionKeys: [ours.key],
  ...over,
});

type Signed = 'assertion' | 'response' | 'both';
const SIGNED: readonly Signed[] = ['assertion', 'response', 'both'];

const signedAssertion = (signed: Signed): string =>
  signed === 'response' ? answerXml(said) : sign(answerXml(said), 'Assertion', idp);
const outside = (signed: Signed, xml: string): string => (signed === 'assertion' ? xml : sign(xml, 'Response', idp));

/** What came of an answer: who was signed in, or the fault. */
async function outcome(xml: string, over: Partial<Verification> = {}): Promise<string> {
  try {
    return `signed in ${(await verifyResponse(posted(xml), wanted(over))).persistentId}`;
  } catch (error) {
    if (error instanceof SamlRefused) return `${error.fault}: ${error.message}`;
    throw error;
  }
}

describe('an answer as it should be', () => {
  it.each(SIGNED.filter((signed) => signed !== 'response'))('signs in, signed: %s', async (signed) => {
    const signedResponses = signed === 'both';
    expect(await outcome(outside(signed, signedAssertion(signed)), { signedResponses })).toBe('signed in ann-0001');
    const sealed = await encryptAssertion(signedAssertion(signed), ours.certificate);
    expect(await outcome(outside(signed, sealed), { signedResponses, encrypted: true })).toBe('signed in ann-0001');
  });

  it('is refused where the assertion itself is not signed', async () => {
    const xml = outside('response', signedAssertion('response'));
    expect(await outcome(xml, { signedResponses: true })).toBe('shape: the saml:Assertion is not signed');
  });
});

describe.each(Object.keys(WRAPPINGS))('%s', (name) => {
  const wrapping = WRAPPINGS[name]!;

  describe.each(SIGNED)('signed: %s', (signed) => {
    const signedResponses = signed !== 'assertion';

    it('goes no further than our own look at its shape, in the open', async () => {
      const xml = wrapped(outside(signed, signedAssertion(signed)), wrapping);
      expect(xml).toContain(EVIL);
      expect(await outcome(xml, { signedResponses })).toMatch(/^shape: /);
    });

    it('nor does somebody else in the open beside an encrypted assertion', async () => {
      const sealed = outside(signed, await encryptAssertion(signedAssertion(signed), ours.certificate));
      const xml = wrappedAround(sealed, answerXml({ ...said, name: EVIL }), wrapping);
      expect(xml).toContain(EVIL);
      expect(await outcome(xml, { signedResponses })).toMatch(/^shape: /);
    });

    it('nor when it was encrypted for us as it is', async () => {
      const xml = wrapped(signedAssertion(signed), wrapping);
      const [inner] = /<saml:Assertion [^]*<\/saml:Assertion>/.exec(xml)!;
      const open = inner.replace(
        /^<saml:Assertion /,
        '<saml:Assertion xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ',
      );
      const data = await encryptXml(open, ours.certificate);
      const around = answerXml({ ...said, name: EVIL }).replace(
        /<saml:Assertion [^]*<\/saml:Assertion>/,
        () => `<saml:EncryptedAssertion>${data}</saml:EncryptedAssertion>`,
      );
      expect(await outcome(outside(signed, around), { signedResponses })).toMatch(/^(shape|signature): /);
    });
  });
});
