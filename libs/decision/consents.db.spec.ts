import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { parseJson } from '#http';
import { generateApiKey, KeySets, macOf, Outgoing, TokenVerifier, type PresentedKey } from '#identity';
import { documentName, layer, type AnyDocument, type ConsentBlock, type DecisionInput, type JsonObject } from '#policy';
import { call as anyCall, documents as anyDocuments, referenceDecide } from '#policy/testing';
import { Snapshots } from '#snapshot';
import { commitChange, ConsentReader, DecisionCommits, Store, type Operation } from '#store';
import type { Answer } from './answers.js';
import { Decisions } from './decisions.js';
import type { Call, Question } from './question.js';
import { SubjectTokens } from './subject-tokens.js';

let database: TestDatabase;
let superuser: Awaited<ReturnType<TestDatabase['connect']>>;
let key: PresentedKey;
let replicas: readonly Replica[];
let revision = 0;
let numbered = 0;

interface Replica {
  readonly decisions: Decisions;
  close(): Promise<void>;
}

beforeAll(async () => {
  database = await freshDatabase();
  superuser = await database.connect('superuser');
  for (const person of ['eve', 'mallory'])
    await superuser.query(
      `insert into placet.person (tenant, id, issuer, claims) values ($1, $2, 'company', '{"iss":"https://company.example.com","groups":[]}')`,
      [database.tenant, `user:company/${person}`],
    );
  await replace(OURS);
  const { key: made } = generateApiKey('test');
  key = { id: made.id, mac: macOf(made, randomBytes(32)) };
  await change([
    {
      op: 'create_credential',
      id: key.id,
      principalKind: 'host',
      principal: 'gate',
      environment: 'test',
      rights: {
        subjects: ['*'],
        subjectProperties: ['*'],
        resourceProperties: ['*'],
        explain: false,
        scopes: ['decisions'],
        agents: ['*'],
      },
      expiresAt: null,
      mac: key.mac.toString('hex'),
    },
  ]);
  replicas = await Promise.all([replica(), replica(), replica()]);
});

afterAll(async () => {
  await Promise.all(replicas.map((one) => one.close()));
  await database.close();
});

/** A replica with connections, a clock and a snapshot of its own, which follows nothing by itself. */
async function replica(): Promise<Replica> {
  const store = await Store.open(database.connection);
  const commits = new DecisionCommits(store, 2);
  const snapshots = new Snapshots(store);
  const metrics = { decided: () => undefined, committed: () => undefined, refused: () => undefined };
  const tokens = new SubjectTokens(new TokenVerifier(new KeySets(new Outgoing('off', '')), parseJson));
  await snapshots.of(database.tenant);
  return {
    decisions: new Decisions(snapshots, commits, store.clock, metrics, tokens, new ConsentReader(store)),
    async close() {
      await commits.close();
      await store.close();
    },
  };
}

/** What is in every tenant here: who asks, and how somebody who agrees has signed in. */
const OURS: readonly AnyDocument[] = [
  { kind: 'Host', name: 'gate' },
  {
    kind: 'Issuer',
    name: 'company',
    issuer: 'https://company.example.com',
    subjectType: 'user',
    subject: { claim: '/sub' },
    groups: { claim: '/groups' },
    signIn: { clientId: 'placet' },
  } as unknown as AnyDocument,
];

async function change(operations: readonly Operation[]): Promise<void> {
  const changed = await commitChange(database.store, {
    tenant: database.tenant,
    principal: 'system:test',
    keys: ['*'],
    operations: [...operations],
  });
  if (changed.outcome !== 'committed') throw new Error(changed.outcome);
  revision = changed.revision;
}

let stored: readonly AnyDocument[] = [];

/** Makes these documents all that there are. */
async function replace(documents: readonly AnyDocument[]): Promise<void> {
  const nameOf = (document: AnyDocument) => `${document.kind}/${documentName(document)}`;
  const wanted = new Set(documents.map(nameOf));
  await change([
    ...stored
      .filter((document) => !wanted.has(nameOf(document)))
      .map((document): Operation => ({ op: 'delete_document', kind: document.kind, name: documentName(document) })),
    ...documents.map((document): Operation => ({
      op: 'put_document',
      kind: document.kind,
      name: documentName(document),
      body: document,
    })),
  ]);
  stored = documents;
}

const call = (): Call => ({
  tenant: database.tenant,
  key,
  address: '127.0.0.1',
  front: 'mcp',
  requestDigest: '',
  trace: undefined,
  atLeast: revision,
  noted: {},
});

const decide = async (question: Question, at = 0): Promise<Answer> =>
  (await replicas[at]!.decisions.decide(call(), [question]))[0]!;

/** How an agreement to a requirement stands; `counted`: it has one use. */
type Given = 'none' | 'free' | 'counted' | 'revoked' | 'expired' | 'elsewhere' | 'by another';

/** A request that was approved, with what stands for each of its requirements. */
async function approve({ decision, agent }: Answer, given: readonly Given[]): Promise<string> {
  const id = `cr_${numbered++}`;
  const { subject } = decision.found!;
  const requirements = decision.requirements.map(({ rule, consent, binding }) => ({ rule, consent, binding }));
  await superuser.query(
    `insert into placet.consent_request (tenant, id, join_key, evaluation, credential, host, agent, subject, action,
       resource_type, resource_id, content, shown, shown_digest, body_digest, status, expires_at)
     values ($1, $2, '', 'e', 'k', 'gate', $3, $4, 'tools/call', 'tool', 't', $5, '{}', '', '', 'approved',
       now() + interval '1 day')`,
    [database.tenant, id, agent, subject.key, JSON.stringify({ subject, requirements })],
  );
  for (const person of ['user:company/eve', 'user:company/mallory'])
    await superuser.query(
      `insert into placet.consent_answer (tenant, request, person, answer, session, shown_digest)
       values ($1, $2, $3, 'agreed', 's', '')`,
      [database.tenant, id, person],
    );
  for (const [index, { binding }] of requirements.entries()) {
    const how = given[index] ?? 'none';
    if (how === 'none' || binding === null) continue;
    await superuser.query(
      `insert into placet.consent (tenant, id, request, requirement, binding, agreed, uses_left, session, expires_at,
         ended_at, ended_for, subject, agent)
       values ($1, $2, $3, $4, decode($5, 'hex'), $6, $7, $8, clock_timestamp() + $9::interval,
         case when $10::text is not null then clock_timestamp() end, $10, $11, $12)`,
      [
        ...[database.tenant, `co_${numbered++}`, id, index, binding],
        [how === 'by another' ? 'user:company/mallory' : 'user:company/eve'],
        how === 'counted' ? 1 : null,
        how === 'elsewhere' ? 'another session' : null,
        how === 'expired' ? '-1 second' : '1 hour',
        how === 'revoked' ? 'revoked' : null,
        ...[subject.key, agent],
      ],
    );
  }
  return id;
}

/** By what is random alone, few things are asked. */
const OFTEN: AnyDocument[] = [
  {
    kind: 'Policy',
    name: 'often',
    target: { actions: ['*'], resources: ['*'] },
    rules: [
      { name: 'all', effect: 'allow', to: ['any'] },
      {
        name: 'ask',
        effect: 'ask',
        to: ['any'],
        consent: { by: ['subject'], approvals: 1, notSelf: false, bind: ['n'] },
      },
    ],
  },
  { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
];

const EVE: ConsentBlock['by'] = ['user:company/eve'];

/** With everybody who is asked made one, who has signed in: who may agree has specs of its own. */
const askingEve = (documents: readonly AnyDocument[]): AnyDocument[] => {
  const asking = <T extends { consent?: ConsentBlock | undefined }>(rule: T): T =>
    rule.consent === undefined ? rule : { ...rule, consent: { ...rule.consent, by: EVE, approvals: 1 } };
  return documents.map((document) => {
    if (document.kind === 'Policy') return { ...document, rules: document.rules.map(asking) };
    if (document.kind === 'Guardrail') return asking(document);
    if (document.kind === 'Tenant' && document.defaults) {
      return { ...document, defaults: asking(document.defaults as { consent?: ConsentBlock }) } as AnyDocument;
    }
    return document;
  });
};

const asQuestion = ({ subject, gateway: _gateway, arguments: given, approval: _approval, ...rest }: DecisionInput) => ({
  ...rest,
  subject: { type: subject.type, id: subject.id, properties: subject.properties },
  arguments: given as JsonObject,
});

/** The same as what counts of it. */
const asInput = ({ subject, ...question }: Question): DecisionInput =>
  ({
    ...question,
    subject: { ...subject, assurance: 'asserted' },
    context: layer({ asserted: { subject: subject.properties, resource: {} } }, question.context),
  }) as DecisionInput;

describe('what people have agreed to', () => {
  const RUNS = 500;

  it(
    'makes an ask an allow where the reference says so, and does nothing else, for random policies in the database',
    { timeout: 240_000 },
    async () => {
      const seen = { ask: 0, met: 0 };
      const how = fc.oneof(
        { weight: 4, arbitrary: fc.constant<Given>('free') },
        { weight: 4, arbitrary: fc.constant<Given>('counted') },
        { weight: 2, arbitrary: fc.constantFrom<Given>('none', 'revoked', 'expired', 'elsewhere', 'by another') },
      );
      await fc.assert(
        fc.asyncProperty(
          fc
            .tuple(anyDocuments, fc.subarray(OFTEN))
            .map(([documents, often]) =>
              askingEve([
                ...documents.filter(({ kind }) => kind !== 'Tenant' || !often.some((one) => one.kind === kind)),
                ...often,
              ]),
            ),
          anyCall.map(asQuestion),
          fc.array(how, { minLength: 8, maxLength: 8 }),
          fc.boolean(),
          async (documents, question, given, isNamed) => {
            await replace([...OURS, ...documents]);
            // What was agreed to in another case may be bound to the very same.
            await superuser.query(
              `update placet.consent set ended_at = clock_timestamp(), ended_for = 'superseded' where ended_at is null`,
            );
            const referenceSays = (answer: Answer, met: ReadonlySet<string>) =>
              // The reference does not join obligations, nor does it know which of them a host can carry out.
              ['obligations_conflict', 'obligation_unsupported'].includes(answer.decision.reason)
                ? 'deny'
                : referenceDecide(documents, asInput(question), met, answer.now).effect;

            const alone = await decide(question);
            expect(alone.decision.effect).toBe(referenceSays(alone, new Set()));
            const { requirements } = alone.decision;
            const approval = requirements.length > 0 ? await approve(alone, given) : undefined;
            const named = isNamed ? { ...question, approval } : question;
            const metBy = (counting: (how: Given) => boolean): ReadonlySet<string> =>
              new Set(
                requirements.flatMap(({ rule }, index) =>
                  counting(given[index]!) ? [rule ? `${rule.policy}/${rule.rule}` : 'default'] : [],
                ),
              );

            const answer = await decide(named, 1);
            expect(answer.decision.effect).toBe(
              referenceSays(
                answer,
                metBy((how) => how === 'free' || (how === 'counted' && isNamed)),
              ),
            );
            if (alone.decision.effect !== 'ask') expect(answer.decision.effect).toBe(alone.decision.effect);
            if (alone.decision.effect === 'ask') seen.ask++;
            if (answer.decision.effect !== 'allow' || alone.decision.effect !== 'ask') return;
            seen.met++;
            expect(answer.decision.reason).toBe('allowed_by_consent');
            // Once more, on another replica: what had one use has none now.
            const again = await decide(named, 2);
            expect(again.decision.effect).toBe(
              referenceSays(
                again,
                metBy((how) => how === 'free'),
              ),
            );
          },
        ),
        { numRuns: RUNS },
      );
      expect(seen.ask).toBeGreaterThan(RUNS / 20);
      expect(seen.met).toBeGreaterThan(RUNS / 50);
    },
  );
});

describe('what is agreed to once', () => {
  const question: Question = {
    subject: { type: 'user', id: 'ann', properties: {} },
    action: 'read',
    resource: { type: 'record', id: 'r', properties: {} },
    server: null,
    arguments: {},
    operation: undefined,
    session: null,
    context: {},
    agent: 'desk',
    kind: 'ordinary',
  };

  beforeAll(() =>
    replace([
      ...OURS,
      { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
      { kind: 'Host', name: 'desk' },
      {
        kind: 'Policy',
        name: 'p',
        target: { actions: ['read'], resources: ['*'] },
        rules: [
          { name: 'all', effect: 'allow', to: ['any'] },
          {
            name: 'ask',
            effect: 'ask',
            to: ['any'],
            consent: { by: EVE, approvals: 1, notSelf: false, bind: 'all', uses: 1 },
          },
        ],
      },
    ]),
  );

  it('is used once, by 100 at a time on three replicas', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 20; round++) {
      const asked = { ...question, arguments: { round } };
      const approval = await approve(await decide(asked), ['counted']);
      const named = { ...asked, approval };
      const answers = await Promise.allSettled(Array.from({ length: 100 }, (_, at) => decide(named, at % 3)));
      const effects = answers.map((each) => (each.status === 'fulfilled' ? each.value.decision.effect : 'none'));
      expect(
        effects.filter((effect) => effect === 'allow'),
        `round ${round}`,
      ).toHaveLength(1);
      const used = answers.find((each) => each.status === 'fulfilled' && each.value.decision.effect === 'allow');
      // A lost answer stays spent, and it is said by which evaluation.
      expect((await decide(named)).approval).toEqual({
        id: approval,
        state: 'used',
        usedBy: (used as PromiseFulfilledResult<Answer>).value.evaluationId,
      });
      const { rows } = await superuser.query<{ n: number }>(
        `select count(*)::integer as n from placet.ledger_record
         where body::jsonb ->> 'effect' = 'allow' and body::jsonb -> 'approval' ->> 'id' = $1`,
        [approval],
      );
      expect(rows[0]!.n).toBe(1);
    }
  });

  it('is used once by the questions of one call', async () => {
    const asked = { ...question, arguments: { of: 'one call' } };
    const named = { ...asked, approval: await approve(await decide(asked), ['counted']) };
    const answers = await replicas[0]!.decisions.decide(call(), [named, named, named]);
    expect(answers.map(({ decision }) => decision.effect)).toEqual(['allow', 'ask', 'ask']);
  });
});
