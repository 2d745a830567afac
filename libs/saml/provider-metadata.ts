import { X509Certificate } from 'node:crypto';
import { BINDINGS, nameOf, NAMESPACES } from './names.js';
import { childElements, readXml } from './read-xml.js';
import { SamlRefused } from './saml-refused.js';
import { textOf } from './signature-shape.js';
import type { XmlElement } from './xmldom.js';

/** What an identity provider says of itself in its metadata. */
export interface ProviderMetadata {
  readonly entityId: string;
  /** Where it takes requests by HTTP-Redirect. */
  readonly url: string;
  /** Of the keys that it signs with, PEM. */
  readonly certificates: readonly { readonly pem: string; readonly sha256: string; readonly validUntil: string }[];
}

/** A federation describes many; an administrator has chosen what is read. */
const MAX_ELEMENTS = 10_000;

/**
 * Reads the metadata of one identity provider (SAML 2.0 metadata §2.4.3), for an administrator to look over: nothing in it is
 * proven. Throws SamlRefused, also for metadata of several from which none was chosen.
 * @param entityId which of several is meant
 */
export function readProviderMetadata(xml: Buffer | string, entityId?: string): ProviderMetadata {
  const { root } = readXml(withoutAside(xml), { elements: MAX_ELEMENTS });
  const all = nameOf(root) === 'md:EntitiesDescriptor' ? descendants(root, 'md:EntityDescriptor') : [root];
  const found = all.filter(
    (each) =>
      nameOf(each) === 'md:EntityDescriptor' &&
      descriptorOf(each) !== undefined &&
      (entityId === undefined || each.getAttribute('entityID') === entityId),
  );
  const [entity, another] = found;
  if (!entity) return refuse('it describes no identity provider of SAML 2.0, or not that one');
  if (another)
    return refuse(`it describes several: name one of ${found.map((each) => each.getAttribute('entityID')).join(', ')}`);
  const descriptor = descriptorOf(entity)!;
  const service = childElements(descriptor).find(
    (each) => nameOf(each) === 'md:SingleSignOnService' && each.getAttribute('Binding') === BINDINGS.redirect,
  );
  if (!service) return refuse('the identity provider takes no requests by HTTP-Redirect');
  const certificates = certificatesOf(descriptor);
  if (certificates.length === 0) return refuse('it has no certificate of a key that signs');
  return { entityId: entity.getAttribute('entityID'), url: service.getAttribute('Location'), certificates };
}

const descriptorOf = (entity: XmlElement): XmlElement | undefined =>
  childElements(entity).find(
    (each) =>
      nameOf(each) === 'md:IDPSSODescriptor' &&
      each.getAttribute('protocolSupportEnumeration').split(/\s+/).includes(NAMESPACES.samlp),
  );

/** Each once; a descriptor that says no use is for signatures as well. */
function certificatesOf(descriptor: XmlElement): ProviderMetadata['certificates'] {
  const keys = childElements(descriptor).filter(
    (each) => nameOf(each) === 'md:KeyDescriptor' && ['signing', ''].includes(each.getAttribute('use')),
  );
  const texts = keys
    .flatMap((each) => descendants(each, 'ds:X509Certificate'))
    .map((each) => textOf(each).replace(/\s+/g, ''));
  return [...new Set(texts)].map((text) => {
    const certificate = certificateOf(text);
    return {
      pem: certificate.toString().trim(),
      sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      validUntil: certificate.validToDate.toISOString(),
    };
  });
}

function certificateOf(base64: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'));
  } catch {
    return refuse('one of its certificates cannot be read');
  }
}

const descendants = (element: XmlElement, name: string): XmlElement[] =>
  childElements(element).flatMap((each) => [...(nameOf(each) === name ? [each] : []), ...descendants(each, name)]);

/** Metadata is often commented; an administrator looks at what comes of it. */
const withoutAside = (xml: Buffer | string): string => xml.toString().replace(/<!--(?:(?!--)[^])*-->/g, '');

const refuse = (message: string): never => {
  throw new SamlRefused('shape', message);
};
