import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tenants, and the two numbers by which replicas know whether what they hold is current.
 *
 * Every table of ours carries a tenant and is under row level security, forced also upon its owner; the service's role
 * owns nothing. `placet.tenant` is set for the length of a transaction; where it is not set, no row is visible.
 */
export class Tenants0001 implements MigrationInterface {
  readonly name = 'Tenants1795132800001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create function placet.current_tenant() returns uuid language sql stable parallel safe
        return nullif(current_setting('placet.tenant', true), '')::uuid;

      create table placet.tenant (
        id uuid primary key,
        name text not null constraint tenant_name_is_taken unique,
        created_at timestamptz not null default clock_timestamp()
      );
      comment on table placet.tenant is 'One company, or one part of it; nothing is shared between two.';
      alter table placet.tenant enable row level security, force row level security;
      create policy own_tenant on placet.tenant
        using (id = placet.current_tenant()) with check (id = placet.current_tenant());
      -- Only to find a tenant by its name, through the function below.
      create policy find_tenant on placet.tenant for select to current_user using (true);

      create function placet.tenant_named(wanted text) returns uuid
        language sql stable security definer set search_path = pg_catalog, pg_temp
        return (select id from placet.tenant where name = wanted);

      create table placet.tenant_state (
        tenant uuid primary key references placet.tenant (id),
        revision bigint not null default 0,
        epoch bigint not null default 0,
        changed_by xid8,
        record_seq bigint not null default 0,
        record_hash bytea not null default decode(repeat('00', 32), 'hex')
      );
      comment on table placet.tenant_state is 'The revision grows with every change; the epoch with every change that could restrict.';
      comment on column placet.tenant_state.changed_by is 'The transaction of the last change: what else that transaction may write.';
      comment on column placet.tenant_state.record_seq is 'The last ledger record about a change (writer 0), and its hash.';
      alter table placet.tenant_state enable row level security, force row level security;
      create policy own_tenant on placet.tenant_state
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      -- Only to tell replicas which of the tenants that they hold have moved on, through the function below.
      create policy find_revision on placet.tenant_state for select to current_user using (true);

      create function placet.revisions(wanted uuid[]) returns table (tenant uuid, revision bigint, epoch bigint)
        language sql stable security definer set search_path = pg_catalog, pg_temp
        begin atomic
          select s.tenant, s.revision, s.epoch from placet.tenant_state s where s.tenant = any (wanted);
        end;

      create table placet.change (
        tenant uuid not null references placet.tenant (id),
        revision bigint not null,
        epoch bigint not null,
        restricting boolean not null,
        keys text[] not null,
        commit bigint not null,
        at timestamptz not null default clock_timestamp(),
        primary key (tenant, revision)
      );
      comment on column placet.change.keys is 'What the change touches: subject:..., group:..., host:..., server:..., or *.';
      comment on column placet.change.commit is 'Its place in the order of all commits of the tenant, decisions included.';
      create index change_by_epoch on placet.change (tenant, epoch);
      alter table placet.change enable row level security, force row level security;
      create policy own_tenant on placet.change
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      create sequence placet.commit_number;
      comment on sequence placet.commit_number is 'Taken under the lock of the tenant, so that it gives the order of commits within one.';

      create function placet.lock_key(wanted uuid) returns bigint language sql immutable parallel safe
        return hashtextextended(wanted::text, 77);

      -- Takes the tenant's exclusive lock, then moves its numbers. Every change calls this first; nothing else can move them.
      create function placet.bump(wanted uuid, touched text[], restricts boolean)
        returns table (new_revision bigint, new_epoch bigint, commit_number bigint)
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      begin
        if current_setting('transaction_isolation') <> 'read committed' then
          raise exception 'placet: a change must run in a READ COMMITTED transaction';
        end if;
        if restricts and cardinality(touched) = 0 then
          raise exception 'placet: a change that could restrict must say what it touches';
        end if;
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        update placet.tenant_state s
          set revision = s.revision + 1, epoch = s.epoch + restricts::int, changed_by = pg_current_xact_id()
          where s.tenant = wanted
          returning s.revision, s.epoch into new_revision, new_epoch;
        if not found then
          raise exception 'placet: there is no tenant %', wanted using errcode = 'no_data_found';
        end if;
        commit_number := nextval('placet.commit_number');
        insert into placet.change (tenant, revision, epoch, restricting, keys, commit)
          values (wanted, new_revision, new_epoch, restricts, touched, commit_number);
        perform pg_notify('placet', wanted::text);
        return next;
      end $$;

      -- INVARIANT: a row of a guarded table is written only by a transaction that has bumped its tenant.
      create function placet.require_bump() returns trigger language plpgsql as $$
      begin
        if exists (
          select from changed c where not exists (
            select from placet.tenant_state s where s.tenant = c.tenant and s.changed_by = pg_current_xact_id_if_assigned()
          )
        ) then
          raise exception 'placet: % was written without a new revision of its tenant', tg_table_name;
        end if;
        return null;
      end $$;

      create function placet.guard(guarded regclass) returns void language plpgsql as $$
      begin
        execute format('create trigger require_bump_on_insert after insert on %s referencing new table as changed
          for each statement execute function placet.require_bump()', guarded);
        execute format('create trigger require_bump_on_update after update on %s referencing new table as changed
          for each statement execute function placet.require_bump()', guarded);
        execute format('create trigger require_bump_on_delete after delete on %s referencing old table as changed
          for each statement execute function placet.require_bump()', guarded);
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.guard;
      drop function placet.require_bump;
      drop function placet.bump;
      drop function placet.lock_key;
      drop sequence placet.commit_number;
      drop table placet.change;
      drop function placet.revisions;
      drop table placet.tenant_state;
      drop function placet.tenant_named;
      drop table placet.tenant;
      drop function placet.current_tenant;
    `);
  }
}
