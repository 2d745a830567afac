import type { MigrationInterface, QueryRunner } from 'typeorm';
import { replaced } from './replaced.js';

/** Sign-ins that an administrator tries out: what came of each, for a while and for them alone. */
export class SignInTests0037 implements MigrationInterface {
  readonly name = 'SignInTests1795132800037';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table placet.sign_in_test (
        tenant uuid not null references placet.tenant (id),
        id text not null,
        issuer text not null,
        begun_by text not null,
        state text not null default 'waiting' check (state in ('waiting', 'sent', 'over')),
        sealed bytea,
        begun_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz not null,
        primary key (tenant, id)
      );
      comment on table placet.sign_in_test is 'Sign-ins that an administrator tries out. Nobody is signed in by one.';
      comment on column placet.sign_in_test.begun_by is 'Who is told what came of it: a person, or a key.';
      comment on column placet.sign_in_test.sealed is 'What was looked at and who it was, encrypted under a key outside the database.';
      alter table placet.sign_in_test enable row level security, force row level security;
      create policy own_tenant on placet.sign_in_test
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      -- Begins a test, with its record; false where there are as many under way as a tenant may have. One that is over makes room.
      create function placet.begin_sign_in_test(wanted uuid, new_id text, of_issuer text, by_whom text, seconds integer, most integer)
        returns boolean language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        -- One after the other: else two could both be the last one.
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        delete from placet.sign_in_test t where t.tenant = wanted and t.expires_at <= clock_timestamp();
        delete from placet.sign_in_test t where t.tenant = wanted and t.id in (
          select o.id from placet.sign_in_test o where o.tenant = wanted
            order by o.state <> 'over' desc, o.begun_at desc offset most - 1
        ) and t.state = 'over';
        if (select count(*) from placet.sign_in_test t where t.tenant = wanted) >= most then
          return false;
        end if;
        insert into placet.sign_in_test (tenant, id, issuer, begun_by, expires_at)
          values (wanted, new_id, of_issuer, by_whom, clock_timestamp() + make_interval(secs => seconds));
        perform placet.record_event(wanted, 'sign_in_test',
          jsonb_build_object('action', 'begun', 'issuer', of_issuer, 'by', by_whom));
        return true;
      end $$;

      -- Takes a test from one state to the next, once: of several that try at the same time, one gets true.
      create function placet.advance_sign_in_test(wanted uuid, wanted_id text, of_issuer text, from_state text, to_state text, told bytea)
        returns boolean language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        update placet.sign_in_test t set state = to_state, sealed = told
          where t.tenant = wanted and t.id = wanted_id and t.issuer = of_issuer and t.state = from_state
            and t.expires_at > clock_timestamp();
        return found;
      end $$;
    `);
    await runner.query(replaced('record_event', EVENTS_BEFORE, EVENTS));
    await runner.query(replaced('sweep', SWEPT_BEFORE, SWEPT));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(replaced('sweep', SWEPT, SWEPT_BEFORE));
    await runner.query(replaced('record_event', EVENTS, EVENTS_BEFORE));
    await runner.query(`
      drop function placet.advance_sign_in_test;
      drop function placet.begin_sign_in_test;
      drop table placet.sign_in_test;
    `);
  }
}

const EVENTS_BEFORE = `'tenant', 'consent')`;
const EVENTS = `'tenant', 'consent', 'sign_in_test')`;

const SWEPT_BEFORE = 'return most_done >= most;';
/** There are too few of them in a tenant to be counted. */
const SWEPT = `delete from placet.sign_in_test t where t.tenant = wanted and t.expires_at <= clock_timestamp();
    ${SWEPT_BEFORE}`;
