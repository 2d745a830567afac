import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What tenants are to be told by their webhooks, until they have been. */
export class Notifications0023 implements MigrationInterface {
  readonly name = 'Notifications1795132800023';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table placet.notification (
        tenant uuid not null,
        id text not null default 'msg_' || replace(gen_random_uuid()::text, '-', ''),
        request text not null,
        event text not null check (event in ('requested', 'answered', 'cancelled', 'revoked')),
        url text not null,
        status text,
        loud boolean not null,
        at timestamptz not null,
        due_at timestamptz not null default clock_timestamp(),
        attempts integer not null default 0,
        outcome text,
        ended_at timestamptz,
        primary key (tenant, id),
        foreign key (tenant, request) references placet.consent_request (tenant, id)
      );
      comment on table placet.notification is 'One event for one webhook: written with what it tells of, and kept for a day after it was delivered or given up.';
      comment on column placet.notification.loud is 'Whether somebody broke the glass.';
      comment on column placet.notification.due_at is 'When it is to be tried next; while somebody tries, when others may.';
      comment on column placet.notification.outcome is 'delivered, or why the last attempt failed.';
      create index notification_waiting on placet.notification (tenant, due_at) where ended_at is null;
      create index consent_answer_by_time on placet.consent_answer (tenant, at);
      create index notification_by_end on placet.notification (tenant, ended_at) where ended_at is not null;
      alter table placet.notification enable row level security, force row level security;
      create policy own_tenant on placet.notification
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      -- Only to find out which tenants have something to be delivered, through the functions below.
      create policy find_waiting on placet.notification for select to current_user using (true);

      -- INVARIANT: an event that a tenant wants to be told of is queued by the transaction that makes it, or there is none.
      create function placet.queue_notifications() returns trigger
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      begin
        perform set_config('placet.tenant', new.tenant::text, true);
        insert into placet.notification (tenant, request, event, url, status, loud, at)
          select new.tenant, new.request, new.kind, hook ->> 'url', new.content ->> 'status', new.content ? 'broke_glass', new.at
          from placet.document d, jsonb_path_query(d.body, 'lax $.notifications.webhooks[*]') hook
          where d.tenant = new.tenant and d.kind = 'Tenant' and (hook -> 'events') ? new.kind;
        return null;
      end $$;
      create trigger queue_notifications after insert on placet.consent_event
        for each row when (new.kind in ('requested', 'answered', 'cancelled', 'revoked'))
        execute function placet.queue_notifications();

      -- Tenants with something to be delivered now, whoever has waited longest first; those that are suspended wait on.
      create function placet.tenants_to_notify(most integer) returns setof uuid
        language sql stable security definer set search_path = pg_catalog, pg_temp
        begin atomic
          with recursive waiting as (
            (select n.tenant from placet.notification n where n.ended_at is null order by n.tenant limit 1)
            union all
            select (
              select n.tenant from placet.notification n where n.ended_at is null and n.tenant > w.tenant order by n.tenant limit 1
            ) from waiting w where w.tenant is not null
          ), first as (
            select w.tenant, (
              select n.due_at from placet.notification n
              where n.tenant = w.tenant and n.ended_at is null order by n.due_at limit 1
            ) as due_at from waiting w
          )
          select f.tenant from first f join placet.tenant t on t.id = f.tenant
            where f.due_at <= clock_timestamp() and t.suspended_at is null order by f.due_at limit most;
        end;

      create function placet.notifications_waiting() returns bigint
        language sql stable security definer set search_path = pg_catalog, pg_temp
        begin atomic
          select count(*) from placet.notification n where n.ended_at is null;
        end;

      -- Takes some that are due: until the lease is over nobody else does. What was taken and never settled is due again then.
      -- A secret is null where the tenant has no webhook of that URL any more.
      create function placet.claim_notifications(wanted uuid, most integer, lease_ms double precision)
        returns table (
          id text, attempt integer, url text, secret text, event text, at double precision, status text, loud boolean,
          tenant_name text, request text, subject text, agent text, server text, action text, resource_type text, resource_id text
        ) language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        return query
          with due as (
            select n.id from placet.notification n
              where n.tenant = wanted and n.ended_at is null and n.due_at <= clock_timestamp()
              order by n.due_at limit most for update skip locked
          ), taken as (
            update placet.notification n
              set attempts = n.attempts + 1, due_at = clock_timestamp() + make_interval(secs => lease_ms / 1000)
              from due where n.tenant = wanted and n.id = due.id
              returning n.*
          )
          select n.id, n.attempts, n.url, (
              select hook ->> 'secret'
              from placet.document d, jsonb_path_query(d.body, 'lax $.notifications.webhooks[*]') hook
              where d.tenant = wanted and d.kind = 'Tenant' and hook ->> 'url' = n.url limit 1
            ), n.event, (extract(epoch from n.at) * 1000)::double precision, n.status, n.loud, t.name,
            r.id, r.subject, r.agent, r.server, r.action, r.resource_type, r.resource_id
          from taken n join placet.tenant t on t.id = wanted
            join placet.consent_request r on r.tenant = wanted and r.id = n.request
          order by n.at;
      end $$;

      -- What came of an attempt: 'delivered'; else why not, and after how long to try again (null: not at all). Returns what
      -- it is then: 'delivered', 'waiting', 'given_up', or 'over' where somebody else has settled it, or has it now.
      --
      -- INVARIANT: what was delivered is never tried again, and whoever was too slow spoils nobody else's attempt.
      create function placet.settle_notification(
        wanted uuid, wanted_id text, of_attempt integer, result text, retry_ms double precision
      ) returns text language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      declare
        it placet.notification;
        again_at timestamptz := clock_timestamp() + make_interval(secs => retry_ms / 1000);
      begin
        perform set_config('placet.tenant', wanted::text, true);
        select * into it from placet.notification n where n.tenant = wanted and n.id = wanted_id for update;
        if not found or it.ended_at is not null or (result <> 'delivered' and it.attempts <> of_attempt) then
          return 'over';
        end if;
        if result <> 'delivered' and again_at <= it.at + interval '24 hours' then
          update placet.notification n set due_at = again_at, outcome = result where n.tenant = wanted and n.id = wanted_id;
          return 'waiting';
        end if;
        update placet.notification n set ended_at = clock_timestamp(), outcome = result
          where n.tenant = wanted and n.id = wanted_id;
        if result = 'delivered' then
          return result;
        end if;
        -- Of the URL only the host: with some receivers the rest is as good as a password.
        perform placet.record_event(wanted, 'consent', jsonb_build_object(
          'event', 'notification_given_up', 'notification', it.id, 'request', it.request, 'of', it.event,
          'host', substring(it.url from '^[a-z]+://([^/?#]+)'), 'attempts', it.attempts, 'why', result
        ));
        return 'given_up';
      end $$;

      -- Deletes at most so many that have been over for a day; whether there may be more.
      create function placet.sweep_notifications(wanted uuid, most integer) returns boolean
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      declare
        done bigint;
      begin
        perform set_config('placet.tenant', wanted::text, true);
        delete from placet.notification gone where gone.ctid = any (array(
          select n.ctid from placet.notification n
          where n.tenant = wanted and n.ended_at < clock_timestamp() - interval '1 day' limit most for update skip locked
        ));
        get diagnostics done = row_count;
        return done >= most;
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.sweep_notifications;
      drop function placet.settle_notification;
      drop function placet.claim_notifications;
      drop function placet.notifications_waiting;
      drop function placet.tenants_to_notify;
      drop trigger queue_notifications on placet.consent_event;
      drop function placet.queue_notifications;
      drop table placet.notification;
      drop index placet.consent_answer_by_time;
    `);
  }
}
