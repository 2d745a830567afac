import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const QUESTION = JSON.stringify({
  subject: { type: 'user', id: 'ann' },
  server: 'everything',
  direction: 'client_to_server',
  message: { jsonrpc: '2.0', id: 1, method: 'ping' },
});

// Each way in keeps count of its own requests: the decision routes, the authorization server, and the rest.
it.each([
  ['/mcp/v1/decisions', 'application/json', QUESTION, 200],
  ['/api/v1/documents/apply', 'application/json', JSON.stringify({ files: [] }), 403],
  ['/t/default/oauth/token', 'application/x-www-form-urlencoded', 'grant_type=client_credentials', 400],
])('answers what is asked at %s, and then waits for no connection that is kept', async (path, type, body, status) => {
  const replica = await service.replica();
  const agent = new Agent({ keepAlive: true });
  const asked = request(replica.url + path, {
    agent,
    method: 'POST',
    headers: { Authorization: `Bearer ${service.host}`, 'Content-Type': type, 'Content-Length': body.length },
  });
  const answer = new Promise<number>((resolve, reject) => {
    asked.once('error', reject).once('response', (response) => {
      response.resume().once('end', () => resolve(response.statusCode!));
    });
  });
  asked.write(body.slice(0, 5));
  await sleep(100);
  const stopped = replica.stop();
  await sleep(100);
  asked.end(body.slice(5));
  expect(await answer).toBe(status);
  const answered = performance.now();
  await stopped;
  // One that is idle is kept for over a minute otherwise.
  expect(performance.now() - answered).toBeLessThan(3000);
  agent.destroy();
});

it('keeps connections for longer than balancers and clients do, and says so', async () => {
  const { headers } = await service.call('GET', '/readyz', { key: null });
  expect(headers.get('keep-alive')).toBe('timeout=75');
});

it('lets nobody wait for an answer of people that may come at another replica', async () => {
  const replica = await service.replica();
  const call = { key: service.host, url: replica.url };
  const mcp = {
    ...(JSON.parse(QUESTION) as object),
    server: 'database-server',
    message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'delete_database_record', arguments: {} } },
    tool: { definition: { name: 'delete_database_record', inputSchema: { type: 'object' } } },
  };
  const { body: asked } = await service.call('POST', '/mcp/v1/decisions', { ...call, body: mcp });
  const denial = { evaluation_id: asked.evaluation_id };
  const { body: opened } = await service.call('POST', '/access/v1/requests', { ...call, body: { denial, mcp } });
  const waiting = service.call('GET', `/access/v1/requests/${opened.task.id}?wait=30`, call);
  await sleep(200);
  const stopping = performance.now();
  await replica.stop();
  expect(performance.now() - stopping).toBeLessThan(5000);
  expect(await waiting).toMatchObject({ status: 200, body: { task: { status: 'pending' } } });
});
