import type { Look } from './assertion.js';
import { checkEncryptionShape } from './encryption-shape.js';
import { checkGrammar } from './grammar.js';
import { readXml, type ReadXml } from './read-xml.js';
import { SamlRefused } from './saml-refused.js';
import { checkSignatureShape, child, signatureOf, textOf } from './signature-shape.js';
import type { XmlElement } from './xmldom.js';

const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

/** An answer whose shape is as it must be. Nothing of it is proven yet. */
export interface GuardedResponse extends ReadXml {
  /** What it says it answers; null: nothing, the identity provider began by itself. */
  readonly inResponseTo: string | null;
  readonly destination: string;
  /** Null: it does not say. */
  readonly issuer: string | null;
  readonly isSigned: boolean;
  /** The assertion as XML, to be decrypted; undefined: it is in the open. */
  readonly encrypted: XmlElement | undefined;
}

/** How an answer may be. */
export interface GuardOptions {
  /** Whether the whole answer must be signed, besides the assertion. */
  readonly signedResponse: boolean;
  /** Told what is looked at next. */
  readonly look?: Look | undefined;
}

/**
 * Looks at an answer before any library does: what is not plainly one answer with one signed assertion goes no further.
 * Throws SamlRefused, also where it says that nobody was signed in.
 * @param posted what the browser brought as `SAMLResponse`
 */
export function guardResponse(posted: string, { signedResponse, look }: GuardOptions): GuardedResponse {
  const read = readXml(bytesOf(posted));
  const { root } = read;
  checkGrammar(root, 'samlp:Response');
  checkVersion(root);
  look?.('status', 'what it says that came of it');
  checkStatus(root);
  const isSigned = signatureOf(root) !== undefined;
  look?.('document', `the answer is ${isSigned ? '' : 'not '}signed, besides the assertion`);
  if (isSigned || signedResponse) checkSignatureShape(root);
  const assertion = child(root, 'saml:Assertion');
  const encrypted = child(root, 'saml:EncryptedAssertion');
  if ((assertion === undefined) === (encrypted === undefined)) refuse('shape', 'it has not exactly one assertion');
  if (assertion) checkAssertion(assertion);
  if (encrypted) checkEncryptionShape(encrypted, signedResponse);
  return {
    ...read,
    inResponseTo: root.hasAttribute('InResponseTo') ? root.getAttribute('InResponseTo') : null,
    destination: root.getAttribute('Destination'),
    issuer: child(root, 'saml:Issuer') ? textOf(child(root, 'saml:Issuer')) : null,
    isSigned,
    encrypted,
  };
}

/** Whether a posted answer answers no request of ours; undefined: it is none that could be taken. Proves nothing. */
export function isUnsolicited(posted: string): boolean | undefined {
  try {
    const { root } = readXml(bytesOf(posted));
    checkGrammar(root, 'samlp:Response');
    return !root.hasAttribute('InResponseTo');
  } catch (error) {
    if (error instanceof SamlRefused) return undefined;
    throw error;
  }
}

/** Looks at what an encrypted assertion has turned out to be, as strictly as at one in the open. Throws SamlRefused. */
export function guardAssertion(xml: string): ReadXml {
  const read = readXml(xml);
  checkGrammar(read.root, 'saml:Assertion');
  checkAssertion(read.root);
  return read;
}

function checkAssertion(assertion: XmlElement): void {
  checkVersion(assertion);
  checkSignatureShape(assertion);
}

function checkVersion(element: XmlElement): void {
  if (element.getAttribute('Version') !== '2.0') refuse('shape', 'it is of another version than 2.0');
}

function checkStatus(root: XmlElement): void {
  const code = child(child(root, 'samlp:Status'), 'samlp:StatusCode');
  const value = code?.getAttribute('Value') ?? '';
  if (value === SUCCESS) return;
  const inner = child(code, 'samlp:StatusCode')?.getAttribute('Value');
  refuse('status', `the identity provider answers ${[value, inner].filter(Boolean).join(' / ') || 'without a status'}`);
}

/** Base64 as every reader of it takes it. */
function bytesOf(posted: string): Buffer {
  const text = posted.replace(/[\r\n\t ]+/g, '');
  if (text === '' || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    return refuse('shape', 'it is not base64');
  return Buffer.from(text, 'base64');
}

const refuse = (fault: SamlRefused['fault'], message: string): never => {
  throw new SamlRefused(fault, message);
};
