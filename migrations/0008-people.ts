import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People who have signed in, and their sessions. */
export class People0008 implements MigrationInterface {
  readonly name = 'People1795132800008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table placet.person (
        tenant uuid not null references placet.tenant (id),
        id text not null,
        issuer text not null,
        claims jsonb not null,
        name text,
        email text,
        first_at timestamptz not null default clock_timestamp(),
        last_at timestamptz not null default clock_timestamp(),
        primary key (tenant, id)
      );
      comment on table placet.person is 'Who has signed in. What they may do is worked out from their claims at each call.';
      comment on column placet.person.id is 'The subject that they are, as in user:entra/3f2c: the issuer and what it calls them.';
      comment on column placet.person.claims is 'What the identity provider said at the last sign-in.';
      alter table placet.person enable row level security, force row level security;
      create policy own_tenant on placet.person
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      create table placet.session (
        tenant uuid not null,
        id text not null,
        mac bytea not null,
        person text not null,
        issuer text not null,
        upstream_session text,
        acr text,
        amr text[] not null default '{}',
        authenticated_at timestamptz,
        sealed_hint bytea,
        created_at timestamptz not null default clock_timestamp(),
        seen_at timestamptz not null default clock_timestamp(),
        idle_ends_at timestamptz not null,
        ends_at timestamptz not null,
        ended_at timestamptz,
        address text,
        user_agent text,
        primary key (tenant, id),
        foreign key (tenant, person) references placet.person (tenant, id)
      );
      comment on table placet.session is 'A browser in which a person has signed in.';
      comment on column placet.session.mac is 'HMAC-SHA-256 of the cookie under a key outside the database.';
      comment on column placet.session.upstream_session is 'What the identity provider calls its own session (sid), for its logout.';
      comment on column placet.session.authenticated_at is 'When the person proved who they are; null: the identity provider does not say.';
      comment on column placet.session.sealed_hint is 'What the identity provider wants to be shown at the end of its own session, encrypted.';
      create unique index session_mac on placet.session (mac);
      create index session_of_person on placet.session (tenant, person) where ended_at is null;
      alter table placet.session enable row level security, force row level security;
      create policy own_tenant on placet.session
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      create policy find_tenant on placet.session for select to current_user using (true);

      create function placet.tenant_of_session(wanted bytea) returns uuid
        language sql stable security definer set search_path = pg_catalog, pg_temp
        return (select tenant from placet.session where mac = wanted);

      create table placet.used_once (
        tenant uuid not null references placet.tenant (id),
        mac bytea not null,
        expires_at timestamptz not null,
        primary key (tenant, mac)
      );
      comment on table placet.used_once is 'What can be used once, and has been: sign-ins under way, logout tokens.';
      comment on column placet.used_once.expires_at is 'When it would be too old to be used anyway.';
      create index used_once_by_expiry on placet.used_once (tenant, expires_at);
      alter table placet.used_once enable row level security, force row level security;
      create policy own_tenant on placet.used_once
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      -- Whether this is the first use. Two at the same time: the second waits for the first, and is none.
      create function placet.use_once(wanted uuid, used bytea, until timestamptz) returns boolean
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        delete from placet.used_once u where u.tenant = wanted and u.mac in (
          select o.mac from placet.used_once o where o.tenant = wanted and o.expires_at < clock_timestamp()
          limit 100 for update skip locked
        );
        insert into placet.used_once (tenant, mac, expires_at) values (wanted, used, until) on conflict do nothing;
        return found;
      end $$;

      -- A person has proven who they are: what is said of them is kept, and a session begins. With step_up, a live session
      -- of the same person goes on under a new cookie; any other session of this browser ends. Outcomes: 'signed_in', or
      -- 'denied' where the person was signed out everywhere since the sign-in began.
      create function placet.sign_in(wanted uuid, who jsonb, session jsonb, content jsonb)
        returns table (outcome text, session_id text)
        language plpgsql volatile as $$
      declare
        claims_before jsonb;
        idle interval := make_interval(secs => (session ->> 'idle_ms')::float8 / 1000);
        proven_at timestamptz := to_timestamp((session ->> 'authenticated_at')::float8 / 1000);
        moved record;
        about jsonb := content;
      begin
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        if exists (
          select from placet.denial d where d.tenant = wanted and d.key = who ->> 'denial'
            and d.before >= to_timestamp((session ->> 'begun_at')::float8 / 1000)
        ) then
          outcome := 'denied';
          return next;
          return;
        end if;

        select p.claims into claims_before from placet.person p where p.tenant = wanted and p.id = who ->> 'id';
        insert into placet.person (tenant, id, issuer, claims, name, email)
          values (wanted, who ->> 'id', who ->> 'issuer', who -> 'claims', who ->> 'name', who ->> 'email')
          on conflict (tenant, id) do update
            set issuer = excluded.issuer, claims = excluded.claims, name = excluded.name, email = excluded.email,
              last_at = clock_timestamp();
        -- What the person does at this moment may rest on the claims of before.
        if claims_before is not null and claims_before <> who -> 'claims' then
          select b.new_revision into moved from placet.bump(wanted, array['subject:' || (who ->> 'id')], true) b;
          about := about || jsonb_build_object('revision', moved.new_revision);
        end if;

        update placet.session s
          set mac = decode(session ->> 'mac', 'hex'), acr = session ->> 'acr',
            amr = array(select jsonb_array_elements_text(session -> 'amr')), authenticated_at = proven_at,
            upstream_session = session ->> 'upstream_session',
            sealed_hint = decode(session ->> 'sealed_hint', 'hex'),
            seen_at = clock_timestamp(), idle_ends_at = least(s.ends_at, clock_timestamp() + idle)
          where (session ->> 'step_up')::boolean and s.tenant = wanted and s.id = session ->> 'replaces'
            and s.person = who ->> 'id' and s.ended_at is null
            and s.idle_ends_at > clock_timestamp() and s.ends_at > clock_timestamp()
          returning s.id into session_id;
        if not found then
          update placet.session s set ended_at = clock_timestamp()
            where s.tenant = wanted and s.id = session ->> 'replaces' and s.ended_at is null;
          session_id := session ->> 'id';
          insert into placet.session (tenant, id, mac, person, issuer, upstream_session, acr, amr, authenticated_at,
              sealed_hint, idle_ends_at, ends_at, address, user_agent)
            values (wanted, session_id, decode(session ->> 'mac', 'hex'), who ->> 'id', who ->> 'issuer',
              session ->> 'upstream_session', session ->> 'acr', array(select jsonb_array_elements_text(session -> 'amr')),
              proven_at, decode(session ->> 'sealed_hint', 'hex'), clock_timestamp() + idle,
              clock_timestamp() + make_interval(secs => (session ->> 'absolute_ms')::float8 / 1000),
              session ->> 'address', session ->> 'user_agent');
        end if;
        perform placet.record_event(wanted, 'sign_in', about || jsonb_build_object('session', session_id));
        outcome := 'signed_in';
        return next;
      end $$;

      -- The person ends one of their own sessions. Whether there was one to end.
      create function placet.sign_out(wanted uuid, session_id text, of_person text, content jsonb) returns boolean
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        update placet.session s set ended_at = clock_timestamp()
          where s.tenant = wanted and s.id = session_id and s.person = of_person and s.ended_at is null;
        if not found then
          return false;
        end if;
        perform placet.record_event(wanted, 'sign_out', content);
        return true;
      end $$;

      -- Somebody was there. Written once a minute at most.
      create function placet.touch_session(wanted uuid, session_id text, idle_ms bigint) returns void
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        update placet.session s
          set seen_at = clock_timestamp(),
            idle_ends_at = least(s.ends_at, clock_timestamp() + make_interval(secs => idle_ms::float8 / 1000))
          where s.tenant = wanted and s.id = session_id and s.ended_at is null
            and s.idle_ends_at > clock_timestamp() and s.seen_at < clock_timestamp() - interval '1 minute';
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.touch_session;
      drop function placet.sign_out;
      drop function placet.sign_in;
      drop function placet.use_once;
      drop table placet.used_once;
      drop function placet.tenant_of_session;
      drop table placet.session;
      drop table placet.person;
    `);
  }
}
