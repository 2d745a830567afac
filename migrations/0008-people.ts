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
        authenticated_at timestamptz not null,
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
      create unique index session_mac on placet.session (mac);
      create index session_of_person on placet.session (tenant, person) where ended_at is null;
      alter table placet.session enable row level security, force row level security;
      create policy own_tenant on placet.session
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      create policy find_tenant on placet.session for select to current_user using (true);

      create function placet.tenant_of_session(wanted bytea) returns uuid
        language sql stable security definer set search_path = pg_catalog, pg_temp
        return (select tenant from placet.session where mac = wanted);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.tenant_of_session;
      drop table placet.session;
      drop table placet.person;
    `);
  }
}
