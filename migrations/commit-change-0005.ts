/** `placet.commit_change` as migration 0005 makes it; also for the way back from 0010. */
export const COMMIT_CHANGE_0005 = `
      create function placet.commit_change(
        wanted uuid, by_principal text, expected_revision bigint, touched text[], restricts boolean, operations jsonb,
        about jsonb default null
      ) returns table (outcome text, place integer, new_revision bigint, new_epoch bigint) language plpgsql volatile as $$
      declare
        number bigint;
        op jsonb;
        last_version integer;
        was_deleted boolean;
        draft_version bigint;
        state placet.tenant_state;
        record_text text;
      begin
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        select * into strict state from placet.tenant_state s where s.tenant = wanted;
        new_revision := state.revision;
        new_epoch := state.epoch;
        place := 0;
        if expected_revision is not null and expected_revision <> state.revision then
          outcome := 'moved';
          return next;
          return;
        end if;
        if by_principal like 'key:%' and not exists (
          select from placet.credential c
          where c.tenant = wanted and c.id = substr(by_principal, 5) and c.disabled_at is null
            and (c.expires_at is null or c.expires_at > clock_timestamp())
        ) then
          outcome := 'principal';
          return next;
          return;
        end if;

        -- First every expectation, then every write: a refused change leaves nothing behind.
        for op in select * from jsonb_array_elements(operations) loop
          place := place + 1;
          if op ->> 'op' in ('put_document', 'delete_document') then
            select d.version, d.body is null into last_version, was_deleted from placet.document d
              where d.tenant = wanted and d.kind = op ->> 'kind' and d.name = op ->> 'name';
            if (op ? 'expected_version') and
               (op ->> 'expected_version')::integer is distinct from (case when was_deleted then 0 else coalesce(last_version, 0) end) then
              outcome := 'version';
              return next;
              return;
            end if;
          elsif op ->> 'op' in ('save_draft', 'discard_draft') then
            select d.version into draft_version from placet.draft d where d.tenant = wanted and d.name = op ->> 'name';
            if (op ->> 'expected_version')::bigint is distinct from coalesce(draft_version, 0) then
              outcome := 'version';
              return next;
              return;
            end if;
          elsif op ->> 'op' in ('rotate_credential', 'disable_credential') and not exists (
            select from placet.credential c where c.tenant = wanted and c.id = op ->> 'id'
          ) then
            outcome := 'missing';
            return next;
            return;
          elsif op ->> 'op' = 'create_credential' and op ->> 'principal_kind' = 'host' and not exists (
            select from placet.document d
            where d.tenant = wanted and d.kind = 'Host' and d.name = op ->> 'principal' and d.body is not null
          ) and not exists (
            select from jsonb_array_elements(operations) o
            where o ->> 'op' = 'put_document' and o ->> 'kind' = 'Host' and o ->> 'name' = op ->> 'principal'
          ) then
            outcome := 'missing';
            return next;
            return;
          end if;
        end loop;

        select b.new_revision, b.new_epoch, b.commit_number into new_revision, new_epoch, number
          from placet.bump(wanted, touched, restricts) b;

        for op in select * from jsonb_array_elements(operations) loop
          case op ->> 'op'
            when 'put_document', 'delete_document' then
              insert into placet.document as d (tenant, kind, name, version, revision, body)
                values (wanted, op ->> 'kind', op ->> 'name', 1, new_revision, op -> 'body')
                on conflict (tenant, kind, name) do update
                  set version = d.version + 1, revision = excluded.revision, body = excluded.body
                returning d.version into last_version;
              insert into placet.document_version (tenant, kind, name, version, revision, body, changed_by)
                values (wanted, op ->> 'kind', op ->> 'name', last_version, new_revision, op -> 'body', by_principal);
              -- A host's keys end with it: another host of that name, later, is not the one that holds them.
              if op ->> 'op' = 'delete_document' and op ->> 'kind' = 'Host' then
                update placet.credential c set revision = new_revision, disabled_at = coalesce(c.disabled_at, clock_timestamp())
                  where c.tenant = wanted and c.principal_kind = 'host' and c.principal = op ->> 'name';
              end if;
            when 'create_credential' then
              insert into placet.credential (tenant, id, principal_kind, principal, environment, rights, created_by, expires_at, revision)
                values (wanted, op ->> 'id', op ->> 'principal_kind', op ->> 'principal', op ->> 'environment', op -> 'rights',
                  by_principal, (op ->> 'expires_at')::timestamptz, new_revision);
              insert into placet.credential_secret (tenant, credential, number, mac)
                values (wanted, op ->> 'id', 1, decode(op ->> 'mac', 'hex'));
            when 'rotate_credential' then
              update placet.credential c set revision = new_revision where c.tenant = wanted and c.id = op ->> 'id';
              update placet.credential_secret s set expires_at = least(s.expires_at, (op ->> 'old_expires_at')::timestamptz)
                where s.tenant = wanted and s.credential = op ->> 'id';
              insert into placet.credential_secret (tenant, credential, number, mac)
                select wanted, op ->> 'id', max(s.number) + 1, decode(op ->> 'mac', 'hex') from placet.credential_secret s
                where s.tenant = wanted and s.credential = op ->> 'id';
            when 'disable_credential' then
              update placet.credential c set revision = new_revision, disabled_at = coalesce(c.disabled_at, clock_timestamp())
                where c.tenant = wanted and c.id = op ->> 'id';
            when 'save_draft' then
              insert into placet.draft as d (tenant, name, version, base_revision, description, prune, documents, deletions, changed_by)
                values (wanted, op ->> 'name', nextval('placet.draft_version'), (op ->> 'base_revision')::bigint,
                  op #>> '{body,description}', (op #>> '{body,prune}')::boolean, op #> '{body,documents}', op #> '{body,deletions}',
                  by_principal)
                on conflict (tenant, name) do update
                  set version = excluded.version, base_revision = excluded.base_revision, description = excluded.description,
                    prune = excluded.prune, documents = excluded.documents, deletions = excluded.deletions,
                    changed_by = excluded.changed_by, changed_at = excluded.changed_at;
            when 'discard_draft' then
              delete from placet.draft d where d.tenant = wanted and d.name = op ->> 'name';
            else
              raise exception 'placet: there is no operation %', op ->> 'op';
          end case;
        end loop;

        insert into placet.revision (tenant, revision, epoch, changed_by, message, draft, rolled_back_to, documents, others)
          select wanted, new_revision, new_epoch, by_principal, about ->> 'message', about ->> 'draft',
            (about ->> 'rolled_back_to')::bigint,
            count(*) filter (where o ->> 'op' in ('put_document', 'delete_document')),
            coalesce(
              jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'op', o -> 'op', 'id', o -> 'id', 'principal', o -> 'principal', 'name', o -> 'name'
              )))
                filter (where o ->> 'op' not in ('put_document', 'delete_document')),
              '[]'
            )
          from jsonb_array_elements(operations) o;

        record_text := json_build_object(
          'v', 1, 'kind', 'change', 'tenant', wanted, 'writer', 0, 'seq', state.record_seq + 1,
          'prev', encode(state.record_hash, 'hex'), 'revision', new_revision, 'epoch', new_epoch, 'restricting', restricts,
          'keys', touched, 'principal', by_principal, 'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'operations', (select jsonb_agg(o - 'mac' - 'body') from jsonb_array_elements(operations) o),
          'about', about
        )::text;
        perform placet.append_change_record(wanted, number, record_text);
        outcome := 'committed';
        return next;
      end $$;`;

/** `placet.commit_untested_change` as migration 0006 makes it; also for the way back from 0010. */
export const COMMIT_UNTESTED_CHANGE_0006 = `
      -- The same as commit_change, and 'moved' where there is a Test document by now. The lock is taken first, so that
      -- none comes between the look and the change.
      create function placet.commit_untested_change(
        wanted uuid, by_principal text, expected_revision bigint, touched text[], restricts boolean, operations jsonb,
        about jsonb default null
      ) returns table (outcome text, place integer, new_revision bigint, new_epoch bigint) language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        if exists (select from placet.document d where d.tenant = wanted and d.kind = 'Test' and d.body is not null) then
          outcome := 'moved';
          place := 0;
          select s.revision, s.epoch into strict new_revision, new_epoch from placet.tenant_state s where s.tenant = wanted;
          return next;
          return;
        end if;
        return query select c.outcome, c.place, c.new_revision, c.new_epoch
          from placet.commit_change(wanted, by_principal, expected_revision, touched, restricts, operations, about) c;
      end $$;`;
