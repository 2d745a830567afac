import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { selfSigned } from '#saml';
import { encrypt, SignedXml } from './xml.js';

/** A key of an identity provider, with its certificate, PEM. */
export interface IdpKey {
  readonly key: string;
  readonly certificate: string;
}

/** A new RSA key. */
export function newKey(bits = 2048): IdpKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const terms = { commonName: 'idp', serial: randomBytes(8), from: Date.now() - 1000, to: Date.now() + 86_400_000 };
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key, certificate: selfSigned(publicKey, createPrivateKey(key), terms) };
}

/** What an answer says; what is left out is as it should be. Times in seconds from now. */
export interface Said {
  readonly issuer: string;
  readonly audience: string;
  readonly recipient: string;
  readonly destination?: string | null;
  readonly requestId?: string | null;
  /** Of the Response, if it is another one than that of the assertion. */
  readonly responseTo?: string | null;
  readonly name?: string;
  readonly format?: string | null;
  readonly nameAttributes?: string;
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  readonly notOnOrAfter?: number | null;
  readonly conditions?: string;
  readonly issuedAt?: number;
  readonly authenticatedAt?: number | null;
  readonly contextClass?: string | null;
  readonly sessionEnds?: number;
  readonly authnStatements?: number;
  readonly status?: string;
  readonly method?: string;
  readonly assertionId?: string;
  /** XML put into the Response, before the assertion. */
  readonly extra?: string;
  /** XML put into the assertion, at its end. */
  readonly extraInside?: string;
}

const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

const newId = (): string => `_${randomBytes(12).toString('hex')}`;
const at = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
const attribute = (name: string, value: string | null | undefined): string =>
  (value ?? null) === null ? '' : ` ${name}="${value}"`;
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** An answer that nobody has signed. */
export function answerXml(said: Said): string {
  const { requestId = null, responseTo = requestId, destination = said.recipient } = said;
  const status = said.status ?? 'urn:oasis:names:tc:SAML:2.0:status:Success';
  return (
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"` +
    ` ID="${newId()}" Version="2.0" IssueInstant="${at(said.issuedAt ?? 0)}"${attribute('Destination', destination)}${attribute('InResponseTo', responseTo)}>` +
    `<saml:Issuer>${said.issuer}</saml:Issuer>` +
    `<samlp:Status><samlp:StatusCode Value="${status}"/></samlp:Status>${said.extra ?? ''}` +
    `${said.status === undefined ? assertionXml(said, requestId) : ''}</samlp:Response>`
  );
}

function assertionXml(said: Said, requestId: string | null): string {
  const { notOnOrAfter = 300, authenticatedAt = 0, format = PERSISTENT } = said;
  const { contextClass = 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password' } = said;
  const until = notOnOrAfter === null ? null : at(notOnOrAfter);
  const conditions =
    said.conditions ??
    `<saml:AudienceRestriction><saml:Audience>${said.audience}</saml:Audience></saml:AudienceRestriction>`;
  const attributes = Object.entries(said.attributes ?? {}).map(
    ([name, values]) =>
      `<saml:Attribute Name="${escaped(name)}">${values.map((value) => `<saml:AttributeValue>${escaped(value)}</saml:AttributeValue>`).join('')}</saml:Attribute>`,
  );
  const authn =
    `<saml:AuthnStatement${attribute('AuthnInstant', authenticatedAt === null ? null : at(authenticatedAt))} SessionIndex="s1"` +
    `${attribute('SessionNotOnOrAfter', said.sessionEnds === undefined ? null : at(said.sessionEnds))}><saml:AuthnContext>` +
    `${contextClass === null ? '' : `<saml:AuthnContextClassRef>${contextClass}</saml:AuthnContextClassRef>`}</saml:AuthnContext></saml:AuthnStatement>`;
  return (
    `<saml:Assertion ID="${said.assertionId ?? newId()}" Version="2.0" IssueInstant="${at(said.issuedAt ?? 0)}"><saml:Issuer>${said.issuer}</saml:Issuer>` +
    `<saml:Subject><saml:NameID${attribute('Format', format)}${said.nameAttributes ?? ''}>${escaped(said.name ?? 'ann-0001')}</saml:NameID>` +
    `<saml:SubjectConfirmation Method="${said.method ?? 'urn:oasis:names:tc:SAML:2.0:cm:bearer'}">` +
    `<saml:SubjectConfirmationData${attribute('NotOnOrAfter', until)} Recipient="${said.recipient}"${attribute('InResponseTo', requestId)}/>` +
    `</saml:SubjectConfirmation></saml:Subject>` +
    `<saml:Conditions NotBefore="${at(-5)}"${attribute('NotOnOrAfter', until)}>${conditions}</saml:Conditions>` +
    authn.repeat(said.authnStatements ?? 1) +
    `${attributes.length > 0 ? `<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement>` : ''}${said.extraInside ?? ''}</saml:Assertion>`
  );
}

/** How something is signed; what is left out is as it should be. */
export interface Signing {
  readonly signatureAlgorithm?: string;
  readonly digestAlgorithm?: string;
  readonly canonicalization?: string;
  readonly transforms?: readonly string[];
  /** With the certificate for a shared secret, as everybody knows it. */
  readonly hmac?: boolean;
}

/** Signs the answer or the assertion in it. */
export function sign(
  xml: string,
  what: 'Response' | 'Assertion',
  { key, certificate }: IdpKey,
  how: Signing = {},
): string {
  const signed = new SignedXml({
    privateKey: how.hmac ? certificate : key,
    publicCert: certificate,
    signatureAlgorithm: how.hmac
      ? 'http://www.w3.org/2000/09/xmldsig#hmac-sha1'
      : (how.signatureAlgorithm ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'),
    canonicalizationAlgorithm: how.canonicalization ?? EXCLUSIVE,
  });
  if (how.hmac) signed.enableHMAC();
  const xpath = what === 'Response' ? "/*[local-name(.)='Response']" : "//*[local-name(.)='Assertion']";
  signed.addReference({
    xpath,
    transforms: how.transforms ?? [ENVELOPED, EXCLUSIVE],
    digestAlgorithm: how.digestAlgorithm ?? 'http://www.w3.org/2001/04/xmlenc#sha256',
  });
  signed.computeSignature(xml, { location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: 'after' } });
  return signed.getSignedXml();
}

const PLAIN = /<saml:Assertion [^]*<\/saml:Assertion>/;

/** Puts an encrypted assertion in the place of the one that is in the open. */
export async function encryptAssertion(
  xml: string,
  certificate: string,
  algorithm = 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  keyAlgorithm = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
): Promise<string> {
  const [plain] = PLAIN.exec(xml)!;
  const inner = plain.replace(
    /^<saml:Assertion /,
    '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ',
  );
  return xml
    .replace(plain, () => '<saml:EncryptedAssertion/>')
    .replace(
      '<saml:EncryptedAssertion/>',
      `<saml:EncryptedAssertion>${await encryptXml(inner, certificate, algorithm, keyAlgorithm)}</saml:EncryptedAssertion>`,
    );
}

/** XML Encryption of a text for the key of a certificate. */
export const encryptXml = (
  text: string,
  certificate: string,
  algorithm = 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  keyAlgorithm = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
): Promise<string> =>
  new Promise((resolve, reject) => {
    encrypt(
      text,
      {
        rsa_pub: certificate,
        pem: certificate,
        encryptionAlgorithm: algorithm,
        keyEncryptionAlgorithm: keyAlgorithm,
        keyEncryptionDigest: 'sha1',
        disallowEncryptionWithInsecureAlgorithm: false,
        warnInsecureAlgorithm: false,
      },
      (error, result) => (error ? reject(error) : resolve(result)),
    );
  });

/** As it is posted. */
export const posted = (xml: string): string => Buffer.from(xml).toString('base64');
