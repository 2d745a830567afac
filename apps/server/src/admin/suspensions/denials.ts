import { parsePrincipal, type IssuerDocument, type PolicySet } from '#policy';
import type { Operation } from '#store';

/**
 * For how long denials of people are kept, in ms: longer than any token that an Issuer can let in is good (365 days), as
 * what it lets in can be changed after the denial.
 */
export const PERSON_DENIAL_MS = 366 * 86_400_000;

/** Somebody as a token or a session calls them: `user` and `entra/3f2c`. */
interface Person {
  readonly type: string;
  readonly id: string;
}

/**
 * What refuses every token about somebody that was issued before, their identity provider's as well as ours; empty for whom
 * no Issuer of these names. It is kept until the last of the tokens has expired by itself.
 * @param now ms since 1970, by the database's clock
 */
function denialOf(person: Person, policies: PolicySet, now: number): Operation[] {
  const issuer = issuerOf(person, policies);
  if (!issuer) return [];
  return [{ op: 'deny', key: `subject:${person.id}`, expiresAt: new Date(now + PERSON_DENIAL_MS).toISOString() }];
}

/** What ends all that was given out to somebody, under each of their names: tokens of their provider, sessions, tokens of ours. */
export function endingOf(key: string, policies: PolicySet, now: number): Operation[] {
  const persons = personsOf(key, policies);
  if (persons.length === 0) return [];
  const names = [...new Set(persons.map(({ type, id }) => `${type}:${id}`))];
  const denials = persons.flatMap((person) => denialOf(person, policies, now));
  const byKey = new Map(denials.map((denial) => [JSON.stringify(denial), denial]));
  return [...byKey.values(), { op: 'end_sessions', persons: names }, { op: 'end_tokens', accounts: names }];
}

/**
 * As `endingOf`, with the keys of administrators that they have made and all that was agreed to by them and for them: of
 * somebody who has left.
 */
export function leavingOf(key: string, policies: PolicySet, now: number): Operation[] {
  const persons = [...new Set(personsOf(key, policies).map(({ type, id }) => `${type}:${id}`))];
  if (persons.length === 0) return [];
  return [...endingOf(key, policies, now), { op: 'end_keys', persons }, { op: 'end_consents', persons }];
}

/** Somebody under each of their names; nobody where a key names no subject. */
function personsOf(key: string, policies: PolicySet): readonly Person[] {
  const named = parsePrincipal(key);
  if (named?.kind !== 'subject') return [];
  const stored = policies.subject(named.type, named.id);
  return [named, ...(stored ? [stored, ...(stored.aliases ?? [])] : [])];
}

/** The Issuer whose people have such ids. Its name has no slash, so there is one at most. */
function issuerOf({ type, id }: Person, { documents }: PolicySet): IssuerDocument | undefined {
  const slash = id.indexOf('/');
  const issuer = slash < 1 ? undefined : documents.find('Issuer', id.slice(0, slash))?.document;
  return issuer?.subjectType === type ? issuer : undefined;
}
