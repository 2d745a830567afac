/**
 * What the operator may have done to tenants. The service's role owns nothing, so these run as the owner of the tables, who is
 * under row level security as well: each of them says for which tenant it reads and writes.
 *
 * INVARIANT: each looks at its caller again under the lock of the home tenant, in the transaction that does it, after
 * everything else: what is not done by an operator who stands at that moment is not done. Always the other tenant's lock
 * first and the home tenant's last: so no two wait for each other, and the home tenant does not wait while much is deleted.
 *
 * What speaks against it is raised as PL409, with one word: 'principal', 'rights', 'missing', 'taken', 'home',
 * 'not_suspended' or 'not_exported'.
 */
export const OPERATOR_FUNCTIONS = `
  create function placet.refuse_operation(why text) returns void language plpgsql as $$
  begin
    raise exception '%', why using errcode = 'PL409';
  end $$;

  -- Raises unless a principal of the home tenant still has the rights that were found; returns the home tenant. The service
  -- itself (system:...) operates nothing, and a host's credential neither.
  create function placet.operator_must_stand(by_principal text, proof jsonb, locked boolean) returns uuid
    language plpgsql volatile as $$
  declare
    home uuid := placet.tenant_named('default');
    of_kind text := coalesce(split_part(by_principal, ':', 1), '');
    found text;
  begin
    perform set_config('placet.tenant', home::text, true);
    if locked then
      perform pg_advisory_xact_lock(placet.lock_key(home));
    end if;
    found := case
      when of_kind not in ('key', 'session', 'token') then 'principal'
      when of_kind = 'key' and not exists (
        select from placet.credential c
        where c.tenant = home and c.id = substr(by_principal, 5) and c.principal_kind = 'administrator'
      ) then 'principal'
      else placet.principal_stands(home, by_principal, proof)
    end;
    if found is distinct from 'stands' then
      perform placet.refuse_operation(coalesce(found, 'principal'));
    end if;
    return home;
  end $$;

  -- The tenant that is to be operated on.
  create function placet.operated(wanted_name text, may_be_home boolean) returns uuid language plpgsql stable as $$
  declare
    wanted uuid := placet.tenant_named(wanted_name);
  begin
    if wanted is null then
      perform placet.refuse_operation('missing');
    end if;
    if wanted_name = 'default' and not may_be_home then
      perform placet.refuse_operation('home');
    end if;
    return wanted;
  end $$;

  -- Looks at the operator, and writes down what was done: in the home tenant by whom, in the other one that it was done.
  create function placet.record_operation(by_principal text, proof jsonb, wanted uuid, wanted_name text, event text, content jsonb)
    returns uuid language plpgsql volatile as $$
  declare
    home uuid;
  begin
    if wanted is not null then
      perform placet.record_event(wanted, event, content || '{"by": "operator"}');
    end if;
    home := placet.operator_must_stand(by_principal, proof, true);
    if home is distinct from wanted then
      perform placet.record_event(home, event, content || jsonb_build_object('by', by_principal, 'tenant', wanted_name));
    end if;
    perform set_config('placet.tenant', home::text, true);
    return home;
  end $$;

  -- A new revision of a tenant by its operator, logged as every other.
  create function placet.operator_revision(wanted uuid, restricts boolean, done text, why text) returns bigint
    language plpgsql volatile as $$
  declare
    moved record;
  begin
    select * into moved from placet.bump(wanted, case when restricts then array['*'] else '{}' end, restricts);
    insert into placet.revision (tenant, revision, epoch, changed_by, message, documents, others)
      values (wanted, moved.new_revision, moved.new_epoch, 'system:operator', why, 0,
        jsonb_build_array(jsonb_build_object('op', done)));
    return moved.new_revision;
  end $$;

  create function placet.write_quotas(wanted uuid, quotas jsonb) returns void language sql volatile as $$
    update placet.tenant set
      max_documents = (quotas ->> 'documents')::bigint,
      max_document_bytes = (quotas ->> 'documentBytes')::bigint,
      max_credentials = (quotas ->> 'credentials')::bigint,
      max_persons = (quotas ->> 'persons')::bigint,
      max_decisions_per_second = (quotas ->> 'decisionsPerSecond')::integer
    where id = wanted;
  $$;

  create function placet.create_tenant(
    by_principal text, proof jsonb, new_id uuid, new_name text, new_title text, quotas jsonb, operations jsonb
  ) returns void language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  declare
    made text;
    home uuid;
  begin
    if (length(new_name) <= 40 and new_name ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$') is not true then
      raise exception 'placet: a tenant cannot be called %', new_name;
    end if;
    perform set_config('placet.tenant', new_id::text, true);
    insert into placet.tenant (id, name, title) values (new_id, new_name, new_title) on conflict (name) do nothing;
    if not found then
      perform placet.refuse_operation('taken');
    end if;
    insert into placet.tenant_state (tenant) values (new_id);
    perform placet.write_quotas(new_id, quotas);
    select c.outcome into made
      from placet.commit_change(new_id, 'system:operator', null, 0, true, array['*'], true, operations, null) c;
    if made is distinct from 'committed' then
      raise exception 'placet: the first change of a tenant came to %', made;
    end if;
    home := placet.record_operation(by_principal, proof, new_id, new_name, 'tenant', '{"action": "created"}');
    if exists (select from placet.deleted_tenant d where d.tenant = home and d.name = new_name) then
      perform placet.refuse_operation('taken');
    end if;
  end $$;

  create function placet.suspend_tenant(by_principal text, proof jsonb, wanted_name text, why text) returns bigint
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  declare
    wanted uuid := placet.operated(wanted_name, false);
    since bigint := placet.operator_revision(wanted, true, 'suspend_tenant', why);
  begin
    update placet.tenant set suspended_at = coalesce(suspended_at, clock_timestamp()), suspended_for = why where id = wanted;
    perform placet.record_operation(by_principal, proof, wanted, wanted_name, 'tenant',
      jsonb_build_object('action', 'suspended', 'reason', why));
    return since;
  end $$;

  create function placet.resume_tenant(by_principal text, proof jsonb, wanted_name text) returns bigint
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  declare
    wanted uuid := placet.operated(wanted_name, false);
    since bigint := placet.operator_revision(wanted, false, 'resume_tenant', null);
  begin
    update placet.tenant set suspended_at = null, suspended_for = null where id = wanted and suspended_at is not null;
    if not found then
      perform placet.refuse_operation('not_suspended');
    end if;
    perform placet.record_operation(by_principal, proof, wanted, wanted_name, 'tenant', '{"action": "resumed"}');
    return since;
  end $$;

  create function placet.set_quotas(by_principal text, proof jsonb, wanted_name text, quotas jsonb) returns bigint
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  declare
    wanted uuid := placet.operated(wanted_name, true);
    since bigint := placet.operator_revision(wanted, false, 'set_quotas', null);
  begin
    perform placet.write_quotas(wanted, quotas);
    perform placet.record_operation(by_principal, proof, wanted, wanted_name, 'tenant',
      jsonb_build_object('action', 'quotas_set', 'quotas', quotas));
    return since;
  end $$;

  -- Writes down that somebody takes all of a tenant away, before the first row is read. Returns which tenant that is.
  create function placet.begin_export(by_principal text, proof jsonb, wanted_name text) returns uuid
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  declare
    wanted uuid := placet.operated(wanted_name, true);
  begin
    perform placet.record_operation(by_principal, proof, wanted, wanted_name, 'export', '{"action": "begun"}');
    return wanted;
  end $$;

  -- For the transaction that reads an export: it reads rows of one tenant by the right of somebody of the home tenant.
  create function placet.operator_stands(by_principal text, proof jsonb) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  begin
    perform placet.operator_must_stand(by_principal, proof, false);
  end $$;

  create function placet.finish_export(
    by_principal text, proof jsonb, wanted_name text, at_revision bigint, digest text, lines bigint
  ) returns void language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  declare
    wanted uuid := placet.operated(wanted_name, true);
  begin
    perform set_config('placet.tenant', wanted::text, true);
    perform pg_advisory_xact_lock(placet.lock_key(wanted));
    update placet.tenant set exported_at = clock_timestamp(), exported_revision = at_revision, export_digest = digest
      where id = wanted;
    perform placet.record_operation(by_principal, proof, wanted, wanted_name, 'export',
      jsonb_build_object('action', 'finished', 'revision', at_revision, 'sha256', digest, 'lines', lines));
  end $$;

  -- Everything that carries the tenant, whatever tables there are by now; those that others refer to after the others. The
  -- state goes last: the guards of the other tables look at it.
  create function placet.delete_tenant(by_principal text, proof jsonb, wanted_name text, digest text) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  declare
    wanted uuid := placet.operated(wanted_name, false);
    moved record;
    it placet.tenant;
    home uuid;
    remaining oid[];
    next_one oid;
  begin
    select * into moved from placet.bump(wanted, array['*'], true);
    select * into strict it from placet.tenant t where t.id = wanted;
    if it.suspended_at is null then
      perform placet.refuse_operation('not_suspended');
    end if;
    if (it.export_digest = digest and it.exported_revision = moved.new_revision - 1) is not true then
      perform placet.refuse_operation('not_exported');
    end if;
    remaining := array(
      select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant' and not a.attisdropped
      where c.relnamespace = 'placet'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname not in ('tenant_state', 'usage')
    );
    while cardinality(remaining) > 0 loop
      select r into next_one from unnest(remaining) r
        where not exists (
          select from pg_constraint f
          where f.contype = 'f' and f.confrelid = r and f.conrelid <> r and f.conrelid = any (remaining)
        ) limit 1;
      if not found then
        raise exception 'placet: tables refer to each other in a circle';
      end if;
      execute format('delete from %s where tenant = $1', next_one::regclass) using wanted;
      remaining := array_remove(remaining, next_one);
    end loop;
    delete from placet.usage u where u.tenant = wanted;
    delete from placet.tenant_state s where s.tenant = wanted;
    delete from placet.tenant t where t.id = wanted;
    home := placet.record_operation(by_principal, proof, null, wanted_name, 'tenant',
      jsonb_build_object('action', 'deleted', 'id', wanted, 'export', digest));
    insert into placet.deleted_tenant (tenant, name, id, title, created_at, deleted_by, export_digest)
      values (home, it.name, wanted, it.title, it.created_at, by_principal, digest);
  end $$;

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
`;

/** Undoes it. */
export const OPERATOR_FUNCTIONS_DROPPED = `
  drop function placet.tenants_of_operator;
  drop function placet.delete_tenant;
  drop function placet.finish_export;
  drop function placet.operator_stands;
  drop function placet.begin_export;
  drop function placet.set_quotas;
  drop function placet.resume_tenant;
  drop function placet.suspend_tenant;
  drop function placet.create_tenant;
  drop function placet.write_quotas;
  drop function placet.operator_revision;
  drop function placet.record_operation;
  drop function placet.operated;
  drop function placet.operator_must_stand;
  drop function placet.refuse_operation;
`;
