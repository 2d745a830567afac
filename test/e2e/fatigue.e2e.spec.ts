import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NamedSecrets } from '#config';
import { SESSION_COOKIE } from '#identity';
import { allowedHost } from '#outgoing';
import type { Cookies } from '../support/browser.js';
import { startReceiver, type Receiver } from '../support/receiver.js';
import type { Answer } from '../support/service.js';
import { COMPANY_SECRET, startCompany, type Company } from '../support/signed-in.js';

const KEY = Buffer.alloc(32, 3);
const PLENTY = { subjectPerHour: 10_000, hostPerHour: 100_000, refusalsPerDay: 100 };

let company: Company;
let receiver: Receiver;
let key: string;
let ann: Cookies;
let bob: Cookies;
let made = 0;

const tenant = (budgets?: object, events?: readonly string[]) => ({
  kind: 'Tenant',
  name: 'default',
  defaults: { effect: 'deny', hostScope: {} },
  ...(budgets ? { consents: { budgets } } : {}),
  ...(events ? { notifications: { webhooks: [{ url: `${receiver.url}/hook`, secret: 'hook', events }] } } : {}),
});

const policy = (...rules: object[]) => ({
  kind: 'Policy',
  name: 'mail',
  target: { servers: ['mail'], actions: ['tools/call'], resources: ['*'] },
  rules: [{ name: 'all', effect: 'allow', to: ['any'] }, ...rules],
});
const asks = (consent: object = { by: ['subject'], until: '1h' }) =>
  policy({ name: 'gate', effect: 'ask', to: ['any'], consent });

beforeAll(async () => {
  receiver = await startReceiver();
  company = await startCompany({
    webhookHosts: [allowedHost(receiver.host)!],
    privateWebhooks: 'loopback',
    notifyEveryMs: 20,
    secrets: NamedSecrets.read({
      PLACET_SECRET_DEFAULT__COMPANY: COMPANY_SECRET,
      PLACET_SECRET_DEFAULT__HOOK: `whsec_${KEY.toString('base64')}`,
    }),
  });
  company.service.secrets.add(KEY.toString('base64'));
  await company.apply(
    tenant(),
    { kind: 'Host', name: 'desk' },
    { kind: 'Host', name: 'laptop' },
    { kind: 'Server', name: 'mail', tools: { send: { operation: 'create' }, list: { operation: 'read' } } },
  );
  key = await keyOf('desk');
  ann = await company.signIn('ann');
  bob = await company.signIn('bob');
});
afterAll(async () => {
  await company.close();
  await receiver.close();
});
beforeEach(async () => {
  await company.apply(tenant(PLENTY), asks());
  receiver.received.splice(0);
  const superuser = await company.service.database.connect('superuser');
  await superuser.query(
    'truncate placet.notification, placet.consent_event, placet.consent_use, placet.consent, placet.consent_answer, placet.consent_request cascade',
  );
  await superuser.end();
});

const keyOf = async (host: string): Promise<string> =>
  (await company.service.call('POST', '/api/v1/keys', { body: { host, rights: { subjects: ['*'] } } })).body
    .key as string;

interface Asked {
  readonly to?: string;
  readonly subject?: string;
  readonly tool?: string;
  readonly by?: string;
}

const message = ({ to = 'eve', subject = 'ann', tool = 'send' }: Asked) => ({
  subject: { type: 'user', id: `company/${subject}` },
  server: 'mail',
  direction: 'client_to_server',
  message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: { to } } },
  tool: { definition: { name: tool, inputSchema: { type: 'object' } } },
});

const decide = async (asked: Asked): Promise<Answer['body']> =>
  (await company.service.call('POST', '/mcp/v1/decisions', { key: asked.by ?? key, body: message(asked) })).body;

/** Asks people for what a decision asks: each time something else, unless it is said what. */
async function request(asked: Asked = {}): Promise<Answer> {
  const whole = { to: `somebody-${++made}`, ...asked };
  const { evaluation_id } = await decide(whole);
  const body = { denial: { evaluation_id }, mcp: message(whole) };
  return company.service.call('POST', '/access/v1/requests', { key: asked.by ?? key, body });
}

const as = async (
  who: Cookies,
  method: string,
  path: string,
  body?: unknown,
  url = company.service.url,
): Promise<Answer['body']> =>
  (
    await who.fetch(url + path, {
      method,
      headers: { 'Placet-Request': '1', 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  ).json();

async function answer(
  who: Cookies,
  id: string,
  given: object,
  waitMs = 0,
  route = 'me/requests',
): Promise<Answer['body']> {
  const { shown_digest: shown } = await as(who, 'GET', `/api/v1/${route}/${id}`);
  await sleep(waitMs);
  return as(who, 'POST', `/api/v1/${route}/${id}/answer`, { answer: 'agree', shown, ...given });
}

async function metric(name: string, url = company.service.url): Promise<Record<string, number>> {
  const { body } = await company.service.call('GET', '/metrics', { key: null, url });
  const lines = [...(body as string).matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))];
  return Object.fromEntries(lines.map(([, labels, value]) => [labels ?? '', Number(value)]));
}
const events = async (budget: string): Promise<unknown[]> => {
  const superuser = await company.service.database.connect('superuser');
  const { rows } = await superuser.query<{ about: Record<string, unknown> }>(
    `select body::jsonb -> 'about' as about from placet.ledger_record
     where body::jsonb -> 'about' ->> 'event' = 'prompt_budget' and body::jsonb -> 'about' ->> 'budget' = $1`,
    [budget],
  );
  await superuser.end();
  return rows.map(({ about }) => about);
};
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await what()); await sleep(20))
    if (Date.now() > end) throw new Error('not within 10 s');
}

describe('who is asked too often', () => {
  it('is asked no more than the Tenant document lets: a hundred asks of one agent in an hour are thirty', async () => {
    await company.apply(tenant({ ...PLENTY, subjectPerHour: 1000, hostPerHour: 30 }));
    const before = await metric('placet_consent_requests_total');
    const statuses: Record<string, number> = {};
    for (let each = 0; each < 100; each++) {
      const { status, body } = await request({ subject: `somebody-${each}` });
      const what = status === 201 ? 'opened' : `${status} ${body.type} ${body.budget}`;
      statuses[what] = (statuses[what] ?? 0) + 1;
    }
    expect(Object.keys(statuses).sort()).toEqual([expect.stringMatching(/prompt_budget host$/), 'opened']);
    expect(Object.values(statuses).sort()).toEqual([30, 70]);
    const after = await metric('placet_consent_requests_total');
    const grown = (outcome: string) => after[`outcome="${outcome}"`]! - (before[`outcome="${outcome}"`] ?? 0);
    expect([grown('opened'), grown('budget')]).toEqual([30, 70]);
    await until(async () => (await events('host')).length > 0);
    // Counted: the first at once, the others with one record a minute.
    expect(await events('host')).toEqual([
      expect.objectContaining({ host: 'desk', agent: 'desk', budget: 'host', count: 1 }),
    ]);
    // Another host is asked for as before.
    expect((await request({ by: await keyOf('laptop') })).status).toBe(201);
  });

  it('as a person is left alone, and others are not', async () => {
    await company.apply(tenant({ ...PLENTY, subjectPerHour: 3 }));
    for (let each = 0; each < 3; each++) expect((await request()).status).toBe(201);
    expect(await request()).toMatchObject({ status: 429, body: { budget: 'subject' } });
    expect((await request({ subject: 'bob' })).status).toBe(201);
    // What is open is joined, and asks nobody anew.
    expect((await request({ to: `somebody-${made - 4}` })).status).toBe(201);
    await until(async () => (await events('subject')).length > 0);
  });

  it('after refusing is not asked the same again that day', async () => {
    await company.apply(tenant({ ...PLENTY, refusalsPerDay: 2 }));
    for (let each = 0; each < 2; each++) {
      const opened = await request({ to: 'eve' });
      expect(await answer(ann, opened.body.task.id as string, { answer: 'refuse' })).toEqual({ status: 'denied' });
    }
    expect(await request({ to: 'eve' })).toMatchObject({ status: 429, body: { budget: 'refused' } });
    expect((await request({ to: 'adam' })).status).toBe(201);
    await until(async () => (await events('refused')).length > 0);
  });

  it('has the budgets of the documentation where nothing is said', async () => {
    await company.apply(tenant());
    for (let each = 0; each < 60; each++) expect((await request()).status).toBe(201);
    expect(await request()).toMatchObject({ status: 429, body: { budget: 'subject' } });
  });

  it.each([{ subjectPerHour: 0 }, { hostPerHour: 1e9 }, { refusalsPerDay: 1.5 }, { perDay: 3 }])(
    'cannot be set to %j',
    async (budgets) => {
      await expect(company.apply(tenant(budgets))).rejects.toThrow('budgets');
    },
  );
});

describe('the metrics', () => {
  it('tell answers that were given without reading, what people choose, and how long they take', async () => {
    const grown = async (name: string, before: Record<string, number>) => {
      const after = await metric(name);
      return Object.fromEntries(
        Object.entries(after).flatMap(([labels, value]) =>
          value > (before[labels] ?? 0) ? [[labels, value - (before[labels] ?? 0)]] : [],
        ),
      );
    };
    const names = [
      'placet_consent_answers_total',
      'placet_consent_choices_total',
      'placet_consent_answer_seconds_count',
    ];
    const before = await Promise.all(names.map((name) => metric(name)));
    const ids: string[] = [];
    for (let each = 0; each < 3; each++) ids.push((await request()).body.task.id as string);
    await answer(ann, ids[0]!, { choice: { for: 'until', seconds: 60 } });
    await answer(ann, ids[1]!, {}, 2100);
    const { shown_digest: shown } = await as(ann, 'GET', `/api/v1/me/requests/${ids[2]}`);
    // A replica that has not shown it cannot know.
    const replica = await company.service.replica();
    ann.put(replica.url, SESSION_COOKIE, ann.get(company.service.url, SESSION_COOKIE)!);
    const path = `/api/v1/me/requests/${ids[2]}/answer`;
    expect(await as(ann, 'POST', path, { answer: 'refuse', shown }, replica.url)).toEqual({ status: 'denied' });
    expect(await metric('placet_consent_answers_total', replica.url)).toEqual({
      'answer="refused",broke_glass="false",looked="unknown"': 1,
    });
    await replica.stop();
    const [answers, choices, times] = await Promise.all(names.map((name, index) => grown(name, before[index]!)));
    expect(answers).toEqual({
      'answer="agreed",broke_glass="false",looked="under_2s"': 1,
      'answer="agreed",broke_glass="false",looked="2s_or_more"': 1,
    });
    expect(choices).toEqual({ 'for="until"': 1, 'for="uses"': 1 });
    expect(times).toEqual({ '': 2 });
  });
});

describe('webhooks', () => {
  it('are told what is asked and answered, signed, with the page where it is looked at', async () => {
    await company.apply(tenant(PLENTY, ['requested', 'answered', 'cancelled']));
    const opened = await request({ to: 'a-value-of-an-argument' });
    const id = opened.body.task.id as string;
    await answer(ann, id, {});
    const other = (await request()).body.task.id as string;
    await company.service.call('POST', `/access/v1/requests/${other}/cancel`, { key });
    await until(() => receiver.received.length === 4);
    const told = receiver.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(
      told.map(({ event, request: of, status }) => `${String(of)} ${String(event)} ${String(status)}`).sort(),
    ).toEqual(
      [
        `${id} consent.requested undefined`,
        `${id} consent.answered approved`,
        `${other} consent.requested undefined`,
        `${other} consent.cancelled undefined`,
      ].sort(),
    );
    expect(told[0]).toMatchObject({
      tenant: 'default',
      agent: 'desk',
      server: 'mail',
      resource: { type: 'tool', id: 'send' },
    });
    expect(told[0]!.review).toMatch(new RegExp(`^http://127.0.0.1:\\d+/t/default/requests/${id}$`));
    for (const { headers, body } of receiver.received) {
      expect(body).not.toContain('a-value-of-an-argument');
      const signed = `${headers['webhook-id'] as string}.${headers['webhook-timestamp'] as string}.${body}`;
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', KEY).update(signed).digest('base64')}`);
    }
    // It is counted once it was written down, which is after the receiver has it.
    await expect
      .poll(async () => (await metric('placet_webhook_deliveries_total'))['outcome="delivered"'])
      .toBeGreaterThanOrEqual(4);
  });

  it.each([
    ['publisher', /notifications of the Tenant document/],
    ['policy-author', /no role/],
    ['registrar', /no role/],
  ])('are not changed by a %s', async (role, says) => {
    const made = await company.service.call('POST', '/api/v1/keys', {
      body: { administrator: `a-${role}`, rights: { roles: [role] } },
    });
    const body = tenant(PLENTY, ['requested']);
    const applied = await company.service.call('POST', '/api/v1/documents/apply', {
      key: made.body.key as string,
      body: { files: [{ path: 't.yaml', text: JSON.stringify(body) }] },
    });
    expect(applied).toMatchObject({ status: 403, body: { detail: expect.stringMatching(says) as string } });
  });
});

describe('a suggestion', () => {
  const suggestions = async () =>
    (await company.service.call('GET', '/api/v1/consents/suggestions')).body.items as { document: string }[];

  it('is a policy that would have asked nothing that was agreed to, and everything else', async () => {
    for (let each = 0; each < 9; each++) await answer(ann, (await request()).body.task.id as string, {});
    expect(await suggestions()).toEqual([]);
    await answer(bob, (await request({ subject: 'bob', tool: 'list' })).body.task.id as string, {});
    const [suggestion, ...others] = await suggestions();
    expect(others).toEqual([]);
    expect(suggestion).toMatchObject({ policy: 'mail', rule: 'gate', days: 30, answers: 10, agreed: 10, needless: 10 });

    expect(await decide({})).toMatchObject({ effect: 'ask' });
    const apply = await company.service.call('POST', '/api/v1/documents/apply', {
      body: { files: [{ path: 'p.yaml', text: suggestion!.document }] },
    });
    expect(apply.status).toBe(200);
    const laptop = await keyOf('laptop');
    const effects: [Asked, string][] = [
      [{ to: 'somebody-new' }, 'allow'],
      [{ subject: 'bob', tool: 'list' }, 'allow'],
      [{ subject: 'bob' }, 'ask'],
      [{ tool: 'list' }, 'ask'],
      [{ subject: 'cy' }, 'ask'],
      [{ by: laptop }, 'ask'],
    ];
    for (const [asked, effect] of effects) {
      expect((await decide(asked)).effect, JSON.stringify(asked)).toBe(effect);
    }
    // What was agreed to before is about this block still; nothing is left to be suggested.
    const again = await suggestions();
    expect(again.length).toBeLessThanOrEqual(1);
  });

  it('is not made where one in twenty refuses', async () => {
    for (let each = 0; each < 11; each++) {
      await answer(ann, (await request()).body.task.id as string, each === 0 ? { answer: 'refuse' } : {});
    }
    expect(await suggestions()).toEqual([]);
  });

  it.each<[string, object]>([
    ['has an emergency in it', { by: ['subject'], breakGlass: ['user:company/bob'] }],
    ['lets nobody agree for themselves', { by: ['user:company/bob'], notSelf: true }],
  ])('is not made of a rule that %s', async (_, consent) => {
    await company.apply(asks(consent));
    const [who, route] = 'notSelf' in consent ? [bob, 'approvals'] : [ann, 'me/requests'];
    for (let each = 0; each < 10; each++) {
      const { id } = (await request()).body.task as { id: string };
      expect(await answer(who, id, {}, 0, route)).toEqual({ status: 'approved' });
    }
    expect(await suggestions()).toEqual([]);
  });

  it('is not made of a rule that asks otherwise by now, or asks no more', async () => {
    for (let each = 0; each < 10; each++) await answer(ann, (await request()).body.task.id as string, {});
    expect(await suggestions()).toHaveLength(1);
    await company.apply(asks({ by: ['subject', 'user:company/bob'], until: '1h' }));
    expect(await suggestions()).toEqual([]);
    await company.apply(policy());
    expect(await suggestions()).toEqual([]);
  });

  it('rests on answers of the last thirty days', async () => {
    for (let each = 0; each < 10; each++) await answer(ann, (await request()).body.task.id as string, {});
    const superuser = await company.service.database.connect('superuser');
    await superuser.query(
      `update placet.consent_answer set at = now() - interval '31 days' where request = (select max(request) from placet.consent_answer)`,
    );
    await superuser.end();
    expect(await suggestions()).toEqual([]);
  });

  it('is nothing for those who may not read the policy', async () => {
    const made = await company.service.call('POST', '/api/v1/keys', {
      body: { administrator: 'nobody', rights: { roles: ['user'] } },
    });
    const answered = await company.service.call('GET', '/api/v1/consents/suggestions', {
      key: made.body.key as string,
    });
    expect(answered.status).toBe(403);
  });
});
