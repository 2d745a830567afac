import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../support/service.js';
import { connectorOf, GROUP_SCHEMA, patchOf, scimWith, USER_SCHEMA, type Scim } from '../support/scim.js';
import { companyIssuer, startCompany, type Company } from '../support/signed-in.js';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

let company: Company;
let scim: Scim;

beforeAll(async () => {
  company = await startCompany();
  await company.apply(companyIssuer(company.idp, { provisioning: { scim: true } }), {
    ...companyIssuer(company.idp),
    name: 'other',
    issuer: 'https://other.example.com',
    provisioning: { scim: true },
  });
  scim = await connectorOf(company.service, 'company');
});
afterAll(() => company.close());

/** A user as Okta makes one. */
const oktaUser = (name: string, over: object = {}) => ({
  schemas: [USER_SCHEMA],
  userName: `${name}@example.com`,
  name: { givenName: 'Test', familyName: name },
  emails: [{ primary: true, value: `${name}@example.com`, type: 'work' }],
  displayName: `Test ${name}`,
  locale: 'en-US',
  externalId: `00u${name}`,
  groups: [],
  password: '1mz050nq',
  active: true,
  ...over,
});

/** A user as Entra makes one. */
const entraUser = (name: string, over: object = {}) => ({
  schemas: [USER_SCHEMA, ENTERPRISE],
  externalId: randomUUID(),
  userName: `${name}@example.com`,
  active: true,
  addresses: null,
  displayName: name,
  emails: [{ type: 'work', value: `${name}@example.com`, primary: true }],
  meta: { resourceType: 'User' },
  name: { formatted: `Test ${name}`, familyName: name, givenName: 'Test' },
  preferredLanguage: null,
  roles: [],
  title: null,
  [ENTERPRISE]: { department: 'bob', employeeNumber: '123' },
  ...over,
});

let number = 0;
const nameOf = (): string => `user${++number}`;

async function made(body: object, path = '/Users'): Promise<Answer['body']> {
  const answer = await scim('POST', path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body;
}
const patched = (id: string, ...operations: object[]) => scim('PATCH', `/Users/${id}`, patchOf(...operations));
const user = async (id: string) => (await scim('GET', `/Users/${id}`)).body;

describe('the steps by which Okta checks a service', () => {
  const name = nameOf();
  let id: string;

  it('finds the lists, empty and by pages', async () => {
    const { status, headers, body } = await scim('GET', '/Users?count=1&startIndex=1');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/scim+json; charset=utf-8']);
    expect(body).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      startIndex: 1,
      Resources: [],
    });
    expect([typeof body.totalResults, typeof body.itemsPerPage]).toEqual(['number', 'number']);
    expect((await scim('GET', '/Groups')).status).toBe(200);
  });

  it('answers 404 with a body of SCIM for a user who is not there', async () => {
    const { status, headers, body } = await scim('GET', '/Users/010101001010101011001010101011');
    expect([status, body.schemas, body.status]).toEqual([404, [ERROR], '404']);
    expect(headers.get('content-type')).toContain('application/scim+json');
    expect(body.detail).toBe('there is no user 010101001010101011001010101011');
  });

  it('finds nobody of a random name', async () => {
    const { body } = await scim('GET', `/Users?filter=${encodeURIComponent(`userName eq "${name}@example.com"`)}`);
    expect([body.totalResults, body.Resources]).toEqual([0, []]);
  });

  it('makes a user, and says where it is', async () => {
    const answer = await scim('POST', '/Users', oktaUser(name));
    expect(answer.status).toBe(201);
    ({ id } = answer.body);
    expect(answer.headers.get('location')).toBe(`${company.service.url}/scim/v2/Users/${id}`);
    expect(answer.headers.get('etag')).toBe('W/"1"');
    expect(answer.body).toMatchObject({
      schemas: [USER_SCHEMA],
      userName: `${name}@example.com`,
      active: true,
      name: { givenName: 'Test', familyName: name },
      emails: [{ primary: true, value: `${name}@example.com`, type: 'work' }],
      meta: { resourceType: 'User', version: 'W/"1"' },
    });
    expect(JSON.stringify(answer.body)).not.toContain('1mz050nq');
  });

  it('reads it back, and finds it by its name in any case', async () => {
    expect((await user(id)).userName).toBe(`${name}@example.com`);
    for (const filter of [
      `userName eq "${name.toUpperCase()}@example.com"`,
      `externalId eq "00u${name}"`,
      `${USER_SCHEMA}:userName eq "${name}@example.com" and externalId eq "00u${name}"`,
    ]) {
      const { body } = await scim('GET', `/Users?filter=${encodeURIComponent(filter)}`);
      expect([filter, body.totalResults, body.Resources[0]?.id]).toEqual([filter, 1, id]);
    }
  });

  it('refuses another of the same name with 409', async () => {
    const { status, body } = await scim('POST', '/Users', oktaUser(name, { externalId: 'another' }));
    expect([status, body.scimType, body.status]).toEqual([409, 'uniqueness', '409']);
  });

  it('deactivates and activates by PATCH without a path', async () => {
    const off = await patched(id, { op: 'replace', value: { active: false } });
    expect([off.status, off.body.active]).toEqual([200, false]);
    const on = await patched(id, { op: 'replace', value: { active: true } });
    expect([on.status, on.body.active]).toEqual([200, true]);
  });

  it('changes a name by PUT, which makes nobody active again', async () => {
    await patched(id, { op: 'replace', value: { active: false } });
    const { active: _active, ...without } = oktaUser(name, { displayName: 'Another' });
    const { status, body } = await scim('PUT', `/Users/${id}`, without);
    expect([status, body.active, body.displayName]).toEqual([200, false, 'Another']);
    expect((await scim('PUT', `/Users/${id}`, { ...without, active: true })).body.active).toBe(true);
  });

  it('refuses a user without a name', async () => {
    const { status, body } = await scim('POST', '/Users', { schemas: [USER_SCHEMA], name: { givenName: 'X' } });
    expect([status, body.scimType, body.detail]).toEqual([400, 'invalidValue', 'userName is required']);
  });

  it('makes, renames, fills, empties and deletes a group', async () => {
    const group = await made({ schemas: [GROUP_SCHEMA], displayName: 'Test SCIMv2', members: [] }, '/Groups');
    const path = `/Groups/${group.id}`;
    const renamed = patchOf({ op: 'replace', value: { id: group.id, displayName: 'Test SCIMv2 v2' } });
    expect((await scim('PATCH', path, renamed)).status).toBe(204);
    expect(
      (await scim('PATCH', path, patchOf({ op: 'add', path: 'members', value: [{ value: id, display: 'x' }] }))).status,
    ).toBe(204);
    expect((await scim('GET', path)).body).toMatchObject({ displayName: 'Test SCIMv2 v2', members: [{ value: id }] });
    expect((await user(id)).groups).toEqual([{ value: group.id, display: 'Test SCIMv2 v2' }]);
    expect((await scim('PATCH', path, patchOf({ op: 'remove', path: `members[value eq "${id}"]` }))).status).toBe(204);
    expect((await scim('GET', path)).body.members).toEqual([]);
    expect((await scim('DELETE', path)).status).toBe(204);
    expect((await scim('GET', path)).status).toBe(404);
  });

  it('deletes the user, who can come again as another one', async () => {
    expect((await scim('DELETE', `/Users/${id}`)).status).toBe(204);
    expect((await scim('GET', `/Users/${id}`)).status).toBe(404);
    expect((await scim('DELETE', `/Users/${id}`)).status).toBe(404);
    expect((await made(oktaUser(name))).id).not.toBe(id);
  });
});

describe('what Entra sends', () => {
  it.each<[string, object[], object]>([
    ['Replace active "False"', [{ op: 'Replace', path: 'active', value: 'False' }], { active: false }],
    [
      'an old list of one',
      [{ op: 'Replace', path: 'active', value: [{ $ref: null, value: 'False' }] }],
      { active: false },
    ],
    ['replace active false', [{ op: 'replace', path: 'active', value: false }], { active: false }],
    [
      'several at once',
      [
        { op: 'Add', path: 'displayName', value: 'B' },
        { op: 'Replace', path: 'active', value: 'false' },
      ],
      { active: false, displayName: 'B' },
    ],
    [
      'dotted keys without a path',
      [{ op: 'Add', value: { 'name.givenName': 'B', displayName: 'C' } }],
      { name: { givenName: 'B' }, displayName: 'C' },
    ],
    [
      'a dotted path',
      [{ op: 'Replace', path: 'name.familyName', value: 'Z' }],
      { name: { familyName: 'Z', givenName: 'Test' } },
    ],
    [
      'an address of a type that is there',
      [{ op: 'Replace', path: 'emails[type eq "work"].value', value: 'b@x' }],
      { emails: [{ type: 'work', value: 'b@x', primary: true }] },
    ],
    [
      'an address of a type that is not',
      [{ op: 'Add', path: 'emails[type eq "home"].value', value: 'h@x' }],
      { emails: [{ type: 'work' }, { type: 'home', value: 'h@x' }] },
    ],
    [
      'the same as a key',
      [{ op: 'Add', value: { 'emails[type eq "other"].value': 'o@x' } }],
      { emails: [{ type: 'work' }, { type: 'other', value: 'o@x' }] },
    ],
    ['the whole URN', [{ op: 'Replace', path: `${USER_SCHEMA}:displayName`, value: 'U' }], { displayName: 'U' }],
    [
      'what is not kept',
      [
        { op: 'Add', path: `${ENTERPRISE}:department`, value: 'd' },
        { op: 'Replace', path: 'nope', value: 1 },
        { op: 'Add', path: 'addresses[type eq "work"].formatted', value: 'x' },
      ],
      { active: true },
    ],
    ['a removal', [{ op: 'Remove', path: 'displayName' }], { active: true }],
  ])('%s', async (_name, operations, expected) => {
    const { id } = await made(entraUser(nameOf()));
    const { status, body } = await patched(id, ...operations);
    expect([status, body]).toEqual([200, expect.objectContaining({})]);
    expect(body).toMatchObject(expected);
    expect(await user(id)).toEqual(body);
    expect(JSON.stringify(body)).not.toContain('department');
  });

  it.each<[string, object, string]>([
    ['active of another text', { op: 'Replace', path: 'active', value: 'maybe' }, 'invalidValue'],
    ['active of a number', { op: 'Replace', path: 'active', value: 1 }, 'invalidValue'],
    ['active taken away', { op: 'Remove', path: 'active' }, 'invalidValue'],
    ['no name any more', { op: 'Remove', path: 'userName' }, 'invalidValue'],
    ['another operation', { op: 'Move', path: 'active', value: true }, 'invalidSyntax'],
    ['a removal of nothing', { op: 'Remove' }, 'noTarget'],
    ['a path that is none', { op: 'Replace', path: 'emails[type', value: 'x' }, 'invalidPath'],
    ['a name that is an object', { op: 'Replace', path: 'userName', value: { a: 1 } }, 'invalidValue'],
  ])('is refused with its type where it is %s, and nothing of it is done', async (_name, operation, scimType) => {
    const { id } = await made(entraUser(nameOf()));
    const before = await user(id);
    const { status, body } = await patched(id, { op: 'Replace', path: 'displayName', value: 'not this' }, operation);
    expect([status, body.scimType, body.schemas]).toEqual([400, scimType, [ERROR]]);
    expect(await user(id)).toEqual(before);
  });

  it('groups: without members, by their name, and members in both styles', async () => {
    const [one, two] = [await made(entraUser(nameOf())), await made(entraUser(nameOf()))];
    const group = await made(
      {
        schemas: [GROUP_SCHEMA, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
        externalId: randomUUID(),
        displayName: 'EntraGroup',
        meta: { resourceType: 'Group' },
      },
      '/Groups',
    );
    const path = `/Groups/${group.id}`;
    const add = { op: 'Add', path: 'members', value: [{ $ref: null, value: one.id }, { value: two.id }] };
    expect((await scim('PATCH', path, patchOf(add))).status).toBe(204);
    const found = await scim(
      'GET',
      `/Groups?excludedAttributes=members&filter=${encodeURIComponent('displayName eq "entragroup"')}`,
    );
    expect(found.body.Resources).toMatchObject([{ id: group.id, displayName: 'EntraGroup' }]);
    expect(found.body.Resources[0]).not.toHaveProperty('members');
    const member = encodeURIComponent(`id eq "${group.id}" and members eq "${one.id}"`);
    expect((await scim('GET', `/Groups?attributes=id&filter=${member}`)).body.totalResults).toBe(1);
    expect(
      (await scim('PATCH', path, patchOf({ op: 'Remove', path: 'members', value: [{ $ref: null, value: one.id }] })))
        .status,
    ).toBe(204);
    expect((await scim('GET', `/Groups?filter=${member}`)).body.totalResults).toBe(0);
    expect((await scim('GET', path)).body.members).toMatchObject([{ value: two.id }]);
    expect((await scim('PATCH', path, patchOf({ op: 'Remove', path: 'members', value: [] }))).status).toBe(204);
    expect((await scim('GET', path)).body.members).toHaveLength(1);
    const unknown = await scim('PATCH', path, patchOf({ op: 'Add', path: 'members', value: [{ value: 'nobody' }] }));
    expect([unknown.status, unknown.body.scimType]).toEqual([400, 'invalidValue']);
    expect(
      (await scim('PUT', path, { schemas: [GROUP_SCHEMA], displayName: 'EntraGroup', members: [{ value: one.id }] }))
        .body.members,
    ).toMatchObject([{ value: one.id }]);
  });

  it('is told of once in the log, by name, where it is not kept', async () => {
    const from = company.service.log.length;
    await made(entraUser(nameOf(), { nickName: 'a-secret-nick' }));
    const lines = company.service.log.slice(from).filter((line) => line.includes('are not kept'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('nickName');
    expect(lines.join('')).not.toContain('a-secret-nick');
  });
});

describe('filters', () => {
  it.each([
    'displayName eq "x"',
    'emails.value eq "x"',
    'userName sw "x"',
    'userName eq "x" or id eq "y"',
    'not (userName eq "x")',
    'userName eq x',
    'userName eq "x" and',
    'userName eq "x" and userName eq "y"',
    'userName pr',
    '',
  ])('are refused where nothing is indexed for them: %s', async (filter) => {
    const { status, body } = await scim('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    expect([status, body.scimType]).toEqual([400, 'invalidFilter']);
  });

  it('page from 1, and count what there is', async () => {
    const all = (await scim('GET', '/Users?count=500')).body;
    expect(all.totalResults).toBeGreaterThan(3);
    const ids = all.Resources.map(({ id }: { id: string }) => id);
    const second = (await scim('GET', '/Users?startIndex=2&count=2')).body;
    expect(second).toMatchObject({ totalResults: all.totalResults, startIndex: 2, itemsPerPage: 2 });
    expect(second.Resources.map(({ id }: { id: string }) => id)).toEqual(ids.slice(1, 3));
    expect((await scim('GET', '/Users?startIndex=0&count=1')).body).toMatchObject({ startIndex: 1 });
    expect((await scim('GET', '/Users?count=0')).body).toMatchObject({ totalResults: all.totalResults, Resources: [] });
    expect((await scim('GET', '/Users?count=many')).status).toBe(400);
  });
});

describe('versions', () => {
  it('let in whoever has the newest, and one of two', async () => {
    const { id } = await made(oktaUser(nameOf()));
    const change = (value: string, match: string) =>
      scim('PATCH', `/Users/${id}`, patchOf({ op: 'replace', path: 'displayName', value }), { 'If-Match': match });
    expect((await scim('GET', `/Users/${id}`, undefined, { 'If-None-Match': 'W/"1"' })).status).toBe(304);
    expect((await change('old', 'W/"7"')).status).toBe(412);
    const both = await Promise.all([change('one', 'W/"1"'), change('two', 'W/"1"')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    expect((await user(id)).meta.version).toBe('W/"2"');
    expect((await scim('DELETE', `/Users/${id}`, undefined, { 'If-Match': 'W/"1"' })).status).toBe(412);
    expect((await scim('DELETE', `/Users/${id}`, undefined, { 'If-Match': 'W/"2"' })).status).toBe(204);
  });

  it('are moved by nothing that is so already', async () => {
    const { id } = await made(oktaUser(nameOf()));
    expect((await patched(id, { op: 'Replace', path: 'active', value: 'True' })).body.meta.version).toBe('W/"1"');
  });

  it('lose no member where many are added at once', async () => {
    const users = await Promise.all(
      Array.from({ length: 6 }, async () => (await made(oktaUser(nameOf()))).id as string),
    );
    const { id } = await made({ schemas: [GROUP_SCHEMA], displayName: 'many' }, '/Groups');
    const added = await Promise.all(
      users.map((value) => scim('PATCH', `/Groups/${id}`, patchOf({ op: 'add', path: 'members', value: [{ value }] }))),
    );
    expect(added.map(({ status }) => status)).toEqual(users.map(() => 204));
    expect((await scim('GET', `/Groups/${id}`)).body.members).toHaveLength(6);
  });
});

const ASKED = { subject: { type: 'user', id: 'x' }, action: { name: 'a' }, resource: { type: 't', id: 'r' } };

describe('a token', () => {
  const tokens = () => company.service.call('GET', '/api/v1/connector-tokens');

  it('is for one Issuer, and good for nothing else', async () => {
    const { id } = await made(oktaUser(nameOf()));
    const other = await connectorOf(company.service, 'other');
    expect((await other('GET', `/Users/${id}`)).status).toBe(404);
    expect((await other('GET', '/Users')).body.totalResults).toBe(0);
    expect((await other('PATCH', `/Users/${id}`, patchOf({ op: 'replace', value: { active: false } }))).status).toBe(
      404,
    );
    const group = (await other('POST', '/Groups', { schemas: [GROUP_SCHEMA], displayName: 'g' })).body;
    const add = patchOf({ op: 'add', path: 'members', value: [{ value: id }] });
    expect((await other('PATCH', `/Groups/${group.id}`, add)).status).toBe(400);
    const shown = await company.service.call('POST', '/api/v1/connector-tokens', { body: { issuer: 'company' } });
    expect((await company.service.call('GET', '/api/v1/people', { key: shown.body.token })).status).toBe(401);
    expect(
      (await company.service.call('POST', '/access/v1/evaluation', { key: shown.body.token, body: ASKED })).status,
    ).toBe(401);
    expect((await scimWith(company.service, company.service.owner)('GET', '/Users')).status).toBe(401);
    expect((await scimWith(company.service, 'nothing')('GET', '/Users')).body).toMatchObject({
      schemas: [ERROR],
      status: '401',
    });
  });

  it('expires, is rotated and disabled', async () => {
    const soon = new Date(Date.now() + 1500).toISOString();
    const short = await connectorOf(company.service, 'company', { expires_at: soon });
    expect((await short('GET', '/Users?count=0')).status).toBe(200);
    await expect.poll(async () => (await short('GET', '/Users?count=0')).status, { timeout: 5000 }).toBe(401);
    const shown = (await company.service.call('POST', '/api/v1/connector-tokens', { body: { issuer: 'company' } }))
      .body;
    const path = `/api/v1/connector-tokens/${shown.id}`;
    const again = (await company.service.call('POST', `${path}/rotate`, { body: { overlap_seconds: 0 } })).body;
    expect((await scimWith(company.service, shown.token)('GET', '/Users?count=0')).status).toBe(401);
    expect((await scimWith(company.service, again.token)('GET', '/Users?count=0')).status).toBe(200);
    const listed = (await tokens()).body.items as { id: string }[];
    expect(listed.find(({ id }) => id === shown.id)).toMatchObject({ issuer: 'company', disabled_at: null });
    expect((await company.service.call('DELETE', path)).status).toBe(204);
    expect((await scimWith(company.service, again.token)('GET', '/Users?count=0')).status).toBe(401);
    expect((await company.service.call('POST', `${path}/rotate`, { body: {} })).status).toBe(400);
  });

  it('is made by owners, of an Issuer that is provisioned', async () => {
    const { body } = await company.service.call('POST', '/api/v1/keys', {
      body: { administrator: 'registrar', rights: { roles: ['registrar'] } },
    });
    const refused = await company.service.call('POST', '/api/v1/connector-tokens', {
      key: body.key,
      body: { issuer: 'company' },
    });
    expect(refused.status).toBe(403);
    const nowhere = await company.service.call('POST', '/api/v1/connector-tokens', { body: { issuer: 'nowhere' } });
    expect(nowhere.status).toBe(404);
    await company.apply({ kind: 'Issuer', name: 'plain', issuer: 'https://plain.example.com' });
    const plain = await company.service.call('POST', '/api/v1/connector-tokens', { body: { issuer: 'plain' } });
    expect(plain.status).toBe(400);
  });

  it('does nothing any more once the document does not say so', async () => {
    const other = await connectorOf(company.service, 'other');
    const issuer = { ...companyIssuer(company.idp), name: 'other', issuer: 'https://other.example.com' };
    await company.apply(issuer);
    const { status, body } = await other('POST', '/Users', oktaUser(nameOf()));
    expect([status, body.detail]).toEqual([403, expect.stringContaining('provisioning')]);
    await company.apply({ ...issuer, provisioning: { scim: true } });
  });
});

describe('discovery', () => {
  it('says what can be done, and what is kept', async () => {
    const { body: config } = await scim('GET', '/ServiceProviderConfig');
    expect(config).toMatchObject({ patch: { supported: true }, etag: { supported: true }, sort: { supported: false } });
    const { body: types } = await scim('GET', '/ResourceTypes');
    expect(types.Resources.map(({ id }: { id: string }) => id)).toEqual(['User', 'Group']);
    const { body: schemas } = await scim('GET', '/Schemas');
    expect(schemas.Resources.map(({ id }: { id: string }) => id)).toEqual([USER_SCHEMA, GROUP_SCHEMA]);
    expect((await scim('GET', `/Schemas/${USER_SCHEMA}`)).body.attributes.length).toBeGreaterThan(5);
    expect((await scim('GET', '/Schemas/none')).status).toBe(404);
  });
});
