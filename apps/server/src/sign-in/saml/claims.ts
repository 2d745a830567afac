import type { JsonObject } from '#policy';
import { NAME_FORMATS, type VerifiedResponse } from '#saml';

/**
 * An assertion as claims, in which Issuers and Mappings look: `sub` is the persistent name, and `attributes` has the list of
 * values of each attribute, also where it has one only. What is new at each sign-in is left out.
 */
export function claimsOf(issuer: string, { persistentId, nameId, attributes }: VerifiedResponse): JsonObject {
  const isLasting = nameId !== null && nameId.format !== NAME_FORMATS.transient;
  return {
    iss: issuer,
    ...(persistentId === null ? {} : { sub: persistentId }),
    ...(isLasting ? { name_id: { value: nameId.value, format: nameId.format } } : {}),
    attributes: Object.fromEntries([...attributes].map(([name, values]) => [name, [...values]])),
  };
}

const XML_SOAP = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';

/** What providers call what somebody is called, the best first. */
const NAMES = [
  'http://schemas.microsoft.com/identity/claims/displayname',
  'displayName',
  'urn:oid:2.16.840.1.113730.3.1.241',
  'name',
  'cn',
  'urn:oid:2.5.4.3',
] as const;

const EMAILS = [`${XML_SOAP}emailaddress`, 'email', 'mail', 'urn:oid:0.9.2342.19200300.100.1.3'] as const;

const GIVEN = [`${XML_SOAP}givenname`, 'firstName', 'givenName', 'urn:oid:2.5.4.42'] as const;
const FAMILY = [`${XML_SOAP}surname`, 'lastName', 'sn', 'urn:oid:2.5.4.4'] as const;

/** What somebody is called, to be shown and nothing else. */
export function shownName({ attributes }: VerifiedResponse, attribute: string | undefined): string | null {
  if (attribute !== undefined) return first(attributes, [attribute]);
  const parts = [first(attributes, GIVEN), first(attributes, FAMILY)].filter((part) => part !== null);
  return first(attributes, NAMES) ?? (parts.length === 2 ? parts.join(' ') : null);
}

/** Somebody's e-mail address, to be shown and nothing else. */
export const shownEmail = ({ attributes }: VerifiedResponse, attribute: string | undefined): string | null =>
  first(attributes, attribute === undefined ? EMAILS : [attribute]);

function first(attributes: VerifiedResponse['attributes'], names: readonly string[]): string | null {
  const value = names.map((name) => attributes.get(name)?.[0]).find((text) => text !== undefined && text !== '');
  return value === undefined ? null : value.slice(0, 512).toWellFormed().replaceAll('\u0000', '');
}
