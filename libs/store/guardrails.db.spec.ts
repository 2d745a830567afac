import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { commitChange, type ChangeOutcome } from './change.js';
import { ensureTenant } from './database.js';
import { DecisionCommits, type DecisionEntry } from './decision-commit.js';
import { currentNumbers, loadTenant } from './tenant-state.js';

let database: TestDatabase;
let commits: DecisionCommits;
let superuser: pg.Client;
let acme: string;
let beta: string;
let writer: number;

beforeAll(async () => {
  database = await freshDatabase();
  commits = new DecisionCommits(database.store, 2);
  superuser = await database.connect('superuser');
  acme = await ensureTenant(database.address, 'acme');
  beta = await ensureTenant(database.address, 'beta');
});

afterAll(async () => {
  await commits.close();
  await database.close();
});

beforeEach(async () => {
  writer = await commits.newWriter();
});

const guardrail = (name: string, over: object = {}) => ({
  kind: 'Guardrail' as const,
  name,
  reason: 'so says the board',
  description: 'not for tenants',
  effect: 'deny' as const,
  target: { actions: ['*'], resources: ['*'] },
  ...over,
});

const write = (name: string, over: object = {}, tenant = database.tenant): Promise<ChangeOutcome> =>
  commitChange(database.store, {
    tenant,
    principal: 'system:test',
    keys: ['*'],
    operations: [{ op: 'put_document', kind: 'Guardrail', name, body: guardrail(name, over) }],
  });

const remove = (name: string) =>
  commitChange(database.store, {
    tenant: database.tenant,
    principal: 'system:test',
    keys: ['*'],
    operations: [{ op: 'delete_document', kind: 'Guardrail', name }],
  });

const loaded = async (tenant: string, since?: number) =>
  (await loadTenant(database.store, tenant, 0, since))!.guardrails;
const namesIn = async (tenant: string) => (await loaded(tenant)).changed?.map(({ document }) => document.name);

async function entry(tenant: string, guardrails: number): Promise<DecisionEntry> {
  const { epoch } = (await loadTenant(database.store, tenant, 0))!;
  return {
    epoch,
    guardrails,
    now: database.store.clock.now(),
    validUntil: null,
    keys: [],
    kind: 'decision',
    consents: [],
    body: '{"effect":"allow"}',
    hash: Buffer.alloc(32),
  };
}

const refused = async (tenant: string, guardrails: number) =>
  (await commits.commit(tenant, writer, 1, [await entry(tenant, guardrails)])).refused.map(({ reason }) => reason);

describe('guardrails', () => {
  it('are told to every tenant that they are for, without what is none of its business, and to the home tenant as documents', async () => {
    await write('for-all');
    await write('for-acme', { tenants: ['acme'] });
    expect(await namesIn(acme)).toEqual(['for-acme', 'for-all']);
    expect(await namesIn(beta)).toEqual(['for-all']);
    expect((await loaded(database.tenant)).changed).toBeNull();
    expect(JSON.stringify(await loaded(acme))).not.toMatch(/not for tenants|"tenants"/);
    const { epoch } = await loaded(acme);
    expect((await loaded(acme, epoch)).changed).toBeNull();
    await remove('for-all');
    expect(await namesIn(beta)).toEqual([]);
    expect((await loaded(acme, epoch)).changed).toHaveLength(1);
    expect((await currentNumbers(database.store, [acme])).get(acme)!.guardrails).toBe((await loaded(acme)).epoch);
  });

  it('end what was evaluated without them, in every tenant, and nothing else does', async () => {
    const { epoch: before } = await loaded(acme);
    expect(await refused(acme, before)).toEqual([]);
    writer = await commits.newWriter();
    await write('new');
    const { epoch } = await loaded(acme);
    expect(epoch).toBeGreaterThan(before);
    for (const tenant of [acme, beta, database.tenant]) expect(await refused(tenant, before)).toEqual(['overtaken']);
    expect(await refused(acme, epoch + 1)).toEqual(['ahead']);
    expect(await refused(acme, null as unknown as number)).toEqual(['overtaken']);
    expect(await refused(acme, epoch)).toEqual([]);
    const host = { op: 'put_document', kind: 'Host', name: 'h', body: { kind: 'Host', name: 'h' } } as const;
    await commitChange(database.store, {
      tenant: database.tenant,
      principal: 'system:test',
      keys: ['*'],
      operations: [host],
    });
    expect((await loaded(acme)).epoch).toBe(epoch);
  });

  it('are written by the home tenant alone, and within a change', async () => {
    await expect(write('mine', {}, acme)).rejects.toThrow();
    expect(await namesIn(beta)).not.toContain('mine');
    const service = await database.connect();
    await service.query('begin');
    await service.query(`select set_config('placet.tenant', $1, true)`, [acme]);
    await expect(
      service.query(`insert into placet.document values ($1, 'Guardrail', 'x', 1, 1, '{}')`, [acme]),
    ).rejects.toThrow('only the home tenant');
  });

  it('are not to be seen by a tenant’s own transactions, nor is anything else of the home tenant by theirs', async () => {
    await write('hidden');
    const kinds = await database.store.read(acme, (view) => view.query('select * from placet.document'));
    expect(JSON.stringify(kinds)).not.toContain('hidden');
    const service = await database.connect();
    const { rows } = await service.query('select * from placet.document');
    expect(rows).toEqual([]);
  });

  it('cost the same however many tenants there are: one lock, and no row of theirs', async () => {
    await superuser.query(`
      insert into placet.tenant (id, name) select gen_random_uuid(), 'many-' || n from generate_series(1, 10000) n;
      insert into placet.tenant_state (tenant) select id from placet.tenant where name like 'many-%'`);
    const changes = async () =>
      (await superuser.query('select count(*)::int as n from placet.change')).rows[0]!.n as number;
    const before = await changes();
    const sentAt = performance.now();
    await write('for-many');
    expect(performance.now() - sentAt).toBeLessThan(1000);
    expect(await changes()).toBe(before + 1);
    const { rows } = await superuser.query<{ id: string }>(`select id from placet.tenant where name = 'many-77'`);
    expect(await namesIn(rows[0]!.id)).toContain('for-many');
  });
});

/** What was allowed under guardrails that were another when the change was committed before it. */
async function provoke(name: string): Promise<boolean> {
  const { epoch: guardrails } = await loaded(acme);
  const { epoch } = (await loadTenant(database.store, acme, 0))!;
  const operator = await database.connect('superuser');
  const replica = await database.connect();
  await operator.query('begin');
  await operator.query('select placet.bump($1, $2, true)', [database.tenant, ['*']]);
  await operator.query(`insert into placet.document values ($1, 'Guardrail', $2, 1, 1, '{}')`, [
    database.tenant,
    `provoked-${name}`,
  ]);
  const { processID } = replica as unknown as { processID: number };
  const call = `select * from placet.${name}('${acme}', ${writer}, 1, array[${epoch}]::bigint[], array[clock_timestamp()],
    array[null]::timestamptz[], array[''], array['decision'], array['{"effect":"allow"}'], array[decode('00', 'hex')], array[''], null,
    array[${guardrails}]::bigint[])`;
  let decided: { failed: number[] | null } | undefined;
  const deciding = replica.query<{ failed: number[] | null }>(call).then(({ rows }) => (decided = rows[0]!));
  for (;;) {
    const waits = 'select exists (select from pg_locks where pid = $1 and not granted) as blocked';
    if (decided || (await superuser.query<{ blocked: boolean }>(waits, [processID])).rows[0]!.blocked) break;
    await sleep(5);
  }
  const wasFirst = decided !== undefined;
  await operator.query('commit');
  await deciding;
  // One that was committed before the change is right; one that waited for it and got through is not.
  return !wasFirst && decided!.failed === null;
}

/** Ways to write it that look right, and are not. */
describe('a wrong variant of the fence is caught:', () => {
  const LOCK = 'perform pg_advisory_xact_lock_shared(placet.guardrail_lock());';
  const READ = 'current_guardrails := placet.guardrail_epoch();';
  const source = async () =>
    (await superuser.query<{ text: string }>(`select pg_get_functiondef('placet.commit_decisions'::regproc) as text`))
      .rows[0]!.text;
  const planted = async (name: string, mutate: (text: string) => string) => {
    const real = await source();
    expect(mutate(real)).not.toBe(real);
    await superuser.query(mutate(real).replace('placet.commit_decisions', `placet.${name}`));
    await superuser.query(`grant execute on function placet.${name} to public`);
  };

  it('none of these: the real one waits for the change, and sees it', async () => {
    expect(await provoke('commit_decisions')).toBe(false);
  });

  it('N, the epoch is read before the lock: an allow on what was there before', async () => {
    await planted('variant_n', (text) => text.replace(READ, '').replace(LOCK, `${READ}\n${LOCK}`));
    expect(await provoke('variant_n')).toBe(true);
  });

  it('O, no check: an allow after the change', async () => {
    await planted('variant_o', (text) => text.replace('(i.guardrails = current_guardrails) is not true', 'false'));
    expect(await provoke('variant_o')).toBe(true);
  });

  it('P, no lock: the change returns while an allow without it is under way', async () => {
    const holder = await database.connect();
    const { epoch } = await loaded(acme);
    await holder.query('begin');
    await commitIn(holder, 'commit_decisions', epoch);
    const isHeldUp = async (name: string) => {
      const change = write(name).then(() => 'returned');
      const first = await Promise.race([change, sleep(300).then(() => 'waits')]);
      await holder.query('rollback');
      await change;
      return first;
    };
    expect(await isHeldUp('after-p1')).toBe('waits');
    await planted('variant_p', (text) => text.replace(LOCK, ''));
    await holder.query('begin');
    await commitIn(holder, 'variant_p', (await loaded(acme)).epoch);
    expect(await isHeldUp('after-p2')).toBe('returned');
  });
});

async function commitIn(client: pg.Client, name: string, guardrails: number): Promise<void> {
  const { epoch } = (await loadTenant(database.store, acme, 0))!;
  const { rows } = await client.query<{ failed: number[] | null }>(
    `select * from placet.${name}('${acme}', ${writer}, 7, array[${epoch}]::bigint[], array[clock_timestamp()],
      array[null]::timestamptz[], array[''], array['decision'], array['{"effect":"allow"}'], array[decode('00', 'hex')], array[''],
      null, array[${guardrails}]::bigint[])`,
  );
  expect(rows[0]!.failed).toBeNull();
}
