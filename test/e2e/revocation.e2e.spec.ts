import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../apps/server/src/service.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let other: Service;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  other = await service.replica();
});

afterAll(() => service.close());

const document = (kind: string, name: string) => `/api/v1/documents/${kind}/${encodeURIComponent(name)}`;

const apply = async (text: string): Promise<number> => {
  const { body } = await service.call('POST', '/api/v1/documents/apply', {
    body: { files: [{ path: 'p.yaml', text }] },
  });
  return body.revision;
};

const etag = async (path: string): Promise<string> => (await service.call('GET', path)).headers.get('etag')!;

const remove = async (kind: string, name: string): Promise<void> => {
  const path = document(kind, name);
  const { status } = await service.call('DELETE', path, { headers: { 'If-Match': await etag(path) } });
  expect(status).toBe(200);
};

const HOST = `
kind: Host
name: desk
---
kind: Tenant
name: default
defaults: { effect: deny, hostScope: {} }
---
kind: Role
name: reader
---
kind: Server
name: files
---
kind: Policy
name: reading
target: { servers: [files], actions: [tools/call], resources: ["*"] }
rules: [{ name: readers, effect: allow, to: [role:reader] }]
`;

const binding = (id: string) => `kind: Binding\nname: ${id}\nsubjects: ["user:${id}"]\nroles: [reader]\n`;

async function hostKey(): Promise<{ id: string; key: string }> {
  return (await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights: { subjects: ['user:*'] } } }))
    .body;
}

const ask = async (url: string, key: string, id: string): Promise<string> => {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
  const body = { subject: { type: 'user', id }, server: 'files', direction: 'client_to_server', message };
  const answer = await service.call('POST', '/mcp/v1/decisions', { key, body, url });
  return answer.status === 200 ? answer.body.effect : String(answer.status);
};

describe('when the call returns, no replica allows any more:', () => {
  it('a binding that was removed, a hundred times over, asked at once on the replica that did not hear of it yet', async () => {
    await apply(HOST);
    const { key } = await hostKey();
    for (let round = 0; round < 100; round++) {
      const id = `person-${round}`;
      await apply(binding(id));
      expect(await ask(other.url, key, id)).toBe('allow');
      await remove('Binding', id);
      expect([round, await ask(other.url, key, id)]).toEqual([round, 'deny']);
    }
  });

  it('a key that was disabled', async () => {
    await apply(HOST + '---\n' + binding('ann'));
    for (let round = 0; round < 30; round++) {
      const { id, key } = await hostKey();
      expect(await ask(other.url, key, 'ann')).toBe('allow');
      await service.call('DELETE', `/api/v1/keys/${id}`);
      expect([round, await ask(other.url, key, 'ann')]).toEqual([round, '401']);
    }
  });

  it('a host that was deleted: its keys end with it, also when there is a host of its name again', async () => {
    await apply(HOST + '---\n' + binding('ann'));
    const { id, key } = await hostKey();
    expect(await ask(other.url, key, 'ann')).toBe('allow');
    await remove('Host', 'desk');
    await apply('kind: Host\nname: desk\n');
    expect(await ask(other.url, key, 'ann')).toBe('401');
    expect((await service.call('GET', `/api/v1/keys/${id}`)).body.disabled_at).not.toBeNull();
    expect(await ask(other.url, (await hostKey()).key, 'ann')).toBe('allow');
  });

  it('a key is made for a host that is there, however the two race', async () => {
    for (let round = 0; round < 10; round++) {
      await apply('kind: Host\nname: short\n');
      const making = service.call('POST', '/api/v1/keys', {
        body: { host: 'short', rights: { subjects: ['user:*'] } },
      });
      await remove('Host', 'short');
      const made = await making;
      if (made.status === 201) expect(await ask(other.url, made.body.key, 'ann')).toBe('401');
      else expect(made).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['a policy deleted', () => remove('Policy', 'reading'), 'deny'],
    ['a host deleted', () => remove('Host', 'desk'), '401'],
    ['a server deleted', () => remove('Server', 'files'), 'deny'],
    [
      'a deny rule added',
      () =>
        apply(
          'kind: Policy\nname: stop\ntarget: { actions: ["*"], resources: ["*"] }\nrules: [{ name: all, effect: deny, to: [any] }]\n',
        ),
      'deny',
    ],
    ['a boundary drawn', () => apply('kind: Scope\nserver: files\nactions: { deny: [tools/call] }\n'), 'deny'],
    [
      'an ask rule added',
      () =>
        apply(
          'kind: Policy\nname: gate\ntarget: { actions: ["*"], resources: ["*"] }\nrules: [{ name: all, effect: ask, to: [any], consent: { by: [subject] } }]\n',
        ),
      'ask',
    ],
    [
      'an alias given to somebody else',
      () => apply('kind: Subject\nid: bob\naliases: [{ type: user, id: ann }]\n'),
      'deny',
    ],
  ])('%s', async (_what, change, expected) => {
    await service.call('POST', '/api/v1/documents/apply', {
      body: { files: [{ path: 'p.yaml', text: HOST + '---\n' + binding('ann') }], prune: true },
    });
    const { key } = await hostKey();
    expect(await ask(other.url, key, 'ann')).toBe('allow');
    await change();
    expect(await ask(other.url, key, 'ann')).toBe(expected);
    await service.call('POST', '/api/v1/documents/apply', {
      body: { files: [{ path: 'p.yaml', text: HOST }], prune: true },
    });
  });

  it('a binding that expires, by the clock of the database', async () => {
    const expires = new Date(Date.now() + 1500).toISOString();
    await apply(`${HOST}---\n${binding('ann')}expires: ${expires}\n`);
    const { key } = await hostKey();
    expect(await ask(other.url, key, 'ann')).toBe('allow');
    while (Date.now() < Date.parse(expires) + 20) await ask(other.url, key, 'ann');
    expect(await ask(other.url, key, 'ann')).toBe('deny');
  });
});

describe('a change', () => {
  it('that gives something is seen by whoever names its revision', async () => {
    await apply(HOST);
    const { key } = await hostKey();
    for (let round = 0; round < 20; round++) {
      const id = `new-${round}`;
      const revision = await apply(binding(id));
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read' } };
      const body = {
        subject: { type: 'user', id },
        server: 'files',
        direction: 'client_to_server',
        message,
        at_least: revision,
      };
      const answer = await service.call('POST', '/mcp/v1/decisions', { key, body, url: other.url });
      expect(answer.body).toMatchObject({ effect: 'allow' });
      expect(answer.body.revision).toBeGreaterThanOrEqual(revision);
    }
  });

  it('reaches a replica whose listening connection was cut, by its poll', async () => {
    await apply(HOST + '---\n' + binding('ann'));
    const { key } = await hostKey();
    expect(await ask(other.url, key, 'ann')).toBe('allow');
    const admin = await service.database.connect('superuser');
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'placet feed' and datname = current_database()`,
    );
    await apply(binding('late'));
    const until = Date.now() + 5000;
    while ((await ask(other.url, key, 'late')) !== 'allow' && Date.now() < until);
    expect(await ask(other.url, key, 'late')).toBe('allow');
  });

  it('does not disturb decisions about others', async () => {
    await apply(HOST + '---\n' + binding('ann') + '---\n' + binding('bob'));
    const { key } = await hostKey();
    const answers = Promise.all(Array.from({ length: 200 }, () => ask(other.url, key, 'ann')));
    for (let round = 0; round < 5; round++) {
      await remove('Binding', 'bob');
      await apply(binding('bob'));
    }
    expect(new Set(await answers)).toEqual(new Set(['allow']));
  });
});

describe('without the database', () => {
  it('there is no allow, and it comes back by itself', async () => {
    await apply(HOST + '---\n' + binding('ann'));
    const { key } = await hostKey();
    expect(await ask(other.url, key, 'ann')).toBe('allow');
    await service.database.cutOff(true);
    expect(await ask(other.url, key, 'ann')).toBe('503');
    expect((await service.call('GET', '/readyz', { key: null, url: other.url })).status).toBe(503);
    await service.database.cutOff(false);
    const until = Date.now() + 10_000;
    while ((await ask(other.url, key, 'ann')) !== 'allow' && Date.now() < until);
    expect(await ask(other.url, key, 'ann')).toBe('allow');
  });
});
