import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commitChange, ConsentStore } from '#store';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { startReceiver, type Receiver } from '../support/receiver.js';

let database: TestDatabase;
let receiver: Receiver;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  database = await freshDatabase();
  receiver = await startReceiver();
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await receiver.close();
  await database.close();
});

/** A replica in a process of its own. */
function replica(): ChildProcess {
  const child = spawn(process.execPath, ['tools/run.mjs', 'apps/server/src/main.js'], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PLACET_PORT: '0',
      PLACET_QUICKSTART: 'off',
      DATABASE_URL: database.address.url,
      PLACET_PEPPER: randomBytes(32).toString('hex'),
      PLACET_WEBHOOK_HOSTS: receiver.host,
      PLACET_PRIVATE_WEBHOOKS: 'loopback',
      PLACET_SECRET_DEFAULT__HOOK: `whsec_${randomBytes(32).toString('base64')}`,
    },
    stdio: 'ignore',
  });
  running.add(child);
  return child;
}

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 150_000; !what(); await sleep(50)) if (Date.now() > end) throw new Error('not in time');
}

it('tells a receiver again what a replica was telling it when it was killed', { timeout: 240_000 }, async () => {
  const body = {
    kind: 'Tenant' as const,
    name: 'default',
    defaults: { effect: 'deny' as const },
    notifications: { webhooks: [{ url: receiver.url, secret: 'hook', events: ['requested' as const] }] },
  };
  await commitChange(database.store, {
    tenant: database.tenant,
    principal: 'system:test',
    keys: ['*'],
    operations: [{ op: 'put_document', kind: 'Tenant', name: 'default', body }],
  });
  const ask = {
    ...{ id: `cr_${'a'.repeat(22)}`, joinKey: '00', evaluation: 'e', credential: 'k', host: 'desk', agent: 'desk' },
    ...{ subject: 'user:ann', server: null, action: 'read', resourceType: 'record', resourceId: 'r', session: null },
    ...{ content: {}, shown: '{}', idempotencyKey: null, bodyDigest: '00', openMs: 60_000 },
  };
  await new ConsentStore(database.store).open(database.tenant, ask, { subject: 9, host: 9, refusals: 9 });

  // The receiver has it, and does not say so.
  receiver.answer = () => undefined;
  const killed = replica();
  await until(() => receiver.received.length === 1);
  killed.kill('SIGKILL');
  receiver.answer = (_, response) => response.writeHead(204).end();
  const superuser = await database.connect('superuser');
  const left =
    'select ended_at is null as waits, attempts, due_at > clock_timestamp() as taken from placet.notification';
  expect((await superuser.query(left)).rows).toEqual([{ waits: true, attempts: 1, taken: true }]);

  replica();
  await until(() => receiver.received.length === 2);
  const [first, second] = receiver.received;
  expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
  expect(JSON.parse(second!.body)).toMatchObject({ request: ask.id, event: 'consent.requested' });
  for (let waits = true; waits; await sleep(50)) {
    [{ waits }] = (await superuser.query<{ waits: boolean }>(left)).rows as [{ waits: boolean }];
  }
});
