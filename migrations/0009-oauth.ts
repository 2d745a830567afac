import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the authorization server keeps: tokens, grants, codes, its own sessions; and the keys that it signs with. */
export class OAuth0009 implements MigrationInterface {
  readonly name = 'OAuth1795132800009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table placet.oauth_state (
        tenant uuid not null references placet.tenant (id),
        model text not null,
        id text not null,
        sealed bytea not null,
        grant_id text,
        user_code text,
        uid text,
        client text,
        account text,
        issued_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz,
        consumed_at timestamptz,
        primary key (tenant, model, id)
      );
      comment on table placet.oauth_state is 'By model (AccessToken, RefreshToken, DeviceCode, ...) and a MAC of the value that is handed out.';
      comment on column placet.oauth_state.sealed is 'The content, encrypted under a key outside the database: it holds the value itself.';
      create index oauth_state_by_grant on placet.oauth_state (tenant, grant_id) where grant_id is not null;
      create unique index oauth_state_by_user_code on placet.oauth_state (tenant, user_code) where user_code is not null;
      create unique index oauth_state_by_uid on placet.oauth_state (tenant, model, uid) where uid is not null;
      create index oauth_state_by_account on placet.oauth_state (tenant, account) where account is not null;
      create index oauth_state_by_expiry on placet.oauth_state (tenant, expires_at);
      create unique index oauth_token_id on placet.oauth_state (id) where model in ('AccessToken', 'ClientCredentials');
      alter table placet.oauth_state enable row level security, force row level security;
      create policy own_tenant on placet.oauth_state
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      create policy find_tenant on placet.oauth_state for select to current_user using (true);

      create function placet.tenant_of_token(wanted text) returns uuid
        language sql stable security definer set search_path = pg_catalog, pg_temp
        return (select tenant from placet.oauth_state where id = wanted and model in ('AccessToken', 'ClientCredentials'));

      create table placet.signing_key (
        tenant uuid not null references placet.tenant (id),
        id text not null,
        algorithm text not null,
        public_jwk jsonb not null,
        sealed bytea not null,
        created_at timestamptz not null default clock_timestamp(),
        retires_at timestamptz,
        primary key (tenant, id)
      );
      comment on table placet.signing_key is 'Keys of the authorization server and of our own client at identity providers; the private part encrypted.';
      alter table placet.signing_key enable row level security, force row level security;
      create policy own_tenant on placet.signing_key
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table placet.signing_key;
      drop function placet.tenant_of_token;
      drop table placet.oauth_state;
    `);
  }
}
