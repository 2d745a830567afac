import type { MigrationInterface, QueryRunner } from 'typeorm';
import { COMMIT_UNTESTED_CHANGE_0006 } from './commit-change-0005.js';

/**
 * Changes that were planned while there was no Test document. Such a change has run no tests and expects no revision, so
 * that changes which have nothing to do with each other go through side by side; but the first Test document must not
 * come in between unseen.
 */
export class UntestedChanges0006 implements MigrationInterface {
  readonly name = 'UntestedChanges1795132800006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${COMMIT_UNTESTED_CHANGE_0006}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function placet.commit_untested_change;');
  }
}
