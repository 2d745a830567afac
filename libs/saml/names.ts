import type { XmlElement } from './xmldom.js';

/** The namespaces of everything that is read here (SAML 2.0 core, XML Signature, XML Encryption). */
export const NAMESPACES = {
  samlp: 'urn:oasis:names:tc:SAML:2.0:protocol',
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  md: 'urn:oasis:names:tc:SAML:2.0:metadata',
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  ec: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  xenc: 'http://www.w3.org/2001/04/xmlenc#',
  xenc11: 'http://www.w3.org/2009/xmlenc11#',
} as const;

const PREFIXES: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMESPACES).map(([prefix, namespace]) => [namespace, prefix]),
);

/** An element's name with the prefix that we know its namespace by, whatever the document calls it; `?:` for any other. */
export const nameOf = (element: XmlElement): string =>
  `${PREFIXES.get(element.namespaceURI ?? '') ?? '?'}:${element.localName}`;

/** The binding by which answers come (SAML 2.0 bindings §3.5), and the one by which requests go (§3.4). */
export const BINDINGS = {
  post: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
  redirect: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
} as const;

/** Formats of names (SAML 2.0 core §8.3). Only a persistent one is an identity. */
export const NAME_FORMATS = {
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
} as const;

/** The class of authentication that says nothing (SAML 2.0 authentication contexts §3.4). */
export const UNSPECIFIED_CONTEXT = 'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified';
