import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What company directories say of people is read again and again, and counts for as long as it is good. */
export class Directories0031 implements MigrationInterface {
  readonly name = 'Directories1795132800031';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.person add column read_at timestamptz;
      comment on column placet.person.read_at is 'When what a directory says of them was asked for; null: they signed in elsewhere.';

      create table placet.directory_reading (
        tenant uuid not null references placet.tenant (id),
        issuer text not null,
        begun_at timestamptz not null,
        as_of timestamptz,
        primary key (tenant, issuer)
      );
      comment on table placet.directory_reading is 'When all people of a directory were read again.';
      comment on column placet.directory_reading.begun_at is 'When that was begun last.';
      comment on column placet.directory_reading.as_of is 'Nothing that is known of its people is older; null: they were never read.';
      alter table placet.directory_reading enable row level security, force row level security;
      create policy own_tenant on placet.directory_reading
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      create index document_of_directory on placet.document (tenant, name)
        where kind = 'Issuer' and body #>> '{signIn,protocol}' = 'ldap';
      create policy find_directories on placet.document for select to current_user
        using (kind = 'Issuer' and body #>> '{signIn,protocol}' = 'ldap');

      -- The directories of all tenants.
      create function placet.directories() returns table (tenant uuid, tenant_name text, issuer text)
        language sql stable security definer set search_path = pg_catalog, pg_temp
        begin atomic
          select d.tenant, t.name, d.name from placet.document d join placet.tenant t on t.id = d.tenant
            where d.kind = 'Issuer' and d.body #>> '{signIn,protocol}' = 'ldap';
        end;

      -- Takes the turn at reading a directory; null where another one has begun less than every_ms ago.
      create function placet.begin_directory_reading(wanted uuid, of_issuer text, every_ms bigint) returns timestamptz
        language plpgsql volatile as $$
      declare
        begun timestamptz;
      begin
        perform set_config('placet.tenant', wanted::text, true);
        insert into placet.directory_reading as r (tenant, issuer, begun_at) values (wanted, of_issuer, clock_timestamp())
          on conflict (tenant, issuer) do update set begun_at = excluded.begun_at
            where r.begun_at < excluded.begun_at - make_interval(secs => every_ms::float8 / 1000)
          returning begun_at into begun;
        return begun;
      end $$;

      -- All people of a directory were read since a moment.
      create function placet.finish_directory_reading(wanted uuid, of_issuer text, begun timestamptz) returns void
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        update placet.directory_reading r set as_of = greatest(r.as_of, begun) where r.tenant = wanted and r.issuer = of_issuer;
      end $$;

      -- What was begun at a moment came to nothing: the next one may begin.
      create function placet.give_up_directory_reading(wanted uuid, of_issuer text, begun timestamptz) returns void
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        update placet.directory_reading r set begun_at = '-infinity'
          where r.tenant = wanted and r.issuer = of_issuer and r.begun_at = begun;
      end $$;

      -- Keeps what a directory says of people. Whoever has other claims than before is touched, in one revision.
      -- What was asked for before something that is known is not taken over.
      create function placet.directory_said(wanted uuid, of_issuer text, asked_at timestamptz, people jsonb) returns bigint
        language plpgsql volatile as $$
      declare
        touched text[];
        moved record;
      begin
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        select array_agg('subject:' || p.id order by p.id) into touched
          from placet.person p join jsonb_to_recordset(people) as s (id text, claims jsonb) on s.id = p.id
          where p.tenant = wanted and p.issuer = of_issuer and coalesce(p.read_at, '-infinity') < asked_at and p.claims <> s.claims;
        update placet.person p set claims = s.claims, name = s.name, email = s.email, read_at = asked_at
          from jsonb_to_recordset(people) as s (id text, claims jsonb, name text, email text)
          where p.tenant = wanted and p.id = s.id and p.issuer = of_issuer and coalesce(p.read_at, '-infinity') < asked_at;
        if touched is null then
          return null;
        end if;
        -- What these people do at this moment may rest on the claims of before.
        select b.new_revision into moved from placet.bump(wanted, touched, true) b;
        return moved.new_revision;
      end $$;

      -- As placet.sign_in, by what a directory said: 'denied' as well where something newer is known of the person.
      create function placet.sign_in_from_directory(wanted uuid, who jsonb, session jsonb, content jsonb, asked_at timestamptz)
        returns table (outcome text, session_id text)
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        if exists (
          select from placet.person p where p.tenant = wanted and p.id = who ->> 'id' and p.read_at > asked_at
        ) then
          outcome := 'denied';
          return next;
          return;
        end if;
        select s.outcome, s.session_id into outcome, session_id from placet.sign_in(wanted, who, session, content) s;
        if outcome = 'signed_in' then
          update placet.person p set read_at = asked_at where p.tenant = wanted and p.id = who ->> 'id';
        end if;
        return next;
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.sign_in_from_directory;
      drop function placet.directory_said;
      drop function placet.give_up_directory_reading;
      drop function placet.finish_directory_reading;
      drop function placet.begin_directory_reading;
      drop function placet.directories;
      drop policy find_directories on placet.document;
      drop index placet.document_of_directory;
      drop table placet.directory_reading;
      alter table placet.person drop column read_at;
    `);
  }
}
