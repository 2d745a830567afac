import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let key: string;

/** Records: everybody reads, the owner writes, nobody deletes; ask before sharing. */
const POLICIES = `
kind: Tenant
name: default
defaults: { effect: deny, hostScope: {} }
---
kind: Host
name: pep
---
kind: Subject
id: ann
properties: { region: emea }
---
kind: Resource
type: record
id: r1
properties: { owner: ann, region: emea }
---
kind: Policy
name: records
target: { actions: [read, write, share], resources: [{ type: record, id: "*" }] }
rules:
  - { name: read, effect: allow, to: [any], when: 'action.name == "read"' }
  - { name: write, effect: allow, to: [any], when: 'action.name == "write" && resource.properties.owner == subject.id' }
  - { name: share, effect: allow, to: [any], when: 'action.name == "share"', consent: { by: [subject] }, obligations: [{ type: step-up, acr: gold }] }
---
kind: Policy
name: log-reads
target: { actions: [read], resources: [{ type: record, id: "*" }] }
rules:
  - { name: log, effect: allow, to: [any], obligations: [{ type: redact, fields: [ssn] }, { type: step-up, acr: gold }] }
`;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  await service.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'p.yaml', text: POLICIES }] } });
  const rights = { subjects: ['user:*'], subjectProperties: ['region'], resourceProperties: ['owner'], explain: true };
  key = (await service.call('POST', '/api/v1/keys', { body: { host: 'pep', rights } })).body.key;
});

afterAll(() => service.close());

const one = (body: unknown): Promise<Answer> => service.call('POST', '/access/v1/evaluation', { key, body });
const many = (body: unknown): Promise<Answer> => service.call('POST', '/access/v1/evaluations', { key, body });

const ann = { type: 'user', id: 'ann' };
const r1 = { type: 'record', id: 'r1' };
const ask = (action: string, over: object = {}) => ({ subject: ann, action: { name: action }, resource: r1, ...over });

describe('an access evaluation', () => {
  it.each<[string, object, boolean]>([
    ['of what a rule allows', ask('read'), true],
    ['of what no rule allows', ask('delete'), false],
    ['by stored attributes', ask('write'), true],
    ['of somebody unknown', ask('read', { subject: { type: 'user', id: 'zoe' } }), true],
    ['of an unknown resource without the attribute', ask('write', { resource: { type: 'record', id: 'r2' } }), false],
    [
      'by an attribute that the host may assert',
      ask('write', { resource: { type: 'record', id: 'r2', properties: { owner: 'ann' } } }),
      true,
    ],
    [
      'where what is stored beats what is asserted',
      ask('write', { subject: { type: 'user', id: 'bob' }, resource: { ...r1, properties: { owner: 'bob' } } }),
      false,
    ],
    ['with members that nobody knows', { ...ask('read'), more: 1, options: { x: [] } }, true],
    ['with a context of anything', ask('read', { context: { time: 'now', __x: [null] } }), true],
  ])('%s', async (_what, body, decision) => {
    expect(await one(body)).toMatchObject({ status: 200, body: { decision } });
  });

  it('says why', async () => {
    const { body } = await one(ask('delete'));
    expect(body.context).toMatchObject({
      reason: 'no_rule_allows',
      reason_user: { en: 'No policy allows this.' },
      evaluation_id: expect.stringMatching(/^ev_/) as unknown,
    });
    expect(Date.parse(body.context.evaluated_at)).toBeGreaterThan(Date.now() - 60_000);
  });

  it('carries obligations by the obligations profile', async () => {
    const { body } = await one(ask('read'));
    expect(body.context.obligations).toEqual([
      { id: 'obligation-1', type: 'custom', properties: { name: 'redact', fields: ['ssn'] } },
      { id: 'obligation-2', type: 'step-up', properties: { acr_value: 'gold' } },
    ]);
  });

  it('that asks is a denial with an access request, so that a client that knows nothing of it denies', async () => {
    const { body } = await one(ask('share'));
    expect(body).toMatchObject({
      decision: false,
      context: { reason: 'consent_required', access_request: { display: { title: 'Your consent is needed' } } },
    });
    expect(Date.parse(body.context.access_request.expires_at)).toBeGreaterThan(Date.now());
    expect(body.context.obligations).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['no subject', ask('read', { subject: undefined }), 'subject'],
    ['no action', { subject: ann, resource: r1 }, 'action'],
    ['no resource', { subject: ann, action: { name: 'read' } }, 'resource'],
    ['a subject without type', ask('read', { subject: { id: 'ann' } }), 'subject.type'],
    ['an id that is a number', ask('read', { resource: { type: 'record', id: 1 } }), 'resource.id'],
    ['an action without a name', ask('read', { action: {} }), 'action.name'],
    ['properties that are a list', ask('read', { subject: { ...ann, properties: [] } }), 'subject.properties'],
    ['a context that is a text', ask('read', { context: 'x' }), 'context'],
  ])('with %s is a 400 that names it', async (_what, body, named) => {
    const answer = await one(body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.errors[0].path).toBe(named);
    expect(answer.body.message).toBe(answer.body.detail);
  });

  it('is the same however often it is asked', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => one(ask('write'))));
    expect(new Set(answers.map(({ body }) => body.decision))).toEqual(new Set([true]));
  });
});

describe('access evaluations', () => {
  const decisions = ({ body }: Answer): unknown =>
    body.evaluations?.map((item: { decision: boolean }) => item.decision);
  const items = (...actions: string[]) => ({
    subject: ann,
    resource: r1,
    evaluations: actions.map((name) => ({ action: { name } })),
  });

  it('answer each item, in order', async () => {
    const answer = await many(items('read', 'delete', 'write'));
    expect(decisions(answer)).toEqual([true, false, true]);
    expect(answer.body.decision).toBeUndefined();
  });

  it.each<[string, string[], boolean[]]>([
    ['execute_all', ['read', 'delete', 'write'], [true, false, true]],
    ['deny_on_first_deny', ['read', 'delete', 'write'], [true, false]],
    ['deny_on_first_deny', ['read', 'share', 'write'], [true, false]],
    ['deny_on_first_deny', ['read', 'write'], [true, true]],
    ['permit_on_first_permit', ['delete', 'read', 'write'], [false, true]],
    ['permit_on_first_permit', ['delete', 'share'], [false, false]],
  ])('stop by %s: %j', async (evaluations_semantic, actions, expected) => {
    expect(decisions(await many({ ...items(...actions), options: { evaluations_semantic } }))).toEqual(expected);
  });

  it('record only what was decided', async () => {
    const count = async () =>
      (
        await service.database.store.read(service.database.tenant, (view) =>
          view.query<{ n: number }[]>(`select count(*) as n from placet.ledger_record where kind = 'decision'`),
        )
      )[0]!.n;
    const before = await count();
    await many({
      ...items('read', 'delete', 'write', 'write'),
      options: { evaluations_semantic: 'deny_on_first_deny' },
    });
    expect((await count()) - before).toBe(2);
  });

  it('replace entities as a whole, and do not mix their members', async () => {
    const body = {
      subject: { type: 'user', id: 'bob', properties: { region: 'emea' } },
      action: { name: 'write' },
      resource: { type: 'record', id: 'r2', properties: { owner: 'bob' } },
      evaluations: [{}, { resource: { type: 'record', id: 'r3' } }, { subject: { type: 'user', id: 'ann' } }],
    };
    expect(decisions(await many(body))).toEqual([true, false, false]);
  });

  it('need no complete defaults, where each item has its own', async () => {
    const body = { subject: ann, resource: {}, evaluations: [{ action: { name: 'read' }, resource: r1 }] };
    expect(decisions(await many(body))).toEqual([true]);
  });

  it('deny an item that cannot be read, and say so there', async () => {
    const body = {
      subject: ann,
      evaluations: [{ action: { name: 'read' } }, { action: { name: 'read' }, resource: r1 }],
    };
    const answer = await many(body);
    expect(answer).toMatchObject({ status: 200 });
    expect(decisions(answer)).toEqual([false, true]);
    expect(answer.body.evaluations[0].context.error).toMatchObject({
      status: 400,
      message: expect.stringContaining('resource') as unknown,
    });
    expect(decisions(await many({ ...body, options: { evaluations_semantic: 'deny_on_first_deny' } }))).toEqual([
      false,
    ]);
    expect(decisions(await many({ evaluations: [{}] }))).toEqual([false]);
  });

  it('stop at the deny also where an item after it cannot be read', async () => {
    const body = {
      subject: ann,
      evaluations: [{ action: { name: 'delete' }, resource: r1 }, {}],
      options: { evaluations_semantic: 'deny_on_first_deny' },
    };
    expect(decisions(await many(body))).toEqual([false]);
  });

  it.each([{}, { evaluations: [] }])('without items are one evaluation: %j', async (more) => {
    expect((await many({ ...ask('read'), ...more })).body).toMatchObject({ decision: true });
    expect(await many({ ...ask('read', { resource: undefined }), ...more })).toMatchObject({ status: 400 });
  });

  it.each([
    ['an unknown semantic', { ...items('read'), options: { evaluations_semantic: 'first' } }],
    ['items that are no list', { ...items(), evaluations: {} }],
    ['an item that is no object', { ...items(), evaluations: ['read'] }],
    ['more than a thousand items', items(...Array.from({ length: 1001 }, () => 'read'))],
  ])('with %s are a 400', async (_what, body) => {
    expect(await many(body)).toMatchObject({ status: 400 });
  });

  it('are refused whole if the key may not speak for one of the subjects', async () => {
    const body = {
      resource: r1,
      action: { name: 'read' },
      evaluations: [{ subject: ann }, { subject: { type: 'service', id: 'x' } }],
    };
    expect(await many(body)).toMatchObject({ status: 403, body: { code: 'subject_not_assertable' } });
  });
});

describe('the metadata', () => {
  it('is where the standard wants it, and says what there is', async () => {
    const { status, body, headers } = await service.call('GET', '/.well-known/authzen-configuration', { key: null });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('application/json');
    expect(body).toEqual({
      policy_decision_point: service.url,
      access_evaluation_endpoint: `${service.url}/access/v1/evaluation`,
      access_evaluations_endpoint: `${service.url}/access/v1/evaluations`,
      access_request_endpoint: `${service.url}/access/v1/requests`,
      search_subject_endpoint: `${service.url}/access/v1/search/subject`,
      search_resource_endpoint: `${service.url}/access/v1/search/resource`,
      search_action_endpoint: `${service.url}/access/v1/search/action`,
      capabilities: ['urn:openid:authzen:capability:access-request'],
      supported_obligations: ['notification', 'session_termination', 'step-up', 'custom'],
      supported_custom_obligations: ['fields', 'log', 'mask', 'redact', 'resolve_realpath'],
    });
  });
});
