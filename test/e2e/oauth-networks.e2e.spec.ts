import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../apps/server/src/service.js';
import { startIdentityProvider, type IdentityProvider } from '../support/identity-provider.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

const INSIDE = '203.0.113.7';
const OUTSIDE = '198.51.100.1';
const CIDRS = ['203.0.113.77/24', '2001:db8::/32'];
const RIGHTS = { subjects: ['user:*'] };

let service: TestService;
let replica: Service;
let idp: IdentityProvider;
let server: string;

beforeAll(async () => {
  const many = { token: 10_000, api_key: 10_000 };
  [service, idp] = await Promise.all([
    startTestService({ trustedProxies: ['127.0.0.1'], attempts: many }),
    startIdentityProvider(),
  ]);
  replica = await service.replica();
  server = `${service.url}/t/default`;
  const body = { kind: 'Issuer', name: 'cluster', issuer: idp.issuer, workloads: {} };
  await service.call('PUT', '/api/v1/documents/Issuer/cluster', { body, headers: { 'If-None-Match': '*' } });
});

afterAll(() => Promise.all([service.close(), idp.close()]));

const from = (address: string) => ({ 'X-Forwarded-For': address });

interface Client {
  readonly id: string;
  readonly secret: string;
}

async function newClient(more: object): Promise<Client> {
  const body = { host: 'quickstart', rights: RIGHTS, ...more };
  const answer = await service.call('POST', '/api/v1/clients', { body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body as Client;
}

/** Asks the token endpoint from an address. */
async function ask(form: Record<string, string>, address: string, headers: object = {}): Promise<Answer> {
  const answer = await fetch(`${server}/oauth/token`, {
    method: 'POST',
    headers: { ...from(address), ...headers },
    body: new URLSearchParams(form),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

const now = (): number => Math.floor(Date.now() / 1000);
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The ways in which a client can prove itself: what it is made with, and how it asks. */
const WAYS: Record<string, { more: object; ask(client: Client, address: string): Promise<Answer> }> = {
  'a secret': {
    more: {},
    ask: ({ id, secret }, address) =>
      ask({ grant_type: 'client_credentials' }, address, {
        Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      }),
  },
  'a secret in the form': {
    more: {},
    ask: ({ id, secret }, address) =>
      ask({ grant_type: 'client_credentials', client_id: id, client_secret: secret }, address),
  },
  'keys of its own': {
    more: { keys: { keys: [publicKey.export({ format: 'jwk' })] } },
    ask: async ({ id }, address) =>
      ask(
        {
          grant_type: 'client_credentials',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await new SignJWT({ jti: randomUUID(), iss: id, sub: id, aud: server, exp: now() + 60 })
            .setProtectedHeader({ alg: 'ES256' })
            .sign(privateKey),
        },
        address,
      ),
  },
  'the word of an identity provider': {
    more: { federated: { issuer: 'cluster', subject: 'workload' } },
    ask: async (_client, address) =>
      ask(
        {
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: await idp.sign({
            iss: idp.issuer,
            sub: 'workload',
            aud: server,
            jti: randomUUID(),
            iat: now(),
            exp: now() + 60,
          }),
        },
        address,
      ),
  },
};

const decide = async (key: string, address: string, url = service.url): Promise<unknown> => {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } };
  const body = { subject: { type: 'user', id: 'ann' }, server: 'everything', direction: 'client_to_server', message };
  return (await service.call('POST', '/mcp/v1/decisions', { key, body, url, headers: from(address) })).status;
};

const me = async (key: string, address: string, url = service.url): Promise<unknown> =>
  (await service.call('GET', '/api/v1/me', { key, url, headers: from(address) })).status;

/** Refusals of one client that the ledger has, once there are some. */
async function refusalsOf(id: string): Promise<unknown[]> {
  const superuser = await service.database.connect('superuser');
  for (let attempt = 0; attempt < 100; attempt++, await wait(20)) {
    const { rows } = await superuser.query<{ about: Record<string, unknown> }>(
      `select body::json -> 'about' as about from placet.ledger_record where kind = 'credential_refused'`,
    );
    const found = rows.map(({ about }) => about).filter(({ credential }) => credential === id);
    if (found.length > 0) return found;
  }
  return [];
}

describe('a client that is bound to networks', () => {
  it.each(Object.entries(WAYS))('by %s gets tokens there and nowhere else', async (_what, way) => {
    const client = await newClient({ cidrs: CIDRS, ...way.more });
    try {
      const refused = await way.ask(client, OUTSIDE);
      const told = 'federated' in way.more ? [400, 'invalid_grant'] : [401, 'invalid_client'];
      expect([refused.status, refused.body.error]).toEqual(told);
      expect(JSON.stringify(refused.body)).not.toContain('network');
      expect(await refusalsOf(client.id)).toMatchObject([
        { credential: client.id, reason: 'outside_network', address: OUTSIDE },
      ]);
      expect((await way.ask(client, 'unknown')).status).toBe(told[0]);
      const { status, body } = await way.ask(client, INSIDE);
      expect(status, JSON.stringify(body)).toBe(200);
      expect((await way.ask(client, '2001:db8::7')).status).toBe(200);
      for (const url of [service.url, replica.url]) {
        expect(await decide(body.access_token as string, INSIDE, url)).toBe(200);
        expect(await decide(body.access_token as string, OUTSIDE, url)).toBe(401);
        expect(await me(body.access_token as string, INSIDE, url)).toBe(200);
        expect(await me(body.access_token as string, OUTSIDE, url)).toBe(401);
      }
    } finally {
      await service.call('DELETE', `/api/v1/clients/${client.id}`);
    }
  });

  it('shows a token from elsewhere, which is recorded', async () => {
    const way = WAYS['a secret']!;
    const client = await newClient({ cidrs: CIDRS });
    const token = (await way.ask(client, INSIDE)).body.access_token as string;
    expect(await decide(token, OUTSIDE)).toBe(401);
    expect(await refusalsOf(client.id)).toMatchObject([{ reason: 'outside_network', address: OUTSIDE }]);
  });

  it('asks about a token, or revokes it, from there only', async () => {
    const client = await newClient({ cidrs: CIDRS });
    const token = (await WAYS['a secret']!.ask(client, INSIDE)).body.access_token as string;
    const at = async (path: string, address: string) =>
      fetch(`${server}/oauth/${path}`, {
        method: 'POST',
        headers: from(address),
        body: new URLSearchParams({ token, client_id: client.id, client_secret: client.secret }),
      });
    for (const path of ['introspect', 'revoke']) expect((await at(path, OUTSIDE)).status).toBe(401);
    expect(await decide(token, INSIDE)).toBe(200);
    expect(await (await at('introspect', INSIDE)).json()).toMatchObject({ active: true });
  });

  it('is shown with them, in the one way of writing them', async () => {
    const { id } = await newClient({ cidrs: [...CIDRS, '203.0.113.0/24'] });
    const cidrs = ['203.0.113.0/24', '2001:db8::/32'];
    expect((await service.call('GET', `/api/v1/clients/${id}`)).body).toMatchObject({ cidrs });
    const { items } = (await service.call('GET', '/api/v1/clients?page_size=200')).body as {
      items: { id: string; cidrs: unknown }[];
    };
    expect(items.find((client) => client.id === id)?.cidrs).toEqual(cidrs);
    const free = await newClient({});
    expect((await service.call('GET', `/api/v1/clients/${free.id}`)).body).toMatchObject({ cidrs: null });
  });

  it.each([[['10.0.0.0/33']], [['example.com']], [[]], ['10.0.0.0/8']])('is not made with %j', async (cidrs) => {
    const { status } = await service.call('POST', '/api/v1/clients', { body: { host: 'quickstart', cidrs } });
    expect(status).toBe(400);
  });
});

describe('a client that is changed', () => {
  it('is held to its new networks at once, with the tokens that it has, on every replica', async () => {
    const client = await newClient({});
    const way = WAYS['a secret']!;
    const token = (await way.ask(client, OUTSIDE)).body.access_token as string;
    for (const url of [service.url, replica.url]) expect(await decide(token, OUTSIDE, url)).toBe(200);
    const path = `/api/v1/clients/${client.id}`;
    const bound = await service.call('PATCH', path, { body: { cidrs: CIDRS } });
    expect([bound.status, bound.body.cidrs]).toEqual([200, ['203.0.113.0/24', '2001:db8::/32']]);
    expect(await Promise.all([decide(token, OUTSIDE, replica.url), decide(token, OUTSIDE)])).toEqual([401, 401]);
    const superuser = await service.database.connect('superuser');
    const { rows } = await superuser.query(
      'select keys, restricting from placet.change order by revision desc limit 1',
    );
    expect(rows).toEqual([{ keys: [`credential:${client.id}`], restricting: true }]);
    expect(await decide(token, INSIDE, replica.url)).toBe(200);
    expect((await way.ask(client, OUTSIDE)).status).toBe(401);
    expect((await service.call('PATCH', path, { body: { cidrs: null } })).body).toMatchObject({ cidrs: null });
    expect(await decide(token, OUTSIDE, replica.url)).toBe(200);
  });

  it('may do at once what its new rights say, and ends when it is to end', async () => {
    const client = await newClient({});
    const way = WAYS['a secret']!;
    const token = (await way.ask(client, INSIDE)).body.access_token as string;
    const path = `/api/v1/clients/${client.id}`;
    const change = (body: object) => service.call('PATCH', path, { body });
    expect((await change({ rights: { subjects: ['user:bob'] } })).body.rights).toMatchObject({
      subjects: ['user:bob'],
    });
    expect(await decide(token, INSIDE, replica.url)).toBe(403);
    expect((await change({ rights: RIGHTS })).status).toBe(200);
    expect((await change({ expires_at: new Date(Date.now() + 1500).toISOString() })).status).toBe(200);
    await expect.poll(() => decide(token, INSIDE, replica.url), { timeout: 5000 }).toBe(401);
    expect((await way.ask(client, INSIDE)).status).toBe(401);
  });

  it.each([
    ['nothing', {}, 400],
    ['an end in the past', { expires_at: '2020-01-01T00:00:00Z' }, 400],
    ['something else', { host: 'other' }, 400],
  ])('is not changed by %s', async (_what, body, status) => {
    const { id } = await newClient({});
    expect((await service.call('PATCH', `/api/v1/clients/${id}`, { body })).status).toBe(status);
  });

  it('must be live, and is changed by whoever may write clients', async () => {
    const { id } = await newClient({});
    const grants = [{ actions: ['write'], on: ['Client'], names: ['other-*'] }];
    await service.call('PUT', '/api/v1/documents/AdministratorRole/others', {
      body: { kind: 'AdministratorRole', name: 'others', grants },
      headers: { 'If-None-Match': '*' },
    });
    const change = (key?: string) =>
      service.call('PATCH', `/api/v1/clients/${id}`, { body: { cidrs: CIDRS }, ...(key ? { key } : {}) });
    for (const role of ['auditor', 'others']) {
      const { body } = await service.call('POST', '/api/v1/keys', {
        body: { administrator: role, rights: { roles: [role] } },
      });
      expect((await change(body.key as string)).status, role).toBe(403);
    }
    expect((await service.call('DELETE', `/api/v1/clients/${id}`)).status).toBe(204);
    expect((await change()).status).toBe(400);
  });
});
