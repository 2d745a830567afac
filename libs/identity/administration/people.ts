import {
  keyOfIssuer,
  mapClaims,
  unmetRequirement,
  type DocumentSet,
  type JsonObject,
  type TokenGroups,
  type TouchKey,
} from '#policy';
import { abilityOf, type AdministratorAbility } from './ability.js';

/** A person whom an issuer has vouched for. */
export interface VerifiedPerson {
  /** The verified id, as in user:entra/3f2c: never an alias, and never one that a Subject document gives. */
  readonly id: string;
  /** The name of the Issuer. */
  readonly issuer: string;
  readonly claims: JsonObject;
  /** With the prefix of the issuer; null: not known. */
  readonly groups: TokenGroups | null;
}

/** What a person may administer, what that rests on, and until when it is so at most (ms since 1970; null: no end). */
export interface PersonsAdministration {
  readonly roles: readonly string[];
  readonly ability: AdministratorAbility;
  readonly keys: readonly TouchKey[];
  readonly validUntil: number | null;
}

/**
 * What a person may administer at a moment, by AdministratorBindings and by what the Mappings of the issuer give; roles of
 * policies, stored subjects and their groups have no say.
 *
 * INVARIANT: an issuer that is gone, an id that is not one of that issuer, or a claim that is required and not as it must
 * be, gives nothing; a group gives what is bound to it only if it was seen.
 * @param now ms since 1970
 */
export function administratorOf(documents: DocumentSet, person: VerifiedPerson, now: number): PersonsAdministration {
  const { roles, validUntil } = rolesOf(documents, person, now);
  return {
    roles,
    ability: abilityOf(roles, documents),
    keys: ['administration', `subject:${person.id}`, keyOfIssuer(person.issuer)],
    validUntil,
  };
}

const NOTHING = { roles: [], validUntil: null } as const;

function rolesOf(
  documents: DocumentSet,
  { id, issuer: name, claims, groups }: VerifiedPerson,
  now: number,
): Pick<PersonsAdministration, 'roles' | 'validUntil'> {
  const issuer = documents.find('Issuer', name)?.document;
  if (!issuer || !id.startsWith(`${issuer.subjectType}:${name}/`) || unmetRequirement(issuer, claims) !== undefined)
    return NOTHING;
  const roles = new Set(mapClaims(documents.all('Mapping'), issuer, claims, groups).administration.held);
  const names = new Set([id, ...(groups?.names ?? []).map((group) => `group:${group}`)]);
  let validUntil: number | null = null;
  for (const { document } of documents.all('AdministratorBinding')) {
    const expires = document.expires === undefined ? null : Date.parse(document.expires);
    if (!document.to.some((ref) => names.has(ref)) || (expires !== null && !(expires > now))) continue;
    if (expires !== null) validUntil = Math.min(validUntil ?? expires, expires);
    for (const role of document.roles) roles.add(role);
  }
  return { roles: [...roles].sort(), validUntil };
}
