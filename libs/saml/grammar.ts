import { nameOf } from './names.js';
import { childElements } from './read-xml.js';
import { SamlRefused } from './saml-refused.js';
import type { XmlElement } from './xmldom.js';

/** Which elements an element may have, by its name; `*` for those of which there may be several. All others: once at most. */
type Grammar = Readonly<Record<string, readonly string[]>>;

const X509 = ['X509Certificate', 'X509IssuerSerial', 'X509SubjectName', 'X509SKI'].map((name) => `ds:${name}*`);

/** A signature as it may be. `ds:Object` is not in it: whatever were there is not what is signed. */
const SIGNATURE: Grammar = {
  'ds:Signature': ['ds:SignedInfo', 'ds:SignatureValue', 'ds:KeyInfo'],
  'ds:SignedInfo': ['ds:CanonicalizationMethod', 'ds:SignatureMethod', 'ds:Reference'],
  'ds:CanonicalizationMethod': [],
  'ds:SignatureMethod': [],
  'ds:Reference': ['ds:Transforms', 'ds:DigestMethod', 'ds:DigestValue'],
  'ds:Transforms': ['ds:Transform*'],
  'ds:Transform': ['ec:InclusiveNamespaces'],
  'ec:InclusiveNamespaces': [],
  'ds:DigestMethod': [],
  'ds:DigestValue': [],
  'ds:SignatureValue': [],
  'ds:KeyInfo': ['ds:X509Data*', 'ds:KeyName', 'ds:KeyValue', 'xenc:EncryptedKey'],
  'ds:X509Data': X509,
  'ds:X509Certificate': [],
  'ds:X509IssuerSerial': ['ds:X509IssuerName', 'ds:X509SerialNumber'],
  'ds:X509IssuerName': [],
  'ds:X509SerialNumber': [],
  'ds:X509SubjectName': [],
  'ds:X509SKI': [],
  'ds:KeyName': [],
  'ds:KeyValue': ['ds:RSAKeyValue'],
  'ds:RSAKeyValue': ['ds:Modulus', 'ds:Exponent'],
  'ds:Modulus': [],
  'ds:Exponent': [],
};

const ASSERTION: Grammar = {
  ...SIGNATURE,
  'saml:Assertion': [
    'saml:Issuer',
    'ds:Signature',
    'saml:Subject',
    'saml:Conditions',
    'saml:AuthnStatement*',
    'saml:AttributeStatement*',
  ],
  'saml:Issuer': [],
  'saml:Subject': ['saml:NameID', 'saml:SubjectConfirmation'],
  'saml:NameID': [],
  'saml:SubjectConfirmation': ['saml:SubjectConfirmationData'],
  'saml:SubjectConfirmationData': [],
  'saml:Conditions': ['saml:AudienceRestriction*', 'saml:OneTimeUse', 'saml:ProxyRestriction'],
  'saml:AudienceRestriction': ['saml:Audience*'],
  'saml:Audience': [],
  'saml:OneTimeUse': [],
  'saml:ProxyRestriction': [],
  'saml:AuthnStatement': ['saml:SubjectLocality', 'saml:AuthnContext'],
  'saml:SubjectLocality': [],
  'saml:AuthnContext': ['saml:AuthnContextClassRef', 'saml:AuthnContextDeclRef', 'saml:AuthenticatingAuthority*'],
  'saml:AuthnContextClassRef': [],
  'saml:AuthnContextDeclRef': [],
  'saml:AuthenticatingAuthority': [],
  'saml:AttributeStatement': ['saml:Attribute*'],
  'saml:Attribute': ['saml:AttributeValue*'],
  'saml:AttributeValue': [],
};

const RESPONSE: Grammar = {
  ...ASSERTION,
  'samlp:Response': ['saml:Issuer', 'ds:Signature', 'samlp:Status', 'saml:Assertion', 'saml:EncryptedAssertion'],
  'samlp:Status': ['samlp:StatusCode', 'samlp:StatusMessage'],
  'samlp:StatusCode': ['samlp:StatusCode'],
  'samlp:StatusMessage': [],
  'saml:EncryptedAssertion': ['xenc:EncryptedData'],
  'xenc:EncryptedData': ['xenc:EncryptionMethod', 'ds:KeyInfo', 'xenc:CipherData'],
  'xenc:EncryptedKey': ['xenc:EncryptionMethod', 'ds:KeyInfo', 'xenc:CipherData'],
  'xenc:EncryptionMethod': ['ds:DigestMethod', 'xenc11:MGF'],
  'xenc11:MGF': [],
  'xenc:CipherData': ['xenc:CipherValue'],
  'xenc:CipherValue': [],
};

/** What is taken: an answer with at most one assertion, or what an encrypted one turns out to be. */
export const GRAMMARS = {
  'samlp:Response': RESPONSE,
  'saml:Assertion': ASSERTION,
} as const;

/**
 * Throws SamlRefused unless a document is built as it must be, wholly: every element is one of the grammar, where it may
 * stand, and as often as it may.
 *
 * INVARIANT: an element of a name is at one place only, so that whoever looks for it, by whatever path and with or without its
 * namespace, finds what was signed. Every wrapping of a signed part breaks this.
 */
export function checkGrammar(root: XmlElement, rootName: keyof typeof GRAMMARS): void {
  const grammar: Grammar = GRAMMARS[rootName];
  if (nameOf(root) !== rootName) refuse(`it is a ${nameOf(root)} and no ${rootName}`);
  const visit = (element: XmlElement): void => {
    const name = nameOf(element);
    const children = childElements(element);
    const seen = new Set<string>();
    for (const child of children) {
      const inner = nameOf(child);
      const allowed = grammar[name]!;
      if (!allowed.includes(inner) && !allowed.includes(`${inner}*`))
        refuse(`a ${inner} does not belong into a ${name}`);
      if (seen.has(inner) && !allowed.includes(`${inner}*`)) refuse(`a ${name} has more than one ${inner}`);
      seen.add(inner);
      visit(child);
    }
    if (grammar[name]!.length > 0 && hasText(element)) refuse(`a ${name} has text between its elements`);
  };
  visit(root);
}

/** Text where only elements belong is what is left of something. */
function hasText(element: XmlElement): boolean {
  for (let node = element.firstChild; node; node = node.nextSibling)
    if (node.nodeType === 3 && /\S/.test(node.nodeValue ?? '')) return true;
  return false;
}

const refuse = (message: string): never => {
  throw new SamlRefused('shape', message);
};
