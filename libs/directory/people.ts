import { AndFilter, EqualityFilter, type Entry, type Filter } from 'ldapts';
import type { LdapSignIn } from '#policy';
import { stateAttributes } from './account-state.js';
import type { Connection } from './connection.js';
import { guidBytes, guidText, textOf, textsOf, uuidText, valuesOf, wholeOf } from './entries.js';
import { DirectoryError } from './errors.js';
import { tokenGroups, walkedGroups, type FoundGroups, type SidNames } from './groups.js';

/** Somebody as a directory has them. */
export interface DirectoryPerson {
  /** objectGUID or entryUUID, in lower case: no other entry ever has it. */
  readonly id: string;
  readonly login: string | null;
  readonly name: string | null;
  readonly email: string | null;
  /** Null: the document does not say where groups are. */
  readonly groups: FoundGroups | null;
  /** Those that the document asks for, as far as they are texts and all of them came. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** What a directory says of the person of an entry. Throws DirectoryError. */
export async function personOf(
  connection: Connection,
  entry: Entry,
  id: string,
  settings: LdapSignIn,
  names: SidNames,
): Promise<DirectoryPerson> {
  const { groups, directory, attributes = [] } = settings;
  const claims: Record<string, readonly string[]> = {};
  for (const name of attributes) {
    const values = await wholeOf(connection, entry, name);
    if (values && values.length > 0) claims[name] = values;
  }
  const found =
    groups &&
    (directory === 'active-directory'
      ? tokenGroups(connection, entry.dn, groups, names)
      : walkedGroups(connection, entry, groups));
  return {
    id,
    login: textOf(entry, loginAttributes(settings)[0]!) ?? null,
    name: textOf(entry, 'displayName') ?? textsOf(entry, 'cn')[0] ?? null,
    email: textsOf(entry, 'mail')[0] ?? null,
    groups: (await found) ?? null,
    attributes: claims,
  };
}

/** The id of an entry. Throws DirectoryError where it cannot be read. */
export function idOf(entry: Entry, settings: LdapSignIn): string {
  const id =
    settings.directory === 'active-directory'
      ? guidText(valuesOf(entry, 'objectGUID')[0])
      : uuidText(textOf(entry, 'entryUUID'));
  if (id !== undefined) return id;
  throw new DirectoryError(
    'misconfigured',
    `${entry.dn} has no ${idAttribute(settings)} that ${settings.account} may read`,
  );
}

/** Finds the entry of an id. */
export function hasId(settings: LdapSignIn, id: string): Filter {
  const value = settings.directory === 'active-directory' ? guidBytes(id) : id;
  return new EqualityFilter({ attribute: idAttribute(settings), value });
}

/** Finds the people of a directory, and nothing else of it. */
export function people({ people: { objectClass }, directory }: LdapSignIn): Filter {
  if (objectClass !== undefined) return new EqualityFilter({ attribute: 'objectClass', value: objectClass });
  if (directory === 'generic') return new EqualityFilter({ attribute: 'objectClass', value: 'inetOrgPerson' });
  // Computers are of the class `user` as well.
  return new AndFilter({
    filters: [
      new EqualityFilter({ attribute: 'objectCategory', value: 'person' }),
      new EqualityFilter({ attribute: 'objectClass', value: 'user' }),
    ],
  });
}

/** The attribute that says who an entry is. */
export const idAttribute = ({ directory }: LdapSignIn): string =>
  directory === 'active-directory' ? 'objectGUID' : 'entryUUID';

/** The attributes that have user names, the first one to be shown. */
export function loginAttributes({ directory, people: { login } }: LdapSignIn): readonly string[] {
  return login ?? (directory === 'active-directory' ? ['sAMAccountName', 'userPrincipalName'] : ['uid']);
}

/** Everything of an entry that is read. */
export function attributesOf(settings: LdapSignIn): readonly string[] {
  const { attributes = [] } = settings;
  const usual = ['cn', 'displayName', 'mail', 'uid', idAttribute(settings), ...loginAttributes(settings)];
  return [...new Set([...usual, ...stateAttributes(settings), ...attributes])];
}

/** How groups are found, to be read. */
export function groupsMethod({ groups, directory }: LdapSignIn): string {
  if (!groups) return 'the document does not say where groups are: they are unknown';
  if (directory === 'active-directory') return `tokenGroups, and names below ${groups.base}`;
  return `groups that name the person by ${groups.member}, nested ones too, below ${groups.base}`;
}
