import { SamlRefused } from './saml-refused.js';
import type { XmlElement } from './xmldom.js';

/**
 * A moment in an attribute, in ms since 1970; null: it is not there. Throws SamlRefused unless it is in UTC, as SAML has it
 * (SAML 2.0 core §1.3.3).
 */
export function instantOf(element: XmlElement, attribute: string): number | null {
  if (!element.hasAttribute(attribute)) return null;
  const text = element.getAttribute(attribute);
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) throw new SamlRefused('shape', `${attribute} is no moment in UTC`);
  return at;
}

/** The name of an attribute. Throws SamlRefused where it has none, or a longer one than can be written in a document. */
export function guardedName(name: string): string {
  if (name !== '' && name.length <= 512) return name;
  throw new SamlRefused('shape', 'an attribute has no name, or a very long one');
}
