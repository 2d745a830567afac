import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitChange, DecisionCommits, type CommitAnswer, type DecisionEntry } from '#store';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import {
  DecisionLedger,
  type CommitPort,
  type LedgerMetrics,
  type Proposal,
  type Proposed,
} from './decision-ledger.js';
import { NO_RECORD, placeOfEvaluation, recordContent, recordHash } from './record.js';

let database: TestDatabase;
let commits: DecisionCommits;

beforeAll(async () => {
  database = await freshDatabase();
  commits = new DecisionCommits(database.store, 2);
});

afterAll(async () => {
  await commits.close();
  await database.close();
});

const quiet: LedgerMetrics = { committed: () => undefined, refused: () => undefined };

/** A replica's memory, as small as can be: the epoch that it believes in, and what it answers at it. */
function replica(port: CommitPort = commits, metrics: LedgerMetrics = quiet) {
  const state = { epoch: 0, refreshed: 0 };
  const refresh = async () => {
    state.refreshed++;
    const [row] = await database.store.call<{ epoch: number }>('select epoch from placet.revisions($1)', [
      [database.tenant],
    ]);
    state.epoch = row!.epoch;
  };
  return { state, refresh, ledger: new DecisionLedger(database.tenant, port, refresh, metrics) };
}

const propose = (epoch: number, over: Partial<Proposed> = {}): Proposed => ({
  kind: 'decision',
  epoch,
  guardrails: 0,
  now: database.store.clock.now(),
  validUntil: null,
  keys: ['subject:user:ann'],
  content: recordContent({ kind: 'decision', effect: 'allow' }),
  ...over,
});

const once = (evaluate: () => Proposed): Proposal => ({ evaluate: () => [evaluate()] });

const revoke = (...keys: `subject:${string}`[]) =>
  commitChange(database.store, { tenant: database.tenant, principal: 'system:test', keys, operations: [] });

const records = (writer: number) =>
  database.store.read(database.tenant, (view) =>
    view.query<{ seq: number; commit: number; body: string; hash: Buffer }[]>(
      'select seq, commit, body, hash from placet.ledger_record where writer = $1 order by seq',
      [writer],
    ),
  );

describe('the ledger', () => {
  it('answers with ids that lead to the records, chained without a gap', async () => {
    const { state, refresh, ledger } = replica();
    await refresh();
    const ids = await Promise.all(Array.from({ length: 100 }, () => ledger.submit(once(() => propose(state.epoch)))));
    const { writer } = placeOfEvaluation(ids[0]![0]!)!;
    const rows = await records(writer);
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    let prev = NO_RECORD;
    for (const { seq, body, hash } of rows) {
      const parsed = JSON.parse(body) as { prev: string; seq: number; writer: number; evaluation_id: string };
      expect(parsed).toMatchObject({ prev, seq, writer });
      expect(ids.flat()).toContain(parsed.evaluation_id);
      expect(hash.equals(recordHash(body))).toBe(true);
      prev = hash.toString('hex');
    }
  });

  it('commits together what comes in together, and what comes in meanwhile with the next batch', async () => {
    const sizes: number[] = [];
    const { state, refresh, ledger } = replica(commits, { ...quiet, committed: (decisions) => sizes.push(decisions) });
    await refresh();
    await Promise.all(Array.from({ length: 30 }, () => ledger.submit(once(() => propose(state.epoch)))));
    expect(sizes).toEqual([30]);
  });

  it('evaluates anew what was overtaken, and leaves the rest as it was', async () => {
    const { state, refresh, ledger } = replica();
    await refresh();
    await revoke('subject:user:ann');
    let [ann, bob] = [0, 0];
    await Promise.all([
      ledger.submit(once(() => (ann++, propose(state.epoch)))),
      ledger.submit(once(() => (bob++, propose(state.epoch, { keys: ['subject:user:bob'] })))),
    ]);
    expect({ ann, bob, refreshed: state.refreshed }).toEqual({ ann: 2, bob: 1, refreshed: 2 });
  });

  it('keeps decisions of one proposal together: if one was overtaken, all are evaluated anew', async () => {
    const { state, refresh, ledger } = replica();
    await refresh();
    await revoke('subject:user:ann');
    let evaluations = 0;
    const ids = await ledger.submit({
      evaluate: () => (evaluations++, [propose(state.epoch, { keys: ['subject:user:bob'] }), propose(state.epoch)]),
    });
    expect(evaluations).toBe(2);
    const [first, second] = ids.map((id) => placeOfEvaluation(id)!.seq);
    expect(second).toBe(first! + 1);
  });

  it('gives up on a decision that is overtaken again and again, while the others go on', async () => {
    const { state, refresh, ledger } = replica();
    await refresh();
    const stubborn = ledger.submit(once(() => propose(0)));
    const other = ledger.submit(once(() => propose(state.epoch)));
    await expect(stubborn).rejects.toMatchObject({ code: 'contention' });
    await expect(other).resolves.toHaveLength(1);
  });

  it('rejects with what the second evaluation throws: the key of the caller is gone', async () => {
    const { state, refresh, ledger } = replica();
    await refresh();
    await revoke('subject:user:ann');
    let first = true;
    const gone = ledger.submit({
      evaluate: () => {
        if (!first) throw new Error('the key is disabled');
        first = false;
        return [propose(state.epoch)];
      },
    });
    await expect(gone).rejects.toThrow('the key is disabled');
  });

  it('answers nothing when the outcome of a commit is unknown, and begins a new chain', async () => {
    let broken = true;
    const losing: CommitPort = {
      newWriter: () => commits.newWriter(),
      async commit(...args): Promise<CommitAnswer> {
        const answer = await commits.commit(...args);
        if (!broken) return answer;
        broken = false;
        throw new Error('connection lost after COMMIT');
      },
    };
    const { state, refresh, ledger } = replica(losing);
    await refresh();
    await expect(ledger.submit(once(() => propose(state.epoch)))).rejects.toMatchObject({ code: 'ledger_unavailable' });
    const [id] = await ledger.submit(once(() => propose(state.epoch)));
    const { writer, seq } = placeOfEvaluation(id!)!;
    expect(seq).toBe(1);
    expect(await records(writer - 1)).toHaveLength(1);
  });

  it('gives no answer that took more than two seconds to record', async () => {
    const slow: CommitPort = {
      newWriter: () => commits.newWriter(),
      async commit(...args) {
        const answer = await commits.commit(...args);
        await sleep(2100);
        return answer;
      },
    };
    const { state, refresh, ledger } = replica(slow);
    await refresh();
    await expect(ledger.submit(once(() => propose(state.epoch)))).rejects.toMatchObject({ code: 'answer_too_late' });
  });

  it('answers nothing while the database is away', async () => {
    const away: CommitPort = {
      newWriter: () => Promise.reject(new Error('ECONNREFUSED')),
      commit: () => Promise.reject(new Error('never')),
    };
    const { ledger } = replica(away);
    await expect(ledger.submit(once(() => propose(0)))).rejects.toMatchObject({ code: 'ledger_unavailable' });
  });

  it('stops when the database is older than what was read from it', async () => {
    const { refresh, ledger, state } = replica();
    await refresh();
    await expect(ledger.submit(once(() => propose(state.epoch + 5)))).rejects.toMatchObject({
      code: 'state_regressed',
    });
  });

  it('takes a cancelled wait for a standby for a failure, although the driver reports success', async () => {
    const admin = await database.connect('superuser');
    const [row] = await database.store.call<{ epoch: number; name: string }>(
      'select epoch, current_database() as name from placet.revisions($1)',
      [[database.tenant]],
    );
    const writer = await commits.newWriter();
    // The other specs run with synchronous_commit off, so they do not wait.
    await admin.query(`alter database ${row!.name} set synchronous_commit = on`);
    await admin.query(`alter system set synchronous_standby_names = 'nobody'`);
    await admin.query('select pg_reload_conf()');
    const waiting = new DecisionCommits(database.store, 1);
    try {
      const entry: DecisionEntry = { ...propose(row!.epoch), consents: [], body: '{}', hash: Buffer.alloc(32) };
      const answer = waiting.commit(database.tenant, writer, 1, [entry]);
      answer.catch(() => undefined);
      await cancelWaitingCommit(admin);
      await expect(answer).rejects.toMatchObject({ code: 'unknown_outcome' });
    } finally {
      await admin.query('alter system reset synchronous_standby_names');
      await admin.query('select pg_reload_conf()');
      await admin.query(`alter database ${row!.name} reset synchronous_commit`);
      await waiting.close();
    }
  });
});

/** Cancels the commit that waits for a standby, as an operator's pg_cancel_backend would. */
async function cancelWaitingCommit(admin: {
  query(text: string): Promise<{ rowCount: number | null }>;
}): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { rowCount } = await admin.query(
      `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and datname = current_database()`,
    );
    if (rowCount) return;
    await sleep(10);
  }
  throw new Error('no commit waits for a standby');
}
