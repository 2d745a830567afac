import type { MigrationInterface, QueryRunner } from 'typeorm';
import { COMMIT_CHANGE_0004 } from './commit-change-0004.js';
import { COMMIT_CHANGE_0005 } from './commit-change-0005.js';

/**
 * Drafts, and who changed what when and why.
 *
 * Both are written by the one function that makes changes, so that no change is missing from the log, and a draft that
 * is published is gone in the transaction that publishes it.
 */
export class Publishing0005 implements MigrationInterface {
  readonly name = 'Publishing1795132800005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create sequence placet.draft_version;
      comment on sequence placet.draft_version is 'One for each saved draft: a name that is used anew never has an old version.';

      create table placet.draft (
        tenant uuid not null references placet.tenant (id),
        name text not null,
        version bigint not null,
        base_revision bigint not null,
        description text,
        prune boolean not null,
        documents jsonb not null,
        deletions jsonb not null,
        changed_by text not null,
        changed_at timestamptz not null default clock_timestamp(),
        primary key (tenant, name)
      );
      comment on table placet.draft is 'Changes that are being prepared. They decide nothing.';
      comment on column placet.draft.base_revision is 'What was changed after it, the author has not seen.';
      comment on column placet.draft.prune is 'Whether the documents are to be all that there are.';
      alter table placet.draft enable row level security, force row level security;
      create policy own_tenant on placet.draft
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      select placet.guard('placet.draft');

      create table placet.revision (
        tenant uuid not null references placet.tenant (id),
        revision bigint not null,
        epoch bigint not null,
        changed_by text not null,
        changed_at timestamptz not null default clock_timestamp(),
        message text,
        draft text,
        rolled_back_to bigint,
        documents integer not null,
        others jsonb not null,
        primary key (tenant, revision)
      );
      comment on table placet.revision is 'Every change since this table is there, and why it was made. Insert-only.';
      comment on column placet.revision.draft is 'Of which draft it is the publication.';
      comment on column placet.revision.documents is 'How many documents it changed; which, is in document_version.';
      comment on column placet.revision.others is 'What else it did: keys and drafts, by operation and name.';
      create index revision_of_documents on placet.revision (tenant, revision) where documents > 0;
      alter table placet.revision enable row level security, force row level security;
      -- Only of the revision that is being made: the guard says that this transaction makes it.
      create policy own_tenant on placet.revision using (tenant = placet.current_tenant()) with check (
        tenant = placet.current_tenant()
        and revision = (select s.revision from placet.tenant_state s where s.tenant = placet.current_tenant())
      );
      select placet.guard('placet.revision');

      create index document_version_by_revision on placet.document_version (tenant, revision);

      -- As in 0004, and besides: drafts are written, the revision is logged, and the record says what it is about:
      -- a message, the draft that is published, the revision that is gone back to.
      drop function placet.commit_change;
      ${COMMIT_CHANGE_0005}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.commit_change;
      ${COMMIT_CHANGE_0004}
      drop index placet.document_version_by_revision;
      drop table placet.revision;
      drop table placet.draft;
      drop sequence placet.draft_version;
    `);
  }
}
