/**
 * What the versions of a tenant's documents take, which are all kept. Counted once for each change, and looked at for changes
 * that add to it: whoever has all that they may have can still suspend, disable and delete.
 */
export const HISTORY = `
  alter table placet.tenant add column max_history_bytes bigint;
  alter table placet.usage add column history_bytes bigint not null default 0;
  alter table placet.usage no force row level security;
  alter table placet.document_version no force row level security;
  insert into placet.usage as u (tenant, history_bytes)
    select v.tenant, sum(octet_length(v.body::text)) from placet.document_version v
    where v.body is not null and v.kind <> 'Suspension' group by v.tenant
    on conflict (tenant) do update set history_bytes = excluded.history_bytes;
  alter table placet.document_version force row level security;
  alter table placet.usage force row level security;

  -- A change writes its row of placet.revision last.
  create function placet.count_history() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  declare
    added bigint;
    used bigint;
    most bigint;
  begin
    select sum(octet_length(v.body::text)) into added from placet.document_version v
      where v.tenant = new.tenant and v.revision = new.revision and v.body is not null and v.kind <> 'Suspension';
    if coalesce(added, 0) = 0 then
      return null;
    end if;
    insert into placet.usage as u (tenant, history_bytes) values (new.tenant, added)
      on conflict (tenant) do update set history_bytes = u.history_bytes + excluded.history_bytes
      returning u.history_bytes into used;
    select t.max_history_bytes into strict most from placet.tenant t where t.id = new.tenant;
    if used > most then
      raise exception 'the tenant may have % bytes of versions of documents, and this would make it %: ask the operator for more',
        most, used using errcode = 'PL429';
    end if;
    return null;
  end $$;
  create trigger count_history after insert on placet.revision
    for each row when (new.documents > 0) execute function placet.count_history();

  create or replace function placet.write_quotas(wanted uuid, quotas jsonb) returns void language sql volatile as $$
    update placet.tenant set
      max_documents = (quotas ->> 'documents')::bigint,
      max_document_bytes = (quotas ->> 'documentBytes')::bigint,
      max_history_bytes = (quotas ->> 'historyBytes')::bigint,
      max_credentials = (quotas ->> 'credentials')::bigint,
      max_persons = (quotas ->> 'persons')::bigint,
      max_decisions_per_second = (quotas ->> 'decisionsPerSecond')::integer
    where id = wanted;
  $$;

  drop function placet.tenants_of_operator;
  create function placet.tenants_of_operator(by_principal text, proof jsonb, only_name text, after_name text, most integer)
    returns table (
      id uuid, name text, title text, created_at timestamptz, suspended_at timestamptz, suspended_for text,
      exported_at timestamptz, export_digest text, quotas jsonb, documents bigint, document_bytes bigint, credentials bigint,
      history_bytes bigint
    ) language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  begin
    perform placet.operator_must_stand(by_principal, proof, false);
    return query
      select t.id, t.name, t.title, t.created_at, t.suspended_at, t.suspended_for, t.exported_at, t.export_digest,
        jsonb_build_object('documents', t.max_documents, 'documentBytes', t.max_document_bytes,
          'historyBytes', t.max_history_bytes, 'credentials', t.max_credentials,
          'persons', t.max_persons, 'decisionsPerSecond', t.max_decisions_per_second),
        coalesce(u.documents, 0), coalesce(u.document_bytes, 0), coalesce(u.credentials, 0), coalesce(u.history_bytes, 0)
      from placet.tenant t left join placet.usage u on u.tenant = t.id
      where (only_name is null or t.name = only_name) and (after_name is null or t.name > after_name)
      order by t.name limit most;
  end $$;
`;

/** Undoes it. */
export const HISTORY_DROPPED = `
  drop function placet.tenants_of_operator;
  create function placet.tenants_of_operator(by_principal text, proof jsonb, only_name text, after_name text, most integer)
    returns table (
      id uuid, name text, title text, created_at timestamptz, suspended_at timestamptz, suspended_for text,
      exported_at timestamptz, export_digest text, quotas jsonb, documents bigint, document_bytes bigint, credentials bigint
    ) language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  begin
    perform placet.operator_must_stand(by_principal, proof, false);
    return query
      select t.id, t.name, t.title, t.created_at, t.suspended_at, t.suspended_for, t.exported_at, t.export_digest,
        jsonb_build_object('documents', t.max_documents, 'documentBytes', t.max_document_bytes, 'credentials', t.max_credentials,
          'persons', t.max_persons, 'decisionsPerSecond', t.max_decisions_per_second),
        coalesce(u.documents, 0), coalesce(u.document_bytes, 0), coalesce(u.credentials, 0)
      from placet.tenant t left join placet.usage u on u.tenant = t.id
      where (only_name is null or t.name = only_name) and (after_name is null or t.name > after_name)
      order by t.name limit most;
  end $$;
  create or replace function placet.write_quotas(wanted uuid, quotas jsonb) returns void language sql volatile as $$
    update placet.tenant set
      max_documents = (quotas ->> 'documents')::bigint,
      max_document_bytes = (quotas ->> 'documentBytes')::bigint,
      max_credentials = (quotas ->> 'credentials')::bigint,
      max_persons = (quotas ->> 'persons')::bigint,
      max_decisions_per_second = (quotas ->> 'decisionsPerSecond')::integer
    where id = wanted;
  $$;
  drop trigger count_history on placet.revision;
  drop function placet.count_history;
  alter table placet.usage drop column history_bytes;
  alter table placet.tenant drop column max_history_bytes;
`;
