import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AdministratorPrincipal } from '#identity';
import { parseDocuments, touchedKeys, documentName, type AnyDocument, type TestReport } from '#policy';
import { Snapshots } from '#snapshot';
import { commitChange, type Change, type Operation, type Store } from '#store';
import { freshDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ChangeRates } from './change-rates.js';
import { FourEyes } from './four-eyes.js';
import { Changes, type Maker, type Standing } from './changes.js';

let database: TestDatabase;
let snapshots: Snapshots;
let changes: Changes;
let tenant: string;
let maker: Maker;

/** The service itself has no rights to be looked at. */
const nobody: Standing = { again: () => Promise.reject(new Error('nobody')) };

beforeAll(async () => {
  database = await freshDatabase();
  ({ tenant } = database);
  maker = { kind: 'service', tenant, name: 'test' };
});
afterAll(() => database.close());

const BASE = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: files }
---
kind: Policy
name: all
target: { servers: [files], actions: [tools/call], resources: [read] }
rules: [{ name: people, effect: allow, to: ['user:ann', 'user:bob'] }]
`;
const test = (name: string, cases = 1, effect = 'allow') =>
  `kind: Test\nname: ${name}\ndefaults: { subject: { id: ann }, host: desk, server: files, tool: read }\ncases:\n` +
  Array.from({ length: cases }, (_, at) => `  - { name: c${at}, expect: { effect: ${effect} } }\n`).join('');
const DENY =
  "kind: Policy\nname: no\ntarget: { servers: [files], actions: ['*'], resources: ['*'] }\nrules: [{ name: no, effect: deny, to: [any] }]\n";
const NARROW = 'kind: Scope\nserver: files\nactions: { deny: [tools/call] }\n';

beforeEach(async () => {
  snapshots = new Snapshots(database.store);
  changes = new Changes(database.store, snapshots, nobody, new FourEyes(database.store));
  const { documents } = (await snapshots.of(tenant)).policies;
  const gone: Operation[] = (['Test', 'Policy', 'Scope', 'Suspension', 'Resource'] as const).flatMap((kind) =>
    [...documents.all(kind)].map(({ document }) => ({
      op: 'delete_document' as const,
      kind,
      name: documentName(document),
    })),
  );
  await commit([...gone, ...puts(BASE)]);
});

const parsed = (text: string): AnyDocument[] => parseDocuments({ text }).documents.map(({ document }) => document);
const puts = (text: string): Operation[] =>
  parsed(text).map((document) => ({
    op: 'put_document',
    kind: document.kind,
    name: documentName(document),
    body: document,
  }));
const change = (operations: Operation[]): Change => ({ tenant, principal: 'system:test', keys: ['*'], operations });

/** Past everything that looks at tests, as another replica would that has looked. */
async function commit(operations: Operation[]): Promise<number> {
  const outcome = await commitChange(database.store, change(operations));
  if (outcome.outcome !== 'committed') throw new Error(outcome.outcome);
  await snapshots.refresh(tenant, outcome.revision);
  return outcome.revision;
}

const make = (text: string) => changes.make(maker, () => Promise.resolve(change(puts(text))));
const versions = async () =>
  [...(await snapshots.of(tenant)).policies.documents.all('Policy')].map((p) => p.document.name);
const COMMITTED = { outcome: 'committed' };
const FAILS = {
  code: 'documents_invalid',
  message: expect.stringContaining("the case 'c0' of the Test 't' fails") as string,
};

describe('a change', () => {
  it('is refused where a case fails on what it would come to, and nothing is written', async () => {
    await make(test('t'));
    const { revision } = await snapshots.of(tenant);
    await expect(make(DENY)).rejects.toMatchObject(FAILS);
    await expect(make(NARROW)).rejects.toMatchObject(FAILS);
    const remove = change([{ op: 'delete_document', kind: 'Policy', name: 'all' }]);
    await expect(changes.make(maker, () => Promise.resolve(remove))).rejects.toMatchObject(FAILS);
    await expect(make(test('t', 1, 'ask'))).rejects.toMatchObject(FAILS);
    await snapshots.refresh(tenant, Infinity);
    expect((await snapshots.of(tenant)).revision).toBe(revision);
  });

  it('goes through with the test that it brings, or without the one that it takes away', async () => {
    await make(`${DENY}---\n${test('t', 1, 'deny')}`);
    await expect(make(test('t', 1, 'allow'))).rejects.toMatchObject(FAILS);
    await changes.make(maker, () =>
      Promise.resolve(
        change([
          { op: 'delete_document', kind: 'Test', name: 't' },
          { op: 'delete_document', kind: 'Policy', name: 'no' },
        ]),
      ),
    );
    expect(await versions()).toEqual(['all']);
  });

  it('reports what came of the tests', async () => {
    const reports: TestReport[] = [];
    await changes.make(maker, () => Promise.resolve(change(puts(test('t', 3)))), {
      report: (report) => reports.push(report),
    });
    expect(reports).toMatchObject([{ tests: 1, cases: 3, coverage: { rules: 1, covered: 1 } }]);
    await changes.make(maker, () => Promise.resolve(change([{ op: 'delete_document', kind: 'Test', name: 't' }])), {
      report: (report) => reports.push(report),
    });
    expect(reports).toHaveLength(1);
  });

  it('of a suspension is made whatever the tests would say, and holds up no other change', async () => {
    await make(test('t'));
    const suspension = { kind: 'Suspension', of: 'Server', name: 'files' } as const;
    const body = { op: 'put_document', kind: 'Suspension', name: 'Server:files', body: suspension } as const;
    await changes.make(maker, () => Promise.resolve(change([body])));
    await make('kind: Role\nname: unrelated\n');
    await expect(make(DENY)).rejects.toMatchObject(FAILS);
  });

  it('does not go past a first test that came after it was planned', async () => {
    let plans = 0;
    const plan = async () => {
      // Another replica has its first test saved after this one has looked.
      if (plans++ === 0) {
        const outcome = commitChange(database.store, change(puts(test('t'))));
        expect((await outcome).outcome).toBe('committed');
      }
      return change(puts(NARROW));
    };
    await expect(changes.make(maker, plan)).rejects.toMatchObject(FAILS);
    expect(plans).toBe(2);
  });

  it('does not go past a change that came after its tests had run', async () => {
    await make(test('t'));
    // Another replica's change is there when this one's arrives at the database, and has not been heard of here.
    let others = 0;
    const call: Store['call'] = async (sql, values) => {
      if (others++ === 0) expect(await commitChange(database.store, change(puts(DENY)))).toMatchObject(COMMITTED);
      return database.store.call(sql, values);
    };
    const late = new Changes({ call } as Store, snapshots, nobody, new FourEyes(database.store));
    const narrow = change(puts(NARROW.replace('tools/call', 'tools/list')));
    await expect(late.make(maker, () => Promise.resolve(narrow))).rejects.toMatchObject(FAILS);
    expect(others).toBe(1);
  });

  it('is planned anew where it was planned on another state than its tests run on', async () => {
    await make(test('t'));
    const { revision } = await snapshots.of(tenant);
    await commit(puts('kind: Role\nname: since\n'));
    let plans = 0;
    await changes.make(maker, async () => {
      const expectedRevision = plans++ === 0 ? revision : (await snapshots.of(tenant)).revision;
      return { ...change(puts(`kind: Role\nname: r${plans}\n`)), expectedRevision };
    });
    const { documents } = (await snapshots.of(tenant)).policies;
    expect([plans, documents.find('Role', 'r1'), documents.find('Role', 'r2')]).toMatchObject([2, undefined, {}]);
  });

  it('is planned anew where the state moved on under its tests', async () => {
    for (const name of ['t', 'u', 'v', 'w']) await make(test(name, 500));
    const { policies } = await snapshots.of(tenant);
    const desk = policies.documents.find('Host', 'desk')!;
    let plans = 0;
    await changes.make(maker, () => {
      // In the middle of the tests, which let others have their turn.
      if (plans++ === 0) setImmediate(() => policies.apply([{ kind: 'Host', name: 'desk', stored: desk }]));
      return Promise.resolve(change(puts('kind: Role\nname: later\n')));
    });
    expect(plans).toBe(2);
    expect(policies.documents.find('Role', 'later')).toBeDefined();
  });

  it('that has nothing to do with others goes beside them where there are no tests', async () => {
    const many = Array.from({ length: 24 }, (_, at) => make(`kind: Resource\ntype: note\nid: n${at}\n`));
    expect(new Set(await Promise.all(many)).size).toBe(24);
  });

  it('of tests alone touches nothing that a decision rests on', async () => {
    const { epoch, revision } = await snapshots.of(tenant);
    const [body] = parsed(test('t'));
    const keys = touchedKeys(undefined, body);
    await changes.make(maker, () => Promise.resolve({ ...change(puts(test('t'))), keys }));
    const after = await snapshots.of(tenant);
    expect([after.epoch, after.revision]).toEqual([epoch, revision + 1]);
  });
});

describe('changes of one administrator', () => {
  it('are so many and no more; the service itself makes as many as it has to', async () => {
    changes = new Changes(database.store, snapshots, nobody, new FourEyes(database.store), new ChangeRates(2));
    const administrator = { kind: 'administrator', tenant, subject: null, credential: 'k' } as AdministratorPrincipal;
    const nothing = (by: Maker) => changes.make(by, () => Promise.resolve(undefined));
    for (let each = 0; each < 5; each++) await nothing(maker);
    await nothing(administrator);
    await nothing(administrator);
    await expect(nothing(administrator)).rejects.toMatchObject({ code: 'quota_exceeded' });
    await nothing({ ...administrator, credential: 'other' });
  });
});
