import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askingRule, SEND, startAskingCompany, type AskingCompany } from '../support/asking.js';
import type { Cookies } from '../support/browser.js';
import type { Answer } from '../support/service.js';

let company: AskingCompany;
let ann: Cookies;

const asks = askingRule({ by: ['subject'], uses: 1, until: '1h' });
const all = { name: 'all', effect: 'allow', to: ['any'] };

beforeAll(async () => {
  company = await startAskingCompany();
  ann = await company.signIn('ann');
  await company.apply(
    { kind: 'Host', name: 'gate' },
    {
      kind: 'Policy',
      name: 'mail',
      target: { servers: ['mail'], actions: ['*'], resources: ['*'] },
      rules: [all, asks],
    },
    {
      kind: 'Policy',
      name: 'accounts',
      target: { actions: ['*'], resources: [{ type: 'account', id: '*' }] },
      rules: [all, asks],
    },
  );
});
afterAll(() => company.close());

const call = (path: string, body: object, key = company.key): Promise<Answer> =>
  company.service.call('POST', path, { key, body });

/** What Ann is shown of a request. */
async function shownOf(opened: Answer) {
  expect(opened.status, JSON.stringify(opened.body)).toBe(201);
  const found = await company.as(ann, 'GET', `/api/v1/me/requests/${opened.body.task.id}`);
  return found.body.shown;
}

async function pageOf(opened: Answer): Promise<string> {
  const page = await ann.fetch(`${company.service.url}/t/default/requests/${opened.body.task.id}`);
  expect(page.status).toBe(200);
  return page.text();
}

const textsOf = (values: { place: string; text: string }[] = []): string[] =>
  values.map(({ place, text }) => `${place} = ${text}`);

describe('whoever is asked by the members of AuthZEN', () => {
  const transfer = (amount: number, approval?: string) => ({
    subject: { type: 'user', id: 'company/ann' },
    action: { name: 'transfer', properties: { to: 'eve' } },
    resource: { type: 'account', id: '1', properties: { amount, secret: 'x' } },
    context: { purpose: { of: 'rent' }, ...(approval === undefined ? {} : { approval: { id: approval } }) },
  });
  const request = async (amount: number, key: string): Promise<Answer> => {
    const { body } = await call('/access/v1/evaluation', transfer(amount), key);
    return call(
      '/access/v1/requests',
      { denial: { evaluation_id: body.context.evaluation_id }, ...transfer(amount) },
      key,
    );
  };

  it('is shown all that the agreement is bound to: the attributes of the resource and the action, and the purpose', async () => {
    const key = await company.keyOf('desk', { resourceProperties: ['amount'] });
    const opened = await request(1_000_000, key);
    const shown = await shownOf(opened);
    // What the host may not say of the resource counts for nothing, and nobody agrees to it.
    expect(textsOf(shown.attributes)).toEqual(['resource.amount = 1000000', 'action.to = eve']);
    expect(shown.purpose).toBe('{"of":"rent"}');
    const page = await pageOf(opened);
    for (const text of ['resource.amount', '1000000', 'action.to']) expect(page).toContain(text);
    const id = opened.body.task.id as string;
    expect((await company.answer(ann, id)).body).toEqual({ status: 'approved' });
    const other = await call('/access/v1/evaluation', transfer(1_000_001, id), key);
    expect(other.body).toMatchObject({ decision: false, context: { approval: { state: 'out_of_scope' } } });
    const same = await call('/access/v1/evaluation', transfer(1_000_000, id), key);
    expect(same.body).toMatchObject({ decision: true });
  });
});

describe('whoever is asked for an answer to a server', () => {
  const said = (text: string, approval?: string) => ({
    subject: { type: 'user', id: 'company/ann' },
    server: 'mail',
    direction: 'client_to_server',
    message: { jsonrpc: '2.0', id: 1, result: { action: 'accept', content: { text } } },
    answers: { method: 'elicitation/create', params: { message: 'Who are you?', requestedSchema: {} } },
    ...(approval === undefined ? {} : { approval: { id: approval } }),
  });

  it('is shown the answer, and agrees to that one alone', async () => {
    const { body } = await call('/mcp/v1/decisions', said('ann'));
    expect(body).toMatchObject({ effect: 'ask' });
    const opened = await call('/access/v1/requests', {
      denial: { evaluation_id: body.evaluation_id },
      mcp: said('ann'),
    });
    expect(textsOf((await shownOf(opened)).attributes)).toEqual([
      'result.action = accept',
      'result.content.text = ann',
    ]);
    const id = opened.body.task.id as string;
    expect((await company.answer(ann, id)).body).toEqual({ status: 'approved' });
    const other = await call('/mcp/v1/decisions', said('her password', id));
    expect(other.body).toMatchObject({ effect: 'ask', approval: { state: 'out_of_scope' } });
    expect((await call('/mcp/v1/decisions', said('ann', id))).body).toMatchObject({ effect: 'allow' });
  });
});

describe('whoever is asked for a message that does several things', () => {
  const message = (inputs: readonly string[], approval?: string) => ({
    subject: { type: 'user', id: 'company/ann' },
    server: 'mail',
    direction: 'client_to_server',
    message: {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'send',
        arguments: { to: 'bob' },
        requestState: 's',
        inputResponses: Object.fromEntries(
          inputs.map((text, index) => [`k${index}`, { action: 'accept', content: { text } }]),
        ),
      },
    },
    answers: Object.fromEntries(
      inputs.map((_, index) => [
        `k${index}`,
        { method: 'elicitation/create', params: { message: `question ${index}`, requestedSchema: {} } },
      ]),
    ),
    tool: { definition: SEND },
    ...(approval === undefined ? {} : { approval: { id: approval } }),
  });
  const request = async (inputs: readonly string[]): Promise<Answer> => {
    const { body } = await call('/mcp/v1/decisions', message(inputs));
    expect(body).toMatchObject({ effect: 'ask' });
    return call('/access/v1/requests', { denial: { evaluation_id: body.evaluation_id }, mcp: message(inputs) });
  };

  it('is shown each of them, and agrees to all at once', async () => {
    const opened = await request(['one', 'two']);
    const shown = await shownOf(opened);
    expect(textsOf(shown.arguments)).toEqual(['to = bob']);
    expect(shown.also.map(({ what, attributes }: typeof shown) => [what, ...textsOf(attributes)])).toEqual([
      ['elicitation/create:result elicitation form', 'result.action = accept', 'result.content.text = one'],
      ['elicitation/create:result elicitation form', 'result.action = accept', 'result.content.text = two'],
    ]);
    const page = await pageOf(opened);
    for (const text of ['bob', 'question 0', 'one', 'question 1', 'two']) expect(page).toContain(text);
    const id = opened.body.task.id as string;
    expect((await company.answer(ann, id)).body).toEqual({ status: 'approved' });
    expect((await call('/mcp/v1/decisions', message(['one', 'three'], id))).body).toMatchObject({ effect: 'ask' });
    expect((await call('/mcp/v1/decisions', message(['one', 'two'], id))).body).toMatchObject({ effect: 'allow' });
    expect((await call('/mcp/v1/decisions', message(['one', 'two'], id))).body).toMatchObject({ effect: 'ask' });
  });

  it('is asked for nothing whose name nobody can write down', async () => {
    const refused = await company.request({ session: 'a\0b' });
    expect([refused.status, refused.body.code]).toEqual([400, 'not_requestable']);
  });

  it('is not asked for more than can be read', async () => {
    const refused = await request(Array.from({ length: 10 }, (_, index) => `answer ${index}`));
    expect([refused.status, refused.body.code]).toEqual([400, 'not_requestable']);
    expect(refused.body.detail).toContain('11 things at once');
  });
});

describe('a call with many questions that ask', () => {
  it('is answered, whatever was agreed to of them', async () => {
    const asked = (id: string) => ({ resource: { type: 'account', id } });
    const ids = Array.from({ length: 120 }, (_, index) => `many-${index}`);
    const body = {
      subject: { type: 'user', id: 'company/ann' },
      action: { name: 'look' },
      evaluations: ids.map(asked),
    };
    const first = await call('/access/v1/evaluations', body);
    expect(first.status, JSON.stringify(first.body)).toBe(200);
    expect(first.body.evaluations.map(({ decision }: { decision: boolean }) => decision)).toEqual(ids.map(() => false));
  });
});

describe('a host that waits for people', () => {
  it('is told where it stands when the process stops', async () => {
    const replica = await company.service.replica();
    const opened = await company.request({ arguments: { to: 'somebody' } });
    const path = `/access/v1/requests/${opened.body.task.id}?wait=30`;
    const waiting = company.service.call('GET', path, { key: company.key, url: replica.url });
    await sleep(300);
    const from = performance.now();
    await replica.stop();
    expect((await waiting).body.task.status).toBe('pending');
    expect(performance.now() - from).toBeLessThan(3000);
  });
});

describe('two hosts that ask for the same', () => {
  it('have a request each, which the other does not see', async () => {
    const gate = await company.keyOf('gate', { agents: ['desk'] });
    const own = await company.request({ arguments: { to: 'max' } });
    const through = await company.request({ arguments: { to: 'max' }, key: gate, agent: 'desk' });
    expect([own.status, through.status], JSON.stringify(through.body)).toEqual([201, 201]);
    expect(own.body.task.id).not.toBe(through.body.task.id);
    const again = await company.request({ arguments: { to: 'max' } });
    expect(again.body.task.id).toBe(own.body.task.id);
    const seen = await company.service.call('GET', `/access/v1/requests/${own.body.task.id}`, { key: gate });
    expect(seen.status).toBe(404);
  });
});
