import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { DecisionCommits, type DecisionEntry } from './decision-commit.js';

let database: TestDatabase;
let commits: DecisionCommits;
let epoch: number;
let writer: number;

beforeAll(async () => {
  database = await freshDatabase();
  commits = new DecisionCommits(database.store, 2);
});

afterAll(async () => {
  await commits.close();
  await database.close();
});

beforeEach(async () => {
  epoch = (await bump(['host:nobody'])).epoch;
  writer = await commits.newWriter();
});

/** A change, committed at once. */
async function bump(keys: readonly string[], restricts = true): Promise<{ revision: number; epoch: number }> {
  const [row] = await database.store.call<{ revision: number; epoch: number }>(
    'select new_revision as revision, new_epoch as epoch from placet.bump($1, $2, $3)',
    [database.tenant, keys, restricts],
  );
  return row!;
}

const entry = (over: Partial<DecisionEntry> = {}): DecisionEntry => ({
  epoch,
  guardrails: 0,
  now: database.store.clock.now(),
  validUntil: null,
  keys: ['subject:user:ann', 'host:desk', 'server:files'],
  kind: 'decision',
  consents: [],
  body: JSON.stringify({ effect: 'allow', epoch, keys: ['subject:user:ann', 'host:desk', 'server:files'] }),
  hash: Buffer.alloc(32),
  ...over,
});

const commit = (...entries: DecisionEntry[]) => commits.commit(database.tenant, writer, 1, entries);

const recorded = async (): Promise<number> =>
  (
    await database.store.read(database.tenant, (view) =>
      view.query<{ n: number }[]>('select count(*) as n from placet.ledger_record where writer = $1', [writer]),
    )
  )[0]!.n;

describe('the fence', () => {
  it('lets a decision through at the present epoch and writes it down', async () => {
    const answer = await commit(entry(), entry());
    expect(answer.refused).toEqual([]);
    expect(answer.epoch).toBe(epoch);
    expect(await recorded()).toBe(2);
  });

  it.each<[string, string[], boolean]>([
    ['the same subject', ['subject:user:ann'], true],
    ['the same host', ['host:desk'], true],
    ['the same server', ['server:files', 'server:other'], true],
    ['everything', ['*'], true],
    ['other keys only', ['subject:user:bob', 'host:ide', 'group:sales'], false],
  ])('refuses a decision that was overtaken by a change of %s: %j', async (_what, keys, refused) => {
    await bump(keys);
    const { refused: found } = await commit(entry());
    expect(found).toEqual(refused ? [{ index: 0, reason: 'overtaken' }] : []);
    expect(await recorded()).toBe(refused ? 0 : 1);
  });

  it('takes keys with any character in them, and refuses for the ones that are hit', async () => {
    await bump(['subject:user:ann']);
    const odd = ['subject:user:\0', 'subject:user:a\nb', 'group:a\x1fb', 'server:"\\', '\x1e'];
    const { refused } = await commit(entry({ keys: odd }), entry({ keys: [...odd, 'subject:user:ann'] }));
    expect(refused).toEqual([{ index: 1, reason: 'overtaken' }]);
    expect((await commit(entry({ keys: odd }))).refused).toEqual([]);
    expect(await recorded()).toBe(1);
  });

  it('is not overtaken by a change that cannot restrict', async () => {
    await bump(['subject:user:ann'], false);
    expect((await commit(entry())).refused).toEqual([]);
  });

  it('looks at every change since the evaluation, not only at the last', async () => {
    await bump(['subject:user:ann']);
    await bump(['subject:user:bob']);
    expect((await commit(entry())).refused).toEqual([{ index: 0, reason: 'overtaken' }]);
  });

  it('refuses what is off in time, expired, from the future, or incomplete', async () => {
    const now = database.store.clock.now();
    const answer = await commit(
      entry({ now: now - 1500 }),
      entry({ now: now + 1500 }),
      entry({ validUntil: now - 1 }),
      entry({ validUntil: now + 60_000 }),
      entry({ epoch: epoch + 1 }),
      entry({ epoch: null as unknown as number }),
    );
    expect(answer.refused).toEqual([
      { index: 0, reason: 'clock' },
      { index: 1, reason: 'clock' },
      { index: 2, reason: 'expired' },
      { index: 4, reason: 'ahead' },
      { index: 5, reason: 'ahead' },
    ]);
  });

  it('writes nothing if one decision of the batch is refused', async () => {
    await bump(['host:ide']);
    const answer = await commit(entry(), entry({ keys: ['host:ide'] }), entry());
    expect(answer.refused).toEqual([{ index: 1, reason: 'overtaken' }]);
    expect(await recorded()).toBe(0);
  });

  it('knows no tenant that is not there', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    await expect(commits.commit(unknown, writer, 1, [entry()])).rejects.toMatchObject({ code: 'database_refuses' });
  });

  it('works in READ COMMITTED only', async () => {
    const client = await database.connect();
    await client.query('begin isolation level repeatable read');
    await expect(client.query(callOf('commit_decisions'))).rejects.toThrow('READ COMMITTED');
  });
});

/** Mutants: ways to write the fence that look right, and are not (reference: the variants B, C, D, E, A, A1). */
describe('a wrong variant of the fence is caught:', () => {
  it.each<[string, Variant, boolean]>([
    ['none of these: the real one', { name: 'commit_decisions' }, false],
    ['B, lock and epoch in one statement', { name: 'variant_b', mutate: lockAndReadTogether }, true],
    [
      'C, a REPEATABLE READ transaction',
      { name: 'variant_c', mutate: withoutIsolationCheck, isolation: 'repeatable read' },
      true,
    ],
    ['D, no lock', { name: 'variant_d', mutate: withoutLock }, true],
  ])('%s', async (_what, variant, caught) => {
    await create(variant);
    await provokeOvertaking(variant);
    expect(await allowsAfterTheirRevocation()).toBe(caught ? 1 : 0);
  });

  it('E, no fence but a cache, by the caller: an allow after the revoke returned', async () => {
    const cached: Variant = { name: 'variant_e', mutate: withoutCheck };
    await create(cached);
    await bump(['subject:user:ann']);
    const client = await database.connect();
    const answers = async (name: string) =>
      (await client.query<{ failed: number[] | null }>(callOf(name))).rows[0]!.failed === null;
    expect(await answers('variant_e')).toBe(true);
    expect(await answers('commit_decisions')).toBe(false);
  });

  it('A, the steps as statements of the client, by the revoke: a frozen replica blocks it', async () => {
    const frozen = await database.connect();
    await frozen.query('begin');
    await frozen.query('select pg_advisory_xact_lock_shared(placet.lock_key($1))', [database.tenant]);
    await expect(revokeWithin(500)).rejects.toMatchObject({ code: '55P03' });
    await frozen.query('rollback');
  });

  it('F, the real one, is over in the database although its replica froze after sending', async () => {
    const frozen = await database.connect();
    const answer = frozen.query(callOf('commit_decisions'));
    (frozen as unknown as { connection: { stream: { pause(): void } } }).connection.stream.pause();
    await revokeWithin(5000);
    answer.catch(() => undefined);
  });

  it('A1, a share lock on the row, by the revoke: newcomers overtake a revoke that waits', async () => {
    const shareRow = 'select epoch from placet.tenant_state where tenant = $1 for share';
    const shareLock = 'select pg_advisory_xact_lock_shared(placet.lock_key($1))';
    expect(await newcomerOvertakes(shareRow, 'select from placet.tenant_state where tenant = $1 for update')).toBe(
      true,
    );
    expect(await newcomerOvertakes(shareLock, 'select pg_advisory_xact_lock(placet.lock_key($1))')).toBe(false);
  });
});

interface Variant {
  readonly name: string;
  readonly mutate?: (source: string) => string;
  readonly isolation?: string;
}

/** Makes a variant out of the real function's source, so that it stays a variant of what is really there. */
async function create({ name, mutate }: Variant): Promise<void> {
  if (!mutate) return;
  const owner = await database.connect('superuser');
  const { rows } = await owner.query<{ source: string }>(
    `select pg_get_functiondef('placet.commit_decisions'::regproc) as source`,
  );
  const mutated = mutate(rows[0]!.source);
  expect(mutated).not.toBe(rows[0]!.source);
  await owner.query(mutated.replace('placet.commit_decisions', `placet.${name}`));
  await owner.query(`grant execute on function placet.${name} to public`);
}

const LOCK = /perform pg_advisory_xact_lock_shared\(placet\.lock_key\(wanted\)\);/;
const READ = /from placet\.tenant_state s where s\.tenant = wanted;/;

function withoutLock(source: string): string {
  return source.replace(LOCK, '');
}

function lockAndReadTogether(source: string): string {
  return withoutLock(source).replace(
    READ,
    'from placet.tenant_state s, (select pg_advisory_xact_lock_shared(placet.lock_key(wanted))) as l where s.tenant = wanted;',
  );
}

function withoutIsolationCheck(source: string): string {
  return source.replace(/if current_setting\('transaction_isolation'\).*?end if;/s, '');
}

function withoutCheck(source: string): string {
  return source.replace(/when i\.epoch < current_epoch and exists/, 'when false and exists');
}

/** A call of a variant with one allow that was evaluated at the epoch the test began with. */
function callOf(name: string): string {
  const body = JSON.stringify({ effect: 'allow', epoch, keys: ['subject:user:ann'] });
  return `select * from placet.${name}('${database.tenant}', ${writer}, 1, array[${epoch}]::bigint[], array[clock_timestamp()],
    array[null]::timestamptz[], array['subject:user:ann'], array['decision'], array['${body}'], array[decode('00', 'hex')], array[''], null, array[0]::bigint[])`;
}

/** The interleaving that the wrong variants get wrong: a decision arrives while a revocation is being committed. */
async function provokeOvertaking({ name, isolation = 'read committed' }: Variant): Promise<void> {
  const revoker = await database.connect();
  const replica = await database.connect();
  await revoker.query('begin');
  await revoker.query('select placet.bump($1, $2, true)', [database.tenant, ['subject:user:ann']]);
  await replica.query(`begin isolation level ${isolation}`);
  const decided = replica.query(callOf(name)).then(() => replica.query('commit'));
  await blockedOrDone(replica, decided);
  await revoker.query('commit');
  await decided;
}

async function blockedOrDone(client: pg.Client, done: Promise<unknown>): Promise<void> {
  const { processID } = client as unknown as { processID: number };
  let finished = false;
  done.then(
    () => (finished = true),
    () => (finished = true),
  );
  for (;;) {
    const [row] = await database.store.call<{ blocked: boolean }>(
      'select exists (select from pg_locks where pid = $1 and not granted) as blocked',
      [processID],
    );
    if (finished || row!.blocked) return;
    await sleep(5);
  }
}

/** What must never be: an allow in the ledger, after a change that touched it and ended the epoch that it was made at. */
async function allowsAfterTheirRevocation(): Promise<number> {
  const rows = await database.store.read(database.tenant, (view) =>
    view.query<{ n: number }[]>(
      `select count(*) as n from placet.ledger_record d, placet.change c
       where d.kind = 'decision' and d.writer = $1 and d.body::jsonb ->> 'effect' = 'allow'
         and c.tenant = d.tenant and c.restricting and c.commit < d.commit and c.epoch > (d.body::jsonb ->> 'epoch')::bigint
         and (d.body::jsonb -> 'keys' ?| c.keys or '*' = any (c.keys))`,
      [writer],
    ),
  );
  return rows[0]!.n;
}

async function revokeWithin(ms: number): Promise<void> {
  const revoker = await database.connect();
  await revoker.query(`set lock_timeout = ${ms}`);
  await revoker.query('select placet.bump($1, $2, true)', [database.tenant, ['subject:user:ann']]);
}

/** One holds the lock shared, a second waits for it alone: does a third that comes later get it before the second? */
async function newcomerOvertakes(shared: string, exclusive: string): Promise<boolean> {
  const [holder, waiter, newcomer] = [
    await database.connect('superuser'),
    await database.connect('superuser'),
    await database.connect('superuser'),
  ];
  await holder.query('begin');
  await holder.query(shared, [database.tenant]);
  await waiter.query('begin');
  const waiting = waiter.query(exclusive, [database.tenant]).then(() => waiter.query('rollback'));
  await blockedOrDone(waiter, waiting);
  await newcomer.query('begin');
  const arriving = newcomer.query(shared, [database.tenant]);
  await blockedOrDone(newcomer, arriving);
  const overtook = await Promise.race([arriving.then(() => true), sleep(50).then(() => false)]);
  await holder.query('rollback');
  await arriving;
  await newcomer.query('rollback');
  await waiting;
  return overtook;
}
