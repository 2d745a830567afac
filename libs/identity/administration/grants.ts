import { parsePrincipal, type AnyDocument, type DocumentSet } from '#policy';
import type { StoredCredential } from '#store';
import { abilityOf, covers, may, type AdministratorAbility } from './ability.js';

/** A document as it was before a change and as it is after it; undefined: it is not there. */
export interface ChangedDocument {
  readonly before: AnyDocument | undefined;
  readonly after: AnyDocument | undefined;
}

/**
 * The first of some changed documents by which somebody could come to hold more than the maker of the change has, or
 * lose it; undefined where there is none. Nobody gives what they do not have, and nobody weaker meddles with what the
 * stronger hold: both what a document gave before and what it gives after must be covered.
 *
 * INVARIANT: whatever can give somebody a role of administrators is looked at here: the roles themselves, who is bound
 * to them, what claims give, and who an issuer says that people are.
 */
export function exceeding(
  maker: AdministratorAbility,
  present: DocumentSet,
  next: DocumentSet,
  changed: readonly ChangedDocument[],
): AnyDocument | undefined {
  const isCovered = (document: AnyDocument | undefined, documents: DocumentSet): boolean => {
    const roles = document ? rolesThrough(document, documents) : [];
    return roles.length === 0 || covers(maker, abilityOf(roles, documents));
  };
  const excess = changed.find(
    ({ before, after }) =>
      // A mapping or an issuer opens the way to what others give, before and after.
      !(isCovered(before, present) && isCovered(before, next) && isCovered(after, next) && isCovered(after, present)),
  );
  return excess && (excess.after ?? excess.before);
}

/**
 * The first workload whose identity provider some changed documents could exchange, or take away, though the maker of the
 * change may not write the clients of its host; undefined where there is none.
 *
 * An Issuer says by its name which workloads are whose, whether it was there before or comes after they did; so it counts
 * whatever changes of it.
 */
export function foreignWorkload(
  maker: AdministratorAbility,
  credentials: Iterable<StoredCredential>,
  changed: readonly ChangedDocument[],
): StoredCredential | undefined {
  const issuers = new Set(
    changed.flatMap(({ before, after }) =>
      [before, after].flatMap((each) => (each?.kind === 'Issuer' ? each.name : [])),
    ),
  );
  if (issuers.size === 0) return undefined;
  for (const credential of credentials) {
    const { kind, disabled, issuer, principal } = credential;
    const rests = kind === 'federated' && !disabled && issuer !== null && issuers.has(issuer);
    if (rests && !may(maker, 'write', 'Client', principal)) return credential;
  }
  return undefined;
}

/** The roles of administrators that people can have through a document. */
function rolesThrough(document: AnyDocument, documents: DocumentSet): readonly string[] {
  switch (document.kind) {
    case 'AdministratorRole':
      return [document.name];
    case 'AdministratorBinding':
      return document.roles;
    case 'Mapping':
      return mappedRoles(document.issuer, documents).concat(
        document.rules.flatMap((rule) => rule.administration ?? []),
      );
    case 'Issuer':
      return [...mappedRoles(document.name, documents), ...boundRoles(document.name, documents)];
    default:
      return [];
  }
}

/** What the Mappings of an issuer give. They are one list, and a rule of one can stop those of another. */
const mappedRoles = (issuer: string, documents: DocumentSet): string[] =>
  [...documents.all('Mapping')]
    .filter(({ document }) => document.issuer === issuer)
    .flatMap(({ document }) => document.rules.flatMap((rule) => rule.administration ?? []));

/** What people of an issuer can be bound to: by their ids, or by groups, which any issuer can say that they are in. */
const boundRoles = (issuer: string, documents: DocumentSet): string[] =>
  [...documents.all('AdministratorBinding')]
    .filter(({ document }) => document.to.some((ref) => isOfIssuer(ref, issuer)))
    .flatMap(({ document }) => document.roles);

function isOfIssuer(ref: string, issuer: string): boolean {
  const principal = parsePrincipal(ref);
  return principal?.kind !== 'subject' || principal.id.startsWith(`${issuer}/`);
}
