import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_KEY_PATTERN, generateApiKey, generateSecret } from '#identity';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ trustedProxies: ['127.0.0.1'], attempts: { api_key: 5 } });
});

afterAll(() => service.close());

let addresses = 0;
/** An address that nobody has failed at. */
const newAddress = () => `198.51.100.${++addresses}`;
const from = (address: string) => ({ 'X-Forwarded-For': address });

async function makeKey(rights: object = {}, more: object = {}): Promise<{ id: string; key: string }> {
  const answer = await service.call('POST', '/api/v1/keys', {
    body: { host: 'quickstart', rights: { subjects: ['user:*'], ...rights }, ...more },
  });
  expect(answer.status).toBe(201);
  return answer.body as { id: string; key: string };
}

const decision = {
  subject: { type: 'user', id: 'ann' },
  server: 'everything',
  direction: 'client_to_server',
  message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { message: 'x' } } },
};
const evaluation = {
  subject: { type: 'user', id: 'ann' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'echo', properties: { server: 'everything' } },
  context: { arguments: { message: 'x' } },
};

const decide = (key: string, address = newAddress(), over: object = {}): Promise<Answer> =>
  service.call('POST', '/mcp/v1/decisions', { key, body: { ...decision, ...over }, headers: from(address) });

async function records(kind: string): Promise<Record<string, unknown>[]> {
  const rows = await service.database.store.read(service.database.tenant, (view) =>
    view.query<{ body: string }[]>('select body from placet.ledger_record where kind = $1 order by seq', [kind]),
  );
  return rows.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
}

/** Refusals of one key that the ledger has, once there are some. */
async function refusalsOf(id: string): Promise<unknown[]> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const found = (await records('credential_refused'))
      .map(({ about }) => about as Record<string, unknown>)
      .filter(({ credential }) => credential === id);
    if (found.length > 0) return found;
    await wait(20);
  }
  return [];
}

describe('a key bound to networks', () => {
  it('is good from there and nowhere else, on decisions and for administrators, and what was refused is recorded', async () => {
    const { id, key } = await makeKey({}, { cidrs: ['203.0.113.77/24', '2001:db8::/32'] });
    const shown = await service.call('GET', `/api/v1/keys/${id}`);
    expect(shown.body.cidrs).toEqual(['203.0.113.0/24', '2001:db8::/32']);
    for (const address of ['203.0.113.9', '::ffff:203.0.113.9', '2001:db8:7::1']) {
      expect((await decide(key, address)).body.effect).toBe('allow');
    }
    const elsewhere = newAddress();
    for (const path of ['/mcp/v1/decisions', '/access/v1/evaluation']) {
      const refused = await service.call('POST', path, {
        key,
        body: path.startsWith('/mcp') ? decision : evaluation,
        headers: from(elsewhere),
      });
      expect(refused).toMatchObject({
        status: 401,
        body: { code: 'credentials_invalid', detail: 'the key is not valid' },
      });
    }
    expect((await service.call('GET', '/api/v1/me', { key, headers: from(elsewhere) })).status).toBe(401);
    const me = await service.call('GET', '/api/v1/me', { key, headers: from('203.0.113.1') });
    expect([me.status, me.body.cidrs]).toEqual([200, shown.body.cidrs]);
    expect((await service.call('GET', '/api/v1/me')).body.cidrs).toBeNull();
    expect(await refusalsOf(id)).toMatchObject([{ credential: id, reason: 'outside_network', address: elsewhere }]);
  });

  it('does not believe a client that says where it is, only the proxy', async () => {
    const { key } = await makeKey({}, { cidrs: ['203.0.113.0/24'] });
    expect((await decide(key, `203.0.113.9, ${newAddress()}`)).status).toBe(401);
    expect((await decide(key, 'unknown')).status).toBe(401);
  });

  it('of an administrator is held to them as well', async () => {
    const { body } = await service.call('POST', '/api/v1/keys', {
      body: { administrator: 'bound', rights: { roles: ['owner'] }, cidrs: ['203.0.113.9'] },
    });
    const of = (address: string) => service.call('GET', '/api/v1/keys', { key: body.key, headers: from(address) });
    expect((await of('203.0.113.9')).status).toBe(200);
    const me = await service.call('GET', '/api/v1/me', { key: body.key, headers: from('203.0.113.9') });
    expect(me.body.cidrs).toEqual(['203.0.113.9/32']);
    expect((await of('203.0.113.10')).status).toBe(401);
  });

  it.each([
    [[], 'cidrs'],
    [['10.0.0.0/33'], 'cidrs.0'],
    [['10.0.0.0/8', 'here'], 'cidrs.1'],
  ])('cannot be bound to %j', async (cidrs, path) => {
    const answer = await service.call('POST', '/api/v1/keys', { body: { host: 'quickstart', cidrs } });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ path }] } });
  });
});

describe('a change of a key', () => {
  it('holds at once, changes only what it says, and is one of the history', async () => {
    const { id, key } = await makeKey({ explain: true });
    const change = (body: object) => service.call('PATCH', `/api/v1/keys/${id}`, { body });
    expect((await decide(key, '192.0.2.1')).body.effect).toBe('allow');
    expect((await change({ cidrs: ['203.0.113.0/24'] })).body).toMatchObject({
      cidrs: ['203.0.113.0/24'],
      expires_at: null,
      rights: { explain: true },
    });
    expect((await decide(key, '192.0.2.1')).status).toBe(401);
    expect((await change({ cidrs: null, rights: { subjects: ['user:bob'] } })).body).toMatchObject({
      cidrs: null,
      rights: { subjects: ['user:bob'], explain: false, agents: [] },
    });
    expect((await decide(key)).body.code).toBe('subject_not_assertable');
    const soon = new Date(Date.now() + 1500).toISOString();
    expect((await change({ expires_at: soon })).body.expires_at).toBe(soon);
    await wait(1600);
    expect((await decide(key)).body.code).toBe('credentials_invalid');
    expect((await change({ expires_at: null, rights: { subjects: ['*'] } })).status).toBe(200);
    expect((await decide(key)).body.effect).toBe('allow');
  });

  it.each<[string, object, number]>([
    ['nothing', {}, 400],
    ['something else', { host: 'other' }, 400],
    ['an end in the past', { expires_at: '2020-01-01T00:00:00Z' }, 400],
    ['rights of an administrator', { rights: { roles: ['owner'] } }, 400],
    ['a scope that there is not', { rights: { scopes: ['everything'] } }, 400],
    ['no scope', { rights: { scopes: [] } }, 400],
    ['no network', { cidrs: [] }, 400],
  ])('to %s is refused', async (_, body, status) => {
    const { id } = await makeKey();
    expect((await service.call('PATCH', `/api/v1/keys/${id}`, { body })).status).toBe(status);
  });

  it('is not for those who may only read, nor for keys that have ended or are not there', async () => {
    const { id } = await makeKey();
    const auditor = await service.call('POST', '/api/v1/keys', {
      body: { administrator: 'eve', rights: { roles: ['auditor'] } },
    });
    const patch = (key: string, of = id) => service.call('PATCH', `/api/v1/keys/${of}`, { key, body: { cidrs: null } });
    expect((await patch(auditor.body.key as string)).status).toBe(403);
    expect((await patch(service.owner, generateApiKey('test').key.id)).status).toBe(404);
    await service.call('DELETE', `/api/v1/keys/${id}`);
    expect((await patch(service.owner)).status).toBe(400);
  });
});

describe('scopes', () => {
  const ROUTES: readonly (readonly [scope: string, path: string, body: object])[] = [
    ['decisions', '/mcp/v1/decisions', decision],
    ['decisions', '/access/v1/evaluation', evaluation],
    ['decisions', '/access/v1/evaluations', { ...evaluation, evaluations: [{}, {}] }],
    [
      'listings',
      '/mcp/v1/listings',
      {
        subject: decision.subject,
        server: 'everything',
        method: 'tools/list',
        result: { tools: [{ name: 'echo' }] },
      },
    ],
    ['search', '/access/v1/search/subject', { ...evaluation, subject: { type: 'user' } }],
    ['search', '/access/v1/search/resource', { ...evaluation, resource: { type: 'tool' } }],
    ['search', '/access/v1/search/action', { subject: evaluation.subject, resource: evaluation.resource }],
    ['filter', '/access/v1/filter', { ...evaluation, action: { name: 'read' }, resource: { type: 'note' } }],
  ];

  it.each(['decisions', 'listings', 'search', 'filter'])(
    '%s lets a key ask for it, and for nothing else',
    async (own) => {
      const { key } = await makeKey({ scopes: [own] });
      for (const [scope, path, body] of ROUTES) {
        const { status, body: answer } = await service.call('POST', path, { key, body });
        if (scope === own) expect(status, path).not.toBe(403);
        else expect([status, answer.code], path).toEqual([403, 'insufficient_scope']);
      }
    },
  );
});

describe('a gateway', () => {
  const HOSTS = ['gateway', 'agent-a', 'agent-b', 'other'];
  let gateway: string;

  beforeAll(async () => {
    for (const name of HOSTS) {
      const put = (kind: string, of: string, body: object) =>
        service.call('PUT', `/api/v1/documents/${kind}/${encodeURIComponent(of)}`, {
          body,
          headers: { 'If-None-Match': '*' },
        });
      expect((await put('Host', name, { kind: 'Host', name })).status).toBe(201);
      if (name === 'gateway') continue;
      const scope = { kind: 'Scope', host: name, servers: { allow: ['*'] }, actions: { allow: ['*'] } };
      expect((await put('Scope', `host:${name}`, scope)).status).toBe(201);
    }
    const made = await service.call('POST', '/api/v1/keys', {
      body: { host: 'gateway', rights: { subjects: ['user:*'], agents: ['agent-*'] } },
    });
    gateway = made.body.key as string;
  });

  const ask = (agent: string | undefined, key = gateway) =>
    decide(key, newAddress(), agent === undefined ? {} : { agent });
  const evaluate = (agent: unknown, key = gateway) =>
    service.call('POST', '/access/v1/evaluation', {
      key,
      body: { ...evaluation, context: { ...evaluation.context, ...(agent === undefined ? {} : { agent }) } },
    });

  it('gets decisions for those that it may act for, and the record names both', async () => {
    expect((await ask('agent-a')).body.effect).toBe('allow');
    expect((await evaluate('agent-b')).body.decision).toBe(true);
    const [first, second] = (await records('decision')).slice(-2);
    expect(first).toMatchObject({ host: 'gateway', agent: 'agent-a' });
    expect(second).toMatchObject({ host: 'gateway', agent: 'agent-b' });
    expect(first!.keys).toEqual(expect.arrayContaining(['host:gateway', 'host:agent-a']));
  });

  it.each<[string, string | undefined, number, string]>([
    ['one that it may not act for', 'other', 403, 'agent_not_permitted'],
    ['itself', 'gateway', 403, 'agent_not_permitted'],
    ['none', undefined, 400, 'agent_required'],
  ])('that names %s is refused', async (_, agent, status, code) => {
    expect(await ask(agent)).toMatchObject({ status, body: { code } });
    expect(await evaluate(agent)).toMatchObject({ status, body: { code } });
    for (const [path, body] of [
      [
        '/mcp/v1/listings',
        {
          subject: decision.subject,
          server: 'everything',
          agent,
          method: 'tools/list',
          result: { tools: [] },
        },
      ],
      ...['subject', 'resource', 'action'].map((of) => [
        `/access/v1/search/${of}`,
        { ...evaluation, ...(of === 'subject' ? { subject: { type: 'nobody' } } : {}), context: { agent } },
      ]),
      ['/access/v1/filter', { ...evaluation, resource: { type: 'note' }, context: { agent } }],
    ] as const) {
      const answer = await service.call('POST', path as string, { key: gateway, body });
      expect([answer.status, answer.body.code], path as string).toEqual([status, code]);
    }
  });

  it('is denied for an agent that fits the pattern and is not registered', async () => {
    expect((await ask('agent-ghost')).body).toMatchObject({ effect: 'deny', reason: { code: 'agent_unknown' } });
  });

  it('is held to the boundary of the agent, and not to its own', async () => {
    await service.call('PUT', '/api/v1/documents/Host/agent-bare', {
      body: { kind: 'Host', name: 'agent-bare' },
      headers: { 'If-None-Match': '*' },
    });
    expect((await ask('agent-bare')).body).toMatchObject({ effect: 'deny', reason: { code: 'outside_boundary' } });
  });

  it.each(['gateway', 'agent-a'])('is denied while %s is suspended', async (suspended) => {
    const path = `/api/v1/suspensions/Host/${suspended}`;
    expect((await ask('agent-a')).body.effect).toBe('allow');
    expect((await service.call('PUT', path, { body: { reason: 'x' } })).status).toBe(200);
    expect((await ask('agent-a')).body).toMatchObject({ effect: 'deny', reason: { code: 'suspended' } });
    expect((await ask('agent-b')).body.effect).toBe(suspended === 'gateway' ? 'deny' : 'allow');
    const found = await service.call('POST', '/access/v1/search/resource', {
      key: gateway,
      body: { ...evaluation, resource: { type: 'tool' }, context: { agent: 'agent-a', arguments: {} } },
    });
    expect(found.body.results).toEqual([]);
    await service.call('DELETE', path);
    expect((await ask('agent-a')).body.effect).toBe('allow');
  });

  it('is what a host without the right is not, though it may name itself', async () => {
    expect(await ask('agent-a', service.host)).toMatchObject({ status: 403, body: { code: 'agent_not_permitted' } });
    expect(await evaluate('agent-a', service.host)).toMatchObject({ status: 403 });
    expect(await evaluate({ id: 'agent-a' }, service.host)).toMatchObject({ status: 400 });
    expect((await ask('quickstart', service.host)).body.effect).toBe('allow');
    expect((await evaluate('quickstart', service.host)).body.decision).toBe(true);
  });
});

describe('whoever fails too often', () => {
  const me = (key: string, address: string) => service.call('GET', '/api/v1/me', { key, headers: from(address) });

  it('is not looked at any more, and others at the same address are', async () => {
    const address = newAddress();
    const statuses: number[] = [];
    for (let each = 0; each < 7; each++) statuses.push((await me(generateApiKey('test').text, address)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const limited = await me(generateApiKey('test').text, address);
    expect(limited).toMatchObject({ status: 429, body: { code: 'too_many_attempts', retry_after: 12 } });
    expect(limited.headers.get('retry-after')).toBe('12');
    expect((await decide(generateApiKey('test').text, address)).status).toBe(429);
    // Good keys, also one that this process has not seen yet.
    const { key } = await makeKey();
    expect((await decide(key, address)).body.effect).toBe('allow');
    expect((await me(service.owner, address)).status).toBe(200);
    expect((await me(generateApiKey('test').text, newAddress())).status).toBe(401);
  });

  it('with a key that exists does not shut out its right secret, nor other keys, and is recorded once a minute', async () => {
    const address = newAddress();
    const { id, key } = await makeKey();
    const wrong = generateSecret({ environment: 'test', id }).text;
    const statuses: number[] = [];
    for (let each = 0; each < 7; each++) statuses.push((await decide(wrong, address)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect((await me(wrong, address)).status).toBe(429);
    expect((await decide(key, address)).body.effect).toBe('allow');
    expect((await me(key, address)).status).toBe(200);
    expect((await me(generateApiKey('test').text, address)).status).toBe(401);
    expect(await refusalsOf(id)).toMatchObject([{ credential: id, reason: 'wrong_secret', address, count: 1 }]);
  });

  it('without a key has tried nothing', async () => {
    const address = newAddress();
    for (let each = 0; each < 8; each++) {
      const answer = await service.call('GET', '/api/v1/me', { key: null, headers: from(address) });
      expect(answer.body.code).toBe('credentials_missing');
    }
  });
});

describe('a refused key', () => {
  it.each<[string, (id: string, key: string) => Promise<string> | string]>([
    ['wrong_secret', (id) => generateSecret({ environment: 'test', id }).text],
    ['other_environment', (id) => generateSecret({ environment: 'prod', id }).text],
    [
      'disabled',
      async (id, key) => {
        await service.call('DELETE', `/api/v1/keys/${id}`);
        return key;
      },
    ],
    [
      'expired',
      async (id, key) => {
        await service.call('POST', `/api/v1/keys/${id}/rotate`, { body: { overlap_seconds: 0 } });
        return key;
      },
    ],
  ])('is in the ledger of its tenant: %s', async (reason, shown) => {
    const { id, key } = await makeKey();
    const address = newAddress();
    const answer = await decide(await shown(id, key), address);
    expect(answer).toMatchObject({ status: 401, body: { detail: 'the key is not valid' } });
    expect(await refusalsOf(id)).toMatchObject([{ credential: id, reason, address, count: 1 }]);
  });

  it('is refused also where it cannot be recorded', async () => {
    const { id } = await makeKey();
    await service.database.cutOff(true);
    const answer = await decide(generateSecret({ environment: 'test', id }).text);
    await service.database.cutOff(false);
    expect(answer.status).toBeGreaterThanOrEqual(401);
  });
});

describe('the last use of a key', () => {
  it('is written when the service stops at the latest, and shown with the key', async () => {
    const { id, key } = await makeKey();
    const unused = await makeKey();
    expect((await service.call('GET', `/api/v1/keys/${id}`)).body.last_used_at).toBeNull();
    const replica = await service.replica();
    const before = Date.now();
    await service.call('POST', '/mcp/v1/decisions', { key, body: decision, url: replica.url });
    await replica.stop();
    const { body } = await service.call('GET', '/api/v1/keys?page_size=200');
    const items = body.items as { id: string; last_used_at: string | null }[];
    const used = Date.parse(items.find((item) => item.id === id)!.last_used_at!);
    expect(used).toBeGreaterThanOrEqual(before);
    expect(items.find((item) => item.id === unused.id)!.last_used_at).toBeNull();
  });
});

describe('the pattern of keys', () => {
  it('is published, and is that of the code and of the documentation', async () => {
    const { body } = await service.call('GET', '/.well-known/placet-key-pattern', { key: null });
    expect(body.pattern).toBe(API_KEY_PATTERN.source);
    expect(readFileSync('docs/hosts.md', 'utf8')).toContain(`regex = '''\\b${API_KEY_PATTERN.source}\\b'''`);
    const pattern = new RegExp(body.pattern as string);
    expect(pattern.exec(`x="${service.owner}"`)![0]).toBe(service.owner);
  });
});
