import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The record of every decision and every change, and the one call in which decisions become valid. */
export class Ledger0004 implements MigrationInterface {
  readonly name = 'Ledger1795132800004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create sequence placet.writer_number;
      comment on sequence placet.writer_number is 'One for each chain of records that a replica starts. 0 is that of the changes.';

      create table placet.ledger_record (
        tenant uuid not null references placet.tenant (id),
        writer bigint not null,
        seq bigint not null,
        commit bigint not null,
        at timestamptz not null default clock_timestamp(),
        kind text not null,
        body text not null,
        hash bytea not null,
        primary key (tenant, writer, seq)
      );
      comment on table placet.ledger_record is 'Insert-only. A writer numbers its records from 1 without gaps.';
      comment on column placet.ledger_record.body is 'JSON that names writer, seq and the hash of the record before; all that is certain stands here.';
      comment on column placet.ledger_record.hash is 'SHA-256 over a zero byte and the body.';
      alter table placet.ledger_record enable row level security, force row level security;
      create policy own_tenant on placet.ledger_record
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      -- The fence (docs/adr/0004-the-fence.md). Decisions were evaluated in a replica's memory at some epoch; here they become valid, or not.
      --
      -- INVARIANT: one call, in a READ COMMITTED transaction of its own. The shared lock comes before every read, and each
      -- statement of a volatile function reads what was committed when it began: so a change either was committed before
      -- the lock was taken and is seen below, or waits until these decisions are committed.
      create function placet.commit_decisions(
        wanted uuid, by_writer bigint, first_seq bigint, epochs bigint[], nows timestamptz[], until timestamptz[],
        touched text[], kinds text[], bodies text[], hashes bytea[]
      ) returns table (
        failed integer[], reasons text[], current_revision bigint, current_epoch bigint, database_now timestamptz
      ) language plpgsql volatile as $$
      declare
        number bigint;
      begin
        if current_setting('transaction_isolation') <> 'read committed' then
          raise exception 'placet: decisions must be committed in a READ COMMITTED transaction';
        end if;
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock_shared(placet.lock_key(wanted));
        number := nextval('placet.commit_number');
        select s.revision, s.epoch into strict current_revision, current_epoch
          from placet.tenant_state s where s.tenant = wanted;
        database_now := clock_timestamp();

        -- Each question is asked so that a null answers it on the safe side.
        select array_agg(v.place::integer order by v.place), array_agg(v.reason order by v.place) into failed, reasons
        from (
          select i.place, case
            when (i.epoch <= current_epoch) is not true then 'ahead'
            when (i.now between database_now - interval '1 second' and database_now + interval '1 second') is not true then 'clock'
            when i.until <= database_now then 'expired'
            when i.epoch < current_epoch and exists (
              select from placet.change c
              where c.tenant = wanted and c.epoch > i.epoch and c.restricting
                and (c.keys && string_to_array(i.touched, E'\\x1f') or '*' = any (c.keys))
            ) then 'overtaken'
          end as reason
          from unnest(epochs, nows, until, touched) with ordinality as i (epoch, now, until, touched, place)
        ) v where v.reason is not null;

        if failed is null then
          insert into placet.ledger_record (tenant, writer, seq, commit, kind, body, hash)
            select wanted, by_writer, first_seq + r.place - 1, number, r.kind, r.body, r.hash
            from unnest(kinds, bodies, hashes) with ordinality as r (kind, body, hash, place);
        end if;
        return next;
      end $$;

      -- One change as one call, so that no replica ever holds the exclusive lock while it thinks, sleeps or is cut off.
      -- Answers 'committed', or why nothing was written: 'moved' (another change came first), 'principal' (whoever asks
      -- may no longer), 'version' (a document is not at the version that was expected), 'missing'.
      create function placet.commit_change(
        wanted uuid, by_principal text, expected_revision bigint, touched text[], restricts boolean, operations jsonb
      ) returns table (outcome text, place integer, new_revision bigint, new_epoch bigint) language plpgsql volatile as $$
      declare
        number bigint;
        op jsonb;
        last_version integer;
        was_deleted boolean;
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
            else
              raise exception 'placet: there is no operation %', op ->> 'op';
          end case;
        end loop;

        record_text := json_build_object(
          'v', 1, 'kind', 'change', 'tenant', wanted, 'writer', 0, 'seq', state.record_seq + 1,
          'prev', encode(state.record_hash, 'hex'), 'revision', new_revision, 'epoch', new_epoch, 'restricting', restricts,
          'keys', touched, 'principal', by_principal, 'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'operations', (select jsonb_agg(o - 'mac' - 'body') from jsonb_array_elements(operations) o)
        )::text;
        perform placet.append_change_record(wanted, number, record_text);
        outcome := 'committed';
        return next;
      end $$;

      -- The chain of the changes goes on in tenant_state, which the service's role cannot write.
      create function placet.append_change_record(wanted uuid, number bigint, record_text text) returns void
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      declare
        state placet.tenant_state;
        new_hash bytea := sha256('\\x00'::bytea || convert_to(record_text, 'UTF8'));
      begin
        select * into strict state from placet.tenant_state s where s.tenant = wanted for update;
        if state.changed_by is distinct from pg_current_xact_id() then
          raise exception 'placet: a record of a change stands in the transaction of that change';
        end if;
        if (record_text::json ->> 'prev') is distinct from encode(state.record_hash, 'hex')
           or (record_text::json ->> 'seq')::bigint is distinct from state.record_seq + 1 then
          raise exception 'placet: a record of a change must follow the one before';
        end if;
        update placet.tenant_state s set record_seq = s.record_seq + 1, record_hash = new_hash where s.tenant = wanted;
        insert into placet.ledger_record (tenant, writer, seq, commit, kind, body, hash)
          values (wanted, 0, state.record_seq + 1, number, 'change', record_text, new_hash);
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.append_change_record;
      drop function placet.commit_change;
      drop function placet.commit_decisions;
      drop table placet.ledger_record;
      drop sequence placet.writer_number;
    `);
  }
}
