import { mkdtempSync, rmSync, statSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KeptSignIns } from '../../apps/cli/src/kept-sign-ins.js';
import { refresh, signIn, signOut, type SignIn } from '../../apps/cli/src/sign-in.js';
import type { Service } from '../../apps/server/src/service.js';
import { newSessionId, newSessionValue, SESSION_COOKIE, sessionMac } from '#identity';
import { commitChange, SessionStore } from '#store';
import { curl, type CurlAnswer } from '../support/curl.js';
import { startIdentityProvider, type IdentityProvider } from '../support/identity-provider.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let replica: Service;
let idp: IdentityProvider;
let server: string;
let device: string;

/** How long devices are told to wait between two questions; those that ask after less than two fifths of it are refused. */
const POLL_SECONDS = 1;
const sooner = () => new Promise((resolve) => setTimeout(resolve, POLL_SECONDS * 420));

beforeAll(async () => {
  [service, idp] = await Promise.all([startTestService({ devicePollSeconds: POLL_SECONDS }), startIdentityProvider()]);
  replica = await service.replica();
  server = `${service.url}/t/default`;
  device = `${server}/oauth/device`;
  const body = {
    kind: 'Issuer',
    name: 'company',
    issuer: idp.issuer,
    signIn: { clientId: 'placet', authentication: 'none' },
    workloads: {},
  };
  const saved = await service.call('PUT', '/api/v1/documents/Issuer/company', {
    body,
    headers: { 'If-None-Match': '*' },
  });
  expect(saved.status, JSON.stringify(saved.body)).toBe(201);
});

afterAll(() => Promise.all([service.close(), idp.close()]));

const form = (members: Readonly<Record<string, string>>): string[] =>
  Object.entries(members).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]);

/** A browser in which a person has signed in. */
async function signedIn(sub: string): Promise<string> {
  const value = newSessionValue();
  const person = `user:company/${sub}`;
  const begun = await new SessionStore(service.database.store).begin({
    tenant: service.database.tenant,
    person: {
      id: person,
      issuer: 'company',
      claims: { iss: idp.issuer, sub },
      name: '<b>Ann</b>',
      email: null,
      denial: `subject:company/${sub}`,
      askedAt: Date.now(),
    },
    session: {
      id: newSessionId(),
      mac: sessionMac(value, service.keyCheck)!.toString('hex'),
      upstreamSession: null,
      acr: null,
      amr: [],
      authenticatedAt: Date.now(),
      sealedHint: null,
      idleMs: 1_800_000,
      absoluteMs: 43_200_000,
      begunAt: Date.now(),
      replaces: null,
      stepUp: false,
      address: null,
      userAgent: null,
    },
    about: {},
  });
  expect(begun).toBe('signed_in');
  return `Cookie: ${SESSION_COOKIE}=${value}`;
}

const xsrfOf = ({ body }: CurlAnswer): string => /name="xsrf"\s+value="([^"]+)"/.exec(body as string)![1]!;

interface Started {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
}

async function start(scope = 'administer offline_access'): Promise<Started> {
  const { status, body } = await curl(
    '-A',
    'a <i>device</i>',
    ...form({ client_id: 'placet-cli', scope }),
    `${server}/oauth/device/authorize`,
  );
  expect(status, JSON.stringify(body)).toBe(200);
  return body as Started;
}

const poll = ({ device_code }: Started): Promise<CurlAnswer> =>
  curl(
    ...form({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code, client_id: 'placet-cli' }),
    `${server}/oauth/token`,
  );

/** What a person does in a browser. */
async function answer(browser: string, userCode: string, how: 'allow' | 'deny', at = device): Promise<CurlAnswer> {
  const asked = await curl('-H', browser, at);
  const xsrf = xsrfOf(asked);
  const confirm = await curl('-H', browser, ...form({ xsrf, user_code: userCode }), at);
  expect(confirm.status, confirm.body as string).toBe(200);
  return curl('-H', browser, ...form({ xsrf: xsrfOf(confirm), user_code: userCode, answer: how }), at);
}

describe('a device', () => {
  it('is signed in by curl: who asks, from where and for what is shown, and nothing is granted by a link', async () => {
    const started = await start();
    expect(started).toMatchObject({ verification_uri: device, expires_in: 600, interval: POLL_SECONDS });
    expect(started.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    const both = await Promise.all([poll(started), poll(started)]);
    expect(both.map(({ body }) => body.error as string).sort()).toEqual(['authorization_pending', 'slow_down']);
    const browser = await signedIn('ann');
    const opened = await curl('-H', browser, started.verification_uri_complete);
    expect(opened.body).toContain(started.user_code);
    expect(opened.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const confirm = await curl('-H', browser, ...form({ xsrf: xsrfOf(opened), user_code: started.user_code }), device);
    for (const text of [
      'Placet command line',
      '127.0.0.1',
      'a &lt;i&gt;device&lt;/i&gt;',
      '&lt;b&gt;Ann&lt;/b&gt;',
      'Administer',
    ])
      expect(confirm.body).toContain(text);
    await sooner();
    expect((await poll(started)).body.error).toBe('authorization_pending');
    expect((await answer(browser, started.user_code, 'allow')).body).toContain('is signed in');
    await sooner();
    const { status, body } = await poll(started);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ expires_in: 900, scope: 'administer offline_access', token_type: 'Bearer' });
    expect(body).not.toHaveProperty('id_token');
    // It is no host, whatever it asks for.
    const decided = await service.call('POST', '/mcp/v1/decisions', {
      key: body.access_token as string,
      body: DECISION,
    });
    expect([decided.status, decided.body.code]).toEqual([403, 'not_a_host']);
    await sooner();
    expect((await poll(started)).body.error).toBe('invalid_grant');
  });

  it('gets nothing where the person refuses, and only one answer counts', async () => {
    const started = await start();
    const browser = await signedIn('bob');
    expect((await answer(browser, started.user_code.toLowerCase(), 'deny')).body).toContain('Refused');
    const again = await curl('-H', browser, device);
    const late = await curl(
      '-H',
      browser,
      ...form({ xsrf: xsrfOf(again), user_code: started.user_code, answer: 'allow' }),
      device,
    );
    expect(late.status).toBe(400);
    expect((await poll(started)).body.error).toBe('access_denied');
  });

  it('waits for somebody who is signed in, and comes back to a path of ours', async () => {
    const { user_code, verification_uri_complete } = await start();
    for (const args of [[verification_uri_complete], [...form({ user_code, answer: 'allow' }), device]]) {
      const { status, headers } = await curl(...args);
      expect(status).toBe(303);
      const location = new URL(headers.get('location')!);
      expect(location.origin + location.pathname).toBe(`${server}/sign-in`);
      expect(location.searchParams.get('return_to')).toBe(`/t/default/oauth/device?user_code=${user_code}`);
    }
    const evil = await curl(`${device}?user_code=${encodeURIComponent('//evil.example/?x')}`);
    expect(decodeURIComponent(evil.headers.get('location')!)).not.toContain('//evil');
  });

  it.each([
    ['without the text of the form', (browser: string) => ['-H', browser, ...form({ answer: 'allow' })]],
    [
      'with that of another session',
      async (browser: string) => {
        const xsrf = xsrfOf(await curl('-H', await signedIn('eve'), device));
        return ['-H', browser, ...form({ xsrf, answer: 'allow' })];
      },
    ],
    [
      'from another site',
      async (browser: string) => {
        const xsrf = xsrfOf(await curl('-H', browser, device));
        return ['-H', browser, '-H', 'Sec-Fetch-Site: cross-site', ...form({ xsrf, answer: 'allow' })];
      },
    ],
    [
      'from another origin',
      async (browser: string) => {
        const xsrf = xsrfOf(await curl('-H', browser, device));
        return ['-H', browser, '-H', 'Origin: https://evil.example', ...form({ xsrf, answer: 'allow' })];
      },
    ],
  ])('is not signed in by a form %s', async (_what, args) => {
    const started = await start();
    const browser = await signedIn('carl');
    const sent = await curl(...(await args(browser)), ...form({ user_code: started.user_code }), device);
    expect(sent.status).toBe(403);
    expect((await poll(started)).body.error).toBe('authorization_pending');
  });
});

const DECISION = {
  subject: { type: 'user', id: 'ann' },
  server: 'file-server',
  direction: 'client_to_server',
  message: {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'read_text_file', arguments: { path: '/x' } },
  },
};

describe('the command line', () => {
  /** Signs in as `placet login` does, with a person at the browser. */
  async function login(sub: string): Promise<SignIn> {
    const browser = await signedIn(sub);
    return signIn(server, ({ code }) => void answer(browser, code, 'allow'));
  }

  it('says which address nobody can sign in at, and what the service calls itself', async () => {
    const at = (issuer: string) => expect(signIn(issuer, () => expect.unreachable())).rejects;
    await at('http://127.0.0.1:1/t/default').toThrow('http://127.0.0.1:1/t/default cannot be reached, or is no tenant');
    await at(`${service.url}/t/nowhere`).toThrow(`${service.url}/t/nowhere cannot be reached, or is no tenant`);
    const alias = server.replace('127.0.0.1', 'localhost');
    await at(alias).toThrow(`${alias} calls itself ${server}: set PLACET_URL to `);
  });

  it('signs in, renews, and is refused an old token, which ends the sign-in', async () => {
    const first = await login('dora');
    expect(first.refreshToken).toBeDefined();
    const second = await refresh(first);
    expect(second.accessToken).not.toBe(first.accessToken);
    await expect(refresh(first)).rejects.toThrow('placet login');
    // Somebody has a copy: neither may go on.
    await expect(refresh(second)).rejects.toThrow('placet login');
    for (const { accessToken } of [first, second])
      expect((await service.call('GET', '/api/v1/me', { key: accessToken, url: replica.url })).status).toBe(401);
  });

  it('renews once, where many try at the same moment', async () => {
    const present = await login('emil');
    const tried = await Promise.allSettled(Array.from({ length: 6 }, () => refresh(present)));
    expect(tried.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });

  it('signs out on every replica', async () => {
    const present = await login('fay');
    const me = (url: string) => service.call('GET', '/api/v1/me', { key: present.accessToken, url });
    expect((await me(replica.url)).body.code).toBe('not_an_administrator');
    await signOut(present);
    for (const url of [service.url, replica.url]) expect((await me(url)).status).toBe(401);
  });

  it('administers as what the person is bound to, and no longer than that', async () => {
    const path = '/api/v1/documents/AdministratorBinding/hal';
    const body = { kind: 'AdministratorBinding', name: 'hal', to: ['user:company/hal'], roles: ['owner'] };
    expect((await service.call('PUT', path, { body, headers: { 'If-None-Match': '*' } })).status).toBe(201);
    const { accessToken: key } = await login('hal');
    const put = (name: string) =>
      service.call('PUT', `/api/v1/documents/Role/${name}`, {
        key,
        url: replica.url,
        body: { kind: 'Role', name },
        headers: { 'If-None-Match': '*' },
      });
    expect((await put('one')).status).toBe(201);
    expect((await service.call('DELETE', path, { headers: { 'If-Match': '"1"' } })).status).toBeLessThan(300);
    expect((await put('two')).body.code).toBe('not_an_administrator');
  });

  it.each<[string, object]>([
    ['by which nobody signs in any more', { signIn: undefined }],
    ['that stands for another identity provider now', { issuer: 'https://other.example.com' }],
    ['that requires what was not said', { require: [{ claim: '/hd', equals: 'example.com' }] }],
  ])('administers no more for a person of an Issuer %s', async (_what, over) => {
    const save = async (path: string, body: object) => {
      const { body: found } = await service.call('GET', `/api/v1/documents/${path}`);
      const condition = { 'If-Match': `"${found.version}"` };
      const headers = found.version === undefined ? { 'If-None-Match': '*' } : condition;
      expect((await service.call('PUT', `/api/v1/documents/${path}`, { body, headers })).status).toBeLessThan(300);
      return found.document as object;
    };
    const to = ['user:company/ira'];
    const roles = ['auditor'];
    await save('AdministratorBinding/ira', { kind: 'AdministratorBinding', name: 'ira', to, roles });
    const { accessToken: key } = await login('ira');
    const me = async (url: string) => (await service.call('GET', '/api/v1/me', { key, url })).status;
    expect(await me(replica.url)).toBe(200);
    const { body } = await service.call('GET', '/api/v1/documents/Issuer/company');
    const before = await save('Issuer/company', { ...body.document, ...over });
    expect([await me(service.url), await me(replica.url)]).toEqual([401, 401]);
    await save('Issuer/company', before);
    expect(await me(replica.url)).toBe(200);
  });

  it('gets nothing more for a person who was signed out everywhere', async () => {
    const present = await login('gus');
    await commitChange(service.database.store, {
      tenant: service.database.tenant,
      principal: 'system:test',
      keys: ['subject:user:company/gus'],
      operations: [
        { op: 'deny', key: 'subject:company/gus', expiresAt: new Date(Date.now() + 86_400_000).toISOString() },
      ],
    });
    await expect(refresh(present)).rejects.toThrow('placet login');
    expect((await service.call('GET', '/api/v1/me', { key: present.accessToken, url: replica.url })).status).toBe(401);
  });

  it.each([
    ['of an Issuer that stands for another party now', { issuer: 'https://other.example' }],
    ['of an Issuer that nobody signs in by any more', { signIn: undefined }],
  ])('gets nothing more for a person %s', async (_what, over) => {
    const path = '/api/v1/documents/Issuer/company';
    const { document } = (await service.call('GET', path)).body as { document: object };
    const put = async (body: object) => {
      const { headers } = await service.call('GET', path);
      return service.call('PUT', path, { body, headers: { 'If-Match': headers.get('etag')! } });
    };
    const present = await login('ida');
    const me = () => service.call('GET', '/api/v1/me', { key: present.accessToken, url: replica.url });
    expect((await me()).body.code).toBe('not_an_administrator');
    const changed = await put({ ...document, ...over });
    expect(changed.status, JSON.stringify(changed.body)).toBe(200);
    try {
      expect((await me()).status).toBe(401);
      await expect(refresh(present)).rejects.toThrow('placet login');
    } finally {
      expect((await put(document)).status).toBe(200);
    }
  });

  it('gets nothing more once the last sign-in is older than a session may be', async () => {
    const present = await login('jo');
    const superuser = await service.database.connect('superuser');
    await superuser.query(
      `update placet.person set last_at = now() - interval '12 hours' where id = 'user:company/jo'`,
    );
    expect((await service.call('GET', '/api/v1/me', { key: present.accessToken })).status).toBe(401);
    await expect(refresh(present)).rejects.toThrow('placet login');
  });

  it('gets nothing in another environment on the same database', async () => {
    const present = await login('kim');
    const { url } = await service.replica({ environment: 'other' });
    expect((await service.call('GET', '/api/v1/me', { key: present.accessToken })).status).toBe(403);
    expect((await service.call('GET', '/api/v1/me', { key: present.accessToken, url })).status).toBe(401);
  });

  it('keeps a sign-in where nobody else can read it, and uses none that others can', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'placet '));
    try {
      const kept = new KeptSignIns(join(directory, 'placet'));
      const one = { issuer: server, accessToken: 'a', refreshToken: 'r', expiresAt: 1 };
      kept.keep('http://one', one);
      kept.keep('http://two', { ...one, accessToken: 'b' });
      expect(kept.of('http://one')).toEqual(one);
      const path = join(directory, 'placet', 'credentials.json');
      expect(statSync(path).mode & 0o777).toBe(0o600);
      kept.forget('http://one');
      expect(kept.of('http://one')).toBeUndefined();
      chmodSync(path, 0o644);
      expect(() => kept.of('http://two')).toThrow('others may read');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('device sign-in that is switched off', () => {
  const tenant = async (signIn: object | undefined) => {
    const path = '/api/v1/documents/Tenant/default';
    const etag = (await service.call('GET', path)).headers.get('etag');
    const headers = etag === null ? { 'If-None-Match': '*' } : { 'If-Match': etag };
    const body = { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} }, signIn };
    const saved = await service.call('PUT', path, { body, headers });
    expect(saved.status, JSON.stringify(saved.body)).toBeLessThan(300);
  };
  const off = () => tenant({ deviceFlow: 'off' });
  afterEach(() => tenant(undefined));

  const isOff = { status: 400, body: { error: 'unauthorized_client' } };

  it('begins nothing, on any replica, and the command line says why', async () => {
    await off();
    const started = () =>
      curl(
        ...form({ client_id: 'placet-cli', scope: 'administer' }),
        `${replica.url}/t/default/oauth/device/authorize`,
      );
    expect(await started()).toMatchObject(isOff);
    await expect(signIn(server, () => undefined)).rejects.toThrow('this tenant lets nobody sign in devices');
    const metadata = async () =>
      JSON.stringify((await curl(`${replica.url}/t/default/.well-known/openid-configuration`)).body);
    expect(await metadata()).not.toMatch(/device|refresh/);
    await tenant({ deviceFlow: 'on' });
    expect((await started()).status).toBe(200);
    expect(await metadata()).toMatch(/device_authorization_endpoint.*refresh_token/);
  });

  it('shows no page, and answers no code that was begun before', async () => {
    const started = await start();
    const browser = await signedIn('lea');
    const asked = await curl('-H', browser, device);
    const xsrf = xsrfOf(asked);
    await off();
    const answers = [
      await curl('-H', browser, device),
      await curl('-H', browser, ...form({ xsrf, user_code: started.user_code, answer: 'allow' }), device),
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(403);
      expect(body).toContain('switched off');
    }
    await tenant({});
    expect((await poll(started)).body.error).toBe('authorization_pending');
  });

  it('gives no token for a code that was allowed before, renews none, and takes none', async () => {
    const browser = await signedIn('mia');
    const allowed = await start();
    expect((await answer(browser, allowed.user_code, 'allow')).status).toBe(200);
    const body = { kind: 'AdministratorBinding', name: 'mia', to: ['user:company/mia'], roles: ['owner'] };
    const path = '/api/v1/documents/AdministratorBinding/mia';
    expect((await service.call('PUT', path, { body, headers: { 'If-None-Match': '*' } })).status).toBe(201);
    const present = await signIn(server, ({ code }) => void answer(browser, code, 'allow'));
    const me = async (url: string) =>
      (await service.call('GET', '/api/v1/me', { key: present.accessToken, url })).status;
    expect([await me(service.url), await me(replica.url)]).toEqual([200, 200]);
    await off();
    expect([await me(replica.url), await me(service.url)]).toEqual([401, 401]);
    expect(await poll(allowed)).toMatchObject(isOff);
    await expect(refresh(present)).rejects.toThrow('this tenant lets nobody sign in devices');
    await signOut(present);
    await tenant({});
    expect(await me(replica.url)).toBe(401);
  });

  it('is for nobody to switch who may not change who administers', async () => {
    const made = await service.call('POST', '/api/v1/keys', {
      body: { administrator: 'author', rights: { roles: ['publisher'] } },
    });
    const body = { kind: 'Tenant', name: 'default', defaults: { effect: 'deny' }, signIn: { deviceFlow: 'off' } };
    const { headers } = await service.call('GET', '/api/v1/documents/Tenant/default');
    const saved = await service.call('PUT', '/api/v1/documents/Tenant/default', {
      key: made.body.key as string,
      body,
      headers: { 'If-Match': headers.get('etag')! },
    });
    expect([saved.status, saved.body.code]).toEqual([403, 'grant_exceeds_own']);
  });

  it.each([['no'], [false], ['OFF']])('is not written %j', async (deviceFlow) => {
    const body = { kind: 'Tenant', name: 'default', defaults: { effect: 'deny' }, signIn: { deviceFlow } };
    const { status, body: problem } = await service.call('PUT', '/api/v1/documents/Tenant/default', { body });
    expect(status).toBe(422);
    expect(JSON.stringify(problem)).toContain('write on or off');
  });
});

describe('guessing user codes', () => {
  it('ends after ten wrong ones', async () => {
    const browser = await signedIn('mallory');
    const xsrf = xsrfOf(await curl('-H', browser, device));
    const guess = (user_code: string) => curl('-H', browser, ...form({ xsrf, user_code }), device);
    const statuses: number[] = [];
    for (let count = 0; count < 12; count++) statuses.push((await guess('BBBBBBBB')).status);
    expect(statuses.slice(0, 3)).toEqual([400, 400, 400]);
    expect(statuses.at(-1)).toBe(429);
    // Not even a right one is looked at any more.
    expect((await guess((await start()).user_code)).status).toBe(429);
  });
});

describe('sign-ins of devices', () => {
  it('are begun a hundred times by one address, and no more for a while', async () => {
    const begin = () =>
      fetch(`${server}/oauth/device/authorize`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: 'placet-cli' }),
      });
    const statuses = new Set<number>();
    for (let count = 0; count < 101; count++) statuses.add((await begin()).status);
    expect([...statuses]).toEqual([200, 429]);
  });
});
