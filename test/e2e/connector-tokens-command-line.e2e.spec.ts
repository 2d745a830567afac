import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FROM_THE_SOURCES } from '../support/from-sources.js';
import { scimWith } from '../support/scim.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  const provisioning = { scim: true, groups: 'scim' };
  const body = { kind: 'Issuer', name: 'entra', issuer: 'https://idp.example', profile: 'entra', provisioning };
  const saved = await service.call('PUT', '/api/v1/documents/Issuer/entra', { body });
  expect(saved.status, JSON.stringify(saved.body)).toBe(201);
});
afterAll(() => service.close());

async function placet(...args: string[]): Promise<string> {
  const env = { ...process.env, PLACET_URL: service.url, PLACET_KEY: service.owner };
  const program = [...FROM_THE_SOURCES, 'apps/cli/src/main.ts', 'connector-token', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, program, { env });
  return stdout;
}

const answers = async (token: string) => (await scimWith(service, token)('GET', '/Users')).status;

it('makes a token, lists it, gives it a new secret and ends it', async () => {
  const made = await placet('create', 'entra', '--cidr', '127.0.0.1', '--expires', '2099-01-31');
  const [id, token] = made.split('\n') as [string, string];
  service.secrets.add(token);
  expect(await answers(token)).toBe(200);
  const list = await placet('list');
  expect(list).toMatch(new RegExp(`^${id} +entra +127\\.0\\.0\\.1/32, 2099-01-31T00:00:00\\.000Z +`, 'm'));
  expect(list).not.toContain(token);
  expect(JSON.parse(await placet('list', '--json'))).toMatchObject([{ id, issuer: 'entra', disabled_at: null }]);
  const [, second] = (await placet('rotate', id)).split('\n') as [string, string];
  service.secrets.add(second);
  expect([await answers(token), await answers(second)]).toEqual([200, 200]);
  const [, third] = (await placet('rotate', id, '--now')).split('\n') as [string, string];
  service.secrets.add(third);
  expect([await answers(token), await answers(second), await answers(third)]).toEqual([401, 401, 200]);
  await placet('disable', id);
  expect(await answers(third)).toBe(401);
  expect(await placet('list')).toContain('ended ');
  await expect(placet('create', 'nobody')).rejects.toThrow('nobody');
  await expect(placet('create')).rejects.toThrow('ISSUER');
}, 120_000);
