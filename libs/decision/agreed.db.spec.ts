import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { parseJson } from '#http';
import { generateApiKey, KeySets, macOf, Outgoing, TokenVerifier, type PresentedKey } from '#identity';
import { documentName, type AnyDocument } from '#policy';
import { Snapshots } from '#snapshot';
import { commitChange, ConsentReader, DecisionCommits, type LiveConsents, type Operation } from '#store';
import type { Answer } from './answers.js';
import { Decisions } from './decisions.js';
import type { Call, Question } from './question.js';
import { SubjectTokens } from './subject-tokens.js';

let database: TestDatabase;
let superuser: Awaited<ReturnType<TestDatabase['connect']>>;
let commits: DecisionCommits;
let snapshots: Snapshots;
let key: PresentedKey;

const DOCUMENTS: readonly AnyDocument[] = [
  { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
  { kind: 'Host', name: 'pep' },
  {
    kind: 'Issuer',
    name: 'company',
    issuer: 'https://idp.example.com',
    profile: 'generic',
    algorithms: ['RS256'],
    subjectType: 'user',
    keysGoodForSeconds: 3600,
    signIn: { clientId: 'a', authentication: 'private_key_jwt', scopes: ['openid'] },
  },
  {
    kind: 'Policy',
    name: 'p',
    target: { actions: ['pay'], resources: ['*'] },
    rules: [
      {
        name: 'asked',
        effect: 'allow',
        to: ['any'],
        consent: { by: ['group:leads'], approvals: 1, notSelf: true, bind: 'all' },
      },
    ],
  },
];

beforeAll(async () => {
  database = await freshDatabase();
  superuser = await database.connect('superuser');
  commits = new DecisionCommits(database.store, 1);
  snapshots = new Snapshots(database.store);
  for (const body of DOCUMENTS) await change({ op: 'put_document', kind: body.kind, name: documentName(body), body });
  const { key: made } = generateApiKey('test');
  key = { id: made.id, mac: macOf(made, randomBytes(32)) };
  await change({
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
      scopes: ['decisions'],
      agents: [],
    },
    expiresAt: null,
    mac: key.mac.toString('hex'),
  });
});

afterAll(async () => {
  await commits.close();
  await database.close();
});

const change = (operation: Operation) =>
  commitChange(database.store, {
    tenant: database.tenant,
    principal: 'system:test',
    keys: ['*'],
    operations: [operation],
  });

const QUESTION: Question = {
  subject: { type: 'user', id: 'company/ann', properties: {} },
  action: 'pay',
  resource: { type: 'invoice', id: '1', properties: {} },
  server: null,
  arguments: { amount: 1 },
  operation: undefined,
  session: null,
  context: {},
  kind: 'ordinary',
};

const CALL = (): Call => ({
  tenant: database.tenant,
  key,
  address: '127.0.0.1',
  front: 'authzen',
  requestDigest: '0'.repeat(64),
  trace: undefined,
  atLeast: undefined,
  noted: {},
});

/** A replica, with something that happens after it has read what people have agreed to. */
function deciding(after: () => Promise<void> = async () => undefined): (question?: Question) => Promise<Answer> {
  class Reader extends ConsentReader {
    #reads = 0;

    override async live(tenant: string, bindings: readonly string[]): Promise<LiveConsents> {
      const found = await super.live(tenant, bindings);
      if (this.#reads++ === 0) await after();
      return found;
    }
  }
  const metrics = { decided: () => undefined, committed: () => undefined, refused: () => undefined };
  const tokens = new SubjectTokens(new TokenVerifier(new KeySets(new Outgoing('off', '')), parseJson));
  const decisions = new Decisions(
    snapshots,
    commits,
    database.store.clock,
    metrics,
    tokens,
    new Reader(database.store),
  );
  return async (question = QUESTION) => (await decisions.decide(CALL(), [question]))[0]!;
}

/** What the identity provider says of Bob from now on, as a sign-in writes it. */
async function bobIsIn(groups: readonly string[]): Promise<void> {
  await superuser.query('begin');
  await superuser.query(`select placet.bump($1, array['subject:user:company/bob'], true)`, [database.tenant]);
  await superuser.query(
    `insert into placet.person (tenant, id, issuer, claims) values ($1, 'user:company/bob', 'company', $2)
     on conflict (tenant, id) do update set claims = excluded.claims`,
    [database.tenant, JSON.stringify({ iss: 'https://idp.example.com', groups })],
  );
  await superuser.query('commit');
}

/** Bob has agreed to what is asked, as a row. */
async function bobAgreed(uses: number | null): Promise<void> {
  const { decision } = await deciding()();
  const { binding } = decision.requirements[0]!;
  await superuser.query(
    `insert into placet.consent_request (tenant, id, join_key, evaluation, credential, host, agent, subject, action,
       resource_type, resource_id, content, shown, shown_digest, body_digest, status, expires_at)
     values ($1, 'cr', '', 'e', 'k', 'pep', 'pep', 'user:company/ann', 'pay', 'invoice', '1', '{}', '{}', '', '', 'approved', now())`,
    [database.tenant],
  );
  await superuser.query(
    `insert into placet.consent_answer (tenant, request, person, answer, session, shown_digest)
     values ($1, 'cr', 'user:company/bob', 'agreed', 's', '')`,
    [database.tenant],
  );
  await superuser.query(
    `insert into placet.consent (tenant, id, request, requirement, binding, agreed, uses_left, expires_at, subject, agent)
     values ($1, 'co', 'cr', 0, decode($2, 'hex'), '{user:company/bob}', $3, now() + interval '1 hour', 'user:company/ann', 'pep')`,
    [database.tenant, binding, uses],
  );
}

beforeEach(async () => {
  for (const table of ['consent_use', 'consent', 'consent_answer', 'consent_event', 'consent_request'])
    await superuser.query(`delete from placet.${table}`);
  await bobIsIn(['leads']);
  await snapshots.refresh(database.tenant, Infinity);
});

describe('a decision on what somebody has agreed to', () => {
  it('is an allow while they may agree, and an ask once they may not', async () => {
    await bobAgreed(null);
    expect((await deciding()()).decision.effect).toBe('allow');
    await bobIsIn(['others']);
    expect((await deciding()()).decision.effect).toBe('ask');
  });

  it('is no allow where they lose that after it was read what is known of them, though the replica knows of the loss', async () => {
    await bobAgreed(null);
    const loses = async () => {
      await bobIsIn(['others']);
      await snapshots.refresh(database.tenant, Infinity);
    };
    expect((await deciding(loses)()).decision.effect).toBe('ask');
  });

  it('is no allow where it is revoked after it was read', async () => {
    await bobAgreed(null);
    const revoke = async () => {
      await superuser.query(`update placet.consent set ended_at = now(), ended_for = 'revoked'`);
    };
    expect((await deciding(revoke)()).decision.effect).toBe('ask');
  });

  it('is no allow where somebody else takes the last use after it was read', async () => {
    await bobAgreed(1);
    const named = { ...QUESTION, approval: 'cr' };
    const first = deciding(async () => {
      expect((await deciding()(named)).decision.effect).toBe('allow');
    });
    const answer = await first(named);
    expect(answer.decision.effect).toBe('ask');
    expect(answer.approval).toMatchObject({ state: 'used', usedBy: expect.stringMatching(/^ev_/) as string });
  });

  it('takes a use only where the approval is named', async () => {
    await bobAgreed(2);
    expect((await deciding()()).decision.effect).toBe('ask');
    const named = { ...QUESTION, approval: 'cr' };
    expect((await deciding()(named)).decision.effect).toBe('allow');
    const { rows } = await superuser.query('select uses_left from placet.consent');
    expect(rows).toEqual([{ uses_left: 1 }]);
  });

  it.each<[string, Partial<Question>]>([
    ['another person', { subject: { type: 'user', id: 'eve', properties: {} } }],
    ['nobody', { approval: `cr_${'x'.repeat(22)}` }],
  ])('is a deny where the approval is one of %s', async (_whose, other) => {
    await bobAgreed(null);
    const { decision } = await deciding()({ ...QUESTION, approval: 'cr', ...other });
    expect([decision.effect, decision.reason]).toEqual(['deny', 'approval_invalid']);
  });
});
