import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Decision } from '../decision.js';
import type { DecisionRequest } from '../request.js';
import { ALLOWED, ASKED, DENIED, scriptedPlacet, type ScriptedPlacet } from '../testing/index.js';
import type { GuardOptions } from './gate.js';
import { guardClient } from './guard-client.js';
import { PlacetDenied, type PlacetRefusal } from './refusal.js';

const MODES = ['legacy', 'auto', { pin: '2026-07-28' }] as const;
type Mode = (typeof MODES)[number];

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A real server and a real client with the guard between them, and everything that reached the server. */
function connection(mode: Mode, placet: ScriptedPlacet, more: Partial<GuardOptions> = {}) {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const received: string[] = [];
  let starts = 0;
  const start = near.start.bind(near);
  near.start = async () => {
    starts++;
    await start();
  };
  const send = near.send.bind(near);
  near.send = async (message, options) => {
    received.push('method' in message ? message.method : 'error' in message ? 'error' : 'result');
    await send(message, options);
  };
  const serving = serveStdio(() => aServer(), { transport: far });
  const client = new Client(
    { name: 'host', version: '1' },
    {
      capabilities: { sampling: {}, elicitation: { form: {} }, roots: {} },
      versionNegotiation: { mode },
    },
  );
  closing.push(
    () => client.close(),
    () => serving.close(),
  );
  const guarded = guardClient(client, { placet, subject: { type: 'user', id: 'ann' }, server: 'helper', ...more });
  return { guarded, received, near, starts: () => starts };
}

const ASKS = {
  sampling: () => inputRequired.createMessage({ messages: [], maxTokens: 5 }),
  elicitation: () =>
    inputRequired.elicit({
      message: 'Which region?',
      requestedSchema: z.object({ region: z.string() }),
    }),
  roots: () => inputRequired.listRoots(),
} as const;

/** Its tools ask the client for something, and say what they got. */
function aServer(): McpServer {
  const server = new McpServer({ name: 'helper', version: '1' });
  server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  for (const [name, request] of Object.entries(ASKS)) {
    server.registerTool(name, {}, (context) => {
      const answer = context.mcpReq.inputResponses?.it;
      if (answer === undefined) return inputRequired({ inputRequests: { it: request() } });
      return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
    });
  }
  return server;
}

const denying =
  (...methods: string[]) =>
  ({ message, answers }: DecisionRequest): Decision =>
    methods.includes((message.method as string | undefined) ?? `${answers?.method}:result`) ? DENIED : ALLOWED;

describe.each(MODES)('connecting in mode %j', (mode) => {
  it('asks with the handshake as it is sent, before anything is started', async () => {
    const seen: number[] = [];
    const placet = scriptedPlacet(() => void seen.push(link.starts() + link.received.length));
    const link = connection(mode, placet);
    await link.guarded.connect(link.near);
    expect(seen[0]).toBe(0);
    expect(placet.methods()).toEqual(mode === 'legacy' ? ['initialize'] : ['server/discover']);
    const params = JSON.stringify(placet.asked[0]!.message.params);
    expect(params).toContain('"name":"host"');
    expect(link.received.slice(0, 1)).toEqual(placet.methods());
    expect(link.starts()).toBe(1);
  });

  it('starts and sends nothing where it is denied', async () => {
    const placet = scriptedPlacet(() => DENIED);
    const link = connection(mode, placet);
    let closed = 0;
    link.near.onclose = () => closed++;
    await expect(link.guarded.connect(link.near)).rejects.toThrow(PlacetDenied);
    expect(link.starts()).toBe(0);
    expect(link.received).toEqual([]);
    expect(closed).toBe(1);
  });

  it('works afterwards like any client', async () => {
    const placet = scriptedPlacet(undefined, ['roots']);
    const link = connection(mode, placet);
    await link.guarded.connect(link.near);
    const { tools } = await link.guarded.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['echo', 'sampling', 'elicitation']);
    const { content } = await link.guarded.callTool({ name: 'echo', arguments: { text: 'hi' } });
    expect(content).toEqual([{ type: 'text', text: 'hi' }]);
    expect(placet.asked.at(-1)!.protocolVersion).toBe(mode === 'legacy' ? '2025-11-25' : '2026-07-28');
  });

  it('can be tried again after a deny', async () => {
    let allowed = false;
    const link = connection(
      mode,
      scriptedPlacet(() => (allowed ? ALLOWED : DENIED)),
    );
    await expect(link.guarded.connect(link.near)).rejects.toThrow(PlacetDenied);
    allowed = true;
    await link.guarded.connect(link.near);
    expect((await link.guarded.callTool({ name: 'echo', arguments: { text: 'x' } })).content).toHaveLength(1);
  });
});

describe('connecting', () => {
  it('falls back to the older handshake with a decision of its own', async () => {
    const placet = scriptedPlacet(denying('initialize'));
    const link = connection('auto', placet);
    const send = link.near.send.bind(link.near);
    link.near.send = async (message, options) => {
      if ('method' in message && message.method === 'server/discover' && 'id' in message) {
        link.received.push(message.method);
        const error = { code: -32601, message: 'Method not found' };
        queueMicrotask(() => link.near.onmessage?.({ jsonrpc: '2.0', id: message.id, error }));
      } else await send(message, options);
    };
    await expect(link.guarded.connect(link.near)).rejects.toThrow(PlacetDenied);
    expect(placet.methods()).toEqual(['server/discover', 'initialize']);
    expect(link.received).toEqual(['server/discover']);
  });

  it('is decided as such where an earlier connection is taken up without a handshake', async () => {
    const placet = scriptedPlacet(denying('server/discover'));
    const link = connection('legacy', placet);
    link.near.sessionId = 'earlier';
    await link.guarded.connect(link.near);
    await expect(link.guarded.callTool({ name: 'echo', arguments: { text: 'x' } })).rejects.toThrow(PlacetDenied);
    expect(placet.methods()).toEqual(['tools/call', 'server/discover']);
    expect(link.starts()).toBe(0);
  });

  it('does not happen any more where the client has given up before somebody agreed', async () => {
    let asked = 0;
    const placet = scriptedPlacet(({ approval }) => (approval ? ALLOWED : ASKED));
    const link = connection('legacy', placet, { consent: { onAsk: () => void asked++ } });
    await expect(link.guarded.connect(link.near, { timeout: 50 })).rejects.toThrow('timed out');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([asked, placet.cancelled, placet.asked.length]).toEqual([1, ['cr_1'], 1]);
    expect(link.starts()).toBe(0);
    expect(link.received).toEqual([]);
  });

  it.each(MODES)('runs no program for a denied server, in mode %j', async (mode) => {
    const directory = mkdtempSync(join(tmpdir(), 'placet-guard-'));
    closing.push(async () => rmSync(directory, { recursive: true, force: true }));
    const mark = join(directory, 'ran');
    const script = `require('node:fs').writeFileSync(${JSON.stringify(mark)}, ''); process.exit()`;
    const transport = () => new StdioClientTransport({ command: process.execPath, args: ['-e', script] });
    const client = () => new Client({ name: 'host', version: '1' }, { versionNegotiation: { mode } });
    const options = { subject: { type: 'user', id: 'ann' }, server: 'helper' };
    const guarded = guardClient(client(), { placet: scriptedPlacet(() => DENIED), ...options });
    await expect(guarded.connect(transport())).rejects.toThrow(PlacetDenied);
    expect(existsSync(mark)).toBe(false);

    // The same program does run once it may.
    const allowed = client();
    closing.push(() => allowed.close());
    const attempt = guardClient(allowed, { placet: scriptedPlacet(), ...options }).connect(transport(), {
      timeout: 1500,
    });
    await expect(attempt).rejects.toThrow();
    expect(existsSync(mark)).toBe(true);
  });
});

const SERVER_ASKS = [
  [
    'sampling',
    'sampling/createMessage',
    { role: 'assistant', content: { type: 'text', text: 'A reply' }, model: 'm' },
    'A reply',
  ],
  ['elicitation', 'elicitation/create', { action: 'accept', content: { region: 'emea' } }, 'emea'],
  ['roots', 'roots/list', { roots: [{ uri: 'file:///home/ann/Documents' }] }, 'file:///home/ann/Documents'],
] as const;

const ERAS: readonly Mode[] = ['legacy', { pin: '2026-07-28' }];

describe.each(ERAS)('what a server asks of the client, in mode %j', (mode) => {
  const asking = async (tool: string, method: string, handler: () => object, placet: ScriptedPlacet) => {
    const refused: PlacetRefusal[] = [];
    const link = connection(mode, placet, { onRefused: (refusal) => void refused.push(refusal) });
    link.guarded.setRequestHandler(method as 'roots/list', handler as () => never);
    await link.guarded.connect(link.near);
    const outcome = await link.guarded.callTool({ name: tool }).then(
      ({ content }) => JSON.stringify(content),
      (error: unknown) => String(error),
    );
    return { outcome, refused, received: link.received };
  };

  it.each(SERVER_ASKS)('%s: is decided, and so is the answer', async (tool, method, answer, told) => {
    const placet = scriptedPlacet();
    const { outcome, refused } = await asking(tool, method, () => answer, placet);
    expect(outcome).toContain(told);
    expect(refused).toEqual([]);
    const [request, response] = placet.asked.slice(-2);
    expect(request).toMatchObject({
      direction: 'server_to_client',
      message: { method, id: expect.anything() as string },
    });
    expect(response).toMatchObject({
      direction: 'client_to_server',
      message: { result: answer },
      answers: { method, ...(request!.message.params === undefined ? {} : { params: request!.message.params }) },
    });
    expect(response!.message).not.toHaveProperty('method');
  });

  it.each(SERVER_ASKS)('%s: reaches no handler where it is denied', async (tool, method, answer) => {
    let handled = 0;
    const handler = () => {
      handled++;
      return answer;
    };
    const { outcome, refused } = await asking(tool, method, handler, scriptedPlacet(denying(method)));
    expect(handled).toBe(0);
    expect(refused).toMatchObject([{ effect: 'deny', request: { direction: 'server_to_client' } }]);
    expect(outcome).not.toContain('No policy allows this');
  });

  it.each(SERVER_ASKS)('%s: nothing of a denied answer reaches the server', async (tool, method, answer, told) => {
    const placet = scriptedPlacet(denying(`${method}:result`));
    const { outcome, refused, received } = await asking(tool, method, () => answer, placet);
    expect(outcome).not.toContain(told);
    expect(refused).toMatchObject([{ effect: 'deny', request: { answers: { method } } }]);
    expect(received).not.toContain('result');
    expect(received.filter((what) => what === 'tools/call')).toHaveLength(1);
  });

  it('an error of a handler is decided like an answer', async () => {
    const fails = () => {
      throw new Error('the database password is hunter2');
    };
    const placet = scriptedPlacet(denying('roots/list:result'));
    const { outcome, refused } = await asking('roots', 'roots/list', fails, placet);
    expect(outcome).not.toContain('hunter2');
    expect(refused).toHaveLength(1);
    expect(placet.asked.at(-1)!.message).toMatchObject({
      error: { code: -32603, message: expect.any(String) as string },
    });
  });
});

describe('handlers', () => {
  it.each(['tools/call', 'ping', 'tasks/get', 'x/y'])('cannot be set for %s', (method) => {
    const { guarded } = connection('legacy', scriptedPlacet());
    expect(() => guarded.setRequestHandler(method as 'roots/list', () => ({}) as never)).toThrow(TypeError);
  });

  it('cannot be set with schemas of their own', () => {
    const { guarded } = connection('legacy', scriptedPlacet());
    const set = guarded.setRequestHandler as (...given: unknown[]) => void;
    expect(() => set('roots/list', { params: z.looseObject({}) }, () => ({ roots: [] }))).toThrow(TypeError);
  });

  it('have no way to the server besides their answer', async () => {
    const link = connection('legacy', scriptedPlacet());
    const attempts: string[] = [];
    link.guarded.setRequestHandler('roots/list', async (_, context) => {
      try {
        await context.mcpReq.send({ method: 'tools/list' });
      } catch (error) {
        attempts.push((error as Error).message);
      }
      return { roots: [] };
    });
    await link.guarded.connect(link.near);
    await link.guarded.callTool({ name: 'roots' });
    expect(attempts).toEqual(['a guarded handler talks to the server by what it returns']);
    expect(link.received).not.toContain('tools/list');
  });

  it('see what was decided, and cannot change it', async () => {
    const link = connection('legacy', scriptedPlacet());
    let frozen = false;
    link.guarded.setRequestHandler('sampling/createMessage', (request) => {
      frozen = Object.isFrozen(request) && Object.isFrozen(request.params);
      return { role: 'assistant', content: { type: 'text', text: 'x' }, model: 'm' };
    });
    await link.guarded.connect(link.near);
    await link.guarded.callTool({ name: 'sampling' });
    expect(frozen).toBe(true);
  });
});
