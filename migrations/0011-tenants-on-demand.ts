import type { MigrationInterface, QueryRunner } from 'typeorm';
import { OPERATOR_FUNCTIONS, OPERATOR_FUNCTIONS_DROPPED } from './operator-0011.js';
import { QUOTAS, QUOTAS_DROPPED } from './quotas-0011.js';

/**
 * Tenants that an operator makes, suspends, exports and deletes while the service runs, and what each of them may have.
 *
 * The operator is somebody of the home tenant, the one that every service has and that is called `default`.
 */
export class TenantsOnDemand0011 implements MigrationInterface {
  readonly name = 'TenantsOnDemand1795132800011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.tenant
        add column title text,
        add column suspended_at timestamptz,
        add column suspended_for text,
        add column exported_at timestamptz,
        add column exported_revision bigint,
        add column export_digest text,
        add column max_documents bigint,
        add column max_document_bytes bigint,
        add column max_credentials bigint,
        add column max_persons bigint,
        add column max_decisions_per_second integer;
      comment on column placet.tenant.suspended_at is 'Since when nothing is allowed in it and nobody of it may administer; for the operator alone to lift.';
      comment on column placet.tenant.export_digest is 'SHA-256 of the last whole export, in hexadecimal, and at which revision it was made.';
      comment on column placet.tenant.max_documents is 'This and the following: how much it may have; null: as much as it wants.';

      create table placet.deleted_tenant (
        tenant uuid not null references placet.tenant (id),
        name text not null,
        id uuid not null,
        title text,
        created_at timestamptz not null,
        deleted_at timestamptz not null default clock_timestamp(),
        deleted_by text not null,
        export_digest text not null,
        primary key (tenant, name)
      );
      comment on table placet.deleted_tenant is 'What is left of a tenant, as rows of the home tenant. Its name is not given again: others may still trust it.';
      alter table placet.deleted_tenant enable row level security, force row level security;
      create policy own_tenant on placet.deleted_tenant
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      ${QUOTAS}
      ${OPERATOR_FUNCTIONS}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${OPERATOR_FUNCTIONS_DROPPED}
      ${QUOTAS_DROPPED}
      drop table placet.deleted_tenant;
      alter table placet.tenant
        drop column max_decisions_per_second, drop column max_persons, drop column max_credentials,
        drop column max_document_bytes, drop column max_documents, drop column export_digest, drop column exported_revision,
        drop column exported_at, drop column suspended_for, drop column suspended_at, drop column title;
    `);
  }
}
