import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys of hosts and of administrators. A key has up to two live secrets, so that it can be rotated without a gap. */
export class Credentials0003 implements MigrationInterface {
  readonly name = 'Credentials1795132800003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table placet.credential (
        tenant uuid not null references placet.tenant (id),
        id text not null,
        principal_kind text not null check (principal_kind in ('host', 'administrator')),
        principal text not null,
        environment text not null,
        rights jsonb not null,
        created_by text not null,
        created_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz,
        disabled_at timestamptz,
        revision bigint not null,
        primary key (tenant, id)
      );
      create unique index credential_id on placet.credential (id);
      create index credential_by_revision on placet.credential (tenant, revision);
      alter table placet.credential enable row level security, force row level security;
      create policy own_tenant on placet.credential
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      create policy find_tenant on placet.credential for select to current_user using (true);
      select placet.guard('placet.credential');

      create function placet.tenant_of_credential(wanted text) returns uuid
        language sql stable security definer set search_path = pg_catalog, pg_temp
        return (select tenant from placet.credential where id = wanted);

      create table placet.credential_secret (
        tenant uuid not null,
        credential text not null,
        number integer not null,
        mac bytea not null,
        expires_at timestamptz,
        primary key (tenant, credential, number),
        foreign key (tenant, credential) references placet.credential (tenant, id)
      );
      comment on column placet.credential_secret.mac is 'HMAC-SHA-256 of environment, id and secret under a key outside the database.';
      alter table placet.credential_secret enable row level security, force row level security;
      create policy own_tenant on placet.credential_secret
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      select placet.guard('placet.credential_secret');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table placet.credential_secret;
      drop function placet.tenant_of_credential;
      drop table placet.credential;
    `);
  }
}
