import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPlacetClient, guardClient, PlacetDenied, type GuardOptions, type PlacetClient } from '#client';
import { startTestService, type TestService } from '../support/service.js';

/** Two agents of one gateway, with a Scope each; `writer` may do more. */
const DOCUMENTS = `
{ kind: Host, name: gateway }
---
{ kind: Host, name: agent-reader }
---
{ kind: Host, name: agent-writer }
---
{ kind: Host, name: stranger }
---
{ kind: Server, name: notes }
---
kind: Scope
host: agent-reader
actions: { allow: ['*'] }
resources: { deny: [write] }
---
{ kind: Scope, host: agent-writer, actions: { allow: ['*'] } }
---
{ kind: Scope, host: stranger, actions: { allow: ['*'] } }
---
kind: Policy
name: all
target: { servers: ['*'], actions: ['*'], resources: ['*'] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Policy
name: pages
target: { actions: [read], resources: [{ type: page, id: '*' }] }
rules: [{ name: writer, effect: allow, to: [any], via: [agent-writer] }]
`;

let service: TestService;
let placet: PlacetClient;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  const { status, body } = await service.call('POST', '/api/v1/documents/apply', {
    body: { files: [{ path: 'd.yaml', text: DOCUMENTS }] },
  });
  expect(status, JSON.stringify(body)).toBe(200);
  const rights = { subjects: ['user:*'], agents: ['agent-*'] };
  const made = await service.call('POST', '/api/v1/keys', { body: { host: 'gateway', rights } });
  placet = createPlacetClient({ url: service.url, key: made.body.key });
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => service.close());

/** A server that asks the client back, and every method of a message that reached it. */
function notes(): { readonly server: McpServer; readonly calls: string[] } {
  const calls: string[] = [];
  const server = new McpServer({ name: 'notes', version: '1' });
  for (const name of ['read', 'write']) {
    server.registerTool(name, { inputSchema: z.looseObject({}) }, ({}, context) => {
      calls.push(name);
      const answer = context.mcpReq.inputResponses?.it;
      if (answer === undefined && name === 'read')
        return inputRequired({ inputRequests: { it: inputRequired.listRoots() } });
      return { content: [{ type: 'text', text: name }] };
    });
  }
  return { server, calls };
}

function guarded(agent: GuardOptions['agent']) {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const { server, calls } = notes();
  const serving = serveStdio(() => server, { transport: far });
  const client = new Client({ name: 'gateway', version: '1' }, { capabilities: { roots: {} } });
  closing.push(
    () => client.close(),
    () => serving.close(),
  );
  const guard = guardClient(client, { placet, subject: { type: 'user', id: 'ann' }, server: 'notes', agent });
  guard.setRequestHandler('roots/list', () => ({ roots: [] }));
  return { guard, calls, connect: () => guard.connect(near) };
}

async function records(): Promise<{ readonly kind: string; readonly host: string; readonly agent: string }[]> {
  const rows = await service.database.store.read(service.database.tenant, (view) =>
    view.query<{ kind: string; body: string }[]>(
      `select kind, body from placet.ledger_record where kind in ('decision', 'listing') order by writer, seq`,
    ),
  );
  return rows.map(({ kind, body }) => ({ ...(JSON.parse(body) as { host: string; agent: string }), kind }));
}

describe('a guard that names an agent', () => {
  it('asks for that one with everything, in both directions', async () => {
    const before = (await records()).length;
    const { guard, connect, calls } = guarded('agent-writer');
    await connect();
    expect((await guard.listTools()).tools.map(({ name }) => name)).toEqual(['read', 'write']);
    await guard.callTool({ name: 'read', arguments: {} });
    await guard.callTool({ name: 'write', arguments: {} });
    expect(calls.at(-1)).toBe('write');
    const made = (await records()).slice(before);
    expect(new Set(made.map(({ kind }) => kind))).toEqual(new Set(['decision', 'listing']));
    for (const record of made) expect(record).toMatchObject({ host: 'gateway', agent: 'agent-writer' });
    expect(JSON.stringify(made)).toContain('roots/list');
  });

  it('is held to the boundary of that one, beside another under the same key', async () => {
    const { guard, connect, calls } = guarded('agent-reader');
    await connect();
    expect((await guard.listTools()).tools.map(({ name }) => name)).toEqual(['read']);
    await expect(guard.callTool({ name: 'write', arguments: {} })).rejects.toMatchObject({
      effect: 'deny',
      reason: { code: 'outside_boundary' },
      request: { agent: 'agent-reader' },
    });
    expect(calls).toEqual([]);
  });

  it.each<[string, string | undefined, string]>([
    ['none', undefined, 'agent_required'],
    ['one that its key may not act for', 'stranger', 'agent_not_permitted'],
    ['the gateway itself', 'gateway', 'agent_not_permitted'],
    ['one without a name', '', 'invalid'],
  ])('does not even connect for %s', async (_, agent, says) => {
    const { connect, calls } = guarded(agent);
    const refused = await connect().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PlacetDenied);
    expect((refused as PlacetDenied).reason).toMatchObject({
      code: 'pdp_refused',
      message: expect.stringContaining(says) as string,
    });
    expect(calls).toEqual([]);
  });
});

describe('a client that asks by AuthZEN', () => {
  const asked = {
    subject: { type: 'user', id: 'ann' },
    action: { name: 'read' },
    resource: { type: 'page', id: '1' },
  };

  it.each<[string, object, boolean, string]>([
    ['for one that may', { agent: 'agent-writer' }, true, 'allowed'],
    ['for one that may not', { agent: 'agent-reader' }, false, 'no_rule_allows'],
    ['for one in the context', { context: { agent: 'agent-writer' } }, true, 'allowed'],
    ['for one over that', { agent: 'agent-reader', context: { agent: 'agent-writer' } }, false, 'no_rule_allows'],
    ['for a stranger', { agent: 'stranger' }, false, 'pdp_refused'],
    ['for nobody', {}, false, 'pdp_refused'],
  ])('%s', async (_, more, decision, code) => {
    expect(await placet.evaluate({ ...asked, ...more })).toMatchObject({ decision, reason: { code } });
  });
});
