import type pg from 'pg';
import { StoreError } from './errors.js';

/**
 * Notices that a commit did not wait for the synchronous standby. The driver reports such a commit as a success, with no
 * more than a notice; but what no standby has is gone with the server.
 */
export class StandbyWatch {
  #isGivenUp = false;

  readonly #onNotice = ({ message }: { message?: string | undefined }): void => {
    this.#isGivenUp ||= message?.startsWith('canceling wait for synchronous replication') ?? false;
  };

  watch(client: pg.PoolClient): void {
    client.on('notice', this.#onNotice);
  }

  leave(client: pg.PoolClient): void {
    client.off('notice', this.#onNotice);
  }

  /** Throws StoreError (`unknown_outcome`) if the wait was given up. */
  confirm(): void {
    if (this.#isGivenUp) throw new StoreError('unknown_outcome', 'the standby has not confirmed what was written');
  }
}
