/** How many there may be in one tenant, of all its connectors. Who was taken away counts until it is swept. */
const MOST = { scim_user: 100_000, scim_group: 20_000, scim_member: 1_000_000 } as const;

const WHAT = { scim_user: 'provisioned users', scim_group: 'provisioned groups', scim_member: 'members of groups' };

type Counted = keyof typeof MOST;
const TABLES = Object.keys(MOST) as readonly Counted[];

const counter = (table: Counted): string => `
  create function placet.count_${table}() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  declare
    number bigint;
  begin
    if tg_op = 'INSERT' then
      insert into placet.usage as u (tenant, ${table}s)
        select c.tenant, count(*) from come c group by c.tenant
        on conflict (tenant) do update set ${table}s = u.${table}s + excluded.${table}s
        returning u.${table}s into number;
      if number > ${MOST[table]} then
        raise exception 'the tenant may have ${MOST[table]} ${WHAT[table]}: take some away' using errcode = 'PL429';
      end if;
    else
      update placet.usage u set ${table}s = u.${table}s - g.gone
        from (select c.tenant, count(*) as gone from gone c group by c.tenant) g where u.tenant = g.tenant;
    end if;
    return null;
  end $$;
  create trigger count_on_insert after insert on placet.${table} referencing new table as come
    for each statement execute function placet.count_${table}();
  create trigger count_on_delete after delete on placet.${table} referencing old table as gone
    for each statement execute function placet.count_${table}();
`;

/** What is provisioned is counted as it is written; nothing counts it anew. */
export const COUNTED_0036 = `
  alter table placet.usage ${TABLES.map((table) => `add column ${table}s bigint not null default 0`).join(', ')};
  ${TABLES.map(counter).join('')}
`;

/** Undoes it, once the tables are gone. */
export const COUNTED_DROPPED_0036 = `
  ${TABLES.map((table) => `drop function placet.count_${table};`).join('\n')}
  alter table placet.usage ${TABLES.map((table) => `drop column ${table}s`).join(', ')};
`;
