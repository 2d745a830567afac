import type pg from 'pg';
import { StoreError, toStoreError } from './errors.js';
import { StandbyWatch } from './standby-watch.js';
import type { DatabaseClock } from './database-clock.js';
import type { Store } from './store.js';
import type { PresentNumbers } from './tenant-state.js';

/** A consent that an allow rests on, and whether it takes one of its uses. */
export interface ReliedConsent {
  readonly id: string;
  readonly takesUse: boolean;
  /** The record that took a use for the operation that this one goes on with. */
  readonly goesOn?: { readonly writer: number; readonly seq: number } | undefined;
}

/** One decision on its way into the ledger. */
export interface DecisionEntry {
  /** The epoch that it was evaluated at. */
  readonly epoch: number;
  /** The epoch of the guardrails that it was evaluated under. */
  readonly guardrails: number;
  /** The moment that it was evaluated for, in ms since 1970 by the database's clock. */
  readonly now: number;
  /** When something that it rests on expires; null: never. */
  readonly validUntil: number | null;
  readonly keys: readonly string[];
  readonly kind: 'decision' | 'listing';
  /** Of a decision: SHA-256 of whom it is about, in hexadecimal, by which they find it again. */
  readonly subject?: string | undefined;
  /** The consents that an allow rests on. */
  readonly consents: readonly ReliedConsent[];
  readonly body: string;
  readonly hash: Buffer;
}

/**
 * Why a decision is no longer right: what it rests on has changed or expired, its clock is off, or a consent is not there
 * any more, or has no use left.
 */
export type RefusalReason = 'overtaken' | 'expired' | 'clock' | 'ahead' | 'consent' | 'consent_used';

export interface CommitAnswer extends PresentNumbers {
  /** The places (from 0) of the decisions that are no longer right. If there are any, nothing was written. */
  readonly refused: readonly { readonly index: number; readonly reason: RefusalReason }[];
  readonly databaseNow: number;
}

/** Between the keys of a decision, and between decisions. Records are JSON, which has no line breaks. */
const [KEY_SEPARATOR, ROW_SEPARATOR] = ['\x1f', '\n'];

/** When the database has not answered for this long, in ms, the connection is given up. */
const DEADLINE_MS = 5000;

async function withinDeadline<T>(query: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new StoreError('unknown_outcome', 'the database has not answered in time')),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([query, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** The connections through which decisions are committed, and nothing else. */
export class DecisionCommits {
  readonly #pool: pg.Pool;
  readonly #clock: DatabaseClock;

  constructor(store: Store, connections: number) {
    this.#clock = store.clock;
    this.#pool = store.pool('commits', connections);
    this.#pool.on('error', () => undefined);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** A number for a new chain of records. */
  async newWriter(): Promise<number> {
    try {
      const { rows } = await this.#pool.query<{ number: number }>(`select nextval('placet.writer_number') as number`);
      return rows[0]!.number;
    } catch (error) {
      throw toStoreError(error);
    }
  }

  /**
   * Commits decisions of one tenant, all or none. An error means that the outcome may be unknown: the connection is
   * dropped, and the writer's number must not be used again.
   * @param firstSeq the number of the first record; the others follow it without gaps
   */
  async commit(
    tenant: string,
    writer: number,
    firstSeq: number,
    entries: readonly DecisionEntry[],
  ): Promise<CommitAnswer> {
    const client = await this.#connect();
    const sentAt = performance.now();
    const standby = new StandbyWatch();
    standby.watch(client);
    try {
      const { rows } = await withinDeadline(
        client.query<CommitRow>({
          name: 'commit_decisions',
          text: COMMIT,
          values: [
            tenant,
            writer,
            firstSeq,
            entries.map(({ epoch }) => epoch).join(ROW_SEPARATOR),
            entries.map(({ now }) => new Date(now).toISOString()).join(ROW_SEPARATOR),
            entries.map(({ validUntil }) => instant(validUntil)).join(ROW_SEPARATOR),
            entries.map(({ keys }) => keyList(keys)).join(ROW_SEPARATOR),
            entries.map(({ kind }) => kind).join(ROW_SEPARATOR),
            entries.map(({ body }) => body).join(ROW_SEPARATOR),
            entries.map(({ hash }) => hash),
            entries.map(({ consents }) => consentList(consents)).join(ROW_SEPARATOR),
            entries.map(({ subject }) => subject ?? '').join(ROW_SEPARATOR),
            entries.map(({ guardrails }) => guardrails).join(ROW_SEPARATOR),
          ],
        }),
      );
      standby.confirm();
      standby.leave(client);
      client.release();
      const answer = answerOf(rows[0]!);
      this.#clock.observe(answer.databaseNow, sentAt);
      return answer;
    } catch (error) {
      client.release(true);
      throw toStoreError(error);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw toStoreError(error);
    }
  }
}

/** Lists as joined texts, empty for null: quoting the elements of an array costs the driver more than a decision takes. */
const COMMIT = `
  select failed, reasons, current_revision, current_epoch, current_guardrails, extract(epoch from database_now) * 1000 as database_now
  from placet.commit_decisions(
    $1, $2, $3, string_to_array($4, E'\\n', '')::bigint[], string_to_array($5, E'\\n', '')::timestamptz[],
    string_to_array($6, E'\\n', '')::timestamptz[], string_to_array($7, E'\\n'), string_to_array($8, E'\\n'),
    string_to_array($9, E'\\n'), $10, case $11 when '' then array[''] else string_to_array($11, E'\\n') end,
    string_to_array($12, E'\\n', ''), string_to_array($13, E'\\n', '')::bigint[]
  )`;

const instant = (ms: number | null): string => (ms === null ? '' : new Date(ms).toISOString());

/**
 * Keys as one text. What a host sends may have any character in it; no stored name has a control character, so a key with
 * one touches nothing, and may as well be another that does.
 */
function keyList(keys: readonly string[]): string {
  const list = keys.join(KEY_SEPARATOR);
  return CONTROL.test(list) ? keys.map((key) => key.replace(CONTROLS, '?')).join(KEY_SEPARATOR) : list;
}

const CONTROL = /[\0-\x1e]/;
const CONTROLS = /[\0-\x1f]/g;

/** As the function in the database reads them. Ids are ours, and have none of these characters. */
const consentList = (consents: readonly ReliedConsent[]): string =>
  consents
    .map(({ id, takesUse, goesOn }) => {
      if (goesOn) return `${id}~${goesOn.writer}.${goesOn.seq}`;
      return takesUse ? `${id}!` : id;
    })
    .join(KEY_SEPARATOR);

interface CommitRow {
  readonly failed: number[] | null;
  readonly reasons: RefusalReason[] | null;
  readonly current_revision: number;
  readonly current_epoch: number;
  readonly current_guardrails: number;
  readonly database_now: string;
}

function answerOf(row: CommitRow): CommitAnswer {
  return {
    refused: (row.failed ?? []).map((place, index) => ({ index: place - 1, reason: row.reasons![index]! })),
    revision: row.current_revision,
    epoch: row.current_epoch,
    guardrails: row.current_guardrails,
    databaseNow: Number(row.database_now),
  };
}
