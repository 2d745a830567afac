import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type Answer, type TestService } from '../support/service.js';

/** The certification scenario of the AuthZEN working group for the Authorization API 1.0, by its own test ids. */
const POLICIES = 'examples/authzen-certification';

let service: TestService;
let key: string;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  const files = readdirSync(POLICIES)
    .filter((name) => name.endsWith('.yaml'))
    .map((path) => ({ path, text: readFileSync(join(POLICIES, path), 'utf8') }));
  const applied = await service.call('POST', '/api/v1/documents/apply', { body: { files } });
  expect(applied).toMatchObject({ status: 200 });
  const rights = { subjects: ['*'], subjectProperties: ['*'], resourceProperties: ['*'] };
  key = (await service.call('POST', '/api/v1/keys', { body: { host: 'certification', rights } })).body.key;
});

afterAll(() => service.close());

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  service.call('POST', `/access/v1/${path}`, { key, body, headers });

const alice = { type: 'user', id: 'alice' };
const bob = { type: 'user', id: 'bob' };
const admin = { ...bob, properties: { role: 'admin' } };
const record1 = { type: 'record', id: 'record-1' };
const record2 = { type: 'record', id: 'record-2' };
const active = { ...record1, properties: { status: 'active' } };
const archived = { ...record2, properties: { status: 'archived' } };
const read = { name: 'read' };
const write = { name: 'write' };
const nobody = { type: 'user', id: 'nonexistent-user' };
const nothing = { type: 'record', id: 'nonexistent' };

const reading = { subject: alice, action: read, resource: record1 };
const without = (body: object, member: string): object =>
  Object.fromEntries(Object.entries(body).filter(([name]) => name !== member));

describe('the decisions of the fixture', () => {
  it.each<[string, object, object, object, boolean]>([
    ['1', alice, read, record1, true],
    ['2', alice, write, record1, true],
    ['3', bob, read, record1, true],
    ['4', bob, write, record1, false],
    ['4, whatever is asserted of bob', admin, write, active, false],
    ['4, whatever is asserted of the record', bob, write, { ...record1, properties: { status: 'archived' } }, false],
    ['5', alice, write, archived, false],
    ['5, whatever is asserted of alice', { ...alice, properties: { role: 'user' } }, write, archived, false],
    ['6', admin, write, archived, true],
    ['6, by what is stored', bob, write, record2, true],
    ['7', alice, { name: 'delete', properties: { soft: true } }, record1, true],
    ['8', alice, { name: 'delete', properties: { soft: false } }, record1, false],
    ['8, without a word on how', alice, { name: 'delete' }, record1, false],
    ['of the suite: alice reads what is archived', alice, read, record2, true],
  ])('rule %s', async (_rule, subject, action, resource, decision) => {
    const answer = await post('evaluation', { subject, action, resource });
    expect(answer).toMatchObject({ status: 200, body: { decision } });
  });
});

describe('c-2, access evaluation', () => {
  it.each([
    ['an unknown subject', { ...reading, subject: nobody }],
    ['an unknown resource', { ...reading, resource: nothing }],
    ['an unknown type of subject', { ...reading, subject: { type: 'spaceship', id: 'x' } }],
    ['an unknown type of resource', { ...reading, resource: { type: 'spaceship', id: 'x' } }],
    ['an unknown action', { ...reading, action: { name: 'launch' } }],
  ])('%s is a denial and no error', async (_what, body) => {
    expect(await post('evaluation', body)).toMatchObject({ status: 200, body: { decision: false } });
  });

  it('c-2-6: the same three times', async () => {
    const answers = [
      await post('evaluation', reading),
      await post('evaluation', reading),
      await post('evaluation', reading),
    ];
    expect(answers.map(({ body }) => body.decision)).toEqual([true, true, true]);
  });

  it('ignores members that it does not know, and takes a context of anything', async () => {
    const body = { ...reading, context: { time: '2026-11-20T00:00:00Z' }, foo: [{ bar: null }] };
    expect(await post('evaluation', body)).toMatchObject({ status: 200, body: { decision: true } });
  });

  it.each([
    ['no subject', without(reading, 'subject')],
    ['no action', without(reading, 'action')],
    ['no resource', without(reading, 'resource')],
    ['a subject without id', { ...reading, subject: { type: 'user' } }],
    ['a subject without type', { ...reading, subject: { id: 'alice' } }],
    ['an action without name', { ...reading, action: {} }],
    ['a resource without id', { ...reading, resource: { type: 'record' } }],
    ['an id that is a number', { ...reading, subject: { type: 'user', id: 1 } }],
    ['own-properties-not-an-object', { ...reading, subject: { ...alice, properties: 'x' } }],
    ['own-context-not-an-object', { ...reading, context: 'x' }],
    ['a list at the top', [reading]],
    ['no body', ''],
    ['half of one', '{"subject":'],
  ])('%s is a 400', async (_what, body) => {
    expect(await post('evaluation', body, { 'Content-Type': 'application/json' })).toMatchObject({ status: 400 });
  });

  it('takes a charset, refuses another content type, and answers to POST only', async () => {
    const text = JSON.stringify(reading);
    expect(await post('evaluation', text, { 'Content-Type': 'application/json; charset=utf-8' })).toMatchObject({
      status: 200,
    });
    expect(await post('evaluation', text, { 'Content-Type': 'text/plain' })).toMatchObject({ status: 400 });
    for (const method of ['GET', 'PUT'])
      expect((await service.call(method, '/access/v1/evaluation', { key })).status).toBe(405);
  });

  it('returns the identifier of the request, also with an error', async () => {
    for (const body of [reading, {}]) {
      const { headers } = await post('evaluation', body, { 'X-Request-ID': 'req-1' });
      expect(headers.get('x-request-id')).toBe('req-1');
    }
  });

  it('is closed to whoever has no key', async () => {
    const answer = await service.call('POST', '/access/v1/evaluation', { key: null, body: reading });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  });
});

describe('c-3, access evaluations', () => {
  const decisions = ({ body }: Answer): unknown =>
    (body.evaluations as { decision: boolean }[]).map(({ decision }) => decision);
  const batch = (semantic: string | undefined, ...actions: object[]) => ({
    subject: bob,
    resource: record1,
    ...(semantic === undefined ? {} : { options: { evaluations_semantic: semantic } }),
    evaluations: actions.map((action) => ({ action })),
  });

  it.each<[string, object, boolean[]]>([
    [
      'scenario-3.2.7-top-level-inheritance',
      { subject: alice, action: write, resource: active, evaluations: [{}, { resource: archived }] },
      [true, false],
    ],
    [
      'scenario-3.2.7-negative-no-subfield-merge',
      {
        subject: alice,
        action: write,
        resource: { type: 'record' },
        evaluations: [{ resource: { id: 'record-1', properties: { status: 'active' } } }],
      },
      [false],
    ],
    [
      'own-top-level-default-incomplete-but-overridden',
      { subject: alice, action: read, resource: {}, context: {}, evaluations: [{ resource: record1 }] },
      [true],
    ],
    ['c-3-3-1: all of them where nothing is said', batch(undefined, read, write, read), [true, false, true]],
    ['all of them', batch('execute_all', write, read, write), [false, true, false]],
    ['up to the first deny', batch('deny_on_first_deny', read, write, read), [true, false]],
    ['up to the first permit', batch('permit_on_first_permit', write, read, write), [false, true]],
    ['c-3-4-1: an item that cannot be read is denied', { evaluations: [{ subject: alice }] }, [false]],
  ])('%s', async (_id, body, expected) => {
    const answer = await post('evaluations', body);
    expect(answer.status).toBe(200);
    expect(decisions(answer)).toEqual(expected);
    expect(answer.body).not.toHaveProperty('decision');
  });

  it.each([
    ['c-3-4-2: no evaluations', {}],
    ['c-3-4-3: an empty list of them', { evaluations: [] }],
  ])('%s is one evaluation', async (_id, more) => {
    const { status, body } = await post('evaluations', { ...reading, ...more });
    expect({ status, decision: body.decision }).toEqual({ status: 200, decision: true });
    expect(body).not.toHaveProperty('evaluations');
  });

  it.each([
    ['own-evaluations-not-an-array', { ...reading, evaluations: { 0: {} } }],
    ['an unknown semantic', { ...batch('first', read) }],
  ])('%s is a 400', async (_id, body) => {
    expect(await post('evaluations', body)).toMatchObject({ status: 400 });
  });
});

describe('c-4, search', () => {
  const subjects = { subject: { type: 'user' }, action: read, resource: record1 };
  const resources = { subject: alice, action: read, resource: { type: 'record' } };
  const actions = { subject: alice, resource: record1 };

  it.each<[string, string, object, object[]]>([
    ['S1', 'subject', subjects, [alice, bob]],
    ['S2', 'resource', resources, [record1, record2]],
    ['S3', 'action', actions, [read, write]],
    ['S4', 'subject', { ...subjects, action: write, resource: archived }, [bob]],
    ['S4, the other record', 'subject', { ...subjects, action: write }, [alice]],
    ['S5', 'resource', { ...resources, subject: admin, action: write }, [record2]],
    ['S6', 'action', { subject: admin, resource: archived }, [read, write]],
    ['S6, the other record', 'action', { subject: admin, resource: active }, [read]],
    ['an id of the subject that is searched for', 'subject', { ...subjects, subject: alice }, [alice, bob]],
    ['an id of the resource that is searched for', 'resource', { ...resources, resource: record1 }, [record1, record2]],
    ['an action in a search for actions', 'action', { ...actions, action: { name: 1 } }, [read, write]],
    ['scenario-4.6.1-subject-search-unknown-resource', 'subject', { ...subjects, resource: nothing }, []],
    ['scenario-4.6.1-resource-search-unknown-subject', 'resource', { ...resources, subject: nobody }, []],
    ['scenario-4.6.1-action-search-unknown-subject', 'action', { ...actions, subject: nobody }, []],
    ['scenario-4.6.2-subject-search-unknown-type', 'subject', { ...subjects, subject: { type: 'spaceship' } }, []],
    ['scenario-4.6.2-resource-search-unknown-type', 'resource', { ...resources, resource: { type: 'spaceship' } }, []],
    [
      'scenario-4.6.2-action-search-unknown-type',
      'action',
      { ...actions, subject: { type: 'spaceship', id: 'x' } },
      [],
    ],
    ['an unknown action', 'subject', { ...subjects, action: { name: 'launch' } }, []],
    ['a page that is asked for and not needed', 'subject', { ...subjects, page: { limit: 10, foo: 1 } }, [alice, bob]],
  ])('%s', async (_id, kind, body, results) => {
    const answer = await post(`search/${kind}`, body);
    expect(answer).toMatchObject({ status: 200, body: { page: { next_token: '', count: results.length } } });
    expect(answer.body.results).toEqual(results);
    expect(Object.keys(answer.body as object)[0]).toBe('page');
  });

  it('c-4-5: page by page, each once', async () => {
    const first = await post('search/subject', { ...subjects, page: { limit: 1 } });
    expect(first.body).toMatchObject({ results: [alice], page: { next_token: expect.stringMatching(/./) as unknown } });
    const token = first.body.page.next_token;
    for (const page of [{ token }, { token, limit: 1 }]) {
      const second = await post('search/subject', { ...subjects, page });
      expect(second.body).toMatchObject({ results: [bob], page: { next_token: '' } });
    }
  });

  it.each<[string, string, object]>([
    ['c-4-7: no subject', 'subject', without(subjects, 'subject')],
    ['c-4-7: a subject without type', 'subject', { ...subjects, subject: {} }],
    ['c-4-7: no action', 'subject', without(subjects, 'action')],
    ['c-4-7: no resource', 'subject', without(subjects, 'resource')],
    ['c-4-7: a resource without id', 'subject', { ...subjects, resource: { type: 'record' } }],
    ['c-4-7: a subject without id', 'resource', { ...resources, subject: { type: 'user' } }],
    ['c-4-7: no action', 'resource', without(resources, 'action')],
    ['c-4-7: a resource without type', 'resource', { ...resources, resource: {} }],
    ['c-4-7: no subject', 'action', without(actions, 'subject')],
    ['c-4-7: no resource', 'action', without(actions, 'resource')],
    ['c-4-7: a resource without id', 'action', { ...actions, resource: { type: 'record' } }],
    ['own-page-limit-negative', 'subject', { ...subjects, page: { limit: -1 } }],
    ['a limit that is no whole number', 'subject', { ...subjects, page: { limit: 1.5 } }],
    ['own-page-token-garbage', 'subject', { ...subjects, page: { token: 'not-a-token' } }],
  ])('%s (%s) is a 400', async (_id, kind, body) => {
    expect(await post(`search/${kind}`, body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});

it('c-5: the metadata lists every endpoint under the identifier of the service', async () => {
  const { body } = await service.call('GET', '/.well-known/authzen-configuration', { key: null });
  const paths = ['evaluation', 'evaluations', 'search/subject', 'search/resource', 'search/action'];
  const [evaluation, evaluations, subject, resource, action] = paths.map((path) => `${service.url}/access/v1/${path}`);
  expect(body).toMatchObject({
    policy_decision_point: service.url,
    access_evaluation_endpoint: evaluation,
    access_evaluations_endpoint: evaluations,
    search_subject_endpoint: subject,
    search_resource_endpoint: resource,
    search_action_endpoint: action,
  });
});
