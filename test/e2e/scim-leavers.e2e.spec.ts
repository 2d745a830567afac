import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Service } from '../../apps/server/src/service.js';
import { Cookies } from '../support/browser.js';
import { connectorOf, GROUP_SCHEMA, patchOf, USER_SCHEMA, type Scim } from '../support/scim.js';
import { companyIssuer, startCompany, type Company } from '../support/signed-in.js';

const HOST = 'desk';
const AUDIENCE = 'https://placet.example.com';

let company: Company;
let scim: Scim;
let replicas: Service[];
let host: string;
let superuser: pg.Client;

beforeAll(async () => {
  company = await startCompany();
  replicas = [await company.service.replica(), await company.service.replica()];
  superuser = await company.service.database.connect('superuser');
  company.idp.people.set('cara', { sub: 'cara', claims: { name: 'Cara', groups: ['staff', 'admins'] } });
  company.idp.people.set('dave', { sub: 'dave', claims: { name: 'Dave', groups: ['staff'] } });
  await company.apply(
    issuer(),
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Host', name: HOST },
    { kind: 'Server', name: 'files', identity: { url: 'https://files.example.com/mcp' } },
    {
      kind: 'Policy',
      name: 'staff',
      target: { actions: ['*'], resources: ['*'] },
      rules: [{ name: 'staff', effect: 'allow', to: ['group:company:staff'] }],
    },
    { kind: 'AdministratorBinding', name: 'readers', to: ['group:company:staff'], roles: ['auditor'] },
  );
  scim = await connectorOf(company.service, 'company');
  const rights = { subjects: ['*'], subjectProperties: ['*'] };
  host = (await company.service.call('POST', '/api/v1/keys', { body: { host: HOST, rights } })).body.key;
});
afterAll(() => company.close());

const issuer = (provisioning: object = {}) =>
  companyIssuer(company.idp, {
    subjectTokens: { audiences: [AUDIENCE], type: 'any' },
    provisioning: { scim: true, ...provisioning },
  });

beforeEach(async () => {
  await company.apply(issuer());
  for (const kind of ['Users', 'Groups']) {
    const { body } = await scim('GET', `/${kind}`);
    for (const { id } of body.Resources) await scim('DELETE', `/${kind}/${id}`);
  }
});

const person = (sub: string, over: object = {}) => ({
  schemas: [USER_SCHEMA],
  userName: `${sub}@example.com`,
  externalId: sub,
  active: true,
  ...over,
});

const create = async (sub: string, over: object = {}): Promise<string> => {
  const { status, body } = await scim('POST', '/Users', person(sub, over));
  expect(status, JSON.stringify(body)).toBe(201);
  return body.id;
};
const set = (id: string, active: boolean | string) =>
  scim('PATCH', `/Users/${id}`, patchOf({ op: 'Replace', path: 'active', value: active }));

/** What each replica says of somebody in the group of the staff, by the word of the host. */
async function answers(sub: string, groups: readonly string[] = ['company:staff']): Promise<string[]> {
  const asked = [company.service.url, ...replicas.map(({ url }) => url)].map((url) =>
    company.service.call('POST', '/mcp/v1/decisions', {
      key: host,
      url,
      body: {
        subject: { type: 'user', id: `company/${sub}`, properties: { groups } },
        server: 'files',
        direction: 'client_to_server',
        message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } },
      },
    }),
  );
  return (await Promise.all(asked)).map(({ body }) => `${body.effect} ${body.reason?.code}`);
}
const ALLOWED = Array<string>(3).fill('allow allowed');
const STOPPED = Array<string>(3).fill('deny suspended');

const me = async (cookies: Cookies) => (await cookies.fetch(`${company.service.url}/api/v1/me`)).status;

/** How often the epoch has moved, and what was touched last. */
async function epoch(): Promise<{ readonly epoch: number; readonly revision: number; readonly keys: string[] }> {
  const { rows } = await superuser.query<{ epoch: string; revision: string; keys: string[] }>(
    `select s.epoch, s.revision, (select keys from placet.change c where c.tenant = s.tenant order by revision desc limit 1) as keys
     from placet.tenant_state s where s.tenant = $1`,
    [company.service.database.tenant],
  );
  const { epoch: at, revision, keys } = rows[0]!;
  return { epoch: Number(at), revision: Number(revision), keys };
}

describe('whoever leaves', () => {
  it.each<[string, (id: string) => Promise<{ status: number }>]>([
    ['deactivated by a boolean', (id) => set(id, false)],
    ['deactivated by the text "False"', (id) => set(id, 'False')],
    ['deactivated by PUT', (id) => scim('PUT', `/Users/${id}`, person('cara', { active: false }))],
    ['deleted', (id) => scim('DELETE', `/Users/${id}`)],
    [
      'given to somebody else',
      (id) => scim('PATCH', `/Users/${id}`, patchOf({ op: 'replace', value: { externalId: 'dora' } })),
    ],
  ])('%s is stopped on every replica when the call returns, under one revision', async (_how, end) => {
    const id = await create('cara');
    const session = await company.signIn('cara');
    expect(await me(session)).toBe(200);
    await expect.poll(() => answers('cara')).toEqual(ALLOWED);
    const before = await epoch();
    expect((await end(id)).status).toBeLessThan(300);
    expect(await answers('cara')).toEqual(STOPPED);
    expect(await me(session)).toBe(401);
    const after = await epoch();
    expect([after.epoch, after.revision]).toEqual([before.epoch + 1, before.revision + 1]);
    expect(after.keys).toContain('subject:user:company/cara');
    expect(after.keys).not.toContain('*');
    const again = await company.begin(new Cookies(), 'cara');
    expect((await new Cookies().fetch(again)).status).not.toBe(303);
    await expect(company.signIn('cara')).rejects.toThrow(/answers 4/);
  });

  it('gets nothing back by coming again but the right to sign in', async () => {
    const id = await create('cara');
    const session = await company.signIn('cara');
    await set(id, false);
    expect(await answers('cara')).toEqual(STOPPED);
    await set(id, true);
    // What is given back reaches each replica a moment later; only what is taken away is true at once.
    await expect.poll(() => answers('cara')).toEqual(ALLOWED);
    expect(await me(session)).toBe(401);
    expect(await me(await company.signIn('cara'))).toBe(200);
  });

  it('is stopped under the other names as well that an administrator has given them', async () => {
    await company.apply({ kind: 'Subject', id: 'cara', aliases: [{ type: 'user', id: 'company/cara' }] });
    const id = await create('cara');
    await set(id, false);
    expect(await answers('cara')).toEqual(STOPPED);
    const { body } = await company.service.call('POST', '/access/v1/evaluation', {
      key: host,
      body: { subject: { type: 'user', id: 'cara' }, action: { name: 'read' }, resource: { type: 'note', id: '1' } },
    });
    expect(body).toMatchObject({ decision: false, context: { reason: 'suspended' } });
    const { headers } = await company.service.call('GET', '/api/v1/documents/Subject/user:cara');
    await company.service.call('DELETE', '/api/v1/documents/Subject/user:cara', {
      headers: { 'If-Match': headers.get('etag') ?? '*' },
    });
  });

  it('who was never active is stopped, too, and so is whoever was signed in before they were known', async () => {
    const session = await company.signIn('dave');
    await create('dave', { active: false });
    expect(await answers('dave')).toEqual(STOPPED);
    expect(await me(session)).toBe(401);
  });

  it('is not forgotten by a replica that starts afterwards', async () => {
    const id = await create('cara');
    await scim('DELETE', `/Users/${id}`);
    const late = await company.service.replica();
    replicas.push(late);
    expect(await answers('cara')).toEqual([...STOPPED, 'deny suspended']);
    replicas.pop();
  });

  it('takes agreements, what is asked of them, and those who answer for them along', async () => {
    const { tenant } = company.service.database;
    const id = await create('cara');
    await company.signIn('cara');
    await company.signIn('bob');
    await superuser.query(`
      insert into placet.consent_request (tenant, id, join_key, evaluation, credential, host, agent, subject, action, resource_type,
          resource_id, content, shown, shown_digest, body_digest, expires_at, status)
        select '${tenant}', n, n::bytea, 'e', 'c', '${HOST}', '${HOST}', 'user:company/cara', 'a', 't', 'r', '{}', '', '', '',
          now() + interval '1 day', case n when 'open' then 'pending' else 'approved' end from unnest(array['open', 'agreed']) n;
      insert into placet.consent (tenant, id, request, requirement, binding, agreed, expires_at, subject, agent)
        values ('${tenant}', 'k', 'agreed', 0, 'b', array['user:company/cara'], now() + interval '1 day', 'user:company/cara', '${HOST}');
      insert into placet.delegation (tenant, id, from_person, to_person, expires_at)
        values ('${tenant}', 'd', 'user:company/cara', 'user:company/bob', now() + interval '1 day'),
          ('${tenant}', 'e', 'user:company/bob', 'user:company/cara', now() + interval '1 day');`);
    const before = await epoch();
    await set(id, false);
    expect((await epoch()).revision).toBe(before.revision + 1);
    const { rows } = await superuser.query(
      `select (select ended_for from placet.consent where id = 'k'), (select status from placet.consent_request where id = 'open'),
         (select bool_and(ended_at is not null) as over from placet.delegation)`,
    );
    expect(rows).toEqual([{ ended_for: 'revoked', status: 'cancelled', over: true }]);
    await set(id, true);
    const records = await superuser.query(
      `select body from placet.ledger_record where writer = 0 and kind in ('change', 'consent') order by seq desc limit 5`,
    );
    expect(JSON.stringify(records.rows)).toContain('put_scim_user');
    expect(JSON.stringify(records.rows)).not.toContain('cara@example.com');
  });
});

describe('whoever was never provisioned', () => {
  it('is let in where the Issuer does not require it, and nowhere where it does', async () => {
    await expect.poll(() => answers('bob')).toEqual(ALLOWED);
    const session = await company.signIn('bob');
    await company.apply(issuer({ required: true }));
    expect(await answers('bob')).toEqual(STOPPED);
    expect(await me(session)).toBe(401);
    await expect(company.signIn('bob')).rejects.toThrow(/answers 4/);
    const before = await epoch();
    await create('bob');
    expect((await epoch()).epoch).toBe(before.epoch);
    await expect.poll(() => answers('bob')).toEqual(ALLOWED);
    expect(await me(await company.signIn('bob'))).toBe(200);
  });

  it('and whoever has no identity by the word of the document is nobody', async () => {
    await company.apply(issuer({ required: true }));
    const { status } = await scim('POST', '/Users', { schemas: [USER_SCHEMA], userName: 'bob@example.com' });
    expect(status).toBe(201);
    expect(await answers('bob')).toEqual(STOPPED);
    await company.apply(issuer({ required: true, identity: 'userName' }));
    await expect.poll(() => answers('bob@example.com')).toEqual(ALLOWED);
    expect(await answers('bob')).toEqual(STOPPED);
  });
});

describe('provisioned groups', () => {
  const group = async (displayName: string, ...members: string[]): Promise<string> => {
    const body = {
      schemas: [GROUP_SCHEMA],
      displayName,
      externalId: `id-of-${displayName}`,
      members: members.map((value) => ({ value })),
    };
    const answer = await scim('POST', '/Groups', body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body.id;
  };

  it('count in the place of what was said at the sign-in, at once', async () => {
    await company.apply(issuer({ groups: 'scim' }));
    const id = await create('cara');
    const session = await company.signIn('cara');
    expect(await roles(session)).toEqual([]);
    const staff = await group('staff', id);
    expect(await roles(session)).toEqual(['auditor']);
    expect((await epoch()).keys).toEqual(['subject:user:company/cara']);
    const before = await epoch();
    await scim('PATCH', `/Groups/${staff}`, patchOf({ op: 'Remove', path: 'members', value: [{ value: id }] }));
    expect(await roles(session)).toEqual([]);
    expect(await epoch()).toMatchObject({ epoch: before.epoch + 1, keys: ['subject:user:company/cara'] });
    await scim('PATCH', `/Groups/${staff}`, patchOf({ op: 'Add', path: 'members', value: [{ value: id }] }));
    expect(await roles(session)).toEqual(['auditor']);
    await scim('PATCH', `/Groups/${staff}`, patchOf({ op: 'replace', value: { displayName: 'others' } }));
    expect(await roles(session)).toEqual([]);
    await company.apply(issuer({ groups: 'scim', groupName: 'externalId' }));
    expect(await groupsTried('cara')).toEqual({ names: ['company:id-of-staff'], complete: true });
    await scim('DELETE', `/Groups/${staff}`);
    expect(await groupsTried('cara')).toEqual({ names: [], complete: true });
  });

  it('are not known of whoever is not provisioned, and of none that has no name', async () => {
    await company.apply(issuer({ groups: 'scim', groupName: 'externalId' }));
    expect(await groupsTried('bob')).toBeNull();
    const id = await create('bob');
    await scim('POST', '/Groups', { schemas: [GROUP_SCHEMA], displayName: 'nameless', members: [{ value: id }] });
    expect(await groupsTried('bob')).toEqual({ names: [], complete: false });
  });

  it('count for nothing where the Issuer goes by its tokens', async () => {
    const id = await create('cara');
    await group('staff', id);
    expect(await groupsTried('cara')).toEqual({ names: ['company:by-token'], complete: true });
  });

  const roles = async (session: Cookies): Promise<string[]> => {
    const response = await session.fetch(`${company.service.url}/api/v1/me`);
    return ((await response.json()) as { rights: { roles: string[] } }).rights.roles;
  };

  const groupsTried = async (sub: string) => {
    const { body } = await company.service.call('POST', '/api/v1/mappings/try', {
      body: { issuer: 'company', claims: { sub, groups: ['by-token'] } },
    });
    return body.groups;
  };
});
