import type pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { ConsentStore } from './consent-store.js';
import { ensureTenant } from './database.js';
import { DecisionCommits, type DecisionEntry, type ReliedConsent } from './decision-commit.js';

let database: TestDatabase;
let commits: DecisionCommits;
let superuser: pg.Client;
let store: ConsentStore;
let other: string;
let writer: number;
let numbered = 0;

beforeAll(async () => {
  database = await freshDatabase();
  commits = new DecisionCommits(database.store, 4);
  superuser = await database.connect('superuser');
  store = new ConsentStore(database.store);
  other = await ensureTenant(database.address, 'other');
  for (const tenant of [database.tenant, other]) {
    await superuser.query(
      `insert into placet.consent_request (tenant, id, join_key, evaluation, credential, host, agent, subject, action,
         resource_type, resource_id, content, shown, shown_digest, body_digest, expires_at)
       values ($1, 'r', '', 'e', 'k', 'desk', 'desk', 'user:ann', 'tools/call', 'tool', 't', '{}', '{}', '', '',
         now() + interval '1 day')`,
      [tenant],
    );
  }
});

afterAll(async () => {
  await commits.close();
  await database.close();
});

beforeEach(async () => {
  writer = await commits.newWriter();
});

interface Stored {
  readonly uses?: number | null;
  readonly expires?: string;
  readonly endedFor?: string | null;
  readonly tenant?: string;
}

/** A consent as it stands in the table: live for an hour, for one use, unless it is said otherwise. */
async function consent({ uses = 1, expires = '1 hour', endedFor = null, tenant = database.tenant }: Stored = {}) {
  const id = `co_${numbered++}`;
  await superuser.query(
    `insert into placet.consent (tenant, id, request, requirement, binding, agreed, uses_left, expires_at, ended_at, ended_for,
       subject, agent)
     values ($1, $2, 'r', 0, 'x', '{}', $3, clock_timestamp() + $4::interval,
       case when $5::text is not null then clock_timestamp() end, $5, 'user:ann', 'desk')`,
    [tenant, id, uses, expires, endedFor],
  );
  return id;
}

const using = (id: string): ReliedConsent => ({ id, takesUse: true });
const onlyOn = (id: string): ReliedConsent => ({ id, takesUse: false });

const entry = (...consents: ReliedConsent[]): DecisionEntry => ({
  epoch: 0,
  guardrails: 0,
  now: database.store.clock.now(),
  validUntil: null,
  keys: ['subject:user:ann'],
  kind: 'decision',
  consents,
  body: JSON.stringify({ effect: 'allow', consents: consents.map(({ id }) => id) }),
  hash: Buffer.alloc(32),
});

let seq = 1;
/** What is refused, by place and reason. */
async function refused(...entries: DecisionEntry[]): Promise<[number, string][]> {
  const answer = await commits.commit(database.tenant, writer, seq, entries);
  if (answer.refused.length === 0) seq += entries.length;
  return answer.refused.map(({ index, reason }) => [index, reason]);
}

/** Allows in the ledger on a consent. */
async function allowsOn(id: string): Promise<number> {
  const { rows } = await superuser.query<{ n: number }>(
    `select count(*)::integer as n from placet.ledger_record where kind = 'decision' and body::jsonb -> 'consents' ? $1`,
    [id],
  );
  return rows[0]!.n;
}

const rowOf = async (id: string) =>
  (
    await superuser.query<{ uses_left: number | null; ended_for: string | null }>(
      'select uses_left, ended_for from placet.consent where id = $1',
      [id],
    )
  ).rows[0]!;

describe('the commit of decisions that rest on consents', () => {
  it('takes a use, and ends a consent with its last', async () => {
    const id = await consent({ uses: 2 });
    expect(await refused(entry(using(id)))).toEqual([]);
    expect(await rowOf(id)).toEqual({ uses_left: 1, ended_for: null });
    expect(await refused(entry(using(id)))).toEqual([]);
    expect(await rowOf(id)).toEqual({ uses_left: 0, ended_for: 'used' });
    expect(await refused(entry(using(id)))).toEqual([[0, 'consent_used']]);
    expect(await allowsOn(id)).toBe(2);
  });

  it.each<[string, Stored, (id: string) => ReliedConsent, string]>([
    ['is revoked', { endedFor: 'revoked' }, using, 'consent'],
    ['is superseded', { endedFor: 'superseded' }, using, 'consent'],
    ['is used up', { endedFor: 'used', uses: 0 }, using, 'consent_used'],
    ['has expired, by the clock of the database', { expires: '-1 millisecond' }, using, 'consent'],
    ['has expired, whatever number of uses it is for', { uses: null, expires: '-1 millisecond' }, onlyOn, 'consent'],
    ['is revoked, whatever number of uses it is for', { uses: null, endedFor: 'revoked' }, onlyOn, 'consent'],
    ['has uses that are counted, and none is taken', { uses: 1 }, onlyOn, 'consent'],
    ['has no uses that are counted, and one is taken', { uses: null }, using, 'consent'],
    ['has no use left, without having ended', { uses: 0 }, using, 'consent_used'],
  ])('refuses one that %s', async (_what, stored, relied, reason) => {
    const id = await consent(stored);
    const before = await rowOf(id);
    expect(await refused(entry(relied(id)))).toEqual([[0, reason]]);
    expect(await allowsOn(id)).toBe(0);
    expect(await rowOf(id)).toEqual(before);
  });

  it('refuses one that is not there, and that of another tenant', async () => {
    const elsewhere = await consent({ tenant: other });
    expect(await refused(entry(using('co_none')), entry(using(elsewhere)), entry(onlyOn(elsewhere)))).toEqual([
      [0, 'consent'],
      [1, 'consent'],
      [2, 'consent'],
    ]);
    expect(await rowOf(elsewhere)).toEqual({ uses_left: 1, ended_for: null });
  });

  it('refuses a decision of which one consent of several does not stand, and then takes nothing of any', async () => {
    const [good, gone, free] = [await consent(), await consent({ endedFor: 'revoked' }), await consent({ uses: null })];
    expect(await refused(entry(), entry(using(good), onlyOn(free), using(gone)), entry(using(good)))).toEqual([
      [1, 'consent'],
      [2, 'consent_used'],
    ]);
    expect(await rowOf(good)).toEqual({ uses_left: 1, ended_for: null });
    expect(await refused(entry(using(good), onlyOn(free)))).toEqual([]);
    expect(await rowOf(good)).toEqual({ uses_left: 0, ended_for: 'used' });
  });

  it('gives the uses that are left to the first of one batch', async () => {
    const id = await consent({ uses: 2 });
    const each = () => entry(using(id));
    expect(await refused(each(), each(), each(), each())).toEqual([
      [2, 'consent_used'],
      [3, 'consent_used'],
    ]);
    expect(await refused(each(), each())).toEqual([]);
    expect(await rowOf(id)).toEqual({ uses_left: 0, ended_for: 'used' });
    expect(await allowsOn(id)).toBe(2);
  });

  it('does not believe the clock of a replica', async () => {
    const id = await consent({ uses: null, expires: '-1 second' });
    const slow = { ...entry(onlyOn(id)), now: database.store.clock.now() - 60_000 };
    const nearly = { ...entry(onlyOn(id)), now: database.store.clock.now() - 900 };
    expect(await refused(slow, nearly)).toEqual([
      [0, 'clock'],
      [1, 'consent'],
    ]);
  });

  it.each([
    'null',
    `'!'`,
    `E'\\x1f'`,
    `'ID'`,
    `'ID!!'`,
    `'!ID'`,
    `'ID '`,
    `'ID~1.1'`,
    `'ID!~1.1'`,
    `'ID~1.1!'`,
    `'ID~'`,
    `'ID~-1.1'`,
    `'ID~99999999999999999999.1'`,
    `'%'`,
    `E'ID!\\x1f'`,
    `E'ID!\\x1fID!'`,
  ])('refuses %s for a consent', async (garbage) => {
    const id = await consent();
    const relied = garbage.replaceAll('ID', id);
    const client = await database.connect();
    const failed = await client.query<{ failed: number[] | null }>(callOf('commit_decisions', [relied])).then(
      ({ rows }) => rows[0]!.failed,
      () => 'error',
    );
    expect(failed).not.toBeNull();
    expect(await rowOf(id)).toEqual({ uses_left: 1, ended_for: null });
  });

  it('refuses a list of consents that is too short', async () => {
    const client = await database.connect();
    const { rows } = await client.query<{ failed: number[] | null }>(callOf('commit_decisions', []));
    expect(rows[0]!.failed).toEqual([1]);
  });
});

describe('an operation that goes on', () => {
  /** A use of a consent, taken by the first record of the writer. */
  async function begun(stored: Stored = {}): Promise<{ id: string; goesOn: ReliedConsent }> {
    const id = await consent(stored);
    const at = seq;
    expect(await refused(entry(using(id)))).toEqual([]);
    return { id, goesOn: { id, takesUse: false, goesOn: { writer, seq: at } } };
  }

  it('takes no use, five times and no more', async () => {
    const { id, goesOn } = await begun();
    for (let round = 0; round < 5; round++) expect(await refused(entry(goesOn))).toEqual([]);
    expect(await refused(entry(goesOn))).toEqual([[0, 'consent']]);
    expect(await rowOf(id)).toEqual({ uses_left: 0, ended_for: 'used' });
    expect(await allowsOn(id)).toBe(6);
  });

  it('is counted within one batch, too', async () => {
    const { goesOn } = await begun({ uses: 3 });
    const seven = Array.from({ length: 7 }, () => entry(goesOn));
    expect(await refused(...seven)).toEqual([
      [5, 'consent'],
      [6, 'consent'],
    ]);
  });

  it('goes on with nothing that took no use', async () => {
    const { id } = await begun();
    const free = await consent({ uses: null });
    for (const relied of [
      { id, takesUse: false, goesOn: { writer, seq: seq + 1 } },
      { id, takesUse: false, goesOn: { writer: writer + 1, seq: 1 } },
      { id: free, takesUse: false, goesOn: { writer, seq: seq - 1 } },
    ])
      expect(await refused(entry(relied))).toEqual([[0, 'consent']]);
  });

  it.each([
    ['was revoked', `ended_at = clock_timestamp(), ended_for = 'revoked'`],
    ['was superseded', `ended_at = clock_timestamp(), ended_for = 'superseded'`],
    ['has expired', `expires_at = clock_timestamp()`],
  ])('ends with a consent that %s', async (_what, change) => {
    const { id, goesOn } = await begun({ uses: 2 });
    expect(await refused(entry(goesOn))).toEqual([]);
    await superuser.query(`update placet.consent set ${change} where id = $1`, [id]);
    expect(await refused(entry(goesOn))).toEqual([[0, 'consent']]);
  });

  it('is over ten minutes after its use was taken', async () => {
    const { id, goesOn } = await begun();
    await superuser.query(`update placet.consent_use set at = at - interval '595 seconds' where consent = $1`, [id]);
    expect(await refused(entry(goesOn))).toEqual([]);
    await superuser.query(`update placet.consent_use set at = at - interval '5 seconds' where consent = $1`, [id]);
    expect(await refused(entry(goesOn))).toEqual([[0, 'consent']]);
  });

  it('goes on in parallel no more often than one after the other', async () => {
    const { goesOn } = await begun();
    const writers = await Promise.all(Array.from({ length: 12 }, () => commits.newWriter()));
    const answers = await Promise.all(writers.map((by) => commits.commit(database.tenant, by, 1, [entry(goesOn)])));
    expect(answers.filter((answer) => answer.refused.length === 0)).toHaveLength(5);
  });
});

/** Mutants: ways to write it that look right, and are not. They are made out of the real functions' source. */
describe('a wrong variant of it is caught:', () => {
  // The table's own guards would stop some of them as well; they are to be seen by themselves.
  beforeAll(() =>
    superuser.query('alter table placet.consent drop constraint consent_uses_left_check, disable trigger only_ends'),
  );
  afterAll(() =>
    superuser.query(
      'delete from placet.consent_retry; delete from placet.consent_use; delete from placet.consent; ' +
        'alter table placet.consent enable trigger only_ends, ' +
        'add constraint consent_uses_left_check check (uses_left >= 0)',
    ),
  );

  it.each<[string, Variant, number]>([
    ['none of these: the real one', { name: 'commit_decisions' }, 1],
    ['without the lock on the rows', { name: 'no_row_lock', mutate: withoutRowLock }, 2],
    ['the row lock after the checks', { name: 'late_row_lock', mutate: rowLockAfterChecks }, 2],
    ['without the check of consents', { name: 'no_check', mutate: withoutCheck }, 2],
  ])('two at once for the only use, %s', async (_what, variant, allows) => {
    await create(variant);
    const id = await consent();
    const [first, second] = [await database.connect(), await database.connect()];
    await first.query('begin');
    await first.query(callOf(variant.name, [`'${id}!'`], writer));
    const waiting = second.query(callOf(variant.name, [`'${id}!'`], await commits.newWriter()));
    await blockedOrDone(second, waiting);
    await first.query('commit');
    await waiting;
    expect(await allowsOn(id)).toBe(allows);
  });

  it.each<[string, Variant, number]>([
    ['none of these: the real one', { name: 'commit_decisions' }, 6],
    ['without the lock on the rows', { name: 'no_row_lock', mutate: withoutRowLock }, 7],
    ['the row lock only where a use is taken', { name: 'use_lock', mutate: rowLockOfUses }, 7],
  ])('two at once that go on for the last time, %s', async (_what, variant, allows) => {
    await create(variant);
    const id = await consent();
    const at = seq;
    expect(await refused(entry(using(id)))).toEqual([]);
    const goesOn: ReliedConsent = { id, takesUse: false, goesOn: { writer, seq: at } };
    for (let round = 0; round < 4; round++) expect(await refused(entry(goesOn))).toEqual([]);
    const [first, second] = [await database.connect(), await database.connect()];
    const relied = [`'${id}~${writer}.${at}'`];
    await first.query('begin');
    await first.query(callOf(variant.name, relied, await commits.newWriter()));
    const waiting = second.query(callOf(variant.name, relied, await commits.newWriter()));
    await blockedOrDone(second, waiting);
    await first.query('commit');
    await waiting;
    expect(await allowsOn(id)).toBe(allows);
  });

  it.each<[string, Variant, number]>([
    ['none of these: the real one', { name: 'commit_decisions' }, 0],
    ['uses not counted within a batch', { name: 'no_batch', mutate: withoutBatchCount }, 2],
    ['without the check of consents', { name: 'no_check', mutate: withoutCheck }, 2],
  ])('two of one batch for the only use, %s', async (_what, variant, allows) => {
    await create(variant);
    const id = await consent();
    const client = await database.connect();
    await client.query(callOf(variant.name, [`'${id}!'`, `'${id}!'`], writer));
    expect(await allowsOn(id)).toBe(allows);
  });

  it.each<[string, Variant, number]>([
    ['none of these: the real one', { name: 'commit_decisions' }, 0],
    ['without the lock of the tenant', { name: 'no_lock', mutate: withoutTenantLock }, 1],
    ['without the check of consents', { name: 'no_check', mutate: withoutCheck }, 1],
    ['without looking at ends', { name: 'no_end', mutate: withoutEnds }, 1],
  ])('one while it is being revoked, %s', async (_what, variant, allows) => {
    await create(variant);
    const id = await consent({ uses: null });
    const [revoker, replica] = [await database.connect(), await database.connect()];
    await revoker.query('begin');
    await revoker.query('select placet.revoke_consents($1, $2, $3, $4, $5, null)', [
      ...[database.tenant, 'system:test', '{}', 'system:test', { id }],
    ]);
    const deciding = replica.query(callOf(variant.name, [`'${id}'`], writer));
    await blockedOrDone(replica, deciding);
    await revoker.query('commit');
    await deciding;
    // Whoever comes while it is being revoked waits for that, and sees it.
    expect((await rowOf(id)).ended_for).toBe('revoked');
    expect(await allowsOn(id)).toBe(allows);
  });

  it('a tenant that is not looked at: the consent of another', async () => {
    const variant: Variant = { name: 'no_tenant', mutate: withoutTenant };
    await create(variant);
    const elsewhere = await consent({ tenant: other, uses: null });
    // Row level security stands behind it, so that only a role that it does not bind shows the difference.
    await superuser.query(callOf(variant.name, [`'${elsewhere}'`], writer));
    expect(await allowsOn(elsewhere)).toBe(1);
    await superuser.query(callOf('commit_decisions', [`'${elsewhere}'`], await commits.newWriter()));
    expect(await allowsOn(elsewhere)).toBe(1);
    expect(await refused(entry(onlyOn(elsewhere)))).toEqual([[0, 'consent']]);
  });
});

describe('the guards that the table has itself', () => {
  it('stops a use that there is none of, whatever the functions say', async () => {
    const variant: Variant = { name: 'unguarded', mutate: withoutBatchCount };
    await create(variant);
    const id = await consent();
    const client = await database.connect();
    await expect(client.query(callOf(variant.name, [`'${id}!'`, `'${id}!'`], writer))).rejects.toThrow('uses_left');
    expect(await allowsOn(id)).toBe(0);
  });
});

describe('a revocation', () => {
  it('ends what is live, and is over for every decision that is committed after it', async () => {
    const [one, used] = [await consent({ uses: null }), await consent({ endedFor: 'used', uses: 0 })];
    await expect(
      store.revoke(
        database.tenant,
        { principal: 'system:test', proof: { epoch: 0, keys: [] } },
        'system:test',
        {},
        null,
      ),
    ).rejects.toThrow();
    const actor = { principal: 'system:test', proof: { epoch: 0, keys: [] } };
    expect(await store.revoke(database.tenant, actor, 'system:test', { id: one }, null)).toEqual({
      outcome: 'revoked',
      ended: 1,
    });
    expect(await store.revoke(database.tenant, actor, 'system:test', { id: used }, null)).toMatchObject({ ended: 0 });
    expect(await refused(entry(onlyOn(one)))).toEqual([[0, 'consent']]);
  });

  it('ends an operation that could go on, though what it used is used up', async () => {
    const id = await consent();
    const at = seq;
    expect(await refused(entry(using(id)))).toEqual([]);
    const actor = { principal: 'system:test', proof: { epoch: 0, keys: [] } };
    expect(await store.revoke(database.tenant, actor, 'system:test', { id }, null)).toMatchObject({ ended: 1 });
    const goesOn = { id, takesUse: false, goesOn: { writer, seq: at } };
    expect(await refused(entry(goesOn))).toEqual([[0, 'consent']]);
  });
});

interface Variant {
  readonly name: string;
  readonly mutate?: (functions: Functions) => Functions;
}

/** The source of the functions that a commit is made of. */
type Functions = Readonly<Record<'commit_decisions' | 'consents_refuse', string>>;

const made = new Set<string>();

/** Makes a variant out of the real functions' source, so that it stays a variant of what is really there. */
async function create({ name, mutate }: Variant): Promise<void> {
  if (!mutate || made.has(name)) return;
  made.add(name);
  const sourceOf = async (of: string): Promise<string> => {
    const { rows } = await superuser.query<{ source: string }>(
      `select pg_get_functiondef('placet.${of}'::regproc) as source`,
    );
    return rows[0]!.source;
  };
  const real: Functions = {
    commit_decisions: await sourceOf('commit_decisions'),
    consents_refuse: await sourceOf('consents_refuse'),
  };
  const mutated = mutate(real);
  expect(mutated).not.toEqual(real);
  for (const source of [mutated.consents_refuse, mutated.commit_decisions]) {
    await superuser.query(
      source
        .replaceAll('placet.consents_refuse', `placet.${name}_refuse`)
        .replaceAll('placet.commit_decisions', `placet.${name}`),
    );
  }
  await superuser.query(
    `grant execute on function placet.${name} to public; grant execute on function placet.${name}_refuse to public`,
  );
}

const ROW_LOCK = /if takes_uses then\s+perform from placet\.consent c.*?end if;/s;
const inCommit = (functions: Functions, from: RegExp, to: string): Functions => ({
  ...functions,
  commit_decisions: functions.commit_decisions.replace(from, to),
});
const inCheck = (functions: Functions, from: RegExp, to: string): Functions => ({
  ...functions,
  consents_refuse: functions.consents_refuse.replace(from, to),
});

function withoutRowLock(functions: Functions): Functions {
  return inCommit(functions, /order by c\.id for update;/, 'order by c.id;');
}

function rowLockOfUses(functions: Functions): Functions {
  return inCommit(functions, /where right\(r, 1\) = '!' or r like '%~%'/, `where right(r, 1) = '!'`);
}

function rowLockAfterChecks(functions: Functions): Functions {
  const [lock] = ROW_LOCK.exec(functions.commit_decisions)!;
  const without = inCommit(functions, ROW_LOCK, '');
  return inCommit(without, /(where v\.reason is not null;)/, `$1\n${lock.replaceAll('$', '$$$$')}`);
}

function withoutCheck(functions: Functions): Functions {
  return inCommit(functions, /when i\.rests is distinct from ''/, 'when false');
}

function withoutBatchCount(functions: Functions): Functions {
  return inCheck(functions, /taken <= agreement\.uses_left/, '1 <= agreement.uses_left');
}

function withoutTenantLock(functions: Functions): Functions {
  return inCommit(functions, /perform pg_advisory_xact_lock_shared\(placet\.lock_key\(wanted\)\);/, '');
}

function withoutEnds(functions: Functions): Functions {
  return inCheck(functions, /agreement\.ended_at is not null or/, '');
}

function withoutTenant(functions: Functions): Functions {
  return inCheck(functions, /c\.tenant = wanted and/, '');
}

/** A call of a variant with one allow for each list of consents, or with one and no list. */
function callOf(name: string, relied: readonly string[], by = writer): string {
  const count = Math.max(1, relied.length);
  const each = (value: string): string => `array[${Array<string>(count).fill(value).join(', ')}]`;
  const ids = relied.map((list) => /co_\d+/.exec(list)?.[0] ?? '');
  const bodies = `array[${(relied.length === 0 ? [''] : ids).map((id) => `'{"effect":"allow","consents":["${id}"]}'`).join(', ')}]`;
  return `select * from placet.${name}('${database.tenant}', ${by}, 1, ${each('0')}::bigint[], ${each('clock_timestamp()')},
    ${each('null')}::timestamptz[], ${each("'subject:user:ann'")}, ${each("'decision'")}, ${bodies},
    ${each("decode('00', 'hex')")}, array[${relied.join(', ')}]::text[], null, ${each('0')}::bigint[])`;
}

async function blockedOrDone(client: pg.Client, done: Promise<unknown>): Promise<void> {
  const { processID } = client as unknown as { processID: number };
  let finished = false;
  done.then(
    () => (finished = true),
    () => (finished = true),
  );
  for (;;) {
    const { rows } = await superuser.query<{ blocked: boolean }>(
      'select exists (select from pg_locks where pid = $1 and not granted) as blocked',
      [processID],
    );
    if (finished || rows[0]!.blocked) return;
    await sleep(5);
  }
}
