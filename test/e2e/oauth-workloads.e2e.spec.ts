import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subjectsOf } from '../../apps/server/src/oauth/workloads.js';
import type { IssuerDocument, JsonObject } from '#policy';
import { curl, type CurlAnswer } from '../support/curl.js';
import { startIdentityProvider, type IdentityProvider } from '../support/identity-provider.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let idp: IdentityProvider;
let server: string;
let workload: string;

const SUBJECT = 'system:serviceaccount:shop:desk';

beforeAll(async () => {
  [service, idp] = await Promise.all([startTestService(), startIdentityProvider()]);
  server = `${service.url}/t/default`;
  const body = { kind: 'Issuer', name: 'cluster', issuer: idp.issuer, workloads: {} };
  await service.call('PUT', '/api/v1/documents/Issuer/cluster', { body, headers: { 'If-None-Match': '*' } });
  workload = await newWorkload(SUBJECT);
});

afterAll(() => Promise.all([service.close(), idp.close()]));

async function newWorkload(subject: string): Promise<string> {
  const { status, body } = await service.call('POST', '/api/v1/clients', {
    body: { host: 'quickstart', rights: { subjects: ['user:*'] }, federated: { issuer: 'cluster', subject } },
  });
  expect(status, JSON.stringify(body)).toBe(201);
  expect(body).not.toHaveProperty('secret');
  return body.id as string;
}

const now = (): number => Math.floor(Date.now() / 1000);

const assertion = (claims: Record<string, unknown> = {}, options = {}): Promise<string> =>
  idp.sign({ iss: idp.issuer, sub: SUBJECT, aud: server, iat: now(), exp: now() + 600, ...claims }, options);

const show = (text: string, more: readonly string[] = []): Promise<CurlAnswer> =>
  curl(
    '--data-urlencode',
    'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer',
    '--data-urlencode',
    `assertion=${text}`,
    ...more,
    `${server}/oauth/token`,
  );

const me = (key: string) => service.call('GET', '/api/v1/me', { key });

describe('a workload of the company', () => {
  it('gets a token for that of its identity provider, and says nothing else of itself', async () => {
    const { status, body } = await show(await assertion());
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'decide' });
    expect((await me(body.access_token as string)).body).toMatchObject({ host: 'quickstart', key: workload });
    expect((await show(await assertion({ aud: `${server}/oauth/token` }))).status).toBe(200);
    expect((await show(await assertion(), ['-d', `client_id=${workload}`])).status).toBe(200);
  });

  it('shows an assertion with an id once', async () => {
    const text = await assertion({ jti: 'one' });
    const answers = await Promise.all([show(text), show(text), show(text)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
  });

  it.each<[string, () => Promise<string>]>([
    ['for another audience', () => assertion({ aud: 'https://elsewhere.example' })],
    ['about somebody else', () => assertion({ sub: 'system:serviceaccount:shop:other' })],
    ['of a person, got through the workload', () => assertion({ sub: 'ann', azp: SUBJECT, appid: SUBJECT })],
    ['of another issuer', () => assertion({ iss: 'https://elsewhere.example' })],
    ['that has expired', () => assertion({ exp: now() - 120, iat: now() - 600 })],
    [
      'signed by somebody else',
      () => assertion({}, { key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }),
    ],
    ['that is none', async () => 'x'],
    ['that is empty', async () => ''],
  ])('gets none for one %s', async (_what, text) => {
    expect(await show(await text())).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'the assertion is not good here' },
    });
  });

  it('gets none as another client, or by naming itself alone', async () => {
    const other = await newWorkload('another');
    expect((await show(await assertion(), ['-d', `client_id=${other}`])).status).toBe(400);
    for (const grant_type of ['client_credentials', 'refresh_token']) {
      const answer = await curl(
        '-d',
        `grant_type=${grant_type}`,
        '-d',
        `client_id=${workload}`,
        `${server}/oauth/token`,
      );
      expect(answer.status).toBe(400);
    }
  });

  it('gets none any more, nor uses one, when it was disabled', async () => {
    const subject = 'system:serviceaccount:shop:till';
    const id = await newWorkload(subject);
    const { body } = await show(await assertion({ sub: subject }));
    expect((await me(body.access_token as string)).status).toBe(200);
    expect((await service.call('DELETE', `/api/v1/clients/${id}`)).status).toBe(204);
    expect((await me(body.access_token as string)).status).toBe(401);
    expect((await show(await assertion({ sub: subject }))).status).toBe(400);
  });
});

describe('what a workload is known by', () => {
  it.each<[string, IssuerDocument['profile'], JsonObject, readonly string[]]>([
    ['its sub', 'generic', { sub: 's' }, ['s']],
    ['not by the client of somebody else’s token', 'generic', { sub: 's', azp: 'a', appid: 'b' }, ['s']],
    ['not by the client of a person’s token', 'entra', { sub: 's', oid: 'o', azp: 'a' }, ['s']],
    ['its application, in a token of the application', 'entra', { sub: 's', oid: 's', azp: 'a' }, ['s', 'a']],
    ['its application, where the token says so', 'entra', { sub: 's', idtyp: 'app', appid: 'a' }, ['s', 'a']],
    ['nothing without a sub', 'entra', { idtyp: 'app', appid: 'a' }, []],
  ])('%s (%s)', (_what, profile, claims, subjects) => {
    expect(subjectsOf({ claims, issuer: { document: { profile } as IssuerDocument } })).toEqual(subjects);
  });
});
