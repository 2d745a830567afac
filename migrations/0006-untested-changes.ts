import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Changes that were planned while there was no Test document. Such a change has run no tests and expects no revision, so
 * that changes which have nothing to do with each other go through side by side; but the first Test document must not
 * come in between unseen.
 */
export class UntestedChanges0006 implements MigrationInterface {
  readonly name = 'UntestedChanges1795132800006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The same as commit_change, and 'moved' where there is a Test document by now. The lock is taken first, so that
      -- none comes between the look and the change.
      create function placet.commit_untested_change(
        wanted uuid, by_principal text, expected_revision bigint, touched text[], restricts boolean, operations jsonb,
        about jsonb default null
      ) returns table (outcome text, place integer, new_revision bigint, new_epoch bigint) language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        if exists (select from placet.document d where d.tenant = wanted and d.kind = 'Test' and d.body is not null) then
          outcome := 'moved';
          place := 0;
          select s.revision, s.epoch into strict new_revision, new_epoch from placet.tenant_state s where s.tenant = wanted;
          return next;
          return;
        end if;
        return query select c.outcome, c.place, c.new_revision, c.new_epoch
          from placet.commit_change(wanted, by_principal, expected_revision, touched, restricts, operations, about) c;
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function placet.commit_untested_change;');
  }
}
