import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Credentials besides API keys: OAuth clients, by a secret or by a key of their own, and workloads that a company's
 * identity provider vouches for. And what ends single tokens before their time.
 */
export class CredentialsOfSeveralKinds0007 implements MigrationInterface {
  readonly name = 'CredentialsOfSeveralKinds1795132800007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.credential
        add column kind text not null default 'api_key' check (kind in ('api_key', 'client', 'federated')),
        add column cidrs text[],
        add column jwks jsonb,
        add column issuer text,
        add column subject text,
        add constraint federated_says_who check ((kind = 'federated') = (issuer is not null and subject is not null));
      comment on column placet.credential.cidrs is 'From where it may be used; null: from anywhere.';
      comment on column placet.credential.jwks is 'Public keys by which an OAuth client proves itself (private_key_jwt).';
      comment on column placet.credential.issuer is 'Federated: the Issuer document whose tokens prove it, and in subject who they must be about.';
      create unique index credential_of_workload on placet.credential (tenant, issuer, subject)
        where kind = 'federated' and disabled_at is null;

      create table placet.credential_use (
        tenant uuid not null,
        credential text not null,
        last_used_at timestamptz not null,
        primary key (tenant, credential),
        foreign key (tenant, credential) references placet.credential (tenant, id)
      );
      comment on table placet.credential_use is 'When a credential was last used, to within some minutes.';
      alter table placet.credential_use enable row level security, force row level security;
      create policy own_tenant on placet.credential_use
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      -- Notes when some credentials were used. Not a change: nothing rests on it, and nobody is told.
      create function placet.credentials_used(wanted uuid, credentials text[], used_at timestamptz[]) returns void
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        insert into placet.credential_use as u (tenant, credential, last_used_at)
          select wanted, c.id, max(n.at)
          from unnest(credentials, used_at) n (id, at) join placet.credential c on c.tenant = wanted and c.id = n.id
          group by c.id order by c.id
          on conflict (tenant, credential) do update set last_used_at = greatest(u.last_used_at, excluded.last_used_at);
      end $$;

      create table placet.denial (
        tenant uuid not null references placet.tenant (id),
        key text not null,
        before timestamptz not null,
        expires_at timestamptz not null,
        revision bigint not null,
        primary key (tenant, key)
      );
      comment on table placet.denial is 'Tokens that are not good any more, though they have not expired.';
      comment on column placet.denial.key is 'token:..., client:... or subject:...: what of it was issued before, is refused.';
      comment on column placet.denial.expires_at is 'When every token that it concerns has expired by itself.';
      create index denial_by_revision on placet.denial (tenant, revision);
      create index denial_by_expiry on placet.denial (tenant, expires_at);
      alter table placet.denial enable row level security, force row level security;
      create policy own_tenant on placet.denial
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      select placet.guard('placet.denial');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.credentials_used;
      drop table placet.denial;
      drop table placet.credential_use;
      delete from placet.credential_secret s using placet.credential c
        where c.tenant = s.tenant and c.id = s.credential and c.kind <> 'api_key';
      delete from placet.credential where kind <> 'api_key';
      alter table placet.credential
        drop column subject, drop column issuer, drop column jwks, drop column cidrs, drop column kind;
    `);
  }
}
