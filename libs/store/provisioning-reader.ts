import type { Store, TenantView } from './store.js';

/** A provisioned user as it is stored. Times as in ISO 8601. */
export interface StoredScimUser {
  readonly id: string;
  readonly externalId: string | null;
  readonly userName: string;
  readonly active: boolean;
  /** What the tokens of the Issuer call them; null: nobody knows. */
  readonly identity: string | null;
  readonly attributes: object;
  readonly version: number;
  readonly createdAt: string;
  readonly changedAt: string;
}

/** A provisioned group as it is stored. */
export interface StoredScimGroup {
  readonly id: string;
  readonly externalId: string | null;
  readonly displayName: string;
  readonly version: number;
  readonly createdAt: string;
  readonly changedAt: string;
}

/** A user who is in a group, or a group that a user is in. */
export interface ScimReference {
  readonly id: string;
  readonly name: string;
}

/** By what users and groups are found: all that is given must be so, and each has an index. */
export interface ScimQuery {
  readonly id?: string | undefined;
  readonly externalId?: string | undefined;
  /** Of users; upper and lower case are the same. */
  readonly userName?: string | undefined;
  /** Of groups; upper and lower case are the same. */
  readonly displayName?: string | undefined;
  /** Of groups: the id of a user who is in them. */
  readonly member?: string | undefined;
}

/** Part of a list, and how long all of it is. */
export interface ScimPage<T> {
  readonly total: number;
  readonly rows: readonly T[];
}

const time = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const USER = `u.id, u.external_id as "externalId", u.user_name as "userName", u.active, u.identity, u.body as attributes,
  u.version, ${time('u.created_at')} as "createdAt", ${time('u.changed_at')} as "changedAt"`;

const GROUP = `g.id, g.external_id as "externalId", g.display_name as "displayName", g.version,
  ${time('g.created_at')} as "createdAt", ${time('g.changed_at')} as "changedAt"`;

/** Reads what the connector of one Issuer has provisioned, as it is in the database at this moment. */
export class ProvisioningReader {
  constructor(private readonly store: Store) {}

  async user(tenant: string, issuer: string, id: string): Promise<StoredScimUser | undefined> {
    return (await this.users(tenant, issuer, { id }, 0, 1)).rows[0];
  }

  async group(tenant: string, issuer: string, id: string): Promise<StoredScimGroup | undefined> {
    return (await this.groups(tenant, issuer, { id }, 0, 1)).rows[0];
  }

  /** Users by their ids, so many after the first ones. */
  async users(
    tenant: string,
    issuer: string,
    { id, externalId, userName }: ScimQuery,
    skip: number,
    most: number,
  ): Promise<ScimPage<StoredScimUser>> {
    const where = conditions([
      ['u.id = ?', id],
      ['u.external_id = ?', externalId],
      ['lower(u.user_name) = lower(?)', userName],
    ]);
    const from = `from placet.scim_user u where u.tenant = $1 and u.issuer = $2 and u.expires_at is null${where.text}`;
    return this.#page(
      tenant,
      { select: USER, from, order: 'u.id', values: [tenant, issuer, ...where.values] },
      skip,
      most,
    );
  }

  /** Groups by their ids, so many after the first ones. */
  async groups(
    tenant: string,
    issuer: string,
    { id, externalId, displayName, member }: ScimQuery,
    skip: number,
    most: number,
  ): Promise<ScimPage<StoredScimGroup>> {
    const where = conditions([
      ['g.id = ?', id],
      ['g.external_id = ?', externalId],
      ['lower(g.display_name) = lower(?)', displayName],
      ['g.id in (select m.group_id from placet.scim_member m where m.tenant = $1 and m.user_id = ?)', member],
    ]);
    const from = `from placet.scim_group g where g.tenant = $1 and g.issuer = $2${where.text}`;
    return this.#page(
      tenant,
      { select: GROUP, from, order: 'g.id', values: [tenant, issuer, ...where.values] },
      skip,
      most,
    );
  }

  /** Who is in a group. */
  async members(tenant: string, group: string): Promise<readonly ScimReference[]> {
    return this.store.read(tenant, (view) =>
      view.query<ScimReference[]>(
        `select u.id, u.user_name as name from placet.scim_member m
           join placet.scim_user u on u.tenant = m.tenant and u.id = m.user_id
         where m.tenant = $1 and m.group_id = $2 order by u.id`,
        [tenant, group],
      ),
    );
  }

  /** The groups that each of some users is in. */
  async groupsOf(tenant: string, users: readonly string[]): Promise<ReadonlyMap<string, readonly ScimReference[]>> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<(ScimReference & { user: string })[]>(
        `select m.user_id as user, g.id, g.display_name as name from placet.scim_member m
           join placet.scim_group g on g.tenant = m.tenant and g.id = m.group_id
         where m.tenant = $1 and m.user_id = any ($2) order by g.id`,
        [tenant, users],
      ),
    );
    const found = new Map<string, ScimReference[]>();
    for (const { user, ...group } of rows) {
      const groups = found.get(user);
      if (groups) groups.push(group);
      else found.set(user, [group]);
    }
    return found;
  }

  /**
   * Of some users or groups those from the first on who are in, or have in them, no more than so many together; one at
   * least, as it can be told in no parts.
   */
  async fitting<T extends { readonly id: string }>(
    tenant: string,
    of: 'user' | 'group',
    rows: readonly T[],
    most: number,
  ): Promise<readonly T[]> {
    if (rows.length <= 1) return rows;
    const [found] = await this.store.read(tenant, (view) =>
      view.query<{ fit: number }[]>(
        `select count(*)::int as fit from (
           select sum(c.count) over (order by i.place) as together
           from unnest($2::text[]) with ordinality i (id, place)
           cross join lateral (
             select count(*) from placet.scim_member m where m.tenant = $1 and m.${of}_id = i.id
           ) c
         ) s where s.together <= $3`,
        [tenant, rows.map(({ id }) => id), most],
      ),
    );
    return rows.slice(0, Math.max(1, found!.fit));
  }

  /**
   * Of some ids those that are users of an Issuer, with what its tokens call them, and whether they are in a group.
   * @param ids null: those who are in the group
   */
  async identities(
    tenant: string,
    issuer: string,
    group: string,
    ids: readonly string[] | null,
  ): Promise<readonly { readonly id: string; readonly identity: string | null; readonly isMember: boolean }[]> {
    const member =
      'exists (select from placet.scim_member m where m.tenant = $1 and m.group_id = $3 and m.user_id = u.id)';
    const which =
      ids === null
        ? 'u.id in (select m.user_id from placet.scim_member m where m.tenant = $1 and m.group_id = $3)'
        : 'u.id = any ($4)';
    return this.store.read(tenant, (view) =>
      view.query(
        `select u.id, u.identity, ${member} as "isMember" from placet.scim_user u
         where u.tenant = $1 and u.issuer = $2 and u.expires_at is null and ${which}`,
        [tenant, issuer, group, ...(ids === null ? [] : [ids])],
      ),
    );
  }

  #page<T>(
    tenant: string,
    { select, from, order, values }: { select: string; from: string; order: string; values: readonly unknown[] },
    skip: number,
    most: number,
  ): Promise<ScimPage<T>> {
    return this.store.read(tenant, async (view: TenantView) => {
      const rows =
        most === 0
          ? []
          : await view.query<T[]>(`select ${select} ${from} order by ${order} offset ${skip} limit ${most}`, [
              ...values,
            ]);
      // Whoever asks for the first page and gets less than would fit has all of it.
      if (skip === 0 && rows.length < most) return { total: rows.length, rows };
      const [count] = await view.query<{ total: number }[]>(`select count(*)::int as total ${from}`, [...values]);
      return { total: count!.total, rows };
    });
  }
}

/** Those conditions whose value is given, with its place among the parameters of the statement, after the first two. */
function conditions(all: readonly (readonly [text: string, value: string | undefined])[]): {
  readonly text: string;
  readonly values: readonly string[];
} {
  const given = all.filter((each): each is readonly [string, string] => each[1] !== undefined);
  return {
    text: given.map(([text], place) => ` and ${text.replace('?', `$${place + 3}`)}`).join(''),
    values: given.map(([, value]) => value),
  };
}
