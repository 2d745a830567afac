import { describe, expect, it } from 'vitest';
import type { ConsentTask, KnownTask } from '../consent-task.js';
import type { Asked, Decision, Denied } from '../decision.js';
import type { Json } from '../json.js';
import type { DecisionRequest } from '../request.js';
import { ALLOWED, APPROVED, ASKED, DENIED, PENDING, scriptedPlacet } from '../testing/index.js';
import type { ConsentAsk, ConsentOptions } from './agreement.js';
import type { GuardOptions } from './gate.js';
import { guardClient } from './guard-client.js';
import { PlacetAsks, PlacetDenied, type PlacetRefusal, type Unanswered } from './refusal.js';

/** A plain object with every method of an MCP client, and what reached the server through it. */
function aClient(result: object = { content: [] }) {
  const sent: [string, ...unknown[]][] = [];
  const sends =
    (name: string) =>
    async (...given: unknown[]): Promise<object> => {
      sent.push([name, ...given]);
      return result;
    };
  return {
    sent,
    callTool: sends('callTool'),
    readResource: sends('readResource'),
    getPrompt: sends('getPrompt'),
    complete: sends('complete'),
    setLoggingLevel: sends('setLoggingLevel'),
    subscribeResource: sends('subscribeResource'),
    unsubscribeResource: sends('unsubscribeResource'),
    listen: sends('listen'),
    listTools: sends('listTools'),
    listResources: sends('listResources'),
    listResourceTemplates: sends('listResourceTemplates'),
    listPrompts: sends('listPrompts'),
    request: sends('request'),
    ping: sends('ping'),
    notification: sends('notification'),
    somethingNew: sends('somethingNew'),
    getServerCapabilities: () => ({ tools: {} }),
    getNegotiatedProtocolVersion: () => '2025-11-25',
    close: async () => undefined,
  };
}

const options = (more: Partial<GuardOptions> & Pick<GuardOptions, 'placet'>): GuardOptions => ({
  subject: { type: 'user', id: 'ann' },
  server: 'file-server',
  ...more,
});

const OPERATIONS: readonly [keyof ReturnType<typeof aClient>, Json, string, Json][] = [
  [
    'callTool',
    { name: 'echo', arguments: { message: 'hi' } },
    'tools/call',
    { name: 'echo', arguments: { message: 'hi' } },
  ],
  ['readResource', { uri: 'db://x' }, 'resources/read', { uri: 'db://x' }],
  ['getPrompt', { name: 'p' }, 'prompts/get', { name: 'p' }],
  [
    'complete',
    { ref: { type: 'ref/prompt', name: 'p' } },
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'p' } },
  ],
  ['setLoggingLevel', 'debug', 'logging/setLevel', { level: 'debug' }],
  ['subscribeResource', { uri: 'db://x' }, 'resources/subscribe', { uri: 'db://x' }],
  ['unsubscribeResource', { uri: 'db://x' }, 'resources/unsubscribe', { uri: 'db://x' }],
  ['listen', { toolsListChanged: true }, 'subscriptions/listen', { notifications: { toolsListChanged: true } }],
  ['listTools', { cursor: '2' }, 'tools/list', { cursor: '2' }],
  ['listResources', {}, 'resources/list', {}],
  ['listResourceTemplates', {}, 'resources/templates/list', {}],
  ['listPrompts', {}, 'prompts/list', {}],
];

type Anything = Record<string, (argument?: unknown, options?: unknown) => Promise<object>>;

describe('guardClient', () => {
  it.each(OPERATIONS)('asks before %s, about what is then sent', async (name, argument, method, params) => {
    const client = aClient({ tools: [], resources: [], resourceTemplates: [], prompts: [] });
    const before: number[] = [];
    const placet = scriptedPlacet(() => void before.push(client.sent.length));
    const guarded = guardClient(client, options({ placet, session: { id: 's1' }, purpose: 'billing' }));
    await (guarded as unknown as Anything)[name]!(argument, { timeout: 5 });
    expect(before).toEqual([0]);
    expect(placet.asked).toEqual([
      {
        subject: { type: 'user', id: 'ann' },
        server: 'file-server',
        session: { id: 's1' },
        purpose: 'billing',
        protocolVersion: '2025-11-25',
        direction: 'client_to_server',
        message: { jsonrpc: '2.0', id: 1, method, params },
      },
    ]);
    expect(client.sent).toEqual([[name, argument, { timeout: 5 }]]);
  });

  it.each(OPERATIONS)('lets nothing of a denied %s through', async (name, argument) => {
    const client = aClient();
    const guarded = guardClient(client, options({ placet: scriptedPlacet(() => DENIED) }));
    await expect((guarded as unknown as Anything)[name]!(argument)).rejects.toThrow(PlacetDenied);
    expect(client.sent).toEqual([]);
  });

  it.each(OPERATIONS)('never carries out a %s that somebody must agree to', async (name, argument) => {
    const client = aClient();
    const guarded = guardClient(client, options({ placet: scriptedPlacet(() => ASKED) }));
    await expect((guarded as unknown as Anything)[name]!(argument)).rejects.toThrow(PlacetAsks);
    expect(client.sent).toEqual([]);
  });

  it('has no other way to the server', () => {
    const guarded = guardClient(aClient(), options({ placet: scriptedPlacet() }));
    expect(Object.keys(guarded).sort()).toEqual(
      [...OPERATIONS.map(([name]) => name), 'close', 'getNegotiatedProtocolVersion', 'getServerCapabilities'].sort(),
    );
    expect(Object.isFrozen(guarded)).toBe(true);
  });

  it('has only what the client has', () => {
    const { callTool } = aClient();
    expect(Object.keys(guardClient({ callTool }, options({ placet: scriptedPlacet() })))).toEqual(['callTool']);
  });

  it('tells in its errors what stood in the way', async () => {
    const guarded = guardClient(aClient(), options({ placet: scriptedPlacet(() => DENIED) }));
    const error: unknown = await guarded.callTool({ name: 'x' }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      name: 'PlacetDenied',
      effect: 'deny',
      reason: { code: 'no_rule_allows' },
      rules: [],
      evaluationId: '4f.1',
      request: { message: { method: 'tools/call' } },
      message: 'tools/call: denied. No policy allows this. (no_rule_allows; 4f.1)',
    });
  });
});

describe('the definition of a tool', () => {
  const tools = [
    { name: 'read', description: 'Reads.', inputSchema: { type: 'object' } },
    { name: 'write', inputSchema: {} },
  ];
  const called = async (placet: ReturnType<typeof scriptedPlacet>, name: string, lists = 1) => {
    const client = aClient({ tools });
    const guarded = guardClient(client, options({ placet }));
    for (let list = 0; list < lists; list++) await guarded.listTools();
    tools[1]!.description = 'Another by now.';
    await guarded.callTool({ name });
    return placet.asked.at(-1)!.tool;
  };

  it.each(tools)('goes with the call, as it was listed: $name', async (tool) => {
    const listed = structuredClone(tool);
    expect(await called(scriptedPlacet(), tool.name)).toEqual({ definition: listed });
  });

  it('goes with the call also where the list left it out', async () => {
    expect(await called(scriptedPlacet(undefined, ['read']), 'read')).toEqual({ definition: tools[0] });
  });

  it.each<[string, ReturnType<typeof scriptedPlacet>, string, number]>([
    ['nothing was listed', scriptedPlacet(), 'read', 0],
    ['it was not listed', scriptedPlacet(), 'drop', 1],
    ['it is called like a member of every object', scriptedPlacet(), 'constructor', 1],
    ['Placet did not take the list', scriptedPlacet(undefined, 'unanswered'), 'read', 1],
  ])('is left out where %s', async (_why, placet, name, lists) => {
    expect(await called(placet, name, lists)).toBeUndefined();
  });
});

describe('what was decided is what is sent', () => {
  it('whatever the caller does to the arguments meanwhile', async () => {
    const client = aClient();
    const given = { name: 'read', arguments: { path: '~/plan.md' } };
    const placet = scriptedPlacet(() => {
      given.arguments.path = '~/.ssh/id_rsa';
      return ALLOWED;
    });
    await guardClient(client, options({ placet })).callTool(given);
    const path = { name: 'read', arguments: { path: '~/plan.md' } };
    expect(placet.asked[0]!.message.params).toEqual(path);
    expect(client.sent).toEqual([['callTool', path, undefined]]);
  });

  it('whatever a handler of an obligation does to the request', async () => {
    const placet = scriptedPlacet(() => ({ ...ALLOWED, obligations: [{ type: 'log' }] }) as typeof ALLOWED);
    const log = ({ request }: { request: unknown }) => {
      (request as { message: { params: { arguments: { path: string } } } }).message.params.arguments.path =
        '/etc/passwd';
    };
    const client = aClient();
    const guarded = guardClient(client, options({ placet, obligations: { log: (_, context) => log(context) } }));
    await expect(guarded.callTool({ name: 'read', arguments: { path: '~/plan.md' } })).rejects.toThrow(PlacetDenied);
    expect(client.sent).toEqual([]);
  });

  it('where the arguments are another thing each time one looks', async () => {
    let looks = 0;
    const shifty = { name: 'read', arguments: { get path() { return looks++ === 0 ? '~/plan.md' : '~/.ssh/id_rsa'; } } }; // prettier-ignore
    const client = aClient();
    const placet = scriptedPlacet();
    await guardClient(client, options({ placet })).callTool(shifty);
    expect(client.sent[0]![1]).toEqual(placet.asked[0]!.message.params);
  });

  it('where JSON has another form for it', async () => {
    const client = aClient();
    const placet = scriptedPlacet();
    const when = new Date(0);
    await guardClient(client, options({ placet })).callTool({
      name: 'x',
      arguments: { when, nothing: undefined, nan: NaN },
    });
    const params = { name: 'x', arguments: { when: when.toISOString(), nan: null } };
    expect(placet.asked[0]!.message.params).toEqual(params);
    expect(client.sent).toEqual([['callTool', params, undefined]]);
  });

  it('and what JSON cannot hold is not sent', async () => {
    const client = aClient();
    const guarded = guardClient(client, options({ placet: scriptedPlacet() }));
    await expect(guarded.callTool({ name: 'x', arguments: { big: 1n } })).rejects.toThrow(TypeError);
    expect(client.sent).toEqual([]);
  });

  it('also what belongs to nobody but looks like it does', async () => {
    const client = aClient();
    const placet = scriptedPlacet();
    const given = JSON.parse('{"name":"x","arguments":{"__proto__":{"path":"/etc"}}}') as { name: string };
    await guardClient(client, options({ placet })).callTool(given);
    expect(JSON.stringify(placet.asked[0]!.message.params)).toBe(JSON.stringify(given));
    expect(JSON.stringify(client.sent[0]![1])).toBe(JSON.stringify(given));
  });
});

describe('obligations', () => {
  const obliged = () => ({ ...ALLOWED, obligations: [{ type: 'redact', fields: ['ssn'] }] }) as typeof ALLOWED;

  it('that nobody can carry out stop the operation', async () => {
    const client = aClient();
    const stepUp = () => ({ ...ALLOWED, obligations: [{ type: 'step-up', acr: 'gold' }] }) as typeof ALLOWED;
    const guarded = guardClient(client, options({ placet: scriptedPlacet(stepUp) }));
    await expect(guarded.callTool({ name: 'x' })).rejects.toMatchObject({ reason: { code: 'obligation_unsupported' } });
    expect(client.sent).toEqual([]);
  });

  it('on results stop what the guard cannot limit the result of', async () => {
    const client = aClient();
    const guarded = guardClient(client, options({ placet: scriptedPlacet(obliged) }));
    const reading = guarded.readResource({ uri: 'file:///x' });
    await expect(reading).rejects.toMatchObject({ reason: { code: 'obligation_unsupported' } });
    expect(client.sent).toEqual([]);
  });

  it('on results leave nothing of what a failed call says but its code', async () => {
    const said = Object.assign(new Error('card 4242 is expired'), { code: -32000, data: { card: '4242' } });
    const client = { ...aClient(), callTool: () => Promise.reject(said) };
    const guarded = guardClient(client, options({ placet: scriptedPlacet(obliged) }));
    const error = await guarded.callTool().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ name: 'LeftOut', code: -32000 });
    expect(`${String(error)} ${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain('4242');
    expect(error).not.toHaveProperty('cause');
    const free = guardClient(client, options({ placet: scriptedPlacet() }));
    await expect(free.callTool()).rejects.toBe(said);
  });

  it("on results are the host's to refuse, too", async () => {
    const client = aClient();
    const guarded = guardClient(
      client,
      options({ placet: scriptedPlacet(obliged), obligations: { redact: () => false } }),
    );
    await expect(guarded.callTool({ name: 'x' })).rejects.toMatchObject({ reason: { code: 'obligation_failed' } });
    expect(client.sent).toEqual([]);
  });

  it('are carried out before the operation', async () => {
    const client = aClient();
    const order: string[] = [];
    const redact = () => void order.push(`redact after ${client.sent.length} calls`);
    const guarded = guardClient(client, options({ placet: scriptedPlacet(obliged), obligations: { redact } }));
    await guarded.callTool({ name: 'x' });
    expect(order).toEqual(['redact after 0 calls']);
    expect(client.sent).toHaveLength(1);
  });
});

describe('consent', () => {
  const asksFirst = ({ approval }: DecisionRequest) => (approval ? ALLOWED : ASKED);
  const standing = (status: KnownTask['status']): KnownTask => ({ ...PENDING, status });

  /** A call through a guard whose asks stand as told, and what came of it. */
  async function called(
    placet: ReturnType<typeof scriptedPlacet>,
    consent: Partial<ConsentOptions> = {},
    given: object = {},
  ) {
    const client = aClient();
    const asks: ConsentAsk[] = [];
    const onAsk = (ask: ConsentAsk) => void asks.push(ask);
    const guarded = guardClient(client, options({ placet, consent: { onAsk, ...consent }, context: { ticket: 5 } }));
    const error: unknown = await guarded.callTool({ name: 'delete' }, given).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    return { sent: client.sent.length, asks, error };
  }

  it('leads to a second question that names the approval, and the call goes out once', async () => {
    const placet = scriptedPlacet(asksFirst, [], () => APPROVED);
    const { sent, asks, error } = await called(placet);
    expect({ error, sent }).toEqual({ error: undefined, sent: 1 });
    expect(placet.requested).toEqual([{ ...placet.asked[0], evaluationId: '4f.1' }]);
    expect(placet.asked).toEqual([placet.asked[0], { ...placet.asked[0], approval: { id: 'cr_1' } }]);
    expect(placet.asked[0]).toMatchObject({ context: { ticket: 5 } });
    expect(placet.cancelled).toEqual([]);
    expect(asks).toMatchObject([
      {
        id: 'cr_1',
        title: 'Desk wants to use the tool delete of Records',
        reviewUrl: PENDING.reviewUrl,
        elicitation: { mode: 'url', elicitationId: 'cr_1', url: PENDING.reviewUrl },
        decision: { requirements: [{ by: ['subject'] }] },
      },
    ]);
    expect(asks[0]!.signal.aborted).toBe(true);
  });

  it('is asked of nobody where the application does not say how', async () => {
    const client = aClient();
    const placet = scriptedPlacet(() => ASKED);
    const error: unknown = await guardClient(client, options({ placet }))
      .callTool({ name: 'delete' })
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(PlacetAsks);
    expect(error).toMatchObject({ unanswered: undefined });
    expect([placet.asked.length, placet.requested.length, client.sent.length]).toEqual([1, 0, 0]);
  });

  it.each<[string, (request: DecisionRequest) => Decision, object]>([
    ['asks again', () => ASKED, { name: 'PlacetAsks', unanswered: { code: 'not_enough', requestId: 'cr_1' } }],
    ['denies', ({ approval }) => (approval ? DENIED : ASKED), { name: 'PlacetDenied' }],
  ])('cannot make a call happen that Placet %s', async (_, answer, expected) => {
    const placet = scriptedPlacet(answer, [], () => APPROVED);
    const { error, sent } = await called(placet);
    expect(error).toMatchObject(expected);
    expect([sent, placet.asked.length, placet.requested.length]).toEqual([0, 2, 1]);
  });

  it.each<[Unanswered['code'], ConsentTask]>([
    ['denied', standing('denied')],
    ['expired', standing('expired')],
    ['cancelled', standing('cancelled')],
    ['unknown', standing('approved')],
    ['unknown', { failure: { ...(DENIED as Denied), reason: { code: 'pdp_refused', message: 'not_found' } } }],
  ])('that does not come is no consent: %s', async (code, task) => {
    const placet = scriptedPlacet(asksFirst, [], () => task);
    const { error, sent } = await called(placet);
    expect(error).toBeInstanceOf(PlacetAsks);
    expect(error).toMatchObject({ effect: 'ask', unanswered: { code, requestId: 'cr_1' } });
    expect((error as Error).message).toContain(`(${code})`);
    expect([sent, placet.asked.length]).toEqual([0, 1]);
  });

  it('is waited for while Placet is away for a moment', async () => {
    const away = { failure: { ...(DENIED as Denied), reason: { code: 'pdp_unavailable', message: 'restart' } } };
    const placet = scriptedPlacet(asksFirst, [], (look) => (look === 0 ? away : APPROVED));
    expect(await called(placet)).toMatchObject({ error: undefined, sent: 1 });
  });

  it.each<[Unanswered['code'], (controller: AbortController) => Partial<ConsentOptions>]>([
    ['timed_out', () => ({ waitMs: 50 })],
    ['timed_out', () => ({ waitMs: Number.NaN })],
    ['cancelled', () => ({ onAsk: (ask) => ask.cancel() })],
    ['not_shown', () => ({ onAsk: () => Promise.reject(new Error('the dialog was closed')) })],
    ['given_up', (controller) => ({ onAsk: () => controller.abort() })],
    [
      'not_shown',
      () => ({
        onAsk: () => {
          throw new Error('no window');
        },
      }),
    ],
  ])('is taken back where nobody waits for it any more: %s', async (code, consent) => {
    const controller = new AbortController();
    const placet = scriptedPlacet(asksFirst);
    const { error, sent } = await called(placet, consent(controller), { signal: controller.signal });
    expect(error).toMatchObject({ name: 'PlacetAsks', unanswered: { code, requestId: 'cr_1' } });
    expect([sent, placet.asked.length, placet.cancelled]).toEqual([0, 1, ['cr_1']]);
  });

  it('that comes while it is taken back counts for nothing', async () => {
    const placet = scriptedPlacet(asksFirst, [], () => APPROVED);
    const { error, sent } = await called(placet, { onAsk: (ask) => ask.cancel() });
    expect(error).toMatchObject({ unanswered: { code: 'cancelled' } });
    expect([sent, placet.asked.length, placet.cancelled]).toEqual([0, 1, ['cr_1']]);
  });

  it('is asked of nobody where the caller has given up already', async () => {
    const placet = scriptedPlacet(asksFirst, [], () => APPROVED);
    const { error, sent, asks } = await called(placet, {}, { signal: AbortSignal.abort() });
    expect(error).toMatchObject({ unanswered: { code: 'given_up' } });
    expect([sent, asks.length, placet.asked.length]).toEqual([0, 0, 1]);
  });

  it('is not waited for once the client is closed', async () => {
    const placet = scriptedPlacet(asksFirst);
    const client = aClient();
    const consent = { onAsk: () => void guarded.close() };
    const guarded = guardClient(client, options({ placet, consent }));
    await expect(guarded.callTool({ name: 'x' })).rejects.toMatchObject({ unanswered: { code: 'given_up' } });
    expect([client.sent.length, placet.cancelled]).toEqual([0, ['cr_1']]);
  });

  it('cannot be asked for where Placet does not know the tool, or takes no request', async () => {
    const placet = scriptedPlacet(() => ({ ...(ASKED as Asked), requestable: false }));
    expect(await called(placet)).toMatchObject({ sent: 0, error: { unanswered: { code: 'not_requestable' } } });
    expect(placet.requested).toEqual([]);

    const failure = { ...(DENIED as Denied), reason: { code: 'pdp_refused', message: 'prompt_budget: wait' } };
    const full = { ...scriptedPlacet(asksFirst), request: async () => ({ failure }) };
    const { sent, error, asks } = await called(full);
    expect(error).toMatchObject({ unanswered: { code: 'not_requested', message: 'prompt_budget: wait' } });
    expect([sent, asks.length]).toEqual([0, 0]);
  });
});

describe('lists', () => {
  const result = { tools: [{ name: 'a', x: 1 }, { name: 'b' }, { name: 'c' }], nextCursor: '2', _meta: { k: 1 } };

  it('leave out what could only be denied, and change nothing else', async () => {
    const placet = scriptedPlacet(undefined, ['b']);
    const shown = await guardClient(aClient(result), options({ placet })).listTools();
    expect(shown).toEqual({ ...result, tools: [{ name: 'a', x: 1 }, { name: 'c' }] });
    expect(placet.listed).toMatchObject([{ method: 'tools/list', result, protocolVersion: '2025-11-25' }]);
    expect(placet.asked[0]!.message).toEqual({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  });

  it('are empty where Placet does not say, and the host is told', async () => {
    const refused: PlacetRefusal[] = [];
    const placet = scriptedPlacet(undefined, 'unanswered');
    const guarded = guardClient(
      aClient(result),
      options({ placet, onRefused: (refusal) => void refused.push(refusal) }),
    );
    expect(await guarded.listTools()).toEqual({ ...result, tools: [] });
    expect(refused).toMatchObject([
      { reason: { code: 'pdp_unavailable' }, request: { message: { method: 'tools/list' } } },
    ]);
  });

  it.each<[string, object]>([
    ['has no entries', { nextCursor: '2' }],
    ['has entries that are no list', { tools: { a: 1 } }],
  ])('are empty where the result %s', async (_, odd) => {
    const placet = { ...scriptedPlacet(), list: async () => ({ items: [{ name: 'a', effect: 'allow', conditional: false }], evaluationId: '1', revision: 1 }) as never }; // prettier-ignore
    expect(await guardClient(aClient(odd), options({ placet })).listTools()).toEqual({ ...odd, tools: [] });
  });
});

describe('what a server asks for in the middle of a call', () => {
  it('cannot be taken out of the hands of the handlers', async () => {
    const client = aClient();
    const guarded = guardClient(client, options({ placet: scriptedPlacet() })) as unknown as Anything;
    await expect(guarded.callTool!({ name: 'x' }, { allowInputRequired: true })).rejects.toThrow('set handlers');
    expect(client.sent).toEqual([]);
  });
});
