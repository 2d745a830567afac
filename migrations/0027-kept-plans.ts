import type { MigrationInterface, QueryRunner } from 'typeorm';
import { COMMIT_DECISIONS_0020 } from './commit-decisions-0020.js';
import { COMMIT_DECISIONS_0027 } from './commit-decisions-0027.js';
import { TENANT_DELTA_0016, TENANT_DELTA_0027 } from './tenant-delta-0027.js';

/**
 * What every decision costs Postgres, and what each replica reads after every change. Where arguments are arrays, or say from
 * where on, Postgres takes a plan for these very arguments to be the better one, and plans anew in each call, which took
 * longer than all that the calls do.
 */
export class KeptPlans0027 implements MigrationInterface {
  readonly name = 'KeptPlans1795132800027';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(COMMIT_DECISIONS_0027);
    await runner.query(TENANT_DELTA_0027);
    await runner.query(`
      -- Functions that these call keep their plans, too.
      alter function placet.commit_decisions set plan_cache_mode = force_generic_plan;
      alter function placet.live_consents set plan_cache_mode = force_generic_plan;
      -- The fence reads the tenant's state under its lock and fails where there is none, so a reference for each record said
      -- nothing more, and locked the tenant's row once for each.
      alter table placet.ledger_record drop constraint ledger_record_tenant_fkey;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.ledger_record add constraint ledger_record_tenant_fkey foreign key (tenant) references placet.tenant (id);
      alter function placet.live_consents reset plan_cache_mode;
      drop function placet.commit_decisions;
      drop function placet.take_uses;
      drop function placet.consents_refuse;
      drop function placet.may_go_on;
      drop function placet.relied_consent;
    `);
    await runner.query(COMMIT_DECISIONS_0020);
    await runner.query(TENANT_DELTA_0016);
  }
}
