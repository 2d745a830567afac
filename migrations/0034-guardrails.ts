import type { MigrationInterface, QueryRunner } from 'typeorm';
import { COMMIT_DECISIONS_0027 } from './commit-decisions-0027.js';
import { COMMIT_DECISIONS_0034 } from './commit-decisions-0034.js';
import { TENANT_DELTA_0027 } from './tenant-delta-0027.js';

/**
 * Guardrails: documents of the home tenant that hold in the others.
 *
 * There is one epoch of them for all tenants, and one lock: so a change of one costs the same with ten tenants as with ten
 * thousand, and is true for all of them at the moment at which it is committed. The trigger is the only one that moves the
 * epoch, whatever function it is that writes the document.
 */
export class Guardrails0034 implements MigrationInterface {
  readonly name = 'Guardrails1795132800034';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.tenant_state add column guardrails bigint not null default 0;
      comment on column placet.tenant_state.guardrails is 'Of the home tenant: grows with every change of a guardrail, for all tenants.';

      create function placet.guardrail_lock() returns bigint language sql immutable parallel safe
        return hashtextextended('guardrails', 78);

      create function placet.guardrail_epoch() returns bigint
        language sql stable security definer set search_path = pg_catalog, pg_temp
        return coalesce((
          select s.guardrails from placet.tenant_state s
          where s.tenant = (select t.id from placet.tenant t where t.name = 'default')
        ), 0);

      -- INVARIANT: a guardrail is written by the home tenant only, and with the lock of the guardrails held to the end of the
      -- transaction: the decisions that are committed before it were committed before the change, and all others see it.
      create function placet.guardrail_changed() returns trigger
        language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
      declare
        home uuid := placet.tenant_named('default');
      begin
        if coalesce(new.tenant, old.tenant) is distinct from home then
          raise exception 'placet: only the home tenant has guardrails' using errcode = 'insufficient_privilege';
        end if;
        perform pg_advisory_xact_lock(placet.guardrail_lock());
        update placet.tenant_state s set guardrails = s.guardrails + 1 where s.tenant = home;
        if not found then
          raise exception 'placet: a guardrail was written outside of a change of its tenant';
        end if;
        return null;
      end $$;
      create trigger guardrail_written after insert or update on placet.document
        for each row when (new.kind = 'Guardrail') execute function placet.guardrail_changed();
      create trigger guardrail_deleted after delete on placet.document
        for each row when (old.kind = 'Guardrail') execute function placet.guardrail_changed();

      -- Only to tell each tenant of those that stand above it, through the function below.
      create policy find_guardrails on placet.document for select to current_user using (kind = 'Guardrail');

      -- Those above a tenant, where they have changed since; null: they have not, or it is the home tenant, of which they are documents. What they are about is for replicas to
      -- know and for nobody of the tenant; what they are for, and for whom else, not even for these.
      create function placet.guardrails_of(wanted uuid, since bigint) returns json
        language sql stable security definer set search_path = pg_catalog, pg_temp
        return (
          select case when placet.guardrail_epoch() <= since or wanted = placet.tenant_named('default') then null else coalesce((
            select json_agg(json_build_object('version', d.version, 'document', d.body - 'description' - 'tenants') order by d.name)
            from placet.document d, placet.tenant t
            where d.kind = 'Guardrail' and d.tenant = placet.tenant_named('default') and d.body is not null
              and t.id = wanted and (not d.body ? 'tenants' or d.body -> 'tenants' ? t.name)
          ), '[]') end
        );

      drop function placet.commit_decisions;
      drop function placet.tenant_delta;
    `);
    await runner.query(COMMIT_DECISIONS_0034);
    await runner.query(TENANT_DELTA_0034);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function placet.tenant_delta; drop function placet.commit_decisions;');
    await runner.query(COMMIT_DECISIONS_0027);
    await runner.query('alter function placet.commit_decisions set plan_cache_mode = force_generic_plan');
    await runner.query(TENANT_DELTA_0027);
    await runner.query(`
      drop function placet.guardrails_of;
      drop policy find_guardrails on placet.document;
      drop trigger guardrail_deleted on placet.document;
      drop trigger guardrail_written on placet.document;
      drop function placet.guardrail_changed;
      drop function placet.guardrail_epoch;
      drop function placet.guardrail_lock;
      alter table placet.tenant_state drop column guardrails;
    `);
  }
}

const TENANT_DELTA_0034 = `
-- What of a tenant is new since a revision (0: everything), and its numbers; no row where there is no such tenant.
--
-- INVARIANT: numbers and contents are read by one statement, so contents are never older than the epoch that they are
-- used under, and so are the guardrails above it: no other tenant is looked at for them. Nothing has a revision above the tenant's own: that it is asked for tells the planner that it is little.
create function placet.tenant_delta(wanted uuid, since bigint, guardrails_since bigint) returns table (
  revision bigint, epoch bigint, read_at double precision, suspended boolean, decisions_per_second integer,
  documents json, credentials json, denials json, guardrail_epoch bigint, guardrails json
) language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
begin
  perform set_config('placet.tenant', wanted::text, true);
  if since = 0 then
    return query
      select s.revision, s.epoch, extract(epoch from clock_timestamp())::double precision * 1000,
        t.suspended_at is not null, t.max_decisions_per_second,
        (select json_agg(placet.document_as_json(d)) from placet.document d where d.tenant = wanted),
        (select json_agg(placet.credential_as_json(c)) from placet.credential c where c.tenant = wanted),
        (select json_agg(placet.denial_as_json(d))
          from placet.denial d where d.tenant = wanted and d.expires_at > clock_timestamp()),
        placet.guardrail_epoch(), placet.guardrails_of(wanted, guardrails_since)
      from placet.tenant_state s join placet.tenant t on t.id = s.tenant where s.tenant = wanted;
  else
    return query
      select s.revision, s.epoch, extract(epoch from clock_timestamp())::double precision * 1000,
        t.suspended_at is not null, t.max_decisions_per_second,
        (select json_agg(placet.document_as_json(d))
          from placet.document d where d.tenant = wanted and d.revision > since and d.revision <= s.revision),
        (select json_agg(placet.credential_as_json(c))
          from placet.credential c where c.tenant = wanted and c.revision > since and c.revision <= s.revision),
        (select json_agg(placet.denial_as_json(d))
          from placet.denial d
          where d.tenant = wanted and d.revision > since and d.revision <= s.revision and d.expires_at > clock_timestamp()),
        placet.guardrail_epoch(), placet.guardrails_of(wanted, guardrails_since)
      from placet.tenant_state s join placet.tenant t on t.id = s.tenant where s.tenant = wanted;
  end if;
end $$;
`;
