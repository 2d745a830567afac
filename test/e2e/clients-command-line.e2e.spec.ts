import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FROM_THE_SOURCES } from '../support/from-sources.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

async function placet(...args: string[]): Promise<string> {
  const env = { ...process.env, PLACET_URL: service.url, PLACET_KEY: service.owner };
  const program = [...FROM_THE_SOURCES, 'apps/cli/src/main.ts', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, program, { env });
  return stdout;
}

/** Whether a client gets a token, and whether a token is good; here the address is always 127.0.0.1. */
async function tokenOf(id: string, secret: string): Promise<string | undefined> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret });
  const answer = await fetch(`${service.url}/t/default/oauth/token`, { method: 'POST', body });
  return ((await answer.json()) as { access_token?: string }).access_token;
}
const isGood = async (key: string) => (await service.call('GET', '/api/v1/me', { key })).status === 200;

it('makes a client that is bound to networks, changes and lists it, and gives it a new secret', async () => {
  const bounds = ['--may-speak-for', 'user:*', '--cidr', '203.0.113.9/24', '--expires', '2099-01-31'];
  const [id, secret] = (await placet('client', 'create', 'quickstart', ...bounds)).split('\n') as [string, string];
  service.secrets.add(secret);
  expect(await placet('client', 'list')).toContain(`${id} quickstart client_secret from 203.0.113.0/24\n`);
  expect(await tokenOf(id, secret)).toBeUndefined();
  expect(await placet('client', 'change', id, '--cidr', '127.0.0.1', '--cidr', '10.0.0.0/8')).toBe(
    'host quickstart: 127.0.0.1/32, 10.0.0.0/8, 2099-01-31T00:00:00.000Z\n',
  );
  const token = (await tokenOf(id, secret))!;
  expect(await isGood(token)).toBe(true);
  expect(await placet('client', 'change', id, '--cidr', 'any', '--expires', 'never', '--explain')).toBe(
    'host quickstart: from anywhere, no end\n',
  );
  const { rights } = (await service.call('GET', `/api/v1/clients/${id}`)).body as { rights: object };
  expect(rights).toMatchObject({ subjects: ['user:*'], explain: true });
  await expect(placet('client', 'change', id)).rejects.toThrow("'client change' needs something to change");
  const [, second] = (await placet('client', 'rotate', id)).split('\n') as [string, string];
  expect([await isGood(token), (await tokenOf(id, secret)) !== undefined]).toEqual([true, true]);
  const [, third] = (await placet('client', 'rotate', id, '--now')).split('\n') as [string, string];
  service.secrets.add(second, third);
  expect(await isGood(token)).toBe(false);
  expect([await tokenOf(id, secret), await tokenOf(id, second)]).toEqual([undefined, undefined]);
  expect(await isGood((await tokenOf(id, third))!)).toBe(true);
}, 60_000);
