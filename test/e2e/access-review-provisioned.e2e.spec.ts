import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectorOf, GROUP_SCHEMA, patchOf, USER_SCHEMA, type Scim } from '../support/scim.js';
import { companyIssuer, startCompany, type Company } from '../support/signed-in.js';

let company: Company;
let scim: Scim;
const users = new Map<string, string>();
let staff: string;

const issuer = (provisioning: object = {}) =>
  companyIssuer(company.idp, { provisioning: { scim: true, groups: 'scim', ...provisioning } });

beforeAll(async () => {
  company = await startCompany();
  await company.apply(
    issuer(),
    { kind: 'Role', name: 'sales' },
    { kind: 'Host', name: 'desk' },
    {
      kind: 'Mapping',
      name: 'm',
      issuer: 'company',
      rules: [
        { name: 'staff', when: [{ group: 'company:staff' }], roles: ['sales'], administration: ['auditor'] },
        { name: 'everybody', when: 'always', administration: ['user'] },
      ],
    },
    { kind: 'Subject', id: 'zed', aliases: [{ type: 'user', id: 'company/zed' }] },
    { kind: 'Binding', name: 'zed', subjects: ['user:zed', 'user:never'], roles: ['sales'] },
  );
  scim = await connectorOf(company.service, 'company');
  for (const name of ['ann', 'bob', 'eve']) {
    const body = { schemas: [USER_SCHEMA], userName: name, externalId: name, active: true };
    users.set(name, (await scim('POST', '/Users', body)).body.id as string);
  }
  const members = ['ann', 'eve'].map((name) => ({ value: users.get(name) }));
  staff = (await scim('POST', '/Groups', { schemas: [GROUP_SCHEMA], displayName: 'staff', members })).body.id;
  await company.signIn('ann');
  await company.signIn('bob');
});
afterAll(() => company.close());

interface Row {
  readonly kind: string;
  readonly who: string;
  readonly what: string;
  readonly by: string;
  readonly last_used: string | null;
}

async function rows(): Promise<readonly Row[]> {
  const { status, body } = await company.service.call('POST', '/api/v1/access/review?format=json');
  expect(status).toBe(200);
  return (body as string)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}
const of = (all: readonly Row[], kind: string) =>
  all
    .filter((row) => row.kind === kind)
    .map(({ who, what }) => `${who} ${what}`)
    .sort();

describe('an access review where people are provisioned', () => {
  it('goes by the groups that count: those of the connector, and not what was said at the sign-in', async () => {
    const all = await rows();
    expect(of(all, 'mapping')).toEqual(['user:company/ann sales']);
    expect(of(all, 'administrator_mapping')).toEqual([
      'user:company/ann auditor',
      'user:company/ann user',
      'user:company/bob user',
    ]);
    await company.apply(issuer({ groups: 'token' }));
    expect(of(await rows(), 'mapping')).toEqual(['user:company/ann sales', 'user:company/bob sales']);
    await company.apply(issuer());
  });

  it('says who is in such groups, whether they have signed in or not', async () => {
    const all = await rows();
    expect(of(all, 'group')).toEqual(['user:company/ann group:company:staff', 'user:company/eve group:company:staff']);
    expect(all.filter(({ kind }) => kind === 'group')).toMatchObject([{ by: staff }, { by: staff }]);
    await company.apply(issuer({ groupName: 'externalId' }));
    expect(of(await rows(), 'group')).toEqual([]);
    await company.apply(issuer());
  });

  it('has nothing of whom the connector does not let in, nor of strangers where it must know everybody', async () => {
    const set = (active: boolean) =>
      scim('PATCH', `/Users/${users.get('ann')}`, patchOf({ op: 'replace', path: 'active', value: active }));
    await set(false);
    const all = await rows();
    expect(of(all, 'mapping')).toEqual([]);
    expect(of(all, 'administrator_mapping')).toEqual(['user:company/bob user']);
    expect(of(all, 'group')).toEqual(['user:company/eve group:company:staff']);
    await set(true);
    await scim('DELETE', `/Users/${users.get('bob')}`);
    expect(of(await rows(), 'administrator_mapping')).not.toContain('user:company/bob user');
  });

  it('has the tokens of connectors, until they end', async () => {
    const tokens = async () => (await rows()).filter(({ kind }) => kind === 'connector');
    const { body } = await company.service.call('POST', '/api/v1/connector-tokens', { body: { issuer: 'company' } });
    expect(await tokens()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ who: 'connector:company', what: 'company', by: body.id, last_used: null }),
      ]),
    );
    await company.service.call('DELETE', `/api/v1/connector-tokens/${body.id}`);
    expect((await tokens()).map(({ by }) => by)).not.toContain(body.id);
  });

  it('takes a role for used that was used under another name of whoever has it', async () => {
    const used = async () =>
      Object.fromEntries((await rows()).filter(({ by }) => by === 'zed').map((row) => [row.who, row.last_used]));
    expect(await used()).toEqual({ 'user:zed': null, 'user:never': null });
    const { body } = await company.service.call('POST', '/api/v1/keys', {
      body: { host: 'desk', rights: { subjects: ['*'] } },
    });
    const asked = {
      subject: { type: 'user', id: 'company/zed' },
      action: { name: 'a' },
      resource: { type: 't', id: 'r' },
    };
    expect((await company.service.call('POST', '/access/v1/evaluation', { key: body.key, body: asked })).status).toBe(
      200,
    );
    expect(await used()).toEqual({ 'user:zed': expect.stringMatching(/^20/) as string, 'user:never': null });
  });
});
