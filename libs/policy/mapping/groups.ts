import { isForeignId } from '../documents/names.js';
import type { IssuerDocument } from '../documents/schema.js';
import { isJsonObject, own } from '../json.js';
import type { Json, JsonObject } from '../model.js';
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

/** Okta's authorization servers send the first hundred and do not say that there are more. */
const TRUNCATED_AT: Readonly<Partial<Record<Profile, number>>> = { okta: 100 };

/**
 * The groups of somebody by the claims of a token, with the prefix of the issuer; null where they are not known.
 *
 * INVARIANT: what was left out, or has another shape than a list of texts, is never no group.
 */
export function groupsOf(issuer: IssuerDocument, claims: JsonObject): TokenGroups | null {
  const { profile, groups: rules } = issuer;
  const pointer = rules?.claim ?? CLAIM[profile];
  if (pointer === null) return null;
  const value = claimAt(claims, pointer);
  const isElsewhere = saysElsewhere(profile, pointer, claims);
  if (value === undefined) {
    return !isElsewhere && rules?.whenAbsent === 'none' ? { names: [], complete: true } : null;
  }
  const names = namesOf(value, rules?.prefix ?? '');
  if (names === null) return null;
  const truncatedAt = rules?.truncatedAt ?? TRUNCATED_AT[profile] ?? Infinity;
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
