import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { startReceiver, type Receiver } from '../../test/support/receiver.js';
import { allowedHost } from '#outgoing';
import { commitChange, ConsentStore, ensureTenant, NotificationQueue, Sweep, type NewConsentRequest } from '#store';
import type { Delivery, DeliveryMeans } from './delivery.js';
import { Notifier, type NotifierOptions } from './notifier.js';

const KEY = Buffer.alloc(32, 7);
const SECRET = `whsec_${KEY.toString('base64')}`;

let database: TestDatabase;
let superuser: Awaited<ReturnType<TestDatabase['connect']>>;
let queue: NotificationQueue;
let consents: ConsentStore;
let receiver: Receiver;
let other: string;
let made = 0;
const failures: unknown[] = [];
const open: Notifier[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  superuser = await database.connect('superuser');
  other = await ensureTenant(database.address, 'other');
  queue = new NotificationQueue(database.store);
  consents = new ConsentStore(database.store);
});
afterAll(async () => {
  await database.close();
  expect(failures).toEqual([]);
});
beforeEach(async () => {
  receiver = await startReceiver();
  await superuser.query('delete from placet.notification');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((notifier) => notifier.close()));
  await receiver.close();
});

type Webhook = { url: string; secret?: string; events?: ('requested' | 'answered' | 'cancelled' | 'revoked')[] };

/** Writes the Tenant document. */
async function hooks(webhooks: readonly Webhook[] | undefined, tenant = database.tenant): Promise<void> {
  const notifications = webhooks && {
    webhooks: webhooks.map((hook) => ({
      secret: 'hook',
      events: ['requested', 'answered', 'cancelled', 'revoked'] as Webhook['events'] & object,
      ...hook,
    })),
  };
  const body = {
    kind: 'Tenant' as const,
    name: 'default',
    defaults: { effect: 'deny' as const },
    ...(notifications ? { notifications } : {}),
  };
  await commitChange(database.store, {
    tenant,
    principal: 'system:test',
    keys: ['*'],
    operations: [{ op: 'put_document', kind: 'Tenant', name: 'default', body }],
  });
}

const asking = (over: Partial<NewConsentRequest> = {}): NewConsentRequest => {
  const id = `cr_${String(++made).padStart(22, '0')}`;
  return {
    id,
    joinKey: made.toString(16).padStart(64, '0'),
    evaluation: 'e',
    credential: 'k',
    host: 'gateway',
    agent: 'desk',
    subject: 'user:ann',
    server: 'mail',
    action: 'tools/call',
    resourceType: 'tool',
    resourceId: 'send',
    session: null,
    content: { requirements: ['of-the-content'] },
    shown: '{"arguments":"a-value-of-an-argument"}',
    idempotencyKey: null,
    bodyDigest: '00',
    openMs: 60_000,
    ...over,
  };
};

const MANY = { subject: 1e6, host: 1e6, refusals: 1e6 };
async function ask(tenant = database.tenant): Promise<string> {
  const opened = await consents.open(tenant, asking(), MANY);
  if (opened.outcome !== 'opened') throw new Error(opened.outcome);
  return opened.id;
}

interface Row {
  readonly id: string;
  readonly event: string;
  readonly attempts: number;
  readonly outcome: string | null;
  readonly over: boolean;
}
const rows = async (): Promise<Row[]> =>
  (
    await superuser.query<Row>(
      'select id, event, attempts, outcome, ended_at is not null as over from placet.notification order by at, id',
    )
  ).rows;

/** Makes everything that waits due now, as if its time had passed. */
const pass = () => superuser.query('update placet.notification set due_at = now() where ended_at is null');

function notifier(over: Partial<NotifierOptions> = {}): { readonly deliveries: Delivery[] } {
  const deliveries: Delivery[] = [];
  const means: DeliveryMeans = {
    hosts: [allowedHost(receiver.host)!],
    privateWebhooks: 'loopback',
    resolve: (_tenant, _name, _how, done) => done(new Error('no such name'), []),
    secretOf: (tenant, name) =>
      tenant === 'default' || tenant === 'other' ? { hook: SECRET, bad: 'x' }[name] : undefined,
    reviewOf: (tenant, request) => `https://placet.example.com/t/${tenant}/requests/${request}`,
    now: () => database.store.clock.now(),
  };
  const one = new Notifier(queue, {
    ...means,
    everyMs: 20,
    events: {
      attempted: (_tenant, _told, delivery) => deliveries.push(delivery),
      queued: () => undefined,
      failed: (error) => failures.push(error),
    },
    ...over,
  });
  one.start();
  open.push(one);
  return { deliveries };
}

async function until(what: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !(await what()); await sleep(20)) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${JSON.stringify(await rows())}`);
  }
}
const isOver = async (): Promise<boolean> => (await rows()).every(({ over }) => over);

describe('an event', () => {
  it('is queued by the transaction that makes it, for those who want it, and by no other', async () => {
    await hooks(undefined);
    await ask();
    expect(await rows()).toEqual([]);
    await hooks([{ url: 'https://a.example/' }, { url: 'https://b.example/', events: ['cancelled'] }]);
    const service = await database.connect();
    await service.query('begin');
    await service.query(`select set_config('placet.tenant', $1, true)`, [database.tenant]);
    const { id } = asking();
    const columns = {
      ...asking(),
      id,
      join_key: 'aa',
      body_digest: '00',
      shown: '{}',
      open_ms: 1000,
      resource_type: 't',
      resource_id: 'r',
    };
    await service.query('select placet.open_consent_request($1, $2, $3)', [
      database.tenant,
      JSON.stringify(columns),
      JSON.stringify(MANY),
    ]);
    const { rows: within } = await service.query('select from placet.notification');
    expect(within).toHaveLength(1);
    await service.query('rollback');
    expect(await rows()).toEqual([]);

    const request = await ask();
    await consents.cancel(database.tenant, request, { host: 'gateway', agent: 'desk' });
    expect((await rows()).map(({ event }) => event).sort()).toEqual(['cancelled', 'cancelled', 'requested']);
  });

  it('cannot be written, changed or taken by the service but through the functions', async () => {
    const service = await database.connect();
    await service.query(`select set_config('placet.tenant', $1, false)`, [database.tenant]);
    for (const statement of [
      `insert into placet.notification (tenant, request, event, url, loud, at) values ('${database.tenant}', 'r', 'requested', 'x', false, now())`,
      `update placet.notification set url = 'https://evil.example'`,
      'delete from placet.notification',
    ]) {
      await expect(service.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('a receiver', () => {
  it('is told what happened, signed, and nothing of the arguments', async () => {
    await hooks([{ url: `${receiver.url}/in?a=b` }]);
    const request = await ask();
    const { deliveries } = notifier();
    await until(async () => (await isOver()) && deliveries.length > 0);
    expect(deliveries).toEqual([{ outcome: 'delivered', detail: '204' }]);
    const [{ path, headers, body }] = receiver.received as [(typeof receiver.received)[number]];
    const [{ id }] = (await rows()) as [Row];
    expect(path).toBe('/in?a=b');
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': id });
    const timestamp = headers['webhook-timestamp'] as string;
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(5);
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', KEY).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
    );
    expect(JSON.parse(body)).toEqual({
      id,
      event: 'consent.requested',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      tenant: 'default',
      request,
      loud: false,
      subject: 'user:ann',
      agent: 'desk',
      server: 'mail',
      action: 'tools/call',
      resource: { type: 'tool', id: 'send' },
      review: `https://placet.example.com/t/default/requests/${request}`,
    });
  });

  it('is told loudly where somebody broke the glass', async () => {
    await hooks([{ url: receiver.url, events: ['answered'] }]);
    const request = await ask();
    for (const about of [{ status: 'pending' }, { status: 'approved', broke_glass: 'the house is on fire' }]) {
      await superuser.query('select placet.note_consent($1, $2, $3, $4, $5)', [
        database.tenant,
        request,
        'answered',
        'user:bob',
        JSON.stringify(about),
      ]);
    }
    notifier();
    await until(isOver);
    const told = receiver.received.map(({ body }) => JSON.parse(body) as { loud: boolean; status: string });
    expect(told.map(({ loud, status }) => `${status} ${loud}`).sort()).toEqual(['approved true', 'pending false']);
    expect(receiver.received.map(({ body }) => body).join()).not.toContain('fire');
  });

  it('is told once, however many replicas there are, while nothing fails', async () => {
    await hooks([{ url: receiver.url }]);
    for (let each = 0; each < 60; each++) await ask();
    for (let each = 0; each < 3; each++) notifier();
    await until(isOver);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(60);
    expect(receiver.received).toHaveLength(60);
  });

  it('that answers 500 is told again, under the same id, later each time', async () => {
    receiver.answer = (_, response) => response.writeHead(receiver.received.length < 3 ? 500 : 200).end();
    await hooks([{ url: receiver.url }]);
    await ask();
    const { deliveries } = notifier();
    for (const attempts of [1, 2]) {
      await until(() => deliveries.length === attempts);
      const { rows: waits } = await superuser.query<{ ms: number }>(
        'select (extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as ms from placet.notification',
      );
      expect(waits[0]!.ms).toBeGreaterThan(2000 * attempts);
      expect(waits[0]!.ms).toBeLessThan(5000 * attempts);
      expect(await rows()).toMatchObject([{ attempts, outcome: 'refused', over: false }]);
      await pass();
    }
    await until(isOver);
    expect(await rows()).toMatchObject([{ attempts: 3, outcome: 'delivered' }]);
    expect(
      new Set(receiver.received.map(({ headers, body }) => `${headers['webhook-id'] as string} ${body}`)).size,
    ).toBe(1);
  });

  it('that redirects is not followed', async () => {
    const elsewhere = await startReceiver();
    receiver.answer = (_, response) => response.writeHead(307, { Location: elsewhere.url }).end();
    await hooks([{ url: receiver.url }]);
    await ask();
    const { deliveries } = notifier({ hosts: [receiver.host, elsewhere.host].map((host) => allowedHost(host)!) });
    await until(() => deliveries.length === 1);
    expect(deliveries[0]).toMatchObject({ outcome: 'redirect' });
    expect(elsewhere.connections()).toBe(0);
    await elsewhere.close();
  });

  it('that hangs is waited for five seconds, and holds up no other tenant', { timeout: 20_000 }, async () => {
    receiver.answer = () => undefined;
    const quick = await startReceiver();
    await hooks([{ url: receiver.url }]);
    await hooks([{ url: quick.url }], other);
    for (let each = 0; each < 25; each++) await ask();
    const began = performance.now();
    const { deliveries } = notifier({ hosts: [receiver.host, quick.host].map((host) => allowedHost(host)!) });
    await until(() => receiver.received.length >= 10);
    await ask(other);
    await until(() => quick.received.length === 1, 3000);
    await until(() => deliveries.some(({ outcome }) => outcome === 'unreachable'));
    expect(performance.now() - began).toBeGreaterThan(4900);
    expect(performance.now() - began).toBeLessThan(8000);
    await quick.close();
    await hooks(undefined, other);
  });

  it.each<[string, string, Partial<NotifierOptions>, string]>([
    ['is not allowed', 'URL', { hosts: [] }, 'host_not_allowed'],
    ['is on this machine', 'URL', { privateWebhooks: 'off' }, 'unreachable'],
    ['is on this machine by https', 'https://HOST/', { privateWebhooks: 'off' }, 'unreachable'],
    ['is a private address', 'https://10.0.0.1/', { hosts: [allowedHost('10.0.0.1')!] }, 'unreachable'],
    [
      'is where clouds tell secrets',
      'https://169.254.169.254/',
      { hosts: [allowedHost('169.254.169.254')!], privateWebhooks: 'on' },
      'unreachable',
    ],
    [
      'has a name of a private address',
      'https://hooks.example.com:PORT/',
      { resolve: (_tenant, _name, _how, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) },
      'unreachable',
    ],
    ['has no secret', 'URL', { secretOf: () => undefined }, 'no_secret'],
    ['has a secret that is none', 'URL', { secretOf: () => 'not-a-secret-of-webhooks' }, 'no_secret'],
  ])('that %s is told nothing', async (_, url, over, outcome) => {
    const port = receiver.host.split(':')[1]!;
    await hooks([{ url: url.replace('URL', receiver.url).replace('HOST', receiver.host).replace('PORT', port) }]);
    await ask();
    const hosts = [receiver.host, `hooks.example.com:${port}`].map((host) => allowedHost(host)!);
    const { deliveries } = notifier({ hosts, ...over });
    await until(() => deliveries.length === 1);
    expect(deliveries[0]!.outcome).toBe(outcome);
    expect(await rows()).toMatchObject([{ outcome, over: false, attempts: 1 }]);
    expect(receiver.connections()).toBe(0);
  });

  it('that the tenant does not name any more is told nothing, and given up', async () => {
    await hooks([{ url: receiver.url }]);
    await ask();
    await hooks([{ url: 'https://a.example/' }]);
    notifier();
    await until(isOver);
    expect(await rows()).toMatchObject([{ outcome: 'gone' }]);
    expect(receiver.connections()).toBe(0);
  });

  it('of a suspended tenant is told nothing until it is resumed', async () => {
    await hooks([{ url: receiver.url }]);
    await ask();
    await superuser.query(`update placet.tenant set suspended_at = now() where id = $1`, [database.tenant]);
    notifier();
    await sleep(300);
    expect(receiver.connections()).toBe(0);
    await superuser.query(`update placet.tenant set suspended_at = null where id = $1`, [database.tenant]);
    await until(isOver);
    expect(receiver.received).toHaveLength(1);
  });
});

describe('what cannot be delivered', () => {
  const aged = (hours: number) =>
    superuser.query(`update placet.notification set at = now() - $1::interval`, [`${hours} hours`]);
  const givenUp = async () =>
    (
      await superuser.query<{ about: Record<string, unknown> }>(
        `select body::jsonb -> 'about' as about from placet.ledger_record where body::jsonb -> 'about' ->> 'event' = 'notification_given_up'`,
      )
    ).rows.map(({ about }) => about);

  it('is given up after a day, and recorded without what may be secret in its URL', async () => {
    const before = (await givenUp()).length;
    receiver.answer = (_, response) => response.writeHead(503).end();
    await hooks([{ url: `${receiver.url}/token-in-the-path` }]);
    const request = await ask();
    await aged(23);
    const { deliveries } = notifier();
    await until(() => deliveries.length === 1);
    expect(await rows()).toMatchObject([{ over: false }]);
    await aged(24);
    await pass();
    await until(isOver);
    expect(await rows()).toMatchObject([{ outcome: 'refused', attempts: 2 }]);
    const recorded = (await givenUp()).slice(before);
    expect(recorded).toMatchObject([{ request, of: 'requested', host: receiver.host, attempts: 2, why: 'refused' }]);
    expect(JSON.stringify(recorded)).not.toContain('token-in-the-path');
  });

  it('is not taken by two at once, and due again once whoever took it has been away for too long', async () => {
    await hooks([{ url: receiver.url }]);
    await ask();
    const [taken] = await queue.claim(database.tenant, 10, 400);
    expect(taken).toMatchObject({ attempt: 1 });
    expect(await queue.claim(database.tenant, 10, 400)).toEqual([]);
    await sleep(450);
    const [again] = await queue.claim(database.tenant, 10, 60_000);
    expect(again).toMatchObject({ id: taken!.id, attempt: 2 });
    // Whoever was too slow to fail says nothing about the one who tries now, and a delivery is one, however late.
    expect(await queue.settle(database.tenant, taken!, 'refused', 1)).toBe('over');
    expect(await queue.claim(database.tenant, 10, 400)).toEqual([]);
    expect(await queue.settle(database.tenant, taken!, 'delivered', null)).toBe('delivered');
    expect(await queue.settle(database.tenant, again!, 'refused', 1)).toBe('over');
    expect(await rows()).toMatchObject([{ outcome: 'delivered', over: true }]);
  });

  it('is in the way of nothing that was not tried yet', async () => {
    await hooks([{ url: receiver.url }]);
    for (let each = 0; each < 15; each++) await ask();
    await superuser.query(`update placet.notification set attempts = 3, due_at = now() - interval '1 hour'`);
    const fresh = await ask();
    const claimed = await queue.claim(database.tenant, 10, 60_000);
    expect(claimed.map(({ request, attempt }) => (request === fresh ? attempt : null))).toContain(1);
    expect(claimed).toHaveLength(10);
  });

  it('is kept for a day after its end, and counted until then', async () => {
    await hooks([{ url: receiver.url }]);
    for (let each = 0; each < 3; each++) await ask();
    expect(await queue.waiting()).toBe(3);
    const [first, second] = await queue.claim(database.tenant, 2, 60_000);
    for (const one of [first!, second!]) await queue.settle(database.tenant, one, 'delivered', null);
    expect(await queue.waiting()).toBe(1);
    await superuser.query(`update placet.notification set ended_at = now() - interval '25 hours' where id = $1`, [
      first!.id,
    ]);
    await new Sweep(database.store, { onError: (error) => failures.push(error) }).run();
    const left = await rows();
    expect(left.map(({ over }) => over).sort()).toEqual([false, true]);
    expect(left.map(({ id }) => id)).not.toContain(first!.id);
  });
});
