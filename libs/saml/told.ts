import { createHash } from 'node:crypto';
import { distance, type Expected } from './assertion.js';
import { nameOf } from './names.js';
import { childElements } from './read-xml.js';
import { child, signatureOf, textOf } from './signature-shape.js';
import { instantOf } from './values.js';
import type { XmlElement } from './xmldom.js';

/**
 * Tells which look it was that the library has refused, by its own words. It looks at conditions only once the signature
 * holds; nothing rests on what is read of them here.
 */
export function tellRefusal(message: string, root: XmlElement, { look, audience, now }: Expected): void {
  if (!look) return;
  const assertion = child(root, 'saml:Assertion');
  const conditions = child(assertion, 'saml:Conditions');
  if (/audience/i.test(message)) {
    const restrictions = conditions ? childElements(conditions) : [];
    const named = restrictions.filter((each) => nameOf(each) === 'saml:AudienceRestriction').flatMap(childElements);
    look('audience', `Audience is ${named.map(textOf).join(', ') || 'not known'}, ours is ${audience}`);
  } else if (/expired|not yet valid|subject confirmation/i.test(message)) {
    const confirmation = child(child(assertion, 'saml:Subject'), 'saml:SubjectConfirmation');
    const ends = [child(confirmation, 'saml:SubjectConfirmationData'), conditions].map((each) =>
      momentOf(each, 'NotOnOrAfter', now),
    );
    const [made, from] = [momentOf(assertion, 'IssueInstant', now), momentOf(conditions, 'NotBefore', now)];
    look('validity', `made ${made}; NotBefore is ${from}, NotOnOrAfter ${ends.join(' and ')}`);
  } else if (/InResponseTo/i.test(message)) {
    look('in_response_to', 'what the assertion says that it answers');
  }
}

/** By which certificates a signature is looked at, and which one the answer itself names, by their SHA-256. */
export function signers(root: XmlElement, certificates: readonly string[]): string {
  const known = certificates.map((pem) => fingerprint(pem.replace(/-----[^-]+-----/g, '')));
  const signed = [root, child(root, 'saml:Assertion')].filter((each) => each !== undefined);
  const named = signed.flatMap((each) => {
    const data = child(child(signatureOf(each), 'ds:KeyInfo'), 'ds:X509Data');
    const text = textOf(child(data, 'ds:X509Certificate'));
    return text === '' ? [] : [fingerprint(text)];
  });
  const says = named.length === 0 ? 'the answer names none' : `the answer names ${[...new Set(named)].join(', ')}`;
  return `certificates of the document: ${known.join(', ')}; ${says}`;
}

const fingerprint = (base64: string): string =>
  createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex');

function momentOf(element: XmlElement | undefined, attribute: string, now: number): string {
  try {
    const at = element ? instantOf(element, attribute) : null;
    return at === null ? 'not said' : distance(at, now);
  } catch {
    return 'no moment';
  }
}
