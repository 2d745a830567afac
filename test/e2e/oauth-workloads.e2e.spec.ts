import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subjectsOf } from '../../apps/server/src/oauth/workloads.js';
import { TOLERANCE_MS } from '#identity';
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

async function newWorkload(subject: string, issuer = 'cluster'): Promise<string> {
  const { status, body } = await service.call('POST', '/api/v1/clients', {
    body: { host: 'quickstart', rights: { subjects: ['user:*'] }, federated: { issuer, subject } },
  });
  expect(status, JSON.stringify(body)).toBe(201);
  expect(body).not.toHaveProperty('secret');
  return body.id as string;
}

/** The order of the group of P-256. */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

/** A token with the other signature that is as good: r and n - s. */
function mirrored(text: string): string {
  const [head, body, signature] = text.split('.');
  const bytes = Buffer.from(signature!, 'base64url');
  const s = ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
  return `${head}.${body}.${other.toString('base64url')}`;
}

const now = (): number => Math.floor(Date.now() / 1000);

let made = 0;
/** Each is another one, and says of itself nothing that it need not say. */
const assertion = (claims: Record<string, unknown> = {}, options = {}): Promise<string> =>
  idp.sign(
    { iss: idp.issuer, sub: SUBJECT, aud: server, iat: now(), exp: now() + 600, made: ++made, ...claims },
    options,
  );

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

  it.each<[string, Record<string, unknown>]>([
    ['with an id', { jti: 'one' }],
    ['with an id that is none', { jti: '' }],
    ['without an id', {}],
  ])('shows an assertion %s once', async (_what, claims) => {
    const text = await assertion(claims);
    const answers = await Promise.all([show(text), show(text), show(text)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect((await show(text)).status).toBe(400);
  });

  it('shows one once also where its signature is written in another form', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keys = createServer((_, response) =>
      response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'ec' }] })),
    );
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
    try {
      const issuer = `http://localhost:${(keys.address() as AddressInfo).port}`;
      const body = { kind: 'Issuer', name: 'ec', issuer, jwksUri: `${issuer}/`, algorithms: ['ES256'], workloads: {} };
      await service.call('PUT', '/api/v1/documents/Issuer/ec', { body, headers: { 'If-None-Match': '*' } });
      await newWorkload('ec', 'ec');
      const text = await assertion(
        { iss: issuer, sub: 'ec' },
        { header: { alg: 'ES256', kid: 'ec' }, key: privateKey },
      );
      expect((await show(text)).status).toBe(200);
      expect((await show(mirrored(text))).status).toBe(400);
      // The other form is good by itself: it is refused for having been used.
      const fresh = await assertion(
        { iss: issuer, sub: 'ec' },
        { header: { alg: 'ES256', kid: 'ec' }, key: privateKey },
      );
      expect((await show(mirrored(fresh))).status).toBe(200);
    } finally {
      keys.close();
    }
  });

  it('is known to have shown one for as long as it would be believed', async () => {
    const exp = now() + 900;
    expect((await show(await assertion({ exp }))).status).toBe(200);
    const superuser = await service.database.connect('superuser');
    const { rows } = await superuser.query<{ until: number }>(
      `select extract(epoch from max(expires_at))::float8 as until from placet.oauth_state where model = 'Assertion'`,
    );
    expect(rows[0]!.until).toBeGreaterThanOrEqual(exp + TOLERANCE_MS / 1000);
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
