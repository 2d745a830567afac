import { isForeignId } from '../documents/names.js';
import type { IssuerDocument } from '../documents/schema.js';
import { own } from '../json.js';
import type { Json, JsonObject } from '../model.js';
import { claimAt } from './pointer.js';

/**
 * Whom the claims of a token are about: the type and id of a subject. Undefined where the claim is no text that could be
 * an id, or where a token of Entra is of another directory than its issuer.
 */
export function identityOf(issuer: IssuerDocument, claims: JsonObject): { type: string; id: string } | undefined {
  const pointer = identityClaim(issuer, claims);
  const value = claimAt(claims, pointer);
  if (typeof value !== 'string' || value === '') return undefined;
  if (issuer.profile === 'okta' && issuer.identity === undefined && value.includes('@')) return undefined;
  if (issuer.profile === 'entra' && !isOfDirectory(issuer.issuer, own(claims, 'tid'))) return undefined;
  if (issuer.signIn?.protocol === 'saml' && pointer !== '/sub' && !isAlone(claims, pointer)) return undefined;
  const id = `${issuer.name}/${value}`;
  return isForeignId(id) ? { type: issuer.subjectType, id } : undefined;
}

/** The pointer of the claim that says who somebody is, by the document or else by its profile. */
export const identityClaim = (issuer: IssuerDocument, claims: JsonObject): string =>
  issuer.identity?.claim ?? usualClaim(issuer, claims);

/**
 * Where the document does not say. Okta's ID tokens have in `sub` what its access tokens have in `uid`; in `sub` those have
 * the login, which is an e-mail address and no identity.
 */
function usualClaim({ profile, signIn }: IssuerDocument, claims: JsonObject): string {
  if (signIn?.protocol === 'saml') return profile === 'entra' ? ENTRA_OBJECT : '/sub';
  if (profile === 'okta' && own(claims, 'uid') !== undefined) return '/uid';
  return profile === 'entra' ? '/oid' : '/sub';
}

/** Whether a value of an attribute is the only one: of several, none says who somebody is. */
function isAlone(claims: JsonObject, pointer: string): boolean {
  const values = claimAt(claims, pointer.slice(0, pointer.lastIndexOf('/')));
  return Array.isArray(values) && values.length === 1;
}

/** What an `oid` is, in an assertion of Entra. */
const ENTRA_OBJECT = '/attributes/http:~1~1schemas.microsoft.com~1identity~1claims~1objectidentifier/0';

/** An `oid` means somebody only within its directory, which the path of the issuer names. */
function isOfDirectory(issuer: string, tid: Json | undefined): boolean {
  if (tid === undefined) return true;
  if (typeof tid !== 'string' || tid === '') return false;
  return new URL(issuer).pathname.split('/').includes(tid.toLowerCase());
}

/** The first claim that an Issuer requires and that is not as it must be, by its pointer; undefined if all are. */
export function unmetRequirement(issuer: IssuerDocument, claims: JsonObject): string | undefined {
  return issuer.require?.find(({ claim, equals }) => {
    const value = claimAt(claims, claim);
    return !(Array.isArray(value) ? (value as readonly Json[]).includes(equals) : value === equals);
  })?.claim;
}
