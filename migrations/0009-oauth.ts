import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the authorization server keeps: tokens, grants, codes; and the keys that it signs with. */
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

      -- Keeps one thing; false where it is there already and only a new one may be, or where the grant that it comes from
      -- is not there any more (then nothing is written). What has expired goes in passing, a little at a time.
      -- INVARIANT: under the lock of changes, so that what ends a grant comes before (and then nothing more comes of it), or
      -- after (and then ends this, too): no token is issued after the denial that was meant for it.
      create function placet.put_oauth_state(wanted uuid, state jsonb, only_new boolean) returns boolean
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock_shared(placet.lock_key(wanted));
        if state ->> 'model' <> 'Grant' and state ->> 'grant' is not null and not exists (
          select from placet.oauth_state g where g.tenant = wanted and g.model = 'Grant' and g.id = state ->> 'grant'
        ) then
          return false;
        end if;
        delete from placet.oauth_state s where s.tenant = wanted and s.ctid = any (array(
          select e.ctid from placet.oauth_state e
          where e.tenant = wanted and e.expires_at < clock_timestamp() - interval '1 minute'
          order by e.expires_at limit 20 for update skip locked
        ));
        insert into placet.oauth_state as s (tenant, model, id, sealed, grant_id, user_code, client, account, expires_at)
          values (wanted, state ->> 'model', state ->> 'id', decode(state ->> 'sealed', 'hex'), state ->> 'grant',
            state ->> 'user_code', state ->> 'client', state ->> 'account', (state ->> 'expires_at')::timestamptz)
          on conflict (tenant, model, id) do update
            set sealed = excluded.sealed, grant_id = excluded.grant_id, user_code = excluded.user_code,
              client = excluded.client, account = excluded.account, expires_at = excluded.expires_at
            where not only_new or s.expires_at < clock_timestamp();
        return found;
      end $$;

      -- Takes one thing as used. Of several that try at the same time, one gets true.
      create function placet.consume_oauth_state(wanted uuid, of_model text, wanted_id text) returns boolean
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        update placet.oauth_state s set consumed_at = clock_timestamp()
          where s.tenant = wanted and s.model = of_model and s.id = wanted_id and s.consumed_at is null;
        return found;
      end $$;

      -- Takes a user code away from its device code: it has been answered. Of several that try, one gets true.
      create function placet.claim_user_code(wanted uuid, code text) returns boolean
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        update placet.oauth_state s set user_code = null
          where s.tenant = wanted and s.user_code = code and s.expires_at > clock_timestamp();
        return found;
      end $$;

      -- Deletes one thing, or those of a grant.
      create function placet.end_oauth_state(wanted uuid, of_model text, wanted_id text, of_grant text) returns void
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        delete from placet.oauth_state s
          where s.tenant = wanted and s.model = of_model and (s.id = wanted_id or s.grant_id = of_grant);
      end $$;

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
      create unique index signing_key_current on placet.signing_key (tenant, algorithm) where retires_at is null;

      -- Adds the first key of an algorithm; where another replica has just done so, nothing.
      create function placet.add_signing_key(wanted uuid, new_id text, new_algorithm text, new_public jsonb, new_sealed bytea)
        returns void language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        insert into placet.signing_key (tenant, id, algorithm, public_jwk, sealed)
          values (wanted, new_id, new_algorithm, new_public, new_sealed)
          on conflict (tenant, algorithm) where retires_at is null do nothing;
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.add_signing_key;
      drop table placet.signing_key;
      drop function placet.end_oauth_state;
      drop function placet.claim_user_code;
      drop function placet.consume_oauth_state;
      drop function placet.put_oauth_state;
      drop function placet.tenant_of_token;
      drop table placet.oauth_state;
    `);
  }
}
