import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Policies and everything else that administrators write, with every version that there ever was. */
export class Documents0002 implements MigrationInterface {
  readonly name = 'Documents1795132800002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table placet.document (
        tenant uuid not null references placet.tenant (id),
        kind text not null,
        name text not null,
        version integer not null,
        revision bigint not null,
        body jsonb,
        primary key (tenant, kind, name)
      );
      comment on table placet.document is 'The latest version of each document.';
      comment on column placet.document.body is 'Null where the document was deleted; the row stays, so that replicas hear of it.';
      create index document_by_revision on placet.document (tenant, revision);
      alter table placet.document enable row level security, force row level security;
      create policy own_tenant on placet.document
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      select placet.guard('placet.document');

      create table placet.document_version (
        tenant uuid not null references placet.tenant (id),
        kind text not null,
        name text not null,
        version integer not null,
        revision bigint not null,
        body jsonb,
        changed_by text not null,
        changed_at timestamptz not null default clock_timestamp(),
        primary key (tenant, kind, name, version)
      );
      comment on table placet.document_version is 'Every version of each document. Insert-only.';
      alter table placet.document_version enable row level security, force row level security;
      create policy own_tenant on placet.document_version
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      select placet.guard('placet.document_version');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table placet.document_version; drop table placet.document;');
  }
}
