import { NAMESPACES, nameOf } from './names.js';
import { childElements } from './read-xml.js';
import { SamlRefused } from './saml-refused.js';
import type { XmlElement } from './xmldom.js';

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = `${NAMESPACES.ds}enveloped-signature`;

/** RSA with SHA-2 alone: no SHA-1, and nothing with a shared secret, for which a public key could be taken. */
const SIGNATURE_METHODS: ReadonlySet<string> = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
]);

const DIGEST_METHODS: ReadonlySet<string> = new Set([`${NAMESPACES.xenc}sha256`, `${NAMESPACES.xenc}sha512`]);

/** The signature that stands in an element; undefined: it has none. */
export const signatureOf = (element: XmlElement): XmlElement | undefined => child(element, 'ds:Signature');

/**
 * Throws SamlRefused unless the signature in an element is one of that very element, by algorithms that count: enveloped,
 * exclusively canonicalised without comments, and nothing else. Whether it holds is not looked at.
 */
export function checkSignatureShape(element: XmlElement): void {
  const signature = signatureOf(element);
  if (!signature) return refuse(`the ${nameOf(element)} is not signed`);
  if (child(child(signature, 'ds:KeyInfo'), 'xenc:EncryptedKey')) refuse('a signature has an encrypted key');
  const info = child(signature, 'ds:SignedInfo');
  const reference = child(info, 'ds:Reference');
  const id = element.getAttribute('ID');
  if (id === '' || reference?.getAttribute('URI') !== `#${id}`)
    refuse(`the signature in the ${nameOf(element)} is not of it`);
  if (algorithm(child(info, 'ds:CanonicalizationMethod')) !== EXCLUSIVE)
    refuse('the canonicalization is not exclusive');
  if (!SIGNATURE_METHODS.has(algorithm(child(info, 'ds:SignatureMethod'))))
    refuse('the signature algorithm is not taken');
  if (!DIGEST_METHODS.has(algorithm(child(reference, 'ds:DigestMethod')))) refuse('the digest algorithm is not taken');
  const transforms = child(reference, 'ds:Transforms');
  const steps = transforms ? childElements(transforms).map(algorithm) : [];
  if (steps.length !== 2 || steps[0] !== ENVELOPED || steps[1] !== EXCLUSIVE)
    refuse('the transforms are not those two');
  const prefixes = transforms ? childElements(transforms).map(prefixesOf) : [];
  if (prefixes.some((count) => count > MAX_PREFIXES)) refuse('a transform names too many prefixes');
  if (!textOf(child(signature, 'ds:SignatureValue')) || !textOf(child(reference, 'ds:DigestValue')))
    refuse('the signature has no value');
}

/** Prefixes that a canonicalisation may be told to keep: each is looked for at every element. */
const MAX_PREFIXES = 32;

const prefixesOf = (transform: XmlElement): number =>
  (child(transform, 'ec:InclusiveNamespaces')?.getAttribute('PrefixList') ?? '').split(/\s+/).length;

/** The child of a name; the grammar has seen to it that there is one at most. */
export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element && childElements(element).find((each) => nameOf(each) === name);

/** The text of an element without the white space of XML around it; any other is part of a name. */
export function textOf(element: XmlElement | undefined): string {
  const text = element?.textContent ?? '';
  let [from, to] = [0, text.length];
  // By hand: a pattern for the end of a text begins anew at each blank in it.
  while (from < to && WHITE.includes(text[from]!)) from++;
  while (to > from && WHITE.includes(text[to - 1]!)) to--;
  return text.slice(from, to);
}

const WHITE = ' \t\r\n';

/** What an element names as its algorithm. */
export const algorithm = (element: XmlElement | undefined): string => element?.getAttribute('Algorithm') ?? '';

const refuse = (message: string): never => {
  throw new SamlRefused('shape', message);
};
