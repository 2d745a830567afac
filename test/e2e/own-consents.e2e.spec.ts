import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digest } from '#policy';
import {
  askingRule,
  mailPolicy,
  SEND,
  startAskingCompany,
  type Asked,
  type AskingCompany,
  type Given,
} from '../support/asking.js';
import type { Cookies } from '../support/browser.js';

let company: AskingCompany;
let ann: Cookies;
let bob: Cookies;
let round = 0;

/** The policy that asks, of everybody who sends a mail. */
const askingPolicy = (consent: object) => mailPolicy(askingRule(consent));

beforeAll(async () => {
  company = await startAskingCompany();
  ann = await company.signIn('ann');
  bob = await company.signIn('bob');
});
afterAll(() => company.close());

beforeEach(async () => {
  // What was agreed to before does not apply any more.
  await company.apply(
    { kind: 'Server', name: 'mail', title: 'Mail', identity: { url: `https://mail.example.com/${++round}` } },
    askingPolicy({ by: ['subject', 'role:lead'], until: `${60 + round}m` }),
  );
  await settled();
  await company.as(ann, 'DELETE', '/api/v1/me/consents');
});

const AN_HOUR = { choice: { for: 'until', seconds: 3600 } };
const BY_APPROVER = { ...AN_HOUR, route: 'approvals' } as const;

/** Ann agrees; the id of the consent. */
async function agreed(asked: Asked = {}, given: Given = AN_HOUR, who = ann): Promise<string> {
  const request = await company.ask(asked);
  expect((await company.answer(who, request, given)).body).toEqual({ status: 'approved' });
  const { body } = await company.as(who, 'GET', '/api/v1/me/consents');
  return body.items.find((item: { request: string }) => item.request === request).id as string;
}

const state = async (id: string, who = ann) => (await company.as(who, 'GET', `/api/v1/me/consents/${id}`)).body.state;

/** What is not to be done at once is done before long. */
async function settled(): Promise<void> {
  const owner = await company.service.database.connect('superuser');
  for (let attempt = 0; attempt < 200; attempt++) {
    const { rows } = await owner.query(
      `select 1 from placet.tenant_state s join placet.consents_settled c using (tenant)
       where c.revision >= (select max(d.revision) from placet.document d
         where d.tenant = s.tenant and d.kind in ('Host', 'Server', 'Policy', 'Tenant'))`,
    );
    if (rows.length > 0) break;
    await wait(10);
  }
  await owner.end();
}

describe('my consents', () => {
  it('are everything that I agreed to or that is about me, with where each stands', async () => {
    const hour = await agreed();
    const once = await agreed({ arguments: { to: 'max' } }, { choice: { for: 'uses', uses: 1 } });
    const byBob = await agreed({ arguments: { to: 'lea' } }, BY_APPROVER, bob);
    const about = await agreed({ arguments: { to: 'ivo' }, subject: 'company/bob' }, AN_HOUR, bob);
    const of = async (who: Cookies, query = '') =>
      (await company.as(who, 'GET', `/api/v1/me/consents?live=true${query}`)).body.items.map(
        ({ id }: { id: string }) => id,
      );
    expect(await of(ann)).toEqual([byBob, once, hour]);
    expect(await of(bob)).toEqual([about, byBob]);
    expect(await of(ann, '&server=crm')).toEqual([]);
    expect(await of(ann, '&agent=desk&server=mail')).toHaveLength(3);
    const first = await company.as(ann, 'GET', '/api/v1/me/consents?live=true&page_size=2');
    const rest = await company.as(
      ann,
      'GET',
      `/api/v1/me/consents?live=true&page_size=2&page_token=${first.body.next_page_token}`,
    );
    expect([...first.body.items, ...rest.body.items].map(({ id }) => id)).toEqual([byBob, once, hour]);
    expect(first.body.items[0]).toMatchObject({
      state: 'live',
      subject: 'user:company/ann',
      agreed: ['user:company/bob'],
      host: 'desk',
      agent: 'desk',
      server: 'mail',
      action: 'tools/call',
      resource: { type: 'tool', id: 'send' },
      policy: 'mail',
      rule: 'consent',
      uses_left: null,
      last_used_at: null,
      ended_at: null,
    });
    expect(await state(about, ann)).toBeUndefined();
    expect((await company.as(ann, 'GET', `/api/v1/me/consents/${about}`)).body.code).toBe('not_found');
  });

  it('are nothing for applications and for keys', async () => {
    const host = await company.service.call('GET', '/api/v1/me/consents', { key: company.key });
    expect([host.status, host.body.code]).toEqual([403, 'not_an_administrator']);
    for (const [method, path] of [
      ['GET', '/api/v1/me/consents'],
      ['DELETE', '/api/v1/me/consents'],
      ['GET', '/api/v1/me/activity'],
    ] as const)
      expect((await company.service.call(method, path)).body.code).toBe('not_found');
    const all = await company.service.call('DELETE', '/api/v1/me/consents', { key: company.key });
    expect(all.status).toBe(403);
  });

  it('are taken back in one call, and count no more when it returns', async () => {
    const id = await agreed();
    expect(await company.decide()).toMatchObject({ effect: 'allow' });
    const other = await company.service.replica();
    const asked = { key: company.key, url: other.url };
    expect((await company.as(bob, 'DELETE', `/api/v1/me/consents/${id}`)).body.code).toBe('not_found');
    expect((await company.as(ann, 'DELETE', `/api/v1/me/consents/${id}`)).body).toEqual({ revoked: 1 });
    expect(await company.decide()).toMatchObject({ effect: 'ask' });
    expect((await company.service.call('GET', '/api/v1/me', asked)).status).toBe(200);
    expect(await state(id)).toBe('revoked');
    expect((await company.as(ann, 'DELETE', `/api/v1/me/consents/${id}`)).body).toEqual({ revoked: 0 });
    const { body } = await company.as(ann, 'GET', `/api/v1/me/consents/${id}`);
    expect(body.history.map(({ event }: { event: string }) => event)).toEqual(['requested', 'answered', 'revoked']);
    expect(body.history.at(-1).by).toBe('user:company/ann');
  });

  it('are taken back all at once, or for one server', async () => {
    await agreed();
    await agreed({ arguments: { to: 'max' } });
    const bobs = await agreed({ arguments: { to: 'ivo' }, subject: 'company/bob' }, AN_HOUR, bob);
    expect((await company.as(ann, 'DELETE', '/api/v1/me/consents?server=crm')).body).toEqual({ revoked: 0 });
    expect((await company.as(ann, 'DELETE', '/api/v1/me/consents?server=mail&agent=desk')).body).toEqual({
      revoked: 2,
    });
    expect(await state(bobs, bob)).toBe('live');
    expect((await company.as(bob, 'DELETE', '/api/v1/me/consents')).body).toEqual({ revoked: 1 });
  });

  it('are taken back by whoever agreed to them for somebody else, too', async () => {
    const id = await agreed({}, BY_APPROVER, bob);
    expect(await company.decide()).toMatchObject({ effect: 'allow' });
    expect((await company.as(bob, 'DELETE', `/api/v1/me/consents/${id}`)).body).toEqual({ revoked: 1 });
    expect(await company.decide()).toMatchObject({ effect: 'ask' });
  });

  it('say when they were last used, also those that may be used any number of times', async () => {
    const id = await agreed();
    await company.decide();
    const owner = await company.service.database.connect('superuser');
    const replica = await company.service.replica();
    await replica.stop();
    for (let attempt = 0; attempt < 150; attempt++) {
      const { rows } = await owner.query('select from placet.consent where id = $1 and last_used_at is not null', [id]);
      if (rows.length > 0) break;
      await wait(100);
    }
    await owner.end();
    const { body } = await company.as(ann, 'GET', `/api/v1/me/consents/${id}`);
    expect(Math.abs(Date.parse(body.last_used_at) - Date.now())).toBeLessThan(30_000);
  });
});

describe('my activity', () => {
  it('is what was decided about me under each of my names, page by page', async () => {
    await company.apply({ kind: 'Subject', id: 'annie', aliases: [{ type: 'user', id: 'company/ann' }] });
    const ids: string[] = [];
    for (const subject of ['company/ann', 'annie', 'company/ann']) ids.unshift((await company.decide({ subject })).id);
    await company.decide({ subject: 'company/bob' });
    const first = await company.as(ann, 'GET', '/api/v1/me/activity?page_size=2');
    const rest = await company.as(
      ann,
      'GET',
      `/api/v1/me/activity?page_size=1&page_token=${first.body.next_page_token}`,
    );
    expect([...first.body.items, ...rest.body.items].map(({ evaluation_id: id }) => id)).toEqual(ids);
    expect(first.body.items[0]).toMatchObject({
      effect: 'ask',
      reason: 'approval_required',
      host: 'desk',
      agent: 'desk',
      server: 'mail',
      action: 'tools/call',
      resource: { type: 'tool', id: 'send' },
      subject: 'user:company/ann',
      consents: [],
    });
    await company.apply({ kind: 'Subject', id: 'annie' });
    const { body } = await company.as(bob, 'GET', '/api/v1/me/activity?page_size=500');
    expect(new Set(body.items.map(({ subject }: { subject: string }) => subject))).toEqual(
      new Set(['user:company/bob']),
    );
  });
});

describe('administrators', () => {
  const call = (method: string, path: string, role?: string) =>
    company.service.call(method, path, role === undefined ? {} : { key: keys.get(role)! });
  const keys = new Map<string, string>();

  beforeAll(async () => {
    for (const role of ['auditor', 'publisher', 'approver', 'policy-author', 'registrar', 'user']) {
      const { body } = await company.service.call('POST', '/api/v1/keys', {
        body: { administrator: `a-${role}`, rights: { roles: [role] } },
      });
      keys.set(role, body.key as string);
    }
  });

  it.each([
    ['auditor', true, false],
    ['publisher', true, true],
    ['approver', true, false],
    ['policy-author', false, false],
    ['registrar', false, false],
    ['user', false, false],
  ])('who are %s may read: %s, revoke: %s', async (role, reads, revokes) => {
    const id = await agreed();
    for (const path of ['', `/${id}`, `/${id}/receipt`])
      expect((await call('GET', `/api/v1/consents${path}`, role)).status).toBe(reads ? 200 : 403);
    const revoked = await call('DELETE', `/api/v1/consents/${id}?reason=why`, role);
    expect(revoked.status).toBe(revokes ? 200 : 403);
    expect(await state(id)).toBe(revokes ? 'revoked' : 'live');
  });

  it('find consents and revoke all of a person, a server or an application, and must say why', async () => {
    const anns = await agreed();
    const bobs = await agreed({ subject: 'company/bob' }, AN_HOUR, bob);
    const found = await call('GET', '/api/v1/consents?live=true&server=mail&subject=user:company/bob');
    expect(found.body.items.map(({ id }: { id: string }) => id)).toEqual([bobs]);
    expect((await call('DELETE', '/api/v1/consents?subject=user:company/bob')).status).toBe(400);
    expect((await call('DELETE', '/api/v1/consents?reason=why')).body.code).toBe('invalid_request');
    const revoked = await call('DELETE', '/api/v1/consents?subject=user:company/bob&reason=he%20has%20left');
    expect(revoked.body).toEqual({ revoked: 1 });
    expect(await state(anns)).toBe('live');
    const { body } = await call('GET', `/api/v1/consents/${bobs}`);
    expect(body).toMatchObject({ state: 'revoked', answers: [{ person: 'user:company/bob', answer: 'agreed' }] });
    expect(body.history.at(-1)).toMatchObject({ event: 'revoked', content: { reason: 'he has left' } });
    expect((await call('DELETE', '/api/v1/consents?agent=desk&reason=why')).body).toEqual({ revoked: 1 });
    expect((await call('DELETE', `/api/v1/consents/co_${'a'.repeat(22)}?reason=why`)).status).toBe(404);
  });
});

describe('administrators who name a person by one of their names', () => {
  const path = '/api/v1/documents/Subject/user:ann';
  const call = (method: string, to: string, headers = {}) => company.service.call(method, to, { headers });

  it('mean what was agreed to under each of them, and what was begun', async () => {
    await company.apply(askingPolicy({ by: ['subject', 'role:lead'], until: `${60 + round}m` }));
    const before = await agreed();
    await company.apply({ kind: 'Subject', id: 'ann', aliases: [{ type: 'user', id: 'company/ann' }] });
    const after = await agreed({ arguments: { to: 'max' } });
    for (const name of ['user:ann', 'user:company/ann']) {
      const found = await call('GET', `/api/v1/consents?live=true&subject=${name}`);
      expect(found.body.items.map(({ id }: { id: string }) => id).sort()).toEqual([before, after].sort());
    }
    expect((await call('DELETE', '/api/v1/consents?subject=user:ann&reason=gone')).body).toEqual({ revoked: 2 });
    expect([await state(before), await state(after)]).toEqual(['revoked', 'revoked']);
    const { headers } = await call('GET', path);
    await call('DELETE', path, { 'If-Match': headers.get('etag')! });
  });

  it('may be given any place in a listing, and no nonsense', async () => {
    const at = (...place: unknown[]) => Buffer.from(JSON.stringify(place)).toString('base64url');
    const now = new Date().toISOString();
    for (const token of [at('x', 'y'), at('', ''), at('2026-13-01', 'co_'), at(1, 2), at(now, '\0'), at(1, '\0'), 'x'])
      for (const listing of ['consents', 'me/consents', 'me/activity', 'me/requests', 'approvals']) {
        const found = await company.as(ann, 'GET', `/api/v1/${listing}?page_token=${token}`);
        expect([listing, token, found.status < 500], JSON.stringify(found.body)).toEqual([listing, token, true]);
      }
    for (const query of ['me/consents?server=%00', 'consents?subject=%00', 'consents?agent=a%00b'])
      expect([query, (await company.service.call('GET', `/api/v1/${query}`)).status]).toEqual([query, 400]);
    for (const token of [at(1.5, 2), at(1e300, 1), at(-1, 1e20)]) {
      const found = await company.as(ann, 'GET', `/api/v1/me/activity?page_token=${token}`);
      expect([token, found.status], JSON.stringify(found.body)).toEqual([token, 400]);
    }
  });
});

describe('consents that can never apply any more', () => {
  const definition = digest(SEND);
  const mail = (over: object) => ({
    kind: 'Server',
    name: 'mail',
    title: 'Mail',
    identity: { url: `https://mail.example.com/${round}` },
    ...over,
  });
  const consent = () => ({ by: ['subject', 'role:lead'], until: `${60 + round}m` });

  it.each<[string, () => object, boolean]>([
    ['the definition of the tool is another', () => mail({ tools: { send: { definition: 'a'.repeat(64) } } }), true],
    ['the definition that was meant is registered', () => mail({ tools: { send: { definition } } }), false],
    ['another tool has a definition', () => mail({ tools: { read: { definition: 'a'.repeat(64) } } }), false],
    ['the server is another', () => mail({ identity: { url: 'https://evil.example.com/mcp' } }), true],
    ['the server has another title', () => mail({ title: 'Post' }), false],
    ['the rule asks somebody else', () => askingPolicy({ ...consent(), by: ['role:lead'] }), true],
    ['the rule asks for longer', () => askingPolicy({ ...consent(), until: '20m' }), true],
    ['the rule is gone', () => mailPolicy(), true],
    [
      'the rule asks no other people than before',
      () => mailPolicy({ ...askingRule(consent()), when: 'arguments.to == "max"' }),
      false,
    ],
  ])('are superseded where %s', async (_what, document, isOver) => {
    const id = await agreed();
    await company.apply(document());
    await settled();
    expect(await state(id)).toBe(isOver ? 'superseded' : 'live');
    const { body } = await company.as(ann, 'GET', `/api/v1/me/consents/${id}`);
    const last = body.history.at(-1);
    expect(last.event).toBe(isOver ? 'superseded' : 'answered');
    if (isOver) expect(last.by).toBe('system:consents');
    expect((await company.as(ann, 'DELETE', `/api/v1/me/consents/${id}`)).body).toEqual({ revoked: isOver ? 0 : 1 });
  });

  it('are superseded where the server is gone, and the policy', async () => {
    const id = await agreed();
    for (const path of ['Policy/mail', 'Server/mail']) {
      const { headers } = await company.service.call('GET', `/api/v1/documents/${path}`);
      const gone = await company.service.call('DELETE', `/api/v1/documents/${path}`, {
        headers: { 'If-Match': headers.get('etag')! },
      });
      expect(gone.status).toBe(200);
    }
    await settled();
    expect(await state(id)).toBe('superseded');
  });

  it('are superseded where the application is gone, and do not come back with another one of its name', async () => {
    const id = await agreed();
    const path = '/api/v1/documents/Host/desk';
    const { headers } = await company.service.call('GET', path);
    await company.apply({ kind: 'Host', name: 'desk', title: 'Another title' });
    await settled();
    expect(await state(id)).toBe('live');
    const { headers: now } = await company.service.call('GET', path);
    expect(now.get('etag')).not.toBe(headers.get('etag'));
    expect((await company.service.call('DELETE', path, { headers: { 'If-Match': now.get('etag')! } })).status).toBe(
      200,
    );
    await settled();
    expect(await state(id)).toBe('superseded');
    await company.apply({ kind: 'Host', name: 'desk', title: 'Desk' });
  });
});
