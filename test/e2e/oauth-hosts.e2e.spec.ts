import { createHash, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../apps/server/src/service.js';
import { ensureTenant } from '#store';
import { curl, type CurlAnswer } from '../support/curl.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let replica: Service;
let server: string;

beforeAll(async () => {
  // So many refusals come from one address here that the limits would hide them.
  service = await startTestService({ attempts: { token: 10_000, api_key: 10_000 } });
  replica = await service.replica();
  server = `${service.url}/t/default`;
});

afterAll(() => service.close());

const RIGHTS = { subjects: ['user:*'], explain: true };

interface Client {
  readonly id: string;
  readonly secret: string;
}

async function newClient(more: object = {}): Promise<Client> {
  const { status, body } = await service.call('POST', '/api/v1/clients', {
    body: { host: 'quickstart', rights: RIGHTS, ...more },
  });
  expect(status, JSON.stringify(body)).toBe(201);
  return body as Client;
}

const form = (members: Readonly<Record<string, string>>): string[] =>
  Object.entries(members).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]);

const GRANT = { grant_type: 'client_credentials' };

/** A token by HTTP Basic. */
const byBasic = ({ id, secret }: Client, members: Readonly<Record<string, string>> = GRANT, at = server) =>
  curl('-u', `${id}:${secret}`, ...form(members), `${at}/oauth/token`);

async function tokenOf(client: Client): Promise<string> {
  const { status, body } = await byBasic(client);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.access_token as string;
}

const ASKED = {
  subject: { type: 'user', id: 'ann' },
  server: 'file-server',
  direction: 'client_to_server',
  message: {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'read_text_file', arguments: { path: '~/Documents/Projects/plan.md' } },
  },
};

const decide = (key: string, url = service.url): Promise<Answer> =>
  service.call('POST', '/mcp/v1/decisions', { key, body: ASKED, url });

const effectOf = ({ status, body }: Answer): unknown => (status === 200 ? body.effect : status);

describe('a client with a secret', () => {
  it('gets a token by curl, and decides with it as with a key', async () => {
    const client = await newClient();
    const { status, body, headers } = await byBasic(client);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'decide',
    });
    expect(headers.get('cache-control')).toBe('no-store');
    const byToken = await decide(body.access_token as string);
    const byKey = await decide(service.host);
    expect(effectOf(byKey)).toBe('allow');
    expect(effectOf(byToken)).toBe('allow');
    expect(effectOf(await decide(body.access_token as string, replica.url))).toBe('allow');
  });

  it('may send it in the form, but not twice', async () => {
    const { id, secret } = await newClient();
    const members = { ...GRANT, client_id: id, client_secret: secret };
    expect((await curl(...form(members), `${server}/oauth/token`)).status).toBe(200);
    expect((await curl('-u', `${id}:${secret}`, ...form(members), `${server}/oauth/token`)).status).toBe(400);
  });

  it('is refused with anything else, and told nothing of why', async () => {
    const client = await newClient();
    const other = await newClient();
    const wrong: readonly Client[] = [
      { ...client, secret: other.secret },
      { ...client, secret: client.secret.slice(0, -1) + (client.secret.endsWith('x') ? 'y' : 'x') },
      { ...client, secret: client.secret.slice(client.secret.lastIndexOf('_') + 1) },
      { ...client, secret: client.secret.replace('_test_', '_prod_') },
      { id: '0123456789abcdefghi', secret: client.secret },
      { id: 'placet-cli', secret: client.secret },
    ];
    for (const each of wrong) {
      const { status, body } = await byBasic(each);
      expect([status, body], JSON.stringify(each)).toEqual([
        401,
        { error: 'invalid_client', error_description: 'client authentication failed' },
      ]);
    }
    const key = service.host;
    expect((await byBasic({ id: key.split('_')[2]!, secret: key })).status).toBe(401);
    expect((await service.call('GET', '/api/v1/me', { key: client.secret })).status).toBe(401);
  });

  it('has two live secrets while it changes over, and then one', async () => {
    const old = await newClient();
    const rotated = await service.call('POST', `/api/v1/clients/${old.id}/rotate`, { body: { overlap_seconds: 2 } });
    const fresh = rotated.body as Client;
    expect((await byBasic(fresh)).status).toBe(200);
    const token = await tokenOf(old);
    await expect.poll(async () => (await byBasic(old)).status, { timeout: 10_000 }).toBe(401);
    expect((await byBasic(fresh)).status).toBe(200);
    // What was issued while the secret was good is good until it expires.
    expect(effectOf(await decide(token))).toBe('allow');
  });

  it('loses its tokens with its secret, on every replica, where the secret is replaced at once', async () => {
    for (let round = 0; round < 3; round++) {
      const old = await newClient();
      const token = await tokenOf(old);
      for (const url of [service.url, replica.url]) expect(effectOf(await decide(token, url))).toBe('allow');
      const rotated = await service.call('POST', `/api/v1/clients/${old.id}/rotate`, { body: { overlap_seconds: 0 } });
      expect(rotated.status).toBe(201);
      const answers = await Promise.all([decide(token, replica.url), decide(token)]);
      expect(answers.map(effectOf)).toEqual([401, 401]);
      expect((await service.call('GET', '/api/v1/me', { key: token, url: replica.url })).status).toBe(401);
      expect((await byBasic(old)).status).toBe(401);
      const next = await tokenOf(rotated.body as Client);
      for (const url of [service.url, replica.url]) expect(effectOf(await decide(next, url))).toBe('allow');
    }
  });

  it('gets no token for a secret that is being replaced at this moment', async () => {
    for (let round = 0; round < 4; round++) {
      const old = await newClient();
      const asked = Array.from({ length: 6 }, () => byBasic(old));
      const rotated = await service.call('POST', `/api/v1/clients/${old.id}/rotate`, { body: { overlap_seconds: 0 } });
      expect(rotated.status).toBe(201);
      for (const { status, body } of await Promise.all(asked))
        expect(status === 200 ? effectOf(await decide(body.access_token as string)) : status).toBe(401);
    }
  });

  it.each([
    ['administer', 'invalid_scope'],
    ['decide nothing', 'invalid_scope'],
  ])('gets no token for the scope %s', async (scope, error) => {
    expect((await byBasic(await newClient(), { ...GRANT, scope })).body).toMatchObject({ error });
  });

  it.each([
    'authorization_code',
    'implicit',
    'password',
    'refresh_token',
    'urn:ietf:params:oauth:grant-type:device_code',
  ])('gets none by the grant %s', async (grant_type) => {
    const { status, body } = await byBasic(await newClient(), { grant_type, code: 'x', refresh_token: 'x' });
    expect(status).toBe(400);
    expect(body).not.toHaveProperty('access_token');
  });

  it('may not administer, and asks as nobody that its rights do not name', async () => {
    const token = await tokenOf(await newClient({ rights: { subjects: ['user:bob'] } }));
    expect((await service.call('GET', '/api/v1/documents', { key: token })).body.code).toBe('not_an_administrator');
    expect((await decide(token)).body.code).toBe('subject_not_assertable');
    expect((await service.call('GET', '/api/v1/me', { key: token })).body).toMatchObject({ host: 'quickstart' });
  });
});

describe('a token', () => {
  it.each(['POST /oauth/revoke', 'DELETE the client'])(
    'decides nothing on any replica once %s has answered',
    async (how) => {
      for (let round = 0; round < 5; round++) {
        const client = await newClient();
        const token = await tokenOf(client);
        for (const url of [service.url, replica.url]) expect(effectOf(await decide(token, url))).toBe('allow');
        if (how.startsWith('DELETE')) {
          expect((await service.call('DELETE', `/api/v1/clients/${client.id}`)).status).toBe(204);
        } else {
          const revoked = await curl(
            '-u',
            `${client.id}:${client.secret}`,
            ...form({ token }),
            `${server}/oauth/revoke`,
          );
          expect(revoked.status).toBe(200);
        }
        const answers = await Promise.all([decide(token, replica.url), decide(token), decide(token, replica.url)]);
        expect(answers.map(effectOf)).toEqual([401, 401, 401]);
        expect((await service.call('GET', '/api/v1/me', { key: token })).status).toBe(401);
      }
    },
  );

  it('is introspected and revoked by its own client only', async () => {
    const [own, other] = [await newClient(), await newClient()];
    const token = await tokenOf(own);
    const ask = async ({ id, secret }: Client, path: string, value = token): Promise<CurlAnswer> =>
      curl('-u', `${id}:${secret}`, ...form({ token: value }), `${server}/oauth/${path}`);
    expect((await ask(own, 'introspect')).body).toMatchObject({ active: true, client_id: own.id, scope: 'decide' });
    expect((await ask(other, 'introspect')).body).toEqual({ active: false });
    expect((await ask(other, 'introspect', 'x'.repeat(43))).body).toEqual({ active: false });
    expect((await curl(...form({ token, client_id: own.id }), `${server}/oauth/introspect`)).status).toBe(401);
    expect((await ask(other, 'revoke')).status).toBe(200);
    expect(effectOf(await decide(token))).toBe('allow');
    expect((await ask(own, 'revoke')).status).toBe(200);
    expect((await ask(own, 'introspect')).body).toEqual({ active: false });
  });

  it('that nobody issued is refused, with a hint where to get one', async () => {
    const { status, headers, body } = await decide('x'.repeat(43));
    expect([status, body.code]).toEqual([401, 'credentials_invalid']);
    const metadata = `${service.url}/.well-known/oauth-protected-resource`;
    expect(headers.get('www-authenticate')).toBe(
      `Bearer realm="placet", resource_metadata="${metadata}", error="invalid_token"`,
    );
    const none = await service.call('GET', '/api/v1/me', { key: null });
    expect(none.headers.get('www-authenticate')).toBe(`Bearer realm="placet", resource_metadata="${metadata}"`);
  });

  it('is nowhere in the database, and of no use to who reads it there', async () => {
    const client = await newClient();
    const token = await tokenOf(client);
    const superuser = await service.database.connect('superuser');
    const { rows } = await superuser.query('select * from placet.oauth_state');
    const all = rows.map((row) => JSON.stringify(row) + Buffer.from(row.sealed as Buffer).toString('latin1')).join('');
    expect(all).not.toContain(token);
    expect(all).not.toContain(client.secret);
    for (const { id } of rows as { id: string }[]) expect((await decide(id)).status).toBe(401);
  });

  it('is good after all replicas were started anew', async () => {
    const token = await tokenOf(await newClient());
    const later = await service.replica();
    expect(effectOf(await decide(token, later.url))).toBe('allow');
  });

  it('expires by the clock of the database', async () => {
    const token = await tokenOf(await newClient());
    expect(effectOf(await decide(token))).toBe('allow');
    const superuser = await service.database.connect('superuser');
    await superuser.query(
      `update placet.oauth_state set expires_at = clock_timestamp() where model = 'ClientCredentials'`,
    );
    const later = await service.replica();
    expect((await decide(token, later.url)).status).toBe(401);
  });
});

describe('a client with keys of its own', () => {
  interface Signed {
    readonly claims?: object;
    readonly header?: object;
    readonly key?: KeyObject;
  }

  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  /** An assertion as RFC 7523 wants it, written by hand. */
  function assertionOf(client: string, key: KeyObject, { claims = {}, header = {} }: Signed = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const head = encoded({ alg: 'ES256', typ: 'JWT', ...header });
    const body = encoded({
      iss: client,
      sub: client,
      aud: server,
      jti: randomUUID(),
      iat: now,
      exp: now + 60,
      ...claims,
    });
    const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' });
    return `${head}.${body}.${signature.toString('base64url')}`;
  }

  const show = (assertion: string, at = server): Promise<CurlAnswer> =>
    curl(
      ...form({
        ...GRANT,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
      `${at}/oauth/token`,
    );

  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { publicKey, privateKey } = pair();
  const keys = { keys: [publicKey.export({ format: 'jwk' })] };

  it('gets a token for an assertion, once', async () => {
    const { id, secret } = await newClient({ keys });
    expect(secret).toBeUndefined();
    const assertion = assertionOf(id, privateKey);
    const { status, body } = await show(assertion);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(effectOf(await decide(body.access_token as string))).toBe('allow');
    expect(await show(assertion)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect((await show(assertion, `${replica.url}/t/default`)).status).toBe(401);
  });

  it('gets one token for an assertion that is shown many times at once', async () => {
    const { id } = await newClient({ keys });
    const assertion = assertionOf(id, privateKey);
    const servers = [server, `${replica.url}/t/default`];
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => show(assertion, servers[index % 2])));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  const later = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

  it.each<[string, Signed]>([
    ['of another audience', { claims: { aud: 'https://elsewhere.example' } }],
    ['without an audience', { claims: { aud: undefined } }],
    ['of another client', { claims: { iss: 'somebody' } }],
    ['that has expired', { claims: { exp: later(-120) } }],
    ['that lasts for a day', { claims: { exp: later(86_400) } }],
    ['without an end', { claims: { exp: undefined } }],
    ['without an id', { claims: { jti: undefined } }],
    ['signed with another key', { key: pair().privateKey }],
    ['that says it is signed with none', { header: { alg: 'none' } }],
    [
      'that brings its own key',
      { header: { jwk: pair().publicKey.export({ format: 'jwk' }) }, key: pair().privateKey },
    ],
  ])('gets none for an assertion %s', async (_what, signed) => {
    const { id } = await newClient({ keys });
    const { status, body } = await show(assertionOf(id, signed.key ?? privateKey, signed));
    expect([status, body]).toEqual([
      401,
      { error: 'invalid_client', error_description: 'client authentication failed' },
    ]);
  });

  it('gets none for one that is not signed, or signed with its public key as a secret', async () => {
    const { id } = await newClient({ keys });
    const [, body] = assertionOf(id, privateKey).split('.');
    expect((await show(`${encoded({ alg: 'none' })}.${body}.`)).status).toBe(401);
    const head = encoded({ alg: 'HS256' });
    const mac = createHash('sha256').update(`${head}.${body}`).digest('base64url');
    expect((await show(`${head}.${body}.${mac}`)).status).toBe(401);
  });

  it('proves nothing any more with keys that were replaced', async () => {
    const { id } = await newClient({ keys });
    const next = pair();
    const replaced = { keys: { keys: [next.publicKey.export({ format: 'jwk' })] } };
    expect((await service.call('PUT', `/api/v1/clients/${id}/keys`, { body: replaced })).status).toBe(204);
    expect((await show(assertionOf(id, privateKey))).status).toBe(401);
    expect((await show(assertionOf(id, next.privateKey))).status).toBe(200);
  });

  it.each([
    [undefined, 401],
    [true, 401],
    [false, 'allow'],
  ])('loses its tokens with its keys, unless its administrator lets them be (end_tokens: %s)', async (given, then) => {
    const { id } = await newClient({ keys });
    const token = (await show(assertionOf(id, privateKey))).body.access_token as string;
    expect(effectOf(await decide(token, replica.url))).toBe('allow');
    const body = { keys: { keys: [pair().publicKey.export({ format: 'jwk' })] }, end_tokens: given };
    expect((await service.call('PUT', `/api/v1/clients/${id}/keys`, { body })).status).toBe(204);
    expect(effectOf(await decide(token, replica.url))).toBe(then);
    expect(effectOf(await decide(token))).toBe(then);
  });

  it.each([
    ['a private key', privateKey.export({ format: 'jwk' }), 'secret'],
    ['a secret', { kty: 'oct', k: 'AAAA' }, 'secret'],
    ['a weak key', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }), '2048'],
    [
      'a key of another curve',
      generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }),
      'P-256',
    ],
  ])('is not made with %s', async (_what, key, word) => {
    const { status, body } = await service.call('POST', '/api/v1/clients', {
      body: { host: 'quickstart', keys: { keys: [key] } },
    });
    expect(status).toBe(400);
    expect(body.detail).toContain(word);
  });
});

describe('another tenant', () => {
  it('has another authorization server, whose tokens and clients are none here', async () => {
    await ensureTenant(service.database.address, 'other');
    const client = await newClient();
    const other = `${service.url}/t/other`;
    expect((await byBasic(client, GRANT, other)).status).toBe(401);
    const token = await tokenOf(client);
    const { id, secret } = client;
    expect((await curl('-u', `${id}:${secret}`, ...form({ token }), `${other}/oauth/revoke`)).status).toBe(401);
    expect(effectOf(await decide(token))).toBe('allow');
    const [ours, theirs] = await Promise.all([server, other].map((at) => curl(`${at}/oauth/jwks`)));
    const kids = (answer: CurlAnswer) => (answer.body.keys as { kid: string }[]).map(({ kid }) => kid);
    expect(kids(ours!).filter((kid) => kids(theirs!).includes(kid))).toEqual([]);
    expect((await curl(`${service.url}/t/nobody/oauth/jwks`)).status).toBe(404);
  });
});

describe('the keys that sign', () => {
  const published = async (): Promise<{ kid: string; d?: string }[]> => (await curl(`${server}/oauth/jwks`)).body.keys;

  it('are the same on every replica, public only, and stay published when new ones sign', async () => {
    const before = await published();
    expect(before.map((key) => Object.keys(key).filter((name) => ['d', 'p', 'q'].includes(name)))).toEqual([[], []]);
    expect((await curl(`${replica.url}/t/default/oauth/jwks`)).body.keys).toEqual(before);
    const { status, body } = await service.call('POST', '/api/v1/signing-keys/rotate');
    expect(status, JSON.stringify(body)).toBe(201);
    const after = (await published()).map(({ kid }) => kid);
    expect(after.sort()).toEqual([...before.map(({ kid }) => kid), ...(body.keys as string[])].sort());
    const superuser = await service.database.connect('superuser');
    const { rows } = await superuser.query(
      `select body from placet.ledger_record where body like '%replace_signing_key%'`,
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('sealed');
  });
});

describe('what the servers say of themselves', () => {
  it('comes from the public URL, whatever a request says', async () => {
    const lies = ['-H', 'Host: evil.example', '-H', 'X-Forwarded-Host: evil.example', '-H', 'X-Forwarded-Proto: https'];
    for (const path of [
      '/t/default/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server/t/default',
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-protected-resource/t/default',
    ]) {
      const { status, body } = await curl(...lies, service.url + path);
      expect(status, path).toBe(200);
      expect(JSON.stringify(body)).not.toContain('evil');
      expect(JSON.stringify(body)).toContain(server);
    }
    const started = await curl(...lies, ...form({ client_id: 'placet-cli' }), `${server}/oauth/device/authorize`);
    expect(started.body.verification_uri).toBe(`${server}/oauth/device`);
  });

  it.each([
    '/oauth/authorize',
    '/auth',
    '/oauth/auth',
    '/oauth/registration',
    '/oauth/me',
    '/session/end',
    '/oauth/request',
  ])('does not have %s', async (path) => {
    expect((await curl(server + path)).status).toBe(404);
    expect((await curl('-X', 'POST', server + path)).status).toBeGreaterThanOrEqual(400);
  });
});
