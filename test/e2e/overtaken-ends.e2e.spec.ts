import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Service } from '../../apps/server/src/service.js';
import { connectorOf, patchOf, USER_SCHEMA, type Scim } from '../support/scim.js';
import { startCompany, companyIssuer, type Company } from '../support/signed-in.js';
import type { Answer } from '../support/service.js';

const AUDIENCE = 'https://placet.example';
const HOST = { host: 'desk', rights: { subjects: ['user:clerk'] } };
let company: Company;
let other: Service;
let database: pg.Client;
let scim: Scim;

beforeAll(async () => {
  company = await startCompany();
  other = await company.service.replica();
  database = await company.service.database.connect('superuser');
  await company.apply(
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    issuer(),
    { kind: 'Host', name: 'desk' },
    { kind: 'Server', name: 'files' },
    { kind: 'Subject', id: 'bob', aliases: [{ type: 'user', id: 'company/bob' }] },
    {
      kind: 'Subject',
      id: 'dan',
      aliases: ['dan', 'd4n'].map((sub) => ({ type: 'user', id: `company/${sub}` })),
    },
    {
      kind: 'Subject',
      id: 'dan5',
      aliases: ['dan5', 'd5n'].map((sub) => ({ type: 'user', id: `company/${sub}` })),
    },
    {
      kind: 'Policy',
      name: 'all',
      target: { actions: ['*'], resources: ['*'] },
      rules: [{ name: 'all', effect: 'allow', to: ['any'] }],
    },
  );
  scim = await connectorOf(company.service, 'company');
  await provisioned('dan5');
});
afterAll(() => company.close());

const issuer = (provisioning: object = {}) =>
  companyIssuer(company.idp, {
    subjectTokens: { audiences: [AUDIENCE] },
    provisioning: { scim: true, ...provisioning },
  });

/** What asks for a decision, and the call that ends it. */
interface Case {
  readonly key: string;
  readonly subject: object;
  end(): Promise<Answer>;
}

async function ofPerson(sub: string, end: () => Promise<Answer>): Promise<Case> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: company.idp.issuer, aud: AUDIENCE, sub, iat: now, exp: now + 600 };
  const token = await company.idp.sign(claims, { header: { typ: 'at+jwt' } });
  const { body } = await company.service.call('POST', '/api/v1/keys', { body: HOST });
  return { key: body.key, subject: { token }, end };
}

/** Somebody who is provisioned, and for whom the host gives its word. */
async function ofAsserted(sub: string, end: () => Promise<Answer>): Promise<Case> {
  if (sub !== 'nobody') await provisioned(sub);
  const { body } = await company.service.call('POST', '/api/v1/keys', {
    body: { host: 'desk', rights: { subjects: ['user:company/*'] } },
  });
  return { key: body.key, subject: { type: 'user', id: `company/${sub}` }, end };
}

const users = new Map<string, string>();
async function provisioned(sub: string): Promise<void> {
  const { body } = await scim('POST', '/Users', { schemas: [USER_SCHEMA], userName: sub, externalId: sub });
  users.set(sub, body.id as string);
}
const deactivate = (sub: string) =>
  scim('PATCH', `/Users/${users.get(sub)}`, patchOf({ op: 'replace', path: 'active', value: false }));

async function ofClient(end: (client: { id: string; secret: string }, token: string) => Promise<Answer>) {
  const { body: client } = await company.service.call('POST', '/api/v1/clients', { body: HOST });
  const { body } = await atServer(client, 'token', { grant_type: 'client_credentials' });
  const key = body.access_token as string;
  return { key, subject: CLERK, end: () => end(client, key) };
}

const CLERK = { type: 'user', id: 'clerk' };

const atServer = ({ id, secret }: { id: string; secret: string }, path: string, form: Record<string, string>) =>
  company.service.call('POST', `/t/default/oauth/${path}`, {
    key: null,
    headers: {
      Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(form).toString(),
  });

const suspend = (name: string) =>
  company.service.call('PUT', `/api/v1/suspensions/Subject/${encodeURIComponent(name)}`, { body: {} });

const decide = ({ key, subject }: Case): Promise<Answer> => {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
  const body = { subject, server: 'files', direction: 'client_to_server', message };
  return company.service.call('POST', '/mcp/v1/decisions', { key, url: other.url, body });
};

/** How often the other replica was told that a decision is no longer right. */
async function overtaken(): Promise<number> {
  const { body } = await company.service.call('GET', '/metrics', { url: other.url });
  return Number(/^placet_commit_refusals_total\{reason="overtaken"\} (\d+)/m.exec(body as string)?.[1] ?? 0);
}

/** Waits until as many wait for a lock that somebody holds. They get it in the order in which they came. */
async function waiting(modes: readonly string[]): Promise<void> {
  const query = `select mode from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database()) order by waitstart`;
  for (let tries = 0; tries < 500; tries++) {
    const { rows } = await database.query<{ mode: string }>(query);
    if (JSON.stringify(rows.map(({ mode }) => mode)) === JSON.stringify(modes)) return;
    await sleep(10);
  }
  throw new Error(`nobody waits for ${modes.join(', ')}`);
}

it.each<[string, () => Promise<Case>, (answer: Answer) => unknown, unknown]>([
  [
    'the person is suspended',
    () => ofPerson('ann', () => suspend('user:company/ann')),
    ({ body }) => body.code,
    'subject_token_invalid',
  ],
  [
    'the person is suspended under another name',
    () => ofPerson('bob', () => suspend('user:bob')),
    ({ body }) => body.code,
    'subject_token_invalid',
  ],
  [
    'the person is signed out',
    async () => {
      company.idp.people.set('carl', { sub: 'carl' });
      await company.signIn('carl');
      return ofPerson('carl', () => company.service.call('POST', '/api/v1/people/user:company%2Fcarl/sign-out'));
    },
    ({ body }) => body.code,
    'subject_token_invalid',
  ],
  [
    'the person is signed out under another identity',
    async () => {
      company.idp.people.set('dan', { sub: 'dan' });
      await company.signIn('dan');
      return ofPerson('d4n', () => company.service.call('POST', '/api/v1/people/user:company%2Fdan/sign-out'));
    },
    ({ body }) => body.code,
    'subject_token_invalid',
  ],
  [
    'the person is deactivated by their directory',
    () => ofAsserted('eve', () => deactivate('eve')),
    ({ body }) => body.reason.code,
    'suspended',
  ],
  [
    'the person is deactivated by their directory under another name',
    () => ofPerson('d5n', () => deactivate('dan5')),
    ({ body }) => body.code,
    'subject_token_invalid',
  ],
  [
    'the Issuer comes to let in nobody who is not provisioned',
    () =>
      ofAsserted('nobody', async () => {
        await company.apply(issuer({ required: true }));
        return { status: 200 } as Answer;
      }),
    ({ body }) => body.reason.code,
    'suspended',
  ],
  [
    'the access token is revoked',
    () => ofClient((client, token) => atServer(client, 'revoke', { token })),
    ({ status }) => status,
    401,
  ],
  [
    'the client is disabled',
    () => ofClient(({ id }) => company.service.call('DELETE', `/api/v1/clients/${id}`)),
    ({ status }) => status,
    401,
  ],
])(
  'a decision that was evaluated, and before whose commit %s, is overtaken and no allow',
  async (_name, make, read, expected) => {
    const made = await make();
    expect((await decide(made)).body.effect).toBe('allow');
    const before = await overtaken();
    const { tenant } = company.service.database;
    await database.query('select pg_advisory_lock(placet.lock_key($1))', [tenant]);
    const ending = made.end();
    await waiting(['ExclusiveLock']);
    const deciding = decide(made);
    await waiting(['ExclusiveLock', 'ShareLock']);
    await database.query('select pg_advisory_unlock(placet.lock_key($1))', [tenant]);
    expect((await ending).status).toBeLessThan(300);
    const answer = await deciding;
    expect(answer.body.effect).not.toBe('allow');
    expect(read(answer)).toBe(expected);
    expect(await overtaken()).toBe(before + 1);
  },
);
