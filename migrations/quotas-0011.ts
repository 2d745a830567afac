/** What is counted of the rows of a table, as expressions over one of them. */
interface Counted {
  readonly table: string;
  readonly documents?: string;
  readonly bytes?: string;
  readonly credentials?: string;
}

const COUNTED: readonly Counted[] = [
  // Suspensions are not counted: whoever has all that they may have can still stop what must not go on.
  {
    table: 'document',
    documents: `(r.body is not null and r.kind <> 'Suspension')::int`,
    bytes: `case r.kind when 'Suspension' then 0 else coalesce(octet_length(r.body::text), 0) end`,
  },
  { table: 'draft', bytes: 'octet_length(r.documents::text) + octet_length(r.deletions::text)' },
  { table: 'credential', credentials: '(r.disabled_at is null)::int' },
];

const sums = ({ documents = '0', bytes = '0', credentials = '0' }: Counted, rows: string): string => `
  select r.tenant, sum(${documents})::bigint as documents, sum(${bytes})::bigint as bytes, sum(${credentials})::bigint as credentials
  from ${rows} r group by r.tenant`;

const counter = (counted: Counted): string => `
  create function placet.count_${counted.table}() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  begin
    if tg_op <> 'INSERT' then
      perform placet.add_usage(s.tenant, -s.documents, -s.bytes, -s.credentials) from (${sums(counted, 'gone')}) s;
    end if;
    if tg_op <> 'DELETE' then
      perform placet.add_usage(s.tenant, s.documents, s.bytes, s.credentials) from (${sums(counted, 'come')}) s;
    end if;
    return null;
  end $$;
  create trigger count_on_insert after insert on placet.${counted.table} referencing new table as come
    for each statement execute function placet.count_${counted.table}();
  create trigger count_on_update after update on placet.${counted.table} referencing old table as gone new table as come
    for each statement execute function placet.count_${counted.table}();
  create trigger count_on_delete after delete on placet.${counted.table} referencing old table as gone
    for each statement execute function placet.count_${counted.table}();`;

/** Row level security holds for the owner as well: what is there already is counted without it. */
const countedNow = (counted: Counted): string => `
  alter table placet.${counted.table} no force row level security;
  insert into placet.usage as u (tenant, documents, document_bytes, credentials)
    ${sums(counted, `placet.${counted.table}`)}
    on conflict (tenant) do update set documents = u.documents + excluded.documents,
      document_bytes = u.document_bytes + excluded.document_bytes, credentials = u.credentials + excluded.credentials;
  alter table placet.${counted.table} force row level security;`;

const allowed = (metric: string, accepted: string, limit: string, what: string): string => `
    if used.${metric} > it.${limit} and used.${metric} > used.${accepted} then
      raise exception 'the tenant may have % ${what}, and this would make it %: delete some, or ask the operator for more',
        it.${limit}, used.${metric} using errcode = 'PL429';
    end if;`;

/**
 * What a tenant has is counted as it is written, and looked at once at the end of each change: so a change may well put
 * before it deletes. Who is over a limit that was lowered may still change and delete, and not add.
 */
export const QUOTAS = `
  create table placet.usage (
    tenant uuid primary key references placet.tenant (id),
    documents bigint not null default 0,
    document_bytes bigint not null default 0,
    credentials bigint not null default 0,
    accepted_documents bigint not null default 0,
    accepted_bytes bigint not null default 0,
    accepted_credentials bigint not null default 0
  );
  comment on table placet.usage is 'How much a tenant has now, and how much it had after its last change.';
  alter table placet.usage no force row level security;
  ${COUNTED.map(countedNow).join('\n')}
  update placet.usage
    set accepted_documents = documents, accepted_bytes = document_bytes, accepted_credentials = credentials;
  alter table placet.usage enable row level security, force row level security;
  create policy own_tenant on placet.usage
    using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
  -- Only for the operator's listing.
  create policy find_usage on placet.usage for select to current_user using (true);

  -- Called by the functions below, as the owner: the service's role cannot write what it counts.
  create function placet.add_usage(wanted uuid, more_documents bigint, more_bytes bigint, more_credentials bigint) returns void
    language plpgsql volatile as $$
  begin
    insert into placet.usage as u (tenant, documents, document_bytes, credentials)
      values (wanted, more_documents, more_bytes, more_credentials)
      on conflict (tenant) do update set documents = u.documents + excluded.documents,
        document_bytes = u.document_bytes + excluded.document_bytes, credentials = u.credentials + excluded.credentials;
  end $$;

  ${COUNTED.map(counter).join('\n')}

  -- A change writes its row of placet.revision last.
  create function placet.check_quotas() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  declare
    used placet.usage;
    it placet.tenant;
  begin
    select * into used from placet.usage u where u.tenant = new.tenant;
    if not found then
      return null;
    end if;
    select * into strict it from placet.tenant t where t.id = new.tenant;
    ${allowed('documents', 'accepted_documents', 'max_documents', 'documents')}
    ${allowed('document_bytes', 'accepted_bytes', 'max_document_bytes', 'bytes of documents and drafts')}
    ${allowed('credentials', 'accepted_credentials', 'max_credentials', 'keys and clients')}
    update placet.usage u
      set accepted_documents = used.documents, accepted_bytes = used.document_bytes, accepted_credentials = used.credentials
      where u.tenant = new.tenant and (u.accepted_documents, u.accepted_bytes, u.accepted_credentials)
        is distinct from (used.documents, used.document_bytes, used.credentials);
    return null;
  end $$;
  create trigger check_quotas after insert on placet.revision for each row execute function placet.check_quotas();

  -- People come by signing in, which is no change.
  create function placet.check_persons() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  declare
    most bigint;
  begin
    select t.max_persons into most from placet.tenant t where t.id = (select c.tenant from come c limit 1);
    if most is not null and (select count(*) from placet.person p where p.tenant = (select c.tenant from come c limit 1)) > most then
      raise exception 'the tenant may have % people who have signed in, and has them: ask its operator for more', most
        using errcode = 'PL429';
    end if;
    return null;
  end $$;
  create trigger check_persons after insert on placet.person referencing new table as come
    for each statement execute function placet.check_persons();
`;

/** Undoes it. */
export const QUOTAS_DROPPED = `
  drop trigger check_persons on placet.person;
  drop function placet.check_persons;
  drop trigger check_quotas on placet.revision;
  drop function placet.check_quotas;
  ${COUNTED.map(
    ({ table }) => `
      drop trigger count_on_delete on placet.${table};
      drop trigger count_on_update on placet.${table};
      drop trigger count_on_insert on placet.${table};
      drop function placet.count_${table};`,
  ).join('\n')}
  drop function placet.add_usage;
  drop table placet.usage;
`;
