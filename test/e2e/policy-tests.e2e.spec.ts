import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;

const POLICY = `
kind: Policy
name: crm
target: { servers: [crm], actions: [tools/call], resources: ['*'] }
rules:
  - { name: people, effect: allow, to: [any] }
  - { name: not-yet, effect: deny, to: ['user:eve'] }
`;
const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: crm }
---
${POLICY}
---
kind: Test
name: people
defaults: { host: desk, server: crm, tool: query }
cases:
  - name: ann looks things up
    request: { subject: { id: ann, properties: { groups: [] } } }
    expect: { effect: allow, rule: crm/people }
  - name: so does bob
    request: { subject: { id: bob, properties: { groups: [] } } }
    expect: { effect: allow }
`;
const NOBODY = POLICY.replace('effect: allow, to: [any]', "effect: allow, to: ['user:bob']");

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
});
afterAll(() => service.close());

const send = (way: 'apply' | 'validate', text: string, more: object = {}): Promise<Answer> =>
  service.call('POST', `/api/v1/documents/${way}`, { body: { files: [{ path: 'crm.yaml', text }], ...more } });
const YAML = { 'Content-Type': 'application/yaml' };

const REPORT = {
  documents: 1,
  cases: 2,
  coverage: {
    rules: 2,
    covered: 1,
    percent: 50,
    uncovered: [{ rule: 'crm/not-yet', evaluated: false }],
    shadow: { rules: 0, covered: 0 },
  },
};
/** The case that stands in what was sent has a place there. */
const failure = (place: object = {}) => ({
  status: 422,
  body: {
    code: 'documents_invalid',
    detail:
      "the case 'ann looks things up' of the Test 'people' fails: expected allow by crm/people, got deny (no_rule_allows)",
    errors: [
      {
        code: 'test_failed',
        message: 'expected allow by crm/people, got deny (no_rule_allows)',
        document: { kind: 'Test', name: 'people' },
        case: 'ann looks things up',
        path: 'cases.0',
        expected: { effect: 'allow', rule: 'crm/people' },
        got: { effect: 'deny', reason: 'no_rule_allows', detail: null, rules: [], obligations: [] },
        hint: null,
        ...place,
      },
    ],
  },
});

describe('the tests of a tenant', () => {
  it('are reported by validate and by apply, also where nothing changes, and by every other change', async () => {
    expect((await send('validate', DOCUMENTS)).body.tests).toEqual(REPORT);
    expect((await send('apply', DOCUMENTS, { dry_run: true })).body.tests).toEqual(REPORT);
    expect((await send('apply', DOCUMENTS)).body.tests).toEqual(REPORT);
    expect((await send('apply', DOCUMENTS)).body).toMatchObject({ tests: REPORT, revision: 2 });
    const put = await service.call('PUT', '/api/v1/documents/Role/clerk', { body: { kind: 'Role', name: 'clerk' } });
    expect(put).toMatchObject({ status: 201, body: { tests: REPORT } });
    const gone = await service.call('DELETE', '/api/v1/documents/Role/clerk', { headers: { 'If-Match': '"1"' } });
    expect(gone).toMatchObject({ status: 200, body: { tests: REPORT } });
  });

  it('refuse every way of making a change under which a case fails, and say which', async () => {
    const before = (await service.call('GET', '/api/v1/documents/Policy/crm')).body;
    expect(await send('validate', NOBODY)).toMatchObject(failure());
    expect(await send('apply', NOBODY)).toMatchObject(failure());
    expect((await send('apply', NOBODY)).body.errors[0].file).toBeUndefined();
    const whole = DOCUMENTS.replace(POLICY, NOBODY);
    expect(await send('apply', whole)).toMatchObject(failure({ file: 'crm.yaml', line: 21, column: 5 }));
    const headers = { ...YAML, 'If-Match': '"1"' };
    expect(await service.call('PUT', '/api/v1/documents/Policy/crm', { body: NOBODY, headers })).toMatchObject(
      failure(),
    );
    const gone = await service.call('DELETE', '/api/v1/documents/Host/desk', { headers: { 'If-Match': '"1"' } });
    expect(gone).toMatchObject({
      status: 422,
      body: { errors: [{ case: 'ann looks things up' }, { case: 'so does bob' }] },
    });
    expect(gone.body.detail).toMatch(/; 2 of 2 cases fail$/);
    const left = await send('apply', DOCUMENTS.split('---\nkind: Test')[0]!.replace(POLICY, ''), { prune: true });
    expect(left.status).toBe(200);
    expect((await service.call('GET', '/api/v1/documents/Policy/crm')).status).toBe(404);
    expect((await send('apply', DOCUMENTS)).status).toBe(200);
    expect((await service.call('GET', '/api/v1/documents/Policy/crm')).body.document).toEqual(before.document);
  });

  it('do not stand in the way of a suspension, nor of the keys', async () => {
    const suspension = '/api/v1/suspensions/Server/crm';
    expect((await service.call('PUT', suspension, { body: {} })).status).toBe(200);
    expect((await send('validate', DOCUMENTS)).body.tests).toEqual(REPORT);
    expect((await service.call('DELETE', suspension)).status).toBe(200);
    const key = await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights: { subjects: ['*'] } } });
    expect(key.status).toBe(201);
  });

  it('let others have their turn, and are shown to authors who can change nothing', async () => {
    const cases = Array.from({ length: 500 }, (_, at) => `  - { name: c${at}, expect: { effect: allow } }\n`).join('');
    const many = `kind: Test\nname: many\ndefaults: { host: desk, server: crm, tool: query, subject: { id: ann } }\ncases:\n${cases}`;
    const { key } = (
      await service.call('POST', '/api/v1/keys', {
        body: { administrator: 'author', rights: { roles: ['policy-author'] } },
      })
    ).body;
    const files = [{ path: 'many.yaml', text: many }];
    const [validated, health] = await Promise.all([
      service.call('POST', '/api/v1/documents/validate', { body: { files }, key }),
      service.call('GET', '/healthz', { key: null }),
    ]);
    expect(validated).toMatchObject({ status: 200, body: { tests: { documents: 2, cases: 502 } } });
    expect(health.status).toBe(200);
    expect((await service.call('POST', '/api/v1/documents/apply', { body: { files }, key })).status).toBe(403);
  });

  it('name mistakes of a Test by file, line and case', async () => {
    const answer = await send('validate', DOCUMENTS.replace('tool: query', 'tools: query'));
    expect(answer.body.errors[0]).toMatchObject({
      code: 'unknown_field',
      path: 'defaults.tools',
      file: 'crm.yaml',
      line: 19,
    });
    const other = await send('validate', DOCUMENTS.replace('effect: allow, rule: crm/people', 'effect: alow'));
    expect(other.body.errors[0]).toMatchObject({ case: 'ann looks things up', line: 23, file: 'crm.yaml' });
  });
});
