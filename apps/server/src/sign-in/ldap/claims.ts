import type { DirectoryPerson } from '#directory';
import type { IssuerDocument, JsonObject } from '#policy';

/**
 * What a directory says of a person, as claims: the same for the same entry, so that what has not changed touches nobody.
 * Groups that are not all of them say so as OpenID Connect does of claims that are elsewhere (Core §5.6.2).
 */
export function claimsOf(issuer: IssuerDocument, person: DirectoryPerson): JsonObject {
  const { groups, attributes } = person;
  return {
    ...Object.fromEntries(
      Object.entries(attributes)
        .filter(([name]) => !OURS.has(name))
        .map(([name, values]) => [name, [...values].map(clean).sort()]),
    ),
    iss: issuer.issuer,
    sub: person.id,
    ...(person.login === null ? {} : { preferred_username: clean(person.login) }),
    ...(person.name === null ? {} : { name: clean(person.name) }),
    ...(person.email === null ? {} : { email: clean(person.email) }),
    ...(groups === null ? {} : { groups: [...groups.names] }),
    ...(groups === null || groups.complete ? {} : { _claim_names: { groups: 'directory' } }),
  };
}

/** Claims that no attribute can take the place of. */
const OURS: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'preferred_username',
  'name',
  'email',
  'groups',
  '_claim_names',
]);

/** What the database can keep. */
export const clean = (text: string): string => text.slice(0, 1024).toWellFormed().replaceAll('\u0000', '');
