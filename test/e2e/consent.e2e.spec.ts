import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Cookies } from '../support/browser.js';
import { startCompany, type Company } from '../support/signed-in.js';
import type { Answer } from '../support/service.js';

let company: Company;
let key: string;
let ann: Cookies;
let revision = 0;

const DEFINITION = { name: 'send', description: 'Sends a mail', inputSchema: { type: 'object' } };

const policy = (...rules: object[]) => ({
  kind: 'Policy',
  name: 'mail',
  target: { servers: ['mail'], actions: ['tools/call'], resources: ['*'] },
  rules: [{ name: 'all', effect: 'allow', to: ['any'] }, ...rules],
});

const asking = (name: string, consent: object, when?: string) => ({
  name,
  effect: 'ask',
  to: ['any'],
  ...(when === undefined ? {} : { when }),
  consent,
});

beforeAll(async () => {
  company = await startCompany();
  await company.apply(
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Host', name: 'desk', title: 'Desk' },
    { kind: 'Server', name: 'mail', title: 'Mail' },
    { kind: 'Role', name: 'lead' },
    { kind: 'Binding', name: 'leads', subjects: ['user:company/bob'], roles: ['lead'] },
  );
  const made = await company.service.call('POST', '/api/v1/keys', {
    body: { host: 'desk', rights: { subjects: ['*'] } },
  });
  key = made.body.key as string;
  ann = await company.signIn('ann');
});
afterAll(() => company.close());

beforeEach(async () => {
  // What was agreed to before is agreed to no more: the block has another digest.
  await company.apply(policy(asking('consent', { by: ['subject'], uses: 1 + revision++ })));
});

const call = (method: string, path: string, body?: unknown, more: object = {}) =>
  company.service.call(method, path, { key, ...(body === undefined ? {} : { body }), ...more });

interface Asked {
  readonly arguments?: object;
  readonly approval?: string;
  readonly subject?: string;
  readonly session?: string;
  readonly tool?: object;
}

const message = ({
  arguments: given = { to: 'eve' },
  approval,
  subject = 'company/ann',
  session,
  tool,
}: Asked = {}) => ({
  subject: { type: 'user', id: subject },
  server: 'mail',
  direction: 'client_to_server',
  message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'send', arguments: given } },
  tool: tool ?? { definition: DEFINITION },
  ...(approval === undefined ? {} : { approval: { id: approval } }),
  ...(session === undefined ? {} : { session: { id: session } }),
});

const decide = async (asked: Asked = {}): Promise<Answer['body']> => {
  const answer = await call('POST', '/mcp/v1/decisions', message(asked));
  expect(answer.status).toBe(200);
  return answer.body;
};

/** Asks people for what a decision asks. */
async function request(asked: Asked = {}, headers: Record<string, string> = {}): Promise<Answer> {
  const { evaluation_id } = await decide(asked);
  return call('POST', '/access/v1/requests', { denial: { evaluation_id }, mcp: message(asked) }, { headers });
}

/** A person's call with the cookie of their session, from a page of ours. */
const as = (who: Cookies, method: string, path: string, body?: unknown) =>
  who.fetch(company.service.url + path, {
    method,
    headers: {
      'Placet-Request': '1',
      'Sec-Fetch-Site': 'same-origin',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

async function answer(who: Cookies, id: string, given: object = {}, route = 'me/requests'): Promise<Answer['body']> {
  const found = await as(who, 'GET', `/api/v1/${route}/${id}`);
  const { shown_digest: shown } = (await found.json()) as { shown_digest: string };
  const answered = await as(who, 'POST', `/api/v1/${route}/${id}/answer`, { answer: 'agree', shown, ...given });
  return { status: answered.status, body: await answered.json() };
}

const status = async (id: string) => (await call('GET', `/access/v1/requests/${id}`)).body;

describe('an ask', () => {
  it('is answered by the person, lets the call through once, and is asked again', async () => {
    const before = await decide();
    expect(before).toMatchObject({ effect: 'ask', reason: { code: 'consent_required' } });
    expect(before.ask.access_request.endpoint).toBe(`${company.service.url}/access/v1/requests`);

    const opened = await request();
    expect(opened.status).toBe(201);
    const { task, elicitation } = opened.body;
    expect(task).toMatchObject({ status: 'pending', links: { cancel: expect.stringContaining('/cancel') as string } });
    expect(elicitation).toMatchObject({
      mode: 'url',
      url: task.links.review,
      message: 'Desk wants to use the tool send of Mail',
    });
    expect(await decide({ approval: task.id })).toMatchObject({
      effect: 'ask',
      approval: { state: 'pending', next_action: 'retry', reason: 'grant_pending' },
    });

    expect(await answer(ann, task.id)).toEqual({ status: 200, body: { status: 'approved' } });
    const after = await status(task.id);
    expect(after).toMatchObject({
      task: { status: 'approved' },
      result: { mode: 'reevaluate', approval: { id: task.id } },
    });

    // Who does not name the approval takes no use, and gets none.
    expect(await decide()).toMatchObject({ effect: 'ask' });
    const allowed = await decide({ approval: task.id });
    expect(allowed).toMatchObject({ effect: 'allow', reason: { code: 'allowed_by_consent' } });
    expect(await decide({ approval: task.id })).toMatchObject({
      effect: 'ask',
      approval: { state: 'used', used_by: allowed.evaluation_id, next_action: 'request', reason: 'consent_used' },
    });
  });
});
