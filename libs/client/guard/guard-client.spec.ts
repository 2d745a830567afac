import { describe, expect, it } from 'vitest';
import type { Json } from '../json.js';
import { ALLOWED, ASKED, DENIED, scriptedPlacet } from '../testing/index.js';
import type { GuardOptions } from './gate.js';
import { guardClient } from './guard-client.js';
import { PlacetAsks, PlacetDenied, type PlacetRefusal } from './refusal.js';

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

describe('onAsk', () => {
  const approval = { id: 'ap_1', approved_until: '2026-12-01T00:00:00Z' };
  const approved = (request: { context?: object | undefined }) => 'approval' in (request.context ?? {});

  it('leads to a second question that names the approval', async () => {
    const client = aClient();
    const placet = scriptedPlacet((request) => (approved(request) ? ALLOWED : ASKED));
    const seen: PlacetAsks[] = [];
    const onAsk = async (ask: PlacetAsks) => {
      seen.push(ask);
      return approval;
    };
    const guarded = guardClient(client, options({ placet, onAsk, context: { ticket: 5 } }));
    await guarded.callTool({ name: 'delete' });
    expect(seen).toMatchObject([{ requirements: [{ by: ['subject'] }] }]);
    expect(placet.asked.map(({ context }) => context)).toEqual([{ ticket: 5 }, { ticket: 5, approval }]);
    expect(client.sent).toHaveLength(1);
  });

  it.each<[string, (request: { context?: object | undefined }) => typeof ALLOWED, typeof PlacetRefusal]>([
    ['asks again', () => ASKED, PlacetAsks],
    ['denies', (request) => (approved(request) ? DENIED : ASKED), PlacetDenied],
  ])('cannot make a call happen that Placet %s', async (_, answer, error) => {
    const client = aClient();
    const guarded = guardClient(client, options({ placet: scriptedPlacet(answer), onAsk: async () => approval }));
    await expect(guarded.callTool({ name: 'delete' })).rejects.toThrow(error);
    expect(client.sent).toEqual([]);
  });

  it.each<[string, GuardOptions['onAsk']]>([
    ['is not there', undefined],
    ['gets no approval', async () => undefined],
  ])('does not ask Placet again where it %s', async (_, onAsk) => {
    const placet = scriptedPlacet(() => ASKED);
    const guarded = guardClient(aClient(), options({ placet, ...(onAsk ? { onAsk } : {}) }));
    await expect(guarded.callTool({ name: 'delete' })).rejects.toThrow(PlacetAsks);
    expect(placet.asked).toHaveLength(1);
  });

  it('may itself fail, and nothing happens', async () => {
    const client = aClient();
    const onAsk = () => Promise.reject(new Error('the dialog was closed'));
    const guarded = guardClient(client, options({ placet: scriptedPlacet(() => ASKED), onAsk }));
    await expect(guarded.callTool({ name: 'delete' })).rejects.toThrow('the dialog was closed');
    expect(client.sent).toEqual([]);
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
