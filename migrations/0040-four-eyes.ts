import type { MigrationInterface, QueryRunner } from 'typeorm';
import { replaced } from './replaced.js';

/** Who has seen a draft, of the people whom a tenant can demand two of, and which of them a change was made on. */
export class FourEyes0040 implements MigrationInterface {
  readonly name = 'FourEyes1795132800040';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.draft add column seen_by jsonb not null default '[]';
      comment on column placet.draft.seen_by is 'The person who saved it as it is, and those who have approved of it since.';
      alter table placet.revision add column seen_by jsonb;
      comment on column placet.revision.seen_by is 'The people who had seen it, where the tenant demands two. Null: it was not demanded.';
    `);
    for (const { of, from, to } of PATCHES) await runner.query(replaced(of, from, to));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { of, from, to } of PATCHES) await runner.query(replaced(of, to, from));
    await runner.query(`
      alter table placet.revision drop column seen_by;
      alter table placet.draft drop column seen_by;
    `);
  }
}

/** Who has seen a draft, as one of `seen_by`. */
const seen = (how: 'saved' | 'approved'): string =>
  `jsonb_build_object('person', op ->> 'person', 'how', '${how}', 'by', by_principal,
                'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`;

const PATCHES = [
  {
    of: 'apply_operation',
    from: `op #>> '{body,description}', (op #>> '{body,prune}')::boolean, op #> '{body,documents}', op #> '{body,deletions}',
                by_principal)`,
    to: `op #>> '{body,description}', (op #>> '{body,prune}')::boolean, op #> '{body,documents}', op #> '{body,deletions}',
                by_principal, case when op ->> 'person' is null then '[]'::jsonb else jsonb_build_array(${seen('saved')}) end)`,
  },
  {
    of: 'apply_operation',
    from: `(tenant, name, version, base_revision, description, prune, documents, deletions, changed_by)`,
    to: `(tenant, name, version, base_revision, description, prune, documents, deletions, changed_by, seen_by)`,
  },
  {
    of: 'apply_operation',
    from: `changed_by = excluded.changed_by, changed_at = excluded.changed_at;`,
    to: `changed_by = excluded.changed_by, changed_at = excluded.changed_at, seen_by = excluded.seen_by;`,
  },
  {
    of: 'apply_operation',
    from: `when 'discard_draft' then`,
    to: `-- Each person once, as they came last.
          when 'approve_draft' then
            update placet.draft d set seen_by = coalesce(
                (select jsonb_agg(s) from jsonb_array_elements(d.seen_by) s where s ->> 'person' is distinct from op ->> 'person'),
                '[]'
              ) || jsonb_build_array(${seen('approved')})
              where d.tenant = wanted and d.name = op ->> 'name';
          when 'discard_draft' then`,
  },
  {
    of: 'operation_refused',
    from: `when 'save_draft', 'discard_draft' then`,
    to: `when 'save_draft', 'approve_draft', 'discard_draft' then`,
  },
  {
    of: 'commit_change',
    from: `message, draft, rolled_back_to, documents, others)`,
    to: `message, draft, rolled_back_to, seen_by, documents, others)`,
  },
  {
    of: 'commit_change',
    from: `(about ->> 'rolled_back_to')::bigint,
            count(*)`,
    to: `(about ->> 'rolled_back_to')::bigint, nullif(about -> 'seen_by', 'null'),
            count(*)`,
  },
] as const;
