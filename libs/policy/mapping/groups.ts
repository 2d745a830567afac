import type { Provisioning } from '../compile/provisioned.js';
import { isForeignId } from '../documents/names.js';
import type { IssuerDocument } from '../documents/schema.js';
import { isJsonObject, own } from '../json.js';
import type { Json, JsonObject } from '../model.js';
import { identityOf } from './identity.js';
import { claimAt, partsOf } from './pointer.js';

/** The groups that a token names, and whether these are all. */
export interface TokenGroups {
  readonly names: readonly string[];
  readonly complete: boolean;
}

type Profile = IssuerDocument['profile'];

/** Where groups stand if the document does not say; null: the provider sends none. */
const CLAIM: Readonly<Record<Profile, string | null>> = {
  generic: '/groups',
  entra: '/groups',
  okta: '/groups',
  google: null,
  keycloak: '/groups',
};

/** Where an assertion has them, as the claims of a SAML sign-in are written. */
const SAML_CLAIM: Readonly<Partial<Record<Profile, string>>> = {
  entra: '/attributes/http:~1~1schemas.microsoft.com~1ws~12008~106~1identity~1claims~1groups',
};

/** What Entra says instead of more groups than fit into an assertion. Where it leads is never asked. */
const ENTRA_GROUPS_LINK = 'http://schemas.microsoft.com/claims/groups.link';

/** Okta's authorization servers send the first hundred and do not say that there are more. */
const TRUNCATED_AT: Readonly<Partial<Record<Profile, number>>> = { okta: 100 };

/** Assertions of Entra have 150 at most. */
const SAML_TRUNCATED_AT: Readonly<Partial<Record<Profile, number>>> = { entra: 150 };

/**
 * The groups of somebody: by the claims of a token or, where the Issuer says so, those that its connector has provisioned.
 *
 * INVARIANT: of whoever is not provisioned or not active, and of a group that has no usable name, nothing is known: never that it is none.
 */
export function groupsOfPerson(
  { provisioned }: { readonly provisioned: Provisioning },
  issuer: IssuerDocument,
  claims: JsonObject,
): TokenGroups | null {
  if (issuer.provisioning?.groups !== 'scim') return groupsOf(issuer, claims);
  const person = provisioned.of(identityOf(issuer, claims)?.id ?? '');
  if (!person?.active) return null;
  const prefix = issuer.groups?.prefix ?? '';
  const names = new Set<string>();
  for (const name of person.groups) if (name !== null && isForeignId(prefix + name)) names.add(prefix + name);
  return { names: [...names], complete: names.size === person.groups.length };
}

/** The pointer of the claim that names groups, by the document or else by its profile; null: the provider sends none. */
export function groupsClaim({ profile, groups, signIn }: IssuerDocument): string | null {
  return (
    groups?.claim ?? (signIn?.protocol === 'saml' ? (SAML_CLAIM[profile] ?? '/attributes/groups') : CLAIM[profile])
  );
}

/**
 * The groups of somebody by the claims of a token, with the prefix of the issuer; null where they are not known.
 *
 * INVARIANT: what was left out, or has another shape than a list of texts, is never no group.
 */
export function groupsOf(issuer: IssuerDocument, claims: JsonObject): TokenGroups | null {
  const { profile, groups: rules } = issuer;
  const isSaml = issuer.signIn?.protocol === 'saml';
  const pointer = groupsClaim(issuer);
  if (pointer === null) return null;
  const value = claimAt(claims, pointer);
  const isElsewhere = isSaml ? hasGroupsLink(claims) : saysElsewhere(profile, pointer, claims);
  if (value === undefined) {
    return !isElsewhere && rules?.whenAbsent === 'none' ? { names: [], complete: true } : null;
  }
  const names = namesOf(value, rules?.prefix ?? '');
  if (names === null) return null;
  const truncatedAt = rules?.truncatedAt ?? (isSaml ? SAML_TRUNCATED_AT : TRUNCATED_AT)[profile] ?? Infinity;
  return { names, complete: !isElsewhere && (value as readonly Json[]).length < truncatedAt };
}

/**
 * Whether a token says that a claim is to be had from elsewhere: distributed and aggregated claims (OpenID Connect Core
 * §5.6.2), and Entra's `hasgroups`. Where it leads is never asked.
 */
function saysElsewhere(profile: Profile, pointer: string, claims: JsonObject): boolean {
  const names = own(claims, '_claim_names');
  if (names !== undefined && (!isJsonObject(names) || Object.hasOwn(names, partsOf(pointer)[0]!))) return true;
  if (profile !== 'entra' || pointer !== CLAIM.entra) return false;
  const has = own(claims, 'hasgroups');
  return has !== undefined && has !== false;
}

/** Whether an assertion has a link in the place of groups. */
function hasGroupsLink(claims: JsonObject): boolean {
  const attributes = own(claims, 'attributes');
  return isJsonObject(attributes) && Object.hasOwn(attributes, ENTRA_GROUPS_LINK);
}

/** Every name of a list, each once; null for anything that is no list of texts that could name groups. */
function namesOf(value: Json, prefix: string): readonly string[] | null {
  if (!Array.isArray(value)) return null;
  const names = new Set<string>();
  for (const item of value as readonly Json[]) {
    if (typeof item !== 'string' || item === '') return null;
    const name = prefix + item;
    if (!isForeignId(name)) return null;
    names.add(name);
  }
  return [...names];
}
