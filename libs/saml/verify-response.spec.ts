import { describe, expect, it } from 'vitest';
import {
  answerXml,
  encryptAssertion,
  newKey,
  posted,
  sign,
  type Said,
  type Signing,
} from '../../test/support/saml/answers.js';
import { all, one, parse } from '../../test/support/saml/xml.js';
import { isUnsolicited } from './guard.js';
import { SamlRefused } from './saml-refused.js';
import { verifyResponse, type Verification, type VerifiedResponse } from './verify-response.js';

const idp = newKey();
const nextOfIdp = newKey();
const stranger = newKey();
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
const signed = (over: Partial<Said> = {}, how: Signing = {}): string =>
  sign(answerXml({ ...said, ...over }), 'Assertion', idp, how);

const verified = (xml: string, over: Partial<Verification> = {}): Promise<VerifiedResponse> =>
  verifyResponse(posted(xml), wanted(over));

async function refused(post: string, over: Partial<Verification> = {}): Promise<string> {
  try {
    const { persistentId } = await verifyResponse(post, wanted(over));
    return `signed in ${persistentId}`;
  } catch (error) {
    if (error instanceof SamlRefused) return `${error.fault}: ${error.message}`;
    throw error;
  }
}
const fault = (xml: string, over: Partial<Verification> = {}): Promise<string> => refused(posted(xml), over);

const NAME = 'ann-0001';

const numbered = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join('');

describe('what XML readers come apart by', () => {
  it.each<[string, (xml: string) => string, string]>([
    [
      'a comment in a name',
      (xml) => xml.replace(NAME, 'ann<!-- -->-0001'),
      'it has a document type, a comment or CDATA',
    ],
    [
      'a comment in a digest',
      (xml) => xml.replace('<DigestValue>', '<DigestValue><!--A-->'),
      'it has a document type, a comment or CDATA',
    ],
    ['CDATA', (xml) => xml.replace(NAME, `<![CDATA[${NAME}]]>`), 'it has a document type, a comment or CDATA'],
    [
      'a document type',
      (xml) => `<!DOCTYPE r [<!ENTITY e "${NAME}">]>${xml.replace(NAME, '&e;')}`,
      'it has a document type, a comment or CDATA',
    ],
    ['an entity of nobody', (xml) => xml.replace(NAME, '&e;'), 'it has an entity of its own'],
    ['a processing instruction', (xml) => xml.replace(NAME, 'ann<?x y?>-0001'), 'it has a processing instruction'],
    ['another encoding', (xml) => `<?xml version="1.0" encoding="UTF-7"?>${xml}`, 'it has a processing instruction'],
    ['a control character', (xml) => xml.replace(NAME, 'ann\u0001-0001'), 'it has characters that XML has not'],
    ['two roots', (xml) => `${xml}${xml}`, 'it is no'],
    ['text before the root', (xml) => `text &e; ${xml}`, 'it is no XML: it does not begin with a tag'],
    ['text after the root', (xml) => `${xml}text`, 'it is no'],
    ['an attribute twice', (xml) => xml.replace('Version="2.0"', 'Version="2.0" Version="2.0"'), 'it is no XML'],
    ['no quotes', (xml) => xml.replace('Version="2.0"', 'Version=2.0'), 'it is no XML'],
    ['an end that is missing', (xml) => xml.replace('</saml:Subject>', ''), 'it is no XML'],
    ['too much', (xml) => xml.replace(NAME, 'a'.repeat(257 * 1024)), 'it has more than 262144 bytes'],
    [
      'an end without a beginning',
      (xml) => xml.replace('</saml:Subject>', '</saml:Subject></saml:Subject>'),
      'it is no XML: an end is not that',
    ],
    ['an end of something else', (xml) => xml.replace('</saml:Subject>', '</saml:subject>'), 'it is no XML: an end'],
    ['an end with more in it', (xml) => xml.replace('</saml:Subject>', '</saml:Subject/>'), 'it is no XML: an end'],
    ['a beginning at the end', (xml) => `${xml}<x>`, 'it is no XML: it is cut off'],
    ['a sign in an attribute', (xml) => xml.replace('Version="2.0"', 'Version="<2.0"'), 'it is no XML: a tag'],
    [
      'too many elements',
      (xml) => xml.replace('</saml:Conditions>', `${'<saml:Audience/>'.repeat(2001)}</saml:Conditions>`),
      'it is too large or too deep',
    ],
    [
      'elements too deep in each other',
      (xml) => xml.replace('<saml:Conditions', `${'<x>'.repeat(30)}${'</x>'.repeat(30)}<saml:Conditions`),
      'it is too large or too deep',
    ],
    [
      'many attributes',
      (xml) => xml.replace('<saml:Conditions', `<saml:Conditions${numbered(33, (each) => ` a${each}=""`)}`),
      'it is no XML: a tag is not one',
    ],
    [
      'many namespaces',
      (xml) => xml.replace('<saml:Conditions', `<saml:Conditions${numbered(33, (each) => ` xmlns:a${each}="u:1"`)}`),
      'it is no XML: a tag is not one',
    ],
    ...['0', '1', '11', '127', 'x0', 'x1f', 'xD800', 'xdfff', 'xFFFE', '65535', 'x110000', '9999999'].map(
      (number): [string, (xml: string) => string, string] => [
        `a character that there is not, by its number ${number}`,
        (xml) => xml.replace(NAME, `${NAME}&#${number};`),
        'it has characters that XML has not',
      ],
    ),
    [
      'a relative namespace',
      (xml) => xml.replace('<saml:Subject>', '<saml:Subject xmlns:x="1">'),
      'it has a namespace that is no absolute URI',
    ],
    [
      'a namespace taken back',
      (xml) => xml.replace('<saml:Subject>', '<saml:Subject xmlns="">'),
      'it has a namespace that is no absolute URI',
    ],
  ])('%s', async (_what, change, message) => {
    expect(await fault(change(signed()))).toContain(`shape: ${message}`);
  });

  it.each([
    ['bytes that are not UTF-8', Buffer.from(signed().replace(NAME, 'ann\u00e9'), 'latin1').toString('base64')],
    ['another alphabet', posted(signed()).replace(/.$/, '-')],
    ['a text that is cut off', posted(signed()).slice(0, -1)],
    ['nothing', ''],
    ['too much to look at', 'A'.repeat(400_000)],
  ])('%s', async (_what, post) => {
    expect(await refused(post)).toMatch(/^shape: /);
  });

  it('a name with characters by their numbers is that name', async () => {
    const xml = sign(answerXml(said).replace(NAME, 'ann-&#48;&#x30;01'), 'Assertion', idp);
    expect(await fault(xml)).toBe('signed in ann-0001');
  });

  it('a declaration, white space and line ends of others are fine', async () => {
    const xml = sign(answerXml(said).replace('><saml:Conditions', '>\r\n  <saml:Conditions'), 'Assertion', idp);
    const post = posted(`<?xml version="1.0" encoding="UTF-8"?>\r\n${xml}`).replace(/.{76}/g, '$&\r\n');
    expect(await refused(post)).toBe('signed in ann-0001');
  });
});

describe('ids', () => {
  it.each<[string, (xml: string) => string]>([
    ['two of the same', (xml) => xml.replace('<saml:Conditions', `<saml:Conditions ID="${idOf(xml)}"`)],
    ['one of the same by another name', (xml) => xml.replace('<saml:Conditions', `<saml:Conditions Id="${idOf(xml)}"`)],
    ['one of the same by xml:id', (xml) => xml.replace('<saml:Conditions', `<saml:Conditions xml:id="${idOf(xml)}"`)],
  ])('%s', async (_what, change) => {
    expect(await fault(change(signed()))).toBe('shape: two of its elements have the same id');
  });

  it('one with a quote', async () => {
    const xml = signed().replaceAll(idOf(signed()), 'x');
    expect(
      await fault(xml.replace(/ID="_[0-9a-f]+" Version="2.0" IssueInstant/, `ID="a'b" Version="2.0" IssueInstant`)),
    ).toBe('shape: it has an id that is no name');
  });
});

const idOf = (xml: string): string => one(parse(xml).documentElement, 'Assertion').getAttribute('ID');

describe('the shape', () => {
  it.each<[string, (xml: string) => string, string]>([
    [
      'extensions without anything',
      (xml) => xml.replace('<samlp:Status>', '<samlp:Extensions/><samlp:Status>'),
      'a samlp:Extensions does not belong into a samlp:Response',
    ],
    [
      'an element of another namespace',
      (xml) => xml.replace('<saml:Subject>', '<e:Subject xmlns:e="urn:evil"/><saml:Subject>'),
      'a ?:Subject does not belong',
    ],
    [
      'an element of no namespace',
      (xml) => xml.replace('<saml:Subject>', '<Subject/><saml:Subject>'),
      'a ?:Subject does not belong',
    ],
    [
      'a prefix bound to something else',
      (xml) => xml.replace('<samlp:Status>', '<saml:Assertion xmlns:saml="urn:evil"/><samlp:Status>'),
      'a ?:Assertion does not belong',
    ],
    [
      'advice',
      (xml) => xml.replace('</saml:Assertion>', '<saml:Advice/></saml:Assertion>'),
      'a saml:Advice does not belong',
    ],
    [
      'two subjects',
      (xml) => xml.replace('<saml:Conditions', '<saml:Subject/><saml:Conditions'),
      'has more than one saml:Subject',
    ],
    [
      'two names',
      (xml) => xml.replace('<saml:SubjectConfirmation ', '<saml:NameID>x</saml:NameID><saml:SubjectConfirmation '),
      'has more than one saml:NameID',
    ],
    [
      'an element in a name',
      (xml) => xml.replace(NAME, `${NAME}<saml:NameID>x</saml:NameID>`),
      'does not belong into a saml:NameID',
    ],
    [
      'an element in a value',
      (xml) =>
        xml.replace(
          '</saml:Conditions>',
          '</saml:Conditions><saml:AttributeStatement><saml:Attribute Name="a"><saml:AttributeValue><saml:NameID>x</saml:NameID></saml:AttributeValue></saml:Attribute></saml:AttributeStatement>',
        ),
      'does not belong into a saml:AttributeValue',
    ],
    [
      'text between elements',
      (xml) => xml.replace('<saml:Subject>', 'text<saml:Subject>'),
      'has text between its elements',
    ],
    ['another version', (xml) => xml.replace('Version="2.0"', 'Version="1.1"'), 'it is of another version than 2.0'],
    ['another root', (xml) => `<x xmlns="urn:x">${xml}</x>`, 'it is a ?:x and no samlp:Response'],
    [
      'no assertion',
      (xml) => xml.replace(/<saml:Assertion [^]*<\/saml:Assertion>/, ''),
      'it has not exactly one assertion',
    ],
    ['no signature', (xml) => xml.replace(/<Signature [^]*<\/Signature>/, ''), 'the saml:Assertion is not signed'],
    ['two signatures', (xml) => xml.replace(/<Signature [^]*<\/Signature>/, '$&$&'), 'has more than one ds:Signature'],
    [
      'two SignedInfo',
      (xml) => xml.replace(/<SignedInfo>[^]*<\/SignedInfo>/, '$&$&'),
      'has more than one ds:SignedInfo',
    ],
    ['two references', (xml) => xml.replace(/<Reference [^]*<\/Reference>/, '$&$&'), 'has more than one ds:Reference'],
    [
      'two digests',
      (xml) => xml.replace(/<DigestValue>[^]*<\/DigestValue>/, '$&$&'),
      'has more than one ds:DigestValue',
    ],
    ['an object', (xml) => xml.replace('</Signature>', '<Object/></Signature>'), 'a ds:Object does not belong'],
    [
      'a reference to the whole document',
      (xml) => xml.replace(/URI="#[^"]+"/, 'URI=""'),
      'the signature in the saml:Assertion is not of it',
    ],
    [
      'a reference to something else',
      (xml) => xml.replace(/URI="#[^"]+"/, `URI="#${parse(xml).documentElement.getAttribute('ID')}"`),
      'the signature in the saml:Assertion is not of it',
    ],
    [
      'a signature without a value',
      (xml) => xml.replace(/<SignatureValue>[^<]*/, '<SignatureValue>'),
      'the signature has no value',
    ],
    [
      'an encrypted key in a signature',
      (xml) => xml.replace('<X509Data>', '<e:EncryptedKey xmlns:e="http://www.w3.org/2001/04/xmlenc#"/><X509Data>'),
      'a signature has an encrypted key',
    ],
  ])('%s', async (_what, change, message) => {
    const outcome = await fault(change(signed()));
    expect(outcome).toMatch(/^shape: /);
    expect(outcome).toContain(message);
  });

  it('another assertion, parked where libraries have looked past it', async () => {
    const tree = parse(signed());
    const copy = one(tree.documentElement, 'Assertion').cloneNode(true);
    for (const each of all(copy, 'Signature')) each.parentNode.removeChild(each);
    copy.setAttribute('ID', '_evil');
    const status = one(tree.documentElement, 'Status');
    const detail = tree.createElementNS('urn:oasis:names:tc:SAML:2.0:protocol', 'samlp:StatusDetail');
    detail.appendChild(copy);
    status.appendChild(detail);
    expect(await fault(tree.documentElement.toString())).toContain('a samlp:StatusDetail does not belong');
  });
});

const SHA1 = 'http://www.w3.org/2000/09/xmldsig#sha1';
const C14N = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

describe('algorithms', () => {
  it.each<[string, Signing, string]>([
    [
      'RSA with SHA-1',
      { signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' },
      'the signature algorithm is not taken',
    ],
    ['a digest by SHA-1', { digestAlgorithm: SHA1 }, 'the digest algorithm is not taken'],
    ['HMAC with the certificate, which everybody has', { hmac: true }, 'the signature algorithm is not taken'],
    ['inclusive canonicalization', { canonicalization: C14N }, 'the canonicalization is not exclusive'],
    [
      'canonicalization with comments',
      { canonicalization: `${EXCLUSIVE}WithComments` },
      'the canonicalization is not exclusive',
    ],
    ['an inclusive transform', { transforms: [ENVELOPED, C14N] }, 'the transforms are not those two'],
    ['one transform', { transforms: [EXCLUSIVE] }, 'the transforms are not those two'],
    ['a transform twice', { transforms: [ENVELOPED, EXCLUSIVE, EXCLUSIVE] }, 'the transforms are not those two'],
  ])('%s', async (_what, how, message) => {
    expect(await fault(signed({}, how))).toBe(`shape: ${message}`);
  });

  it.each(['http://www.w3.org/TR/1999/REC-xslt-19991116', 'http://www.w3.org/TR/1999/REC-xpath-19991116'])(
    'the transform %s',
    async (transform) => {
      const xml = signed().replace(`<Transform Algorithm="${EXCLUSIVE}"/>`, `<Transform Algorithm="${transform}"/>`);
      expect(await fault(xml)).toBe('shape: the transforms are not those two');
    },
  );

  it('a transform that is to keep many prefixes, each of which is looked for at every element', async () => {
    const keeping = (count: number) =>
      signed().replace(
        `<Transform Algorithm="${EXCLUSIVE}"/>`,
        `<Transform Algorithm="${EXCLUSIVE}"><x:InclusiveNamespaces xmlns:x="${EXCLUSIVE}" PrefixList="${numbered(count, (each) => ` a${each}`).trim()}"/></Transform>`,
      );
    expect(await fault(keeping(33))).toBe('shape: a transform names too many prefixes');
    // It changes what was signed.
    expect(await fault(keeping(32))).toMatch(/^signature: /);
  });

  it.each([
    [
      'SHA-512',
      {
        signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
        digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha512',
      },
    ],
    ['RSA-PSS', { signatureAlgorithm: 'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1' }],
  ])('%s is taken', async (_what, how) => {
    expect(await fault(signed({}, how))).toBe('signed in ann-0001');
  });
});

describe('keys', () => {
  it('of somebody else sign nobody in', async () => {
    expect(await fault(sign(answerXml(said), 'Assertion', stranger))).toMatch(/^signature: /);
  });

  it('are those of the document, and not the one that the answer names', async () => {
    const xml = sign(answerXml(said), 'Assertion', { key: stranger.key, certificate: idp.certificate });
    expect(await fault(xml)).toMatch(/^signature: /);
  });

  it('may be several, of which any one counts', async () => {
    const certificates = [idp.certificate, nextOfIdp.certificate];
    expect(await fault(sign(answerXml(said), 'Assertion', nextOfIdp), { certificates })).toBe('signed in ann-0001');
  });

  it('do not count for what was changed afterwards', async () => {
    expect(await fault(signed().replace(NAME, 'admin-0001'))).toMatch(/^signature: /);
    expect(await fault(signed().replace(/(?<=<DigestValue>)./, (first) => (first === 'A' ? 'B' : 'A')))).toMatch(
      /^signature: /,
    );
  });

  it('must have signed the whole answer where that is asked for', async () => {
    expect(await fault(signed(), { signedResponses: true })).toBe('shape: the samlp:Response is not signed');
    const both = sign(signed(), 'Response', idp);
    expect(await fault(both, { signedResponses: true })).toBe('signed in ann-0001');
    expect(await fault(sign(signed(), 'Response', stranger), { signedResponses: true })).toMatch(/^signature: /);
    expect(await fault(both.replace('status:Success', 'status:Success" x="'), { signedResponses: true })).toMatch(
      /^signature: /,
    );
  });
});

const CBC = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc';

describe('encryption', () => {
  const sealed = (algorithm?: string, keyAlgorithm?: string) =>
    encryptAssertion(signed(), ours.certificate, algorithm, keyAlgorithm);

  it('is for any key of ours', async () => {
    expect(await fault(await sealed(), { decryptionKeys: [stranger.key, ours.key] })).toBe('signed in ann-0001');
    expect(await fault(await sealed(), { decryptionKeys: [stranger.key] })).toContain('cannot be decrypted');
  });

  it('can be asked for', async () => {
    expect(await fault(signed(), { encrypted: true })).toBe('shape: the assertion is not encrypted');
  });

  it('hides nothing that would be refused in the open', async () => {
    const xml = await encryptAssertion(signed().replace(NAME, 'ann<!-- -->-0001'), ours.certificate);
    expect(await fault(xml)).toContain('shape: it has a document type, a comment or CDATA');
    const sha1 = await encryptAssertion(signed({}, { digestAlgorithm: SHA1 }), ours.certificate);
    expect(await fault(sha1)).toBe('shape: the digest algorithm is not taken');
    const unsigned = await encryptAssertion(answerXml(said), ours.certificate);
    expect(await fault(unsigned)).toBe('shape: the saml:Assertion is not signed');
  });

  it('without a tag of its own counts only within a signature that holds', async () => {
    const xml = await sealed(CBC);
    expect(await fault(xml)).toBe('shape: the assertion is encrypted by an algorithm that is not taken');
    expect(await fault(sign(xml, 'Response', idp), { signedResponses: true })).toBe('signed in ann-0001');
    expect(await fault(sign(xml, 'Response', stranger), { signedResponses: true })).toBe(
      'signature: the signature of the answer does not hold',
    );
  });

  it.each([
    ['of the key, by the older padding', undefined, 'http://www.w3.org/2001/04/xmlenc#rsa-1_5'],
    ['by 3DES', 'http://www.w3.org/2001/04/xmlenc#tripledes-cbc', undefined],
  ])('%s is refused', async (_what, algorithm, keyAlgorithm) => {
    const xml = sign(await sealed(algorithm, keyAlgorithm), 'Response', idp);
    expect(await fault(xml, { signedResponses: true })).toMatch(/^shape: .* by an algorithm that is not taken$/);
  });

  it('of a key within a key is refused', async () => {
    const nested = (await sealed()).replace(/(<e:EncryptedKey [^]*?<KeyInfo[^>]*>)/, '$1<e:EncryptedKey/>');
    expect(await fault(nested)).toBe('shape: a key is encrypted by an encrypted key');
  });
});

describe('an answer that is signed, and not for this sign-in', () => {
  const OTHER = 'https://other.example/';

  it.each<[string, Partial<Said>, string]>([
    ['another audience', { audience: OTHER }, 'signature: SAML assertion audience mismatch'],
    ['no audience', { conditions: '' }, 'signature: SAML assertion has no AudienceRestriction'],
    [
      'a second restriction that is not for us',
      {
        conditions: `<saml:AudienceRestriction><saml:Audience>${said.audience}</saml:Audience></saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>${OTHER}</saml:Audience></saml:AudienceRestriction>`,
      },
      'signature: SAML assertion audience mismatch',
    ],
    [
      'another recipient',
      { recipient: OTHER, destination: said.recipient },
      'not_for_us: the assertion is for another recipient',
    ],
    ['another destination', { destination: OTHER }, 'not_for_us: it was sent to another destination'],
    ['no destination', { destination: null }, 'not_for_us: it was sent to another destination'],
    ['another request', { requestId: '_other' }, 'not_for_us: it answers another request, or none'],
    [
      'another request in the assertion',
      { requestId: '_other', responseTo: '_request' },
      'signature: InResponseTo does not match subjectInResponseTo',
    ],
    [
      'no request in the assertion',
      { requestId: null, responseTo: '_request' },
      'not_for_us: the assertion answers another request',
    ],
    ['no request at all', { requestId: null }, 'not_for_us: it answers another request, or none'],
    ['another issuer', { issuer: OTHER }, 'not_for_us: another issuer has sent it'],
    ['an end that is past', { notOnOrAfter: -90 }, 'signature: No valid subject confirmation found'],
    ['no end', { notOnOrAfter: null }, 'signature: '],
    ['an old assertion', { issuedAt: -400, notOnOrAfter: 3600 }, 'signature: '],
    ['an assertion of the future', { issuedAt: 90 }, 'not_for_us: the assertion is of the future'],
    [
      'another confirmation',
      { method: 'urn:oasis:names:tc:SAML:2.0:cm:sender-vouches' },
      'not_for_us: the assertion is not for whoever brings it',
    ],
    ['nobody signed in', { authnStatements: 0 }, 'not_for_us: the assertion does not say that anybody has signed in'],
    ['a session that is over', { sessionEnds: -1 }, 'not_for_us: the session at the identity provider is over'],
    [
      'a refusal',
      { status: 'urn:oasis:names:tc:SAML:2.0:status:Requester' },
      'status: the identity provider answers urn:oasis:names:tc:SAML:2.0:status:Requester',
    ],
  ])('%s', async (_what, over, message) => {
    expect(await fault(signed({}) && (over.status ? answerXml({ ...said, ...over }) : signed(over)))).toContain(
      message,
    );
  });

  it('to another destination, or of another request or issuer, also where the whole answer is signed', async () => {
    for (const over of [{ destination: OTHER }, { responseTo: '_other' }, { responseTo: null }]) {
      const xml = sign(signed(over), 'Response', idp);
      expect(await fault(xml, { signedResponses: true })).toMatch(/^not_for_us: /);
    }
    const xml = sign(signed().replace(said.issuer, OTHER), 'Response', idp);
    expect(await fault(xml, { signedResponses: true })).toBe('not_for_us: another issuer has sent it');
  });

  it('of another issuer in the assertion alone', async () => {
    const xml = answerXml(said).replace(/(<saml:Assertion [^>]*><saml:Issuer>)[^<]*/, `$1${OTHER}`);
    expect(await fault(sign(xml, 'Assertion', idp))).toBe('not_for_us: another issuer has made the assertion');
  });

  it('in a time zone of its own', async () => {
    const xml = answerXml(said).replace(/AuthnInstant="([^"]*)Z"/, 'AuthnInstant="$1+14:00"');
    expect(await fault(sign(xml, 'Assertion', idp))).toBe('shape: AuthnInstant is no moment in UTC');
  });
});

describe('what an assertion says', () => {
  it('is read of what was signed', async () => {
    const xml = signed({
      attributes: { groups: ['a', 'b'], mail: ['ann@example.com'] },
      authenticatedAt: -30,
      contextClass: 'urn:mfa',
      sessionEnds: 600,
    });
    const assertion = await verified(xml);
    expect(assertion).toMatchObject({ persistentId: NAME, contextClass: 'urn:mfa', sessionIndex: 's1', id: idOf(xml) });
    expect([...assertion.attributes]).toEqual([
      ['groups', ['a', 'b']],
      ['mail', ['ann@example.com']],
    ]);
    expect(Math.abs(assertion.authenticatedAt! - (Date.now() - 30_000))).toBeLessThan(2000);
    expect(Math.abs(assertion.sessionEndsAt! - (Date.now() + 600_000))).toBeLessThan(2000);
    expect(assertion.usableUntil).toBeLessThan(Date.now() + 361_000);
    expect(assertion.xml).toContain(NAME);
  });

  it.each<[string, Partial<Said>, object]>([
    [
      'the class unspecified',
      { contextClass: 'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified' },
      { contextClass: null },
    ],
    ['no class', { contextClass: null }, { contextClass: null }],
    ['two statements', { authnStatements: 2 }, { contextClass: null, authenticatedAt: null }],
    ['no moment', { authenticatedAt: null }, { authenticatedAt: null }],
    ['a transient name', { format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }, { persistentId: null }],
    ['an e-mail address', { format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress' }, { persistentId: null }],
    ['a name of no format', { format: null }, { persistentId: null }],
    [
      'a name of another directory',
      { nameAttributes: ' NameQualifier="https://other.example/"' },
      { persistentId: null },
    ],
    [
      'a name for another service',
      { nameAttributes: ' SPNameQualifier="https://other.example/"' },
      { persistentId: null },
    ],
    [
      'a name of theirs for us',
      { nameAttributes: ` NameQualifier="${said.issuer}" SPNameQualifier="${said.audience}"` },
      { persistentId: NAME },
    ],
  ])('%s', async (_what, over, expected) => {
    expect(await verified(signed(over))).toMatchObject(expected);
  });

  it.each([
    ['\n  ann-0001\t', 'ann-0001'],
    ['ann-0001\u00a0', 'ann-0001\u00a0'],
    ['\u2003ann-0001', '\u2003ann-0001'],
    ['ann-0001\ufeff', 'ann-0001\ufeff'],
    ['ANN-0001', 'ANN-0001'],
  ])('is of nobody else by what only looks like the same name: %j', async (name, persistentId) => {
    expect(await verified(signed({ name }))).toMatchObject({ persistentId });
  });

  it('is read in no time, however many blanks there are', async () => {
    const since = performance.now();
    const blanks = ' '.repeat(200_000);
    expect(await fault(signed().replace('<SignatureValue>', `<SignatureValue>A${blanks}`))).toMatch(/^signature: /);
    expect(await fault(signed().replace(NAME, `a${blanks}b`))).toMatch(/^signature: /);
    expect(performance.now() - since).toBeLessThan(3000);
  });

  it('puts two attributes of one name together', async () => {
    const twice = answerXml({ ...said, attributes: { groups: ['a'], groups2: ['b'] } }).replace('groups2', 'groups');
    expect((await verified(sign(twice, 'Assertion', idp))).attributes.get('groups')).toEqual(['a', 'b']);
  });
});

describe('an answer that answers nothing', () => {
  it.each([
    ['is one that was not asked for', signed({ requestId: null }), true],
    ['is none if it names a request', signed(), false],
    ['is none if it is nothing', '<x/>', undefined],
  ])('%s', (_what, xml, expected) => {
    expect(isUnsolicited(posted(xml))).toBe(expected);
  });
});
