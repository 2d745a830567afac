import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FROM_THE_SOURCES } from '../support/from-sources.js';
import { startCompany, type Company } from '../support/signed-in.js';

let company: Company;

beforeAll(async () => {
  company = await startCompany();
});
afterAll(() => company.close());

async function placet(...args: string[]): Promise<string> {
  const { url, owner } = company.service;
  const environment = { ...process.env, PLACET_URL: url, PLACET_KEY: owner };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...FROM_THE_SOURCES, 'apps/cli/src/main.ts', ...args],
    {
      env: environment,
    },
  );
  return stdout;
}

it('lists people and their sessions, and signs them out', async () => {
  await company.signIn('ann');
  expect(await placet('people', 'list')).toMatch(/user:company\/ann +Ann Example +ann@example\.com .* 1\n/);
  expect(await placet('people', 'sessions', 'user:company/ann')).toMatch(/\n[0-9a-f]{24} /);
  expect(await placet('people', 'sign-out', 'user:company/ann')).toContain('is signed out everywhere');
  expect(await placet('people', 'sessions', 'user:company/ann')).not.toMatch(/\n[0-9a-f]{24} /);
});
