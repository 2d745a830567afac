import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { parseJson } from '#http';
import { generateApiKey, KeySets, macOf, Outgoing, TokenVerifier, type PresentedKey } from '#identity';
import type { CommitPort } from '#ledger';
import { documentName, knownSubjects, touchedKeys, type AnyDocument, type Candidate, type PolicySet } from '#policy';
import { Snapshots } from '#snapshot';
import { commitChange, ConsentReader, DecisionCommits, type Operation } from '#store';
import type { Answer } from './answers.js';
import { Decisions } from './decisions.js';
import type { Call, Question } from './question.js';
import type { Search } from './search.js';
import { SubjectTokens } from './subject-tokens.js';

let database: TestDatabase;
let commits: DecisionCommits;
let key: PresentedKey;

const binding = (id: string): AnyDocument => ({
  kind: 'Binding',
  name: 'clerks',
  subjects: ['user:ann', `user:${id}`],
  roles: ['clerk'],
});

beforeAll(async () => {
  database = await freshDatabase();
  commits = new DecisionCommits(database.store, 1);
  const documents: AnyDocument[] = [
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Host', name: 'pep' },
    { kind: 'Role', name: 'clerk' },
    {
      kind: 'Policy',
      name: 'p',
      target: { actions: ['read'], resources: ['*'] },
      rules: [{ name: 'clerks', effect: 'allow', to: ['role:clerk'] }],
    },
    {
      kind: 'Policy',
      name: 'slow',
      target: { actions: ['count'], resources: ['*'] },
      rules: [{ name: 'all', effect: 'allow', to: ['any'], when: 'context.list.all(x, x > 0 && x < 2)' }],
    },
  ];
  for (const document of documents) await save(document);
  const { key: made } = generateApiKey('test');
  key = { id: made.id, mac: macOf(made, randomBytes(32)) };
  await change([], {
    op: 'create_credential',
    id: key.id,
    principalKind: 'host',
    principal: 'pep',
    environment: 'test',
    rights: {
      subjects: ['*'],
      subjectProperties: [],
      resourceProperties: [],
      explain: false,
      scopes: ['decisions', 'listings', 'search', 'filter'],
      agents: [],
    },
    expiresAt: null,
    mac: key.mac.toString('hex'),
  });
});

beforeEach(() => save(binding('bob')));

afterAll(async () => {
  await commits.close();
  await database.close();
});

async function change(keys: Parameters<typeof commitChange>[1]['keys'], operation: Operation): Promise<void> {
  const outcome = await commitChange(database.store, {
    tenant: database.tenant,
    principal: 'system:test',
    keys,
    operations: [operation],
  });
  expect(outcome.outcome).toBe('committed');
}

const save = (document: AnyDocument): Promise<void> =>
  change([...touchedKeys(document, undefined), '*'], {
    op: 'put_document',
    kind: document.kind,
    name: documentName(document),
    body: document,
  });

/** A replica that follows nothing by itself, with something that happens before each of its commits. */
async function replica(before: (commit: number) => Promise<void> = async () => undefined) {
  const snapshots = new Snapshots(database.store);
  await snapshots.of(database.tenant);
  let made = 0;
  const port: CommitPort = {
    newWriter: () => commits.newWriter(),
    async commit(...given) {
      await before(++made);
      return commits.commit(...given);
    },
  };
  const metrics = { decided: () => undefined, committed: () => undefined, refused: () => undefined };
  const tokens = new SubjectTokens(new TokenVerifier(new KeySets(new Outgoing('off', '')), parseJson));
  return {
    snapshots,
    decisions: new Decisions(snapshots, port, database.store.clock, metrics, tokens, new ConsentReader(database.store)),
    made: () => made,
  };
}

const fixed: Question = {
  subject: { type: 'user', id: '', properties: {} },
  action: 'read',
  resource: { type: 'record', id: 'r', properties: {} },
  server: null,
  arguments: {},
  operation: undefined,
  session: null,
  context: {},
  kind: 'ordinary',
};

const search = (over: Partial<Search> = {}): Search => ({
  searched: 'subject',
  fixed,
  argumentsKnown: true,
  candidates: (policies) => knownSubjects(policies, 'user'),
  questionOn: ({ id }) => ({ ...fixed, subject: { ...fixed.subject, id } }),
  after: null,
  limit: 10,
  ...over,
});

const call = (): Call => ({
  tenant: database.tenant,
  key,
  front: 'authzen',
  address: '127.0.0.1',
  requestDigest: '',
  trace: undefined,
  atLeast: undefined,
  noted: {},
});

const ids = ({ found }: { readonly found: readonly Candidate[] }): string[] => found.map(({ id }) => id);

describe('a page that is overtaken', () => {
  it('by a change before its commit is refused by the ledger, and searched for anew', async () => {
    const { decisions, made } = await replica((commit) => (commit === 1 ? save(binding('carl')) : Promise.resolve()));
    expect(ids(await decisions.search(call(), search()))).toEqual(['ann', 'carl']);
    expect(made()).toBe(2);
  });

  it('between two pages is of the new state, and its place holds', async () => {
    const { decisions } = await replica();
    const first = await decisions.search(call(), search({ limit: 1 }));
    expect(ids(first)).toEqual(['ann']);
    await save(binding('carl'));
    const second = await decisions.search(call(), search({ limit: 1, after: first.next!.after }));
    expect(ids(second)).toEqual(['carl']);
    expect(second.revision).toBeGreaterThan(first.revision);
    expect(second.next).toBeNull();
  });

  it('while candidates are looked through is not even decided', async () => {
    const { snapshots, decisions, made } = await replica();
    let begun = 0;
    let decidedOn = 0;
    const candidates = function* (policies: PolicySet): Iterable<Candidate | null> {
      const held = snapshots.held(database.tenant)!;
      const { revision } = held;
      yield* knownSubjects(policies, 'user');
      if (begun++ > 0) return;
      void save(binding('carl')).then(() => snapshots.refresh(database.tenant, Infinity));
      // Until the state has moved on under it.
      while (held.revision === revision) yield null;
      while (true) yield null;
    };
    const questionOn: Search['questionOn'] = ({ id }) => {
      decidedOn += begun === 1 ? 1 : 0;
      return { ...fixed, subject: { ...fixed.subject, id } };
    };
    expect(ids(await decisions.search(call(), search({ candidates, questionOn })))).toEqual(['ann', 'carl']);
    expect({ begun, decidedOn, commits: made() }).toEqual({ begun: 2, decidedOn: 0, commits: 1 });
  });

  it('again and again is refused in the end, and never answered', async () => {
    const { decisions, made } = await replica((commit) => save(binding(`n${commit}`)));
    await expect(decisions.search(call(), search())).rejects.toMatchObject({ code: 'too_many_changes' });
    expect(made()).toBe(5);
  });
});

describe('a call of several questions that is overtaken', () => {
  const about = (id: string): Question => ({ ...fixed, subject: { ...fixed.subject, id } });
  const effects = (answers: readonly Answer[]): string[] => answers.map(({ decision }) => decision.effect);

  it('by a change before its commit is decided anew as a whole, on one state', async () => {
    const { decisions, made } = await replica((commit) => (commit === 1 ? save(binding('carl')) : Promise.resolve()));
    const answers = await decisions.decide(call(), [about('bob'), about('ann'), about('carl')]);
    expect(effects(answers)).toEqual(['deny', 'allow', 'allow']);
    expect(new Set(answers.map(({ revision }) => revision)).size).toBe(1);
    expect(made()).toBe(2);
  });

  it('by a change while it is decided is decided anew as well', async () => {
    const { snapshots, decisions, made } = await replica();
    const held = snapshots.held(database.tenant)!;
    const { revision } = held;
    const slow: Question = { ...fixed, action: 'count', context: { list: Array.from({ length: 9000 }, () => 1) } };
    // Nobody has heard of it here, so that the state moves on when it is asked for: one look at the database, during which
    // the questions are far from done, and far from taking too long where others are at work as well.
    await save(binding('carl'));
    const answering = decisions.decide(call(), [
      about('bob'),
      ...Array.from({ length: 100 }, () => slow),
      about('carl'),
    ]);
    await snapshots.refresh(database.tenant, Infinity);
    const answers = await answering;
    expect([effects(answers)[0], effects(answers).at(-1)]).toEqual(['deny', 'allow']);
    expect(answers.every((answer) => answer.revision > revision)).toBe(true);
    expect(made()).toBe(1);
  });

  it('again and again is refused in the end, and never answered', async () => {
    const { decisions, made } = await replica((commit) => save(binding(`n${commit}`)));
    await expect(decisions.decide(call(), [about('ann'), about('bob')])).rejects.toMatchObject({
      code: 'too_many_changes',
    });
    expect(made()).toBe(5);
  });

  it('lets others have their turn while it is decided, and so does a listing', async () => {
    const slow: Question = { ...fixed, action: 'count', context: { list: Array.from({ length: 9000 }, () => 1) } };
    const questions = Array.from({ length: 100 }, () => slow);
    let turns = 0;
    let before = 0;
    const { decisions } = await replica(async () => void (before = turns));
    for (const work of [
      () => decisions.decide(call(), questions),
      () =>
        decisions.list(
          call(),
          fixed,
          questions.map((question, at) => ({ name: `n${at}`, question })),
        ),
    ]) {
      turns = 0;
      let goesOn = true;
      const count = () => {
        turns++;
        if (goesOn) setImmediate(count);
      };
      setImmediate(count);
      await work();
      goesOn = false;
      // Before the commit: while the ledger is waited for, everybody has their turn.
      expect(before).toBeGreaterThan(3);
    }
  });

  it('that takes longer than a moment is refused early, and nothing of it is committed', async () => {
    const { decisions, made } = await replica();
    const slow: Question = { ...fixed, action: 'count', context: { list: Array.from({ length: 9000 }, () => 1) } };
    const questions = Array.from({ length: 20_000 }, () => slow);
    await expect(decisions.decide(call(), questions)).rejects.toMatchObject({ code: 'too_much_at_once' });
    expect(made()).toBe(0);
  });
});
