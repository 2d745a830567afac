import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Cookies } from '../support/browser.js';
import { companyIssuer, startCompany, type Company } from '../support/signed-in.js';

let company: Company;
let server: string;

beforeAll(async () => {
  company = await startCompany();
  server = `${company.service.url}/t/default`;
  await company.apply(companyIssuer(company.idp, { workloads: {} }), { kind: 'Host', name: 'desk' });
});
afterAll(() => company.close());

/** The commands of docs/api.md about tokens, one a line. */
function commands(): string[] {
  const [, section] = readFileSync('docs/api.md', 'utf8').split('\n## Access tokens\n');
  const [, block] = /```sh\n([^]*?)```/.exec(section!)!;
  return block!
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.startsWith('curl '));
}

interface Client {
  readonly id: string;
  readonly secret: string;
}

async function newClient(more: object = {}): Promise<Client> {
  const { status, body } = await company.service.call('POST', '/api/v1/clients', { body: { host: 'desk', ...more } });
  expect(status, JSON.stringify(body)).toBe(201);
  return body as Client;
}

/** Lets a device act for the person of a browser. */
async function allow(browser: Cookies, userCode: string): Promise<void> {
  const page = `${server}/oauth/device`;
  const xsrf = /name="xsrf"\s+value="([^"]+)"/.exec(await (await browser.fetch(page)).text())![1]!;
  const form = new URLSearchParams({ xsrf, user_code: userCode, answer: 'allow' });
  expect((await browser.fetch(page, { method: 'POST', body: form })).status).toBe(200);
}

it('shows commands for tokens that do what it says', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = await newClient({ keys: { keys: [publicKey.export({ format: 'jwk' })] } });
  await newClient({ federated: { issuer: 'company', subject: 'workload' } });
  const client = await newClient();
  const now = Math.floor(Date.now() / 1000);
  const times = { iat: now, exp: now + 60 };
  const variables: Record<string, string> = {
    PATH: process.env.PATH!,
    OAUTH: `${server}/oauth`,
    ID: client.id,
    SECRET: client.secret,
    ASSERTION: await new SignJWT({ iss: signer.id, sub: signer.id, aud: server, jti: randomUUID(), ...times })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(privateKey),
    JWT: await company.idp.sign({ iss: company.idp.issuer, sub: 'workload', aud: server, ...times }),
  };
  const run = async (command: string): Promise<Record<string, unknown>> => {
    const here = command.replaceAll('http://127.0.0.1:8360', company.service.url);
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', here], { env: variables });
    return stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
  };
  const [metadata, jwks, secret, assertion, workload, begin, device, refresh, introspect, ...revokes] = commands();
  expect(await run(metadata!)).toMatchObject({ issuer: server, token_endpoint: `${server}/oauth/token` });
  expect(await run(jwks!)).toHaveProperty('keys');
  const token = await run(secret!);
  for (const given of [token, await run(assertion!), await run(workload!)])
    expect(given).toMatchObject({ expires_in: 600, scope: 'decide', token_type: 'Bearer' });
  const browser = await company.signIn('ann');
  const begun = await run(begin!);
  await allow(browser, begun['user_code'] as string);
  variables['DEVICE_CODE'] = begun['device_code'] as string;
  const signedIn = await run(device!);
  expect(signedIn).toMatchObject({ expires_in: 900, scope: 'administer offline_access' });
  variables['REFRESH_TOKEN'] = signedIn['refresh_token'] as string;
  const renewed = await run(refresh!);
  expect(renewed).toMatchObject({ expires_in: 900 });
  variables['TOKEN'] = token['access_token'] as string;
  variables['REFRESH_TOKEN'] = renewed['refresh_token'] as string;
  expect(await run(introspect!)).toMatchObject({ active: true });
  for (const revoke of revokes) expect(await run(revoke)).toEqual({});
  expect(await run(introspect!)).toEqual({ active: false });
  expect(await run(refresh!)).toMatchObject({ error: 'invalid_grant' });
  expect(revokes).toHaveLength(2);
});
