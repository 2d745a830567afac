import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectorOf, GROUP_SCHEMA, patchOf, scimWith, USER_SCHEMA, type Scim } from '../support/scim.js';
import { companyIssuer, startCompany, type Company } from '../support/signed-in.js';

let company: Company;
let scim: Scim;
let other: Scim;
let token: string;

beforeAll(async () => {
  company = await startCompany();
  const provisioning = { scim: true };
  await company.apply(companyIssuer(company.idp, { provisioning }), {
    ...companyIssuer(company.idp),
    name: 'other',
    issuer: 'https://other.example.com',
    provisioning,
  });
  token = (await company.service.call('POST', '/api/v1/connector-tokens', { body: { issuer: 'company' } })).body.token;
  scim = scimWith(company.service, token);
  other = await connectorOf(company.service, 'other');
});
afterAll(() => company.close());

const user = (name: string, over: object = {}) => ({
  schemas: [USER_SCHEMA],
  userName: `${name}@example.com`,
  externalId: name,
  active: true,
  ...over,
});
const group = (displayName: string, over: object = {}) => ({ schemas: [GROUP_SCHEMA], displayName, ...over });

async function made(body: object, by = scim, path = '/Users'): Promise<string> {
  const answer = await by('POST', path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body.id as string;
}
const membersOf = async (id: string, by = scim) =>
  ((await by('GET', `/Groups/${id}`)).body.members as { value: string }[]).map(({ value }) => value).sort();

describe('what nothing can be called', () => {
  const NUL = encodeURIComponent(String.raw`"\u0000"`);

  it.each<[string, string, string, object | undefined]>([
    ['an id', 'GET', '/Users/%00', undefined],
    ['an id of a group', 'DELETE', '/Groups/a%00', undefined],
    ['an id of a schema', 'GET', '/Schemas/%00', undefined],
    ['a filter', 'GET', `/Users?filter=userName%20eq%20${NUL}`, undefined],
    ['a filter of groups', 'GET', `/Groups?filter=members%20eq%20${NUL}`, undefined],
    ['a filter of half a sign', 'GET', `/Users?filter=${encodeURIComponent(String.raw`id eq "\ud800"`)}`, undefined],
    ['a name that no index takes', 'POST', '/Users', user('long', { userName: '\u4e00\u9fa5'.repeat(512) })],
    ['an identity that no index takes', 'POST', '/Users', user('x'.repeat(1025))],
    ['a group that no index takes', 'POST', '/Groups', group('\u4e00'.repeat(400))],
  ])('is refused as such, and is no fault of the database: %s', async (_what, method, path, body) => {
    const answer = await scim(method, path, body);
    expect([answer.status, answer.body.status]).toEqual([400, '400']);
  });

  it('is refused in a PATCH, too', async () => {
    const id = await made(user('nul'));
    const path = String.raw`emails[type eq "\u0000"].value`;
    const answer = await scim('PATCH', `/Users/${id}`, patchOf({ op: 'add', path, value: 'x' }));
    expect([answer.status, answer.body.scimType]).toEqual([400, 'invalidFilter']);
  });

  it('and whoever has the longest name of all can be deactivated', async () => {
    const id = await made(
      user(Array.from({ length: 512 }, (_, n) => String.fromCharCode(0x100 + n)).join(''), { userName: 'longest' }),
    );
    const off = await scim('PATCH', `/Users/${id}`, patchOf({ op: 'replace', path: 'active', value: false }));
    expect([off.status, off.body.active]).toEqual([200, false]);
  });
});

describe('a leaver is not believed to be gone who is not', () => {
  it.each<[string, object]>([
    ['a part of active', { op: 'replace', path: 'active.value', value: false }],
    ['the whole resource under its schema', { op: 'replace', value: { [USER_SCHEMA]: { active: false } } }],
    ['another sign after the schema', { op: 'replace', path: `${USER_SCHEMA}.active`, value: false }],
    ['null', { op: 'replace', path: 'active', value: null }],
  ])('by %s', async (_what, operation) => {
    const id = await made(user(`leaver-${_what}`));
    const answer = await scim('PATCH', `/Users/${id}`, patchOf(operation));
    expect([answer.status, typeof answer.body.scimType]).toEqual([400, 'string']);
  });

  it('by two words on it, of which one is another', async () => {
    const answer = await scim('POST', '/Users', user('both', { active: 'False', Active: 'True' }));
    expect([answer.status, answer.body.scimType]).toEqual([400, 'invalidSyntax']);
  });
});

describe('two connectors', () => {
  it('have the same names, ids of the directory and groups beside each other, and none of the other', async () => {
    const [mine, theirs] = [await made(user('same')), await made(user('same'), other)];
    const [ours, one] = [
      await made(group('same', { externalId: 'g', members: [{ value: mine }] }), scim, '/Groups'),
      await made(group('same', { externalId: 'g', members: [{ value: theirs }] }), other, '/Groups'),
    ];
    for (const [method, path, body] of [
      ['GET', `/Users/${mine}`, undefined],
      ['PUT', `/Users/${mine}`, user('same', { active: false })],
      ['PATCH', `/Users/${mine}`, patchOf({ op: 'replace', path: 'active', value: false })],
      ['DELETE', `/Users/${mine}`, undefined],
      ['GET', `/Groups/${ours}`, undefined],
      ['PUT', `/Groups/${ours}`, group('taken', { members: [] })],
      ['PATCH', `/Groups/${ours}`, patchOf({ op: 'remove', path: 'members' })],
      ['DELETE', `/Groups/${ours}`, undefined],
    ] as const)
      expect([method, path, (await other(method, path, body)).status]).toEqual([method, path, 404]);
    for (const body of [
      patchOf({ op: 'add', path: 'members', value: [{ value: mine }] }),
      patchOf({ op: 'replace', path: 'members', value: [{ value: theirs }, { value: mine }] }),
    ])
      expect((await other('PATCH', `/Groups/${one}`, body)).body.scimType).toBe('invalidValue');
    const removed = patchOf({ op: 'remove', path: `members[value eq "${mine}"]` });
    expect((await other('PATCH', `/Groups/${one}`, removed)).status).toBe(204);
    expect([await membersOf(ours), await membersOf(one, other)]).toEqual([[mine], [theirs]]);
    for (const filter of [`id eq "${mine}"`, 'externalId eq "same"', 'userName eq "same@example.com"']) {
      const { body } = await other('GET', `/Users?filter=${encodeURIComponent(filter)}`);
      expect(body.Resources.map(({ id }: { id: string }) => id)).toEqual(filter.startsWith('id') ? [] : [theirs]);
    }
    const groups = await other('GET', `/Groups?filter=${encodeURIComponent(`members eq "${mine}"`)}`);
    expect(groups.body.totalResults).toBe(0);
    expect((await scim('GET', `/Users/${mine}`)).body).toMatchObject({ active: true, groups: [{ value: ours }] });
  });

  it('make their own: an id that is said is not the one that is given', async () => {
    const mine = await made(user('own'));
    const made2 = await other('POST', '/Users', user('own', { id: mine, groups: [{ value: 'x' }], meta: {} }));
    expect([made2.status, made2.body.id === mine]).toEqual([201, false]);
    const replaced = await other('PUT', `/Users/${made2.body.id}`, user('own', { id: mine }));
    expect([replaced.status, replaced.body.id]).toEqual([200, made2.body.id]);
  });
});

describe('names', () => {
  it('of groups may be the same, and their ids of the directory not', async () => {
    const [one, two] = [
      await made(group('twins', { externalId: 't1' }), scim, '/Groups'),
      await made(group('twins', { externalId: 't2' }), scim, '/Groups'),
    ];
    const { body } = await scim('GET', `/Groups?filter=${encodeURIComponent('displayName eq "TWINS"')}`);
    expect(body.Resources.map(({ id }: { id: string }) => id).sort()).toEqual([one, two].sort());
    const taken = await scim('POST', '/Groups', group('more', { externalId: 't1' }));
    expect([taken.status, taken.body.scimType]).toEqual([409, 'uniqueness']);
    const changed = await scim('PATCH', `/Groups/${one}`, patchOf({ op: 'replace', path: 'externalId', value: 't2' }));
    expect([changed.status, changed.body.scimType]).toEqual([409, 'uniqueness']);
  });

  it('of somebody else are not to be had, in any case and by no way', async () => {
    await made(user('holder'));
    const id = await made(user('taker'));
    const taken = [
      scim('PATCH', `/Users/${id}`, patchOf({ op: 'replace', path: 'userName', value: 'HOLDER@example.com' })),
      scim('PATCH', `/Users/${id}`, patchOf({ op: 'replace', value: { externalId: 'holder' } })),
      scim('PUT', `/Users/${id}`, user('holder', { userName: 'new@example.com' })),
      scim('PUT', `/Users/${id}`, user('new', { userName: 'Holder@Example.com' })),
    ];
    for (const { status, body } of await Promise.all(taken))
      expect([status, body.scimType]).toEqual([409, 'uniqueness']);
    expect((await scim('GET', `/Users/${id}`)).body).toMatchObject({
      externalId: 'taker',
      userName: 'taker@example.com',
      meta: { version: 'W/"1"' },
    });
  });
});

describe('a group', () => {
  it('is changed by all steps of a PATCH or by none', async () => {
    const one = await made(user('steps'));
    const id = await made(group('steps', { members: [{ value: one }] }), scim, '/Groups');
    const steps = [
      { op: 'replace', path: 'displayName', value: 'others' },
      { op: 'remove', path: 'members' },
    ];
    for (const last of [
      { op: 'add', path: 'members', value: [{ value: 'nobody' }] },
      { op: 'add', path: 'members', value: [{ display: 'nobody' }] },
      { op: 'remove' },
      { op: 'replace', path: 'displayName', value: '' },
    ])
      expect((await scim('PATCH', `/Groups/${id}`, patchOf(...steps, last))).status).toBe(400);
    expect((await scim('GET', `/Groups/${id}`)).body).toMatchObject({
      displayName: 'steps',
      members: [{ value: one }],
    });
  });

  it('is changed by one of two who both have its newest version', async () => {
    const id = await made(group('raced'), scim, '/Groups');
    const rename = (value: string) =>
      scim('PATCH', `/Groups/${id}`, patchOf({ op: 'replace', path: 'displayName', value }), { 'If-Match': 'W/"1"' });
    expect((await Promise.all(['a', 'b'].map(rename))).map(({ status }) => status).sort()).toEqual([204, 412]);
    const put = await scim('PUT', `/Groups/${id}`, group('c'), { 'If-Match': 'W/"1"' });
    expect(put.status).toBe(412);
    expect((await scim('DELETE', `/Groups/${id}`, undefined, { 'If-Match': '"1"' })).status).toBe(412);
    expect((await scim('GET', `/Groups/${id}`, undefined, { 'If-None-Match': '"2"' })).status).toBe(304);
  });

  it('has all members replaced, and none of them twice', async () => {
    const [a, b] = [await made(user('first')), await made(user('last'))];
    const id = await made(group('all', { members: [{ value: a }] }), scim, '/Groups');
    const all = patchOf({ op: 'replace', path: 'members', value: [{ value: b }, { value: b }] });
    expect((await scim('PATCH', `/Groups/${id}`, all)).status).toBe(204);
    expect(await membersOf(id)).toEqual([b]);
    expect((await scim('PATCH', `/Groups/${id}`, patchOf({ op: 'remove', path: 'members' }))).status).toBe(204);
    expect(await membersOf(id)).toEqual([]);
  });

  it('of thousands comes in a list with few others, and none is left out by whoever goes on', async () => {
    const { database } = company.service;
    const superuser = await database.connect('superuser');
    await superuser.query(
      `alter table placet.scim_user disable trigger user;
       insert into placet.scim_user (tenant, id, issuer, user_name, external_id, active, identity, body, version, revision)
         select '${database.tenant}', 'many-' || n, 'company', 'many-' || n, 'many-' || n, true, 'many-' || n, '{}', 1, 1
         from generate_series(1, 4000) n;
       alter table placet.scim_user enable trigger user;`,
    );
    const value = Array.from({ length: 4000 }, (_, n) => ({ value: `many-${n + 1}` }));
    const large: string[] = [];
    for (const name of ['large-1', 'large-2', 'large-3']) large.push(await made(group(name), scim, '/Groups'));
    for (const id of large) {
      const added = await scim('PATCH', `/Groups/${id}`, patchOf({ op: 'add', path: 'members', value }));
      expect(added.status).toBe(204);
    }
    const seen: string[] = [];
    for (let startIndex = 1; ;) {
      const { body } = await scim('GET', `/Groups?count=500&startIndex=${startIndex}`);
      const counts = (body.Resources as { id: string; members: object[] }[]).map(({ members }) => members.length);
      expect(body.itemsPerPage).toBe(counts.length);
      expect(counts.length === 1 || counts.reduce((sum, count) => sum + count, 0) <= 10_000).toBe(true);
      for (const { id } of body.Resources) seen.push(id);
      if (seen.length >= body.totalResults) break;
      startIndex += body.itemsPerPage as number;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(large));
    const bare = await scim('GET', '/Groups?count=500&excludedAttributes=members');
    expect(bare.body.itemsPerPage).toBe(seen.length);
    const users = await scim('GET', '/Users?count=500&startIndex=1');
    expect(users.body.itemsPerPage).toBeGreaterThan(100);
  });
});

describe('the token of a connector', () => {
  const ASKED = { subject: { type: 'user', id: 'x' }, action: { name: 'a' }, resource: { type: 't', id: 'r' } };

  const DECISION = {
    subject: { type: 'user', id: 'x' },
    server: 'files',
    direction: 'client_to_server',
    message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } },
  };

  it.each<[string, string, object | undefined]>([
    ['GET', '/api/v1/me', undefined],
    ['GET', '/api/v1/documents', undefined],
    ['GET', '/api/v1/connector-tokens', undefined],
    ['POST', '/api/v1/connector-tokens', { issuer: 'company' }],
    ['POST', '/api/v1/keys', { administrator: 'x', rights: { roles: ['owner'] } }],
    ['POST', '/api/v1/access/review', undefined],
    ['GET', '/api/v1/consents/requests', undefined],
    ['POST', '/access/v1/evaluation', ASKED],
    ['POST', '/access/v1/evaluations', { evaluations: [ASKED] }],
    ['POST', '/access/v1/search/subject', ASKED],
    ['POST', '/mcp/v1/decisions', DECISION],
  ])('is good for nothing else: %s %s', async (method, path, body) => {
    const { status } = await company.service.call(method, path, { key: token, ...(body ? { body } : {}) });
    expect(status).toBe(401);
  });

  it('is the only one that is good there', async () => {
    const { body: key } = await company.service.call('POST', '/api/v1/keys', {
      body: { administrator: 'root', rights: { roles: ['owner'] } },
    });
    await company.apply({ kind: 'Host', name: 'desk' });
    const { body: host } = await company.service.call('POST', '/api/v1/keys', {
      body: { host: 'desk', rights: { subjects: ['*'] } },
    });
    const { body: client } = await company.service.call('POST', '/api/v1/clients', {
      body: { host: 'desk', rights: { subjects: ['*'] } },
    });
    const basic = Buffer.from(`${client.id}:${client.secret}`).toString('base64');
    const { body: issued } = await company.service.call('POST', '/t/default/oauth/token', {
      key: null,
      headers: { Authorization: `Basic ${basic}`, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    });
    expect(issued.access_token).toBeDefined();
    const session = await company.signIn('ann');
    for (const one of [key.key, host.key, issued.access_token, 'placet_x', ''])
      for (const [method, path] of [
        ['GET', '/Users'],
        ['GET', '/ServiceProviderConfig'],
        ['DELETE', '/Users/x'],
      ] as const)
        expect((await scimWith(company.service, one as string)(method, path)).status).toBe(401);
    expect((await session.fetch(`${company.service.url}/scim/v2/Users`)).status).toBe(401);
  });

  it('is neither made nor taken over by whoever has less than people of its Issuer can come to have', async () => {
    await company.apply(
      {
        kind: 'AdministratorRole',
        name: 'keeper',
        grants: [{ actions: ['read', 'write', 'rotate', 'delete', 'grant'], on: ['Key'] }],
      },
      { kind: 'AdministratorBinding', name: 'bosses', to: ['group:company:bosses'], roles: ['owner'] },
    );
    const { body } = await company.service.call('POST', '/api/v1/keys', {
      body: { administrator: 'keeper', rights: { roles: ['keeper'] } },
    });
    const as = (method: string, path: string, sent: object) =>
      company.service.call(method, `/api/v1/connector-tokens${path}`, { key: body.key, body: sent });
    const { body: there } = await company.service.call('POST', '/api/v1/connector-tokens', {
      body: { issuer: 'company' },
    });
    for (const answer of [await as('POST', '', { issuer: 'company' }), await as('POST', `/${there.id}/rotate`, {})])
      expect([answer.status, answer.body.code]).toEqual([403, 'grant_exceeds_own']);
    await company.service.call('DELETE', '/api/v1/documents/AdministratorBinding/bosses', {
      headers: { 'If-Match': '1' },
    });
    expect((await as('POST', '', { issuer: 'company' })).status).toBe(201);
    expect((await as('POST', `/${there.id}/rotate`, {})).status).toBe(201);
  });

  it('says nothing of what is within when something is wrong', async () => {
    const answers = [
      await scim('POST', '/Users', undefined),
      await scim('GET', '/nowhere'),
      await scim('POST', '/Bulk', { schemas: [] }),
      await scim('POST', '/Users/.search', {}),
      await scimWith(company.service, token)('PATCH', '/Users/x', 'no JSON'),
    ];
    for (const { status, body } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(JSON.stringify(body)).not.toMatch(/scim_user|select |placet\.|\bat \/|node_modules/);
    }
  });
});
