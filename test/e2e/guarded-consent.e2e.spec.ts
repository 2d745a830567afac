import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPlacetClient, guardClient, type ConsentAsk, type ConsentOptions, type PlacetRefusal } from '#client';
import type { Cookies } from '../support/browser.js';
import { startCompany, type Company } from '../support/signed-in.js';

let company: Company;
let key: string;
let ann: Cookies;
let revision = 0;

const asking = (action: string, resource: string) => ({
  kind: 'Policy',
  name: `asking-${action.replace('/', '-')}`,
  target: { servers: ['mail'], actions: [action], resources: [resource] },
  rules: [
    { name: 'consent', effect: 'ask', to: ['any'], consent: { by: ['subject'], notSelf: false, uses: 1 + revision } },
  ],
});

const EVERYTHING = [
  'initialize',
  'server/discover',
  'tools/list',
  'tools/call',
  'resources/read',
  'roots/list',
  'roots/list:result',
];

const policy = (effect: 'allow' | 'deny') => ({
  kind: 'Policy',
  name: 'mail',
  target: { servers: ['mail'], actions: EVERYTHING, resources: ['*'] },
  rules: [{ name: 'all', effect, to: ['any'] }],
});

beforeAll(async () => {
  company = await startCompany();
  await company.apply(
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Host', name: 'desk', title: 'Desk' },
    { kind: 'Server', name: 'mail', title: 'Mail' },
  );
  const made = await company.service.call('POST', '/api/v1/keys', {
    body: { host: 'desk', rights: { subjects: ['*'] } },
  });
  key = made.body.key as string;
  ann = await company.signIn('ann');
});
afterAll(() => company.close());

beforeEach(async () => {
  revision++;
  // What was agreed to before is agreed to no more: the block has another digest.
  await company.apply(policy('allow'), asking('tools/call', 'send'), asking('roots/list', '*'));
});

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

async function answer({ id }: ConsentAsk, given: 'agree' | 'refuse'): Promise<void> {
  const path = `/api/v1/me/requests/${id}`;
  const { shown_digest: shown } = (await (await as(ann, 'GET', path)).json()) as { shown_digest: string };
  const answered = await as(ann, 'POST', `${path}/answer`, { answer: given, shown });
  expect(answered.status).toBe(200);
}

const statusOf = async (id: string): Promise<string> =>
  (await company.service.call('GET', `/access/v1/requests/${id}`, { key })).body.task.status as string;

/** A guarded client of the SDK, connected to a real server with the tools `send` and `look`. */
async function desk(consent?: ConsentOptions, refused: PlacetRefusal[] = []) {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const calls: string[] = [];
  const serving = serveStdio(
    () => {
      const server = new McpServer({ name: 'mail', version: '1' });
      server.registerTool('send', { inputSchema: z.object({ to: z.string() }) }, ({ to }) => {
        calls.push(`send ${to}`);
        return { content: [{ type: 'text', text: 'sent' }] };
      });
      server.registerTool('look', {}, (context) => {
        const roots = context.mcpReq.inputResponses?.it;
        if (roots === undefined) return inputRequired({ inputRequests: { it: inputRequired.listRoots() } });
        calls.push('look');
        return { content: [{ type: 'text', text: JSON.stringify(roots) }] };
      });
      return server;
    },
    { transport: far },
  );
  const client = new Client({ name: 'desk', version: '1' }, { capabilities: { roots: {} } });
  const guarded = guardClient(client, {
    placet: createPlacetClient({ url: company.service.url, key }),
    subject: { type: 'user', id: 'company/ann' },
    server: 'mail',
    onRefused: (refusal) => void refused.push(refusal),
    ...(consent ? { consent } : {}),
  });
  guarded.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home/ann' }] }));
  await guarded.connect(near);
  const close = async () => {
    await guarded.close();
    await serving.close();
  };
  const send = (to: string, given: object = {}) => guarded.callTool({ name: 'send', arguments: { to } }, given);
  return { guarded, calls, send, close };
}

const outcome = (call: Promise<unknown>): Promise<unknown> => call.then(() => 'sent').catch((error: unknown) => error);

describe('a guarded client whose call must be agreed to', () => {
  it('waits for the person, sends once, and asks again for the next one', async () => {
    const asks: ConsentAsk[] = [];
    const onAsk = async (ask: ConsentAsk) => {
      asks.push(ask);
      await answer(ask, 'agree');
    };
    const { guarded, calls, send, close } = await desk({ onAsk });
    await guarded.listTools();
    expect((await send('bob')).content).toEqual([{ type: 'text', text: 'sent' }]);
    expect(asks).toMatchObject([
      {
        title: 'Desk wants to use the tool send of Mail',
        elicitation: { mode: 'url', url: asks[0]!.reviewUrl, elicitationId: asks[0]!.id },
      },
    ]);
    expect(asks[0]!.reviewUrl).toBe(`${company.service.url}/t/default/requests/${asks[0]!.id}`);
    const late = await createPlacetClient({ url: company.service.url, key }).cancel(asks[0]!.id);
    expect(late).toMatchObject({ failure: { reason: { code: 'pdp_refused' } } });
    expect(JSON.stringify(late)).toContain('invalid_task_state');
    await send('bob');
    expect(new Set(asks.map(({ id }) => id)).size).toBe(2);
    expect(calls).toEqual(['send bob', 'send bob']);
    await close();
  });

  it('sends one call for one use, also of two that are asked for together', async () => {
    await company.apply({ ...asking('tools/call', 'send'), rules: [onceOnly()] });
    const asks: ConsentAsk[] = [];
    let both: () => void = () => undefined;
    const isBoth = new Promise<void>((resolve) => (both = resolve));
    const onAsk = async (ask: ConsentAsk) => {
      if (asks.push(ask) < 2) return;
      both();
      await answer(ask, 'agree');
    };
    const { guarded, calls, send, close } = await desk({ onAsk });
    await guarded.listTools();
    const outcomes = [outcome(send('bob')), outcome(send('bob'))];
    await isBoth;
    expect(asks[0]!.id).toBe(asks[1]!.id);
    const came = await Promise.all(outcomes);
    expect(came.filter((each) => each === 'sent')).toHaveLength(1);
    expect(came.find((each) => each !== 'sent')).toMatchObject({
      name: 'PlacetAsks',
      unanswered: { code: 'not_enough', requestId: asks[0]!.id },
    });
    expect(calls).toEqual(['send bob']);
    await close();
  });

  it.each<[string, string, string, (ask: ConsentAsk) => void | Promise<void>, number | undefined]>([
    ['refuses', 'denied', 'denied', (ask) => answer(ask, 'refuse'), undefined],
    ['does not answer', 'timed_out', 'cancelled', () => undefined, 300],
    ['is not shown anything', 'not_shown', 'cancelled', () => Promise.reject(new Error('no window')), undefined],
    ['is asked no longer', 'cancelled', 'cancelled', (ask) => ask.cancel(), undefined],
  ])('sends nothing where the person %s', async (_, code, status, onAsk, waitMs) => {
    const asks: ConsentAsk[] = [];
    const { guarded, calls, send, close } = await desk({
      onAsk: (ask) => {
        asks.push(ask);
        return onAsk(ask);
      },
      ...(waitMs === undefined ? {} : { waitMs }),
    });
    await guarded.listTools();
    expect(await outcome(send('bob'))).toMatchObject({ name: 'PlacetAsks', effect: 'ask', unanswered: { code } });
    expect(await statusOf(asks[0]!.id)).toBe(status);
    expect(asks[0]!.signal.aborted).toBe(true);
    expect(calls).toEqual([]);
    await close();
  });

  it('sends nothing where a policy denies it between the answer and the use', async () => {
    const onAsk = async (ask: ConsentAsk) => {
      await company.apply(policy('deny'));
      await answer(ask, 'agree');
    };
    const { guarded, calls, send, close } = await desk({ onAsk });
    await guarded.listTools();
    expect(await outcome(send('bob'))).toMatchObject({ name: 'PlacetDenied', reason: { code: 'denied_by_rule' } });
    expect(calls).toEqual([]);
    await close();
  });

  it('gives up with its caller, and when it is closed', async () => {
    const controller = new AbortController();
    const asks: ConsentAsk[] = [];
    let asked: () => void = () => undefined;
    const onAsk = (ask: ConsentAsk) => {
      asks.push(ask);
      asked();
    };
    const { guarded, calls, send, close } = await desk({ onAsk });
    await guarded.listTools();
    asked = () => controller.abort();
    expect(await outcome(send('bob', { signal: controller.signal }))).toMatchObject({
      unanswered: { code: 'given_up' },
    });
    asked = () => void close();
    expect(await outcome(send('bob'))).toMatchObject({ unanswered: { code: 'given_up' } });
    for (const { id } of asks) expect(await statusOf(id)).toBe('cancelled');
    expect([asks.length, calls]).toEqual([2, []]);
  });

  it('asks nobody where the tools were never listed, or the application does not ask people', async () => {
    const asks: ConsentAsk[] = [];
    const first = await desk({ onAsk: (ask) => void asks.push(ask) });
    expect(await outcome(first.send('bob'))).toMatchObject({ unanswered: { code: 'not_requestable' } });
    await first.close();
    const second = await desk();
    await second.guarded.listTools();
    expect(await outcome(second.send('bob'))).toMatchObject({ name: 'PlacetAsks', unanswered: undefined });
    expect([asks.length, first.calls, second.calls]).toEqual([0, [], []]);
    await second.close();
  });
});

describe('a guarded client whose server asks for what must be agreed to', () => {
  it.each<['agree' | 'refuse', number]>([
    ['agree', 1],
    ['refuse', 0],
  ])('hands it on where the person answers: %s', async (given, handled) => {
    const asks: ConsentAsk[] = [];
    const refused: PlacetRefusal[] = [];
    const onAsk = async (ask: ConsentAsk) => {
      asks.push(ask);
      await answer(ask, given);
    };
    const { guarded, calls, close } = await desk({ onAsk }, refused);
    await guarded.listTools();
    const said = await guarded.callTool({ name: 'look' }).then(JSON.stringify, String);
    expect(asks[0]).toMatchObject({ request: { direction: 'server_to_client', message: { method: 'roots/list' } } });
    expect(said.includes('file:///home/ann')).toBe(given === 'agree');
    expect([calls.length, refused.length]).toEqual([handled, 1 - handled]);
    if (given === 'refuse') expect(refused).toMatchObject([{ effect: 'ask', unanswered: { code: 'denied' } }]);
    await close();
  });
});

const onceOnly = () => ({
  name: 'once',
  effect: 'ask',
  to: ['any'],
  consent: { by: ['subject'], notSelf: false, uses: 1 },
});
