import { AndFilter, EqualityFilter, OrFilter, type Entry, type Filter } from 'ldapts';
import type { LdapSignIn } from '#policy';
import type { Connection } from './connection.js';
import { sidText, textOf, valuesOf } from './entries.js';

/** Groups by the names that the document chooses, and whether these are all. */
export interface FoundGroups {
  readonly names: readonly string[];
  readonly complete: boolean;
}

export type GroupSettings = NonNullable<LdapSignIn['groups']>;

/** Groups that are followed at most, and from one to the next: beyond, what was found is not all. */
const MOST_GROUPS = 2000;
const MOST_STEPS = 50;

/** Values in one filter. */
const AT_ONCE = 50;

/** What groups by SID are called, as it was found out. A new one is made for each reading, so that none is older. */
export class SidNames {
  readonly #names = new Map<string, string | null>();

  /** Null: the directory has been asked, and has no group of it with a name. */
  get(sid: string): string | null | undefined {
    return this.#names.get(sid);
  }

  set(sid: string, name: string | null): void {
    this.#names.set(sid, name);
  }
}

/**
 * The groups of somebody in Active Directory: the server works out `tokenGroups`, nested ones and the primary one with them
 * (MS-ADTS 3.1.1.4.5.19). A group that it counts and that we cannot read makes the list incomplete; those that every
 * Windows has (`S-1-5-32-…`) mean nothing here.
 */
export async function tokenGroups(
  connection: Connection,
  dn: string,
  settings: GroupSettings,
  known: SidNames,
): Promise<FoundGroups> {
  const wanted = { scope: 'base', attributes: ['tokenGroups'], most: 1 } as const;
  const [entry] = await connection.search(dn, wanted);
  const values = entry ? valuesOf(entry, 'tokenGroups') : [];
  const sids = new Map<string, Buffer>();
  for (const value of values) {
    const sid = sidText(value);
    if (sid === undefined) return { names: [], complete: false };
    if (!sid.startsWith('S-1-5-32-')) sids.set(sid, value as Buffer);
  }
  // Everybody is in a primary group: where there is none, the account may not read them.
  if (sids.size === 0 || sids.size > MOST_GROUPS) return { names: [], complete: false };
  const missing = [...sids].filter(([sid]) => known.get(sid) === undefined);
  for (const part of partsOf(missing)) await nameSids(connection, part, settings, known);
  const names = [...sids.keys()].map((sid) => known.get(sid));
  return { names: sorted(names), complete: names.every((name) => typeof name === 'string') };
}

async function nameSids(
  connection: Connection,
  sids: readonly (readonly [string, Buffer])[],
  settings: GroupSettings,
  known: SidNames,
): Promise<void> {
  const name = nameAttribute(settings, 'sAMAccountName');
  const filter = new OrFilter({
    filters: sids.map(([, value]) => new EqualityFilter({ attribute: 'objectSid', value })),
  });
  const attributes = name === 'dn' ? ['objectSid'] : ['objectSid', name];
  const found = await connection.search(settings.base, { scope: 'sub', filter, attributes });
  for (const [sid] of sids) known.set(sid, null);
  for (const entry of found) {
    const sid = sidText(valuesOf(entry, 'objectSid')[0]);
    if (sid !== undefined) known.set(sid, groupName(entry, name) ?? null);
  }
}

/**
 * The groups of somebody elsewhere: those that name them, those that name these, and so on. Each is followed once, so that
 * groups that are in each other come to an end.
 */
export async function walkedGroups(
  connection: Connection,
  person: Entry,
  settings: GroupSettings,
): Promise<FoundGroups> {
  const name = nameAttribute(settings, 'cn');
  const isNested = settings.member !== 'memberUid';
  const uid = textOf(person, 'uid');
  if (!isNested && uid === undefined) return { names: [], complete: false };
  const found = new Map<string, string | undefined>();
  let isAll = true;
  let frontier: readonly string[] = [isNested ? person.dn : uid!];
  for (let step = 0; frontier.length > 0; step++) {
    if (step === MOST_STEPS) return { names: sorted([...found.values()]), complete: false };
    const next: string[] = [];
    for (const part of partsOf(frontier)) {
      const members = part.map((value) => new EqualityFilter({ attribute: settings.member, value }));
      const filter = new AndFilter({ filters: [groupClasses(), new OrFilter({ filters: members })] });
      const entries = await connection.search(settings.base, {
        scope: 'sub',
        filter,
        attributes: [name === 'dn' ? '1.1' : name],
        elsewhere: () => (isAll = false),
      });
      for (const entry of entries) {
        const key = entry.dn.toLowerCase();
        if (found.has(key)) continue;
        found.set(key, groupName(entry, name));
        next.push(entry.dn);
      }
      if (found.size > MOST_GROUPS) return { names: sorted([...found.values()]), complete: false };
    }
    frontier = isNested ? next : [];
  }
  const names = [...found.values()];
  return { names: sorted(names), complete: isAll && names.every((each) => each !== undefined) };
}

const groupClasses = (): Filter =>
  new OrFilter({
    filters: ['groupOfNames', 'groupOfUniqueNames', 'groupOfMembers', 'posixGroup'].map(
      (value) => new EqualityFilter({ attribute: 'objectClass', value }),
    ),
  });

const nameAttribute = ({ name }: GroupSettings, usual: string): string => name ?? usual;

/** What a group is called; of one with several names the first in order, so that it is the same every time. */
function groupName(entry: Entry, name: string): string | undefined {
  if (name === 'dn') return entry.dn;
  const names = valuesOf(entry, name).filter((value): value is string => typeof value === 'string' && value !== '');
  return [...names].sort()[0];
}

const sorted = (names: readonly (string | null | undefined)[]): readonly string[] =>
  [...new Set(names.filter((name): name is string => typeof name === 'string'))].sort();

function* partsOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += AT_ONCE) yield all.slice(at, at + AT_ONCE);
}
