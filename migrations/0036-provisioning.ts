import type { MigrationInterface, QueryRunner } from 'typeorm';
import { COUNTED_0036, COUNTED_DROPPED_0036 } from './provisioning-counts-0036.js';
import { PATCHES_0036, PROVISIONING_FUNCTIONS_0036 } from './provisioning-functions-0036.js';
import { replaced } from './replaced.js';

/** Users and groups that a company's directory provisions (SCIM 2.0), and the credentials by which it does. */
export class Provisioning0036 implements MigrationInterface {
  readonly name = 'Provisioning1795132800036';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.credential
        drop constraint credential_kind_check,
        add constraint credential_kind_check check (kind in ('api_key', 'client', 'federated', 'scim')),
        drop constraint credential_principal_kind_check,
        add constraint credential_principal_kind_check check (principal_kind in ('host', 'administrator', 'connector')),
        add constraint connector_has_issuer check ((kind = 'scim') = (principal_kind = 'connector') and (kind <> 'scim' or issuer is not null));

      create table placet.scim_user (
        tenant uuid not null references placet.tenant (id),
        id text not null,
        issuer text not null,
        external_id text,
        user_name text,
        active boolean not null,
        identity text,
        body jsonb not null,
        version integer not null,
        created_at timestamptz not null default clock_timestamp(),
        changed_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz,
        revision bigint not null,
        primary key (tenant, id)
      );
      comment on table placet.scim_user is 'Who is provisioned by the connector of an Issuer, and who was and must not come back by an old token.';
      comment on column placet.scim_user.identity is 'What the tokens of the Issuer call them, as its document says; null: nobody knows.';
      comment on column placet.scim_user.expires_at is 'Of somebody who was taken away: until when they are kept out. Null: they are provisioned.';
      create unique index scim_user_name on placet.scim_user (tenant, issuer, lower(user_name)) where expires_at is null;
      create unique index scim_user_external on placet.scim_user (tenant, issuer, external_id) where expires_at is null;
      create unique index scim_user_identity on placet.scim_user (tenant, issuer, identity) where expires_at is null;
      create index scim_user_listed on placet.scim_user (tenant, issuer, id) where expires_at is null;
      create index scim_user_gone on placet.scim_user (tenant, issuer, identity) where expires_at is not null;
      create index scim_user_by_end on placet.scim_user (tenant, expires_at) where expires_at is not null;
      create index scim_user_by_revision on placet.scim_user (tenant, revision);

      create table placet.scim_group (
        tenant uuid not null references placet.tenant (id),
        id text not null,
        issuer text not null,
        external_id text,
        display_name text not null,
        version integer not null,
        created_at timestamptz not null default clock_timestamp(),
        changed_at timestamptz not null default clock_timestamp(),
        primary key (tenant, id)
      );
      comment on table placet.scim_group is 'Groups that the connector of an Issuer provisions. Their names are no keys.';
      create unique index scim_group_external on placet.scim_group (tenant, issuer, external_id);
      create index scim_group_name on placet.scim_group (tenant, issuer, lower(display_name));
      create index scim_group_listed on placet.scim_group (tenant, issuer, id);

      create table placet.scim_member (
        tenant uuid not null,
        group_id text not null,
        user_id text not null,
        primary key (tenant, group_id, user_id),
        foreign key (tenant, group_id) references placet.scim_group (tenant, id),
        foreign key (tenant, user_id) references placet.scim_user (tenant, id)
      );
      create index scim_member_of on placet.scim_member (tenant, user_id);
    `);
    for (const table of TABLES) {
      await runner.query(`
        alter table placet.${table} enable row level security, force row level security;
        create policy own_tenant on placet.${table}
          using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
        select placet.guard('placet.${table}');
      `);
    }
    await runner.query(COUNTED_0036);
    await runner.query(PROVISIONING_FUNCTIONS_0036);
    for (const { of, from, to } of PATCHES_0036) await runner.query(replaced(of, from, to));
    await runner.query(otherDelta(DELTA_BEFORE, DELTA));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(otherDelta(DELTA, DELTA_BEFORE));
    for (const { of, from, to } of PATCHES_0036) await runner.query(replaced(of, to, from));
    await runner.query(`
      drop trigger scim_follow_issuer on placet.document;
      drop function placet.scim_follow_issuer;
      drop function placet.scim_user_as_json;
      drop function placet.apply_provisioning;
      drop function placet.end_consents_of;
      drop function placet.put_scim_user;
      drop function placet.delete_scim_user;
      drop function placet.put_scim_group;
      drop function placet.delete_scim_group;
      drop function placet.provisioning_refused;
      drop function placet.scim_identity;
      drop function placet.sweep_scim;
      drop table placet.scim_member;
      drop table placet.scim_group;
      drop table placet.scim_user;
      ${COUNTED_DROPPED_0036}
      alter table placet.credential no force row level security, disable trigger user;
      alter table placet.credential_secret no force row level security, disable trigger user;
      delete from placet.credential_use u using placet.credential c
        where c.tenant = u.tenant and c.id = u.credential and c.kind = 'scim';
      delete from placet.credential_secret s using placet.credential c
        where c.tenant = s.tenant and c.id = s.credential and c.kind = 'scim';
      delete from placet.credential where kind = 'scim';
      alter table placet.credential_secret force row level security, enable trigger user;
      alter table placet.credential force row level security, enable trigger user,
        drop constraint connector_has_issuer,
        drop constraint credential_kind_check,
        add constraint credential_kind_check check (kind in ('api_key', 'client', 'federated')),
        drop constraint credential_principal_kind_check,
        add constraint credential_principal_kind_check check (principal_kind in ('host', 'administrator'));
    `);
  }
}

const TABLES = ['scim_user', 'scim_group', 'scim_member'] as const;

/** What each replica reads after a change: its columns, and what is read for the last of them. */
const DELTA_BEFORE = { columns: 'guardrails json)', reads: 'placet.guardrails_of(wanted, guardrails_since)' } as const;

/** With who is provisioned. Who was taken away comes before who is there: somebody may be there again. */
const DELTA = {
  columns: 'guardrails json, people json)',
  reads: `placet.guardrails_of(wanted, guardrails_since),
        (select json_agg(placet.scim_user_as_json(u) order by u.expires_at nulls last)
          from placet.scim_user u where u.tenant = wanted and u.revision > since and u.revision <= s.revision)`,
} as const;

type Delta = { readonly columns: string; readonly reads: string };

/** Makes `tenant_delta` anew, with other columns and as it is otherwise. */
const otherDelta = (from: Delta, to: Delta): string => `
  do $patch$
  declare
    before text := pg_get_functiondef('placet.tenant_delta'::regproc);
  begin
    if position($from$${from.columns}$from$ in before) = 0 or position($from$${from.reads}$from$ in before) = 0 then
      raise exception 'placet: tenant_delta is not what it was';
    end if;
    drop function placet.tenant_delta;
    execute replace(replace(before, $from$${from.columns}$from$, $to$${to.columns}$to$), $from$${from.reads}$from$, $to$${to.reads}$to$);
  end $patch$`;
