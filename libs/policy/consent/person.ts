import type { HeldRoles } from '../compile/memberships.js';
import type { PolicySet } from '../compile/policy-set.js';
import { parsePrincipal, subjectKey } from '../documents/names.js';
import type { SubjectDocument } from '../documents/schema.js';
import { ANY_GROUP, keyOfIssuer, keyOfIssuerText, type TouchKey } from '../documents/touches.js';
import { groupsOfPerson } from '../mapping/groups.js';
import { mapClaims } from '../mapping/map-claims.js';
import { unmetRequirement } from '../mapping/identity.js';
import type { JsonObject } from '../model.js';

/** Somebody who has signed in, as the identity provider vouched for them last. */
export interface SignedInPerson {
  /** The verified id, as in user:entra/3f2c. */
  readonly id: string;
  /** The name of the Issuer. */
  readonly issuer: string;
  readonly claims: JsonObject;
}

/** What is known of a person on one state. */
export interface KnownPerson {
  /** The key of the one stored Subject that they are, or of themselves. */
  readonly key: string;
  readonly roles: HeldRoles;
  /** The groups that they are in for certain. */
  readonly groups: ReadonlySet<string>;
  /** What all of it rests on. */
  readonly keys: readonly TouchKey[];
}

/**
 * Who somebody is who has signed in; undefined where they are nobody any more: the Issuer is gone, is another one or does not sign people
 * in, a claim that it requires is missing, they are suspended under any of their names, the directory of the Issuer does not
 * let them in, or has not been heard of for too long.
 * @param now ms since 1970
 */
export function personAt(set: PolicySet, person: SignedInPerson, now: number): KnownPerson | undefined {
  const named = parsePrincipal(person.id);
  const issuer = set.documents.find('Issuer', person.issuer)?.document;
  if (named?.kind !== 'subject' || !issuer?.signIn) return undefined;
  if (!person.id.startsWith(`${issuer.subjectType}:${issuer.name}/`)) return undefined;
  // Another provider by that name: whom it calls so is somebody else.
  if (person.claims['iss'] !== issuer.issuer) return undefined;
  if (unmetRequirement(issuer, person.claims) !== undefined) return undefined;
  const stored = set.subject(named.type, named.id);
  const names = allNames(person.id, stored);
  if (set.suspensionOf(() => names.map((name) => `Subject:${name}`))) return undefined;
  if (set.silentIssuerOf(() => names) !== undefined) return undefined;
  if (set.keepsOut(stored ? [named, stored, ...(stored.aliases ?? [])] : [named])) return undefined;

  const said = groupsOfPerson(set, issuer, person.claims);
  const mapped = mapClaims(set.documents.all('Mapping'), issuer, person.claims, said);
  const groups = new Set(stored?.groups ?? said?.names ?? []);
  const mayBeInMore = !stored?.groups && !said?.complete;
  const key = stored ? subjectKey(stored.type, stored.id) : person.id;
  return {
    key,
    groups,
    roles: set.memberships.rolesOf(key, groups, now, undefined, { mayBeInMore, mapped: mapped.roles }),
    keys: [
      ...names.map((name): TouchKey => `subject:${name}`),
      ...[...groups].map((group): TouchKey => `group:${group}`),
      ...(mayBeInMore ? [ANY_GROUP] : []),
      keyOfIssuer(issuer.name),
      keyOfIssuerText(issuer.issuer),
    ],
  };
}

/** Every name by which a person of a verified id is known: that of their sign-in, of their stored Subject, and its aliases. */
export function namesOf(set: PolicySet, id: string): readonly string[] {
  const named = parsePrincipal(id);
  return named?.kind === 'subject' ? allNames(id, set.subject(named.type, named.id)) : [];
}

function allNames(id: string, stored: SubjectDocument | undefined): readonly string[] {
  const others = stored ? [stored, ...(stored.aliases ?? [])] : [];
  return [...new Set([id, ...others.map((name) => subjectKey(name.type, name.id))])];
}
