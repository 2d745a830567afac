import type { MigrationInterface, QueryRunner } from 'typeorm';
import { BOUNDS, BOUNDS_DROPPED } from './bounds-0015.js';
import { HISTORY, HISTORY_DROPPED } from './history-0015.js';
import { SWEEP, SWEEP_DROPPED } from './sweep-0015.js';

/** Nothing that is kept grows without a bound: what is over is deleted after a while, and of the rest there is a most. */
export class BoundedState0015 implements MigrationInterface {
  readonly name = 'BoundedState1795132800015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`${SWEEP} ${BOUNDS} ${HISTORY}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`${HISTORY_DROPPED} ${BOUNDS_DROPPED} ${SWEEP_DROPPED}`);
  }
}
