import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refresh, signIn, type SignIn } from '../../apps/cli/src/sign-in.js';
import type { Service } from '../../apps/server/src/service.js';
import { SESSION_COOKIE } from '#identity';
import { atOnce } from '../support/at-once.js';
import { Cookies } from '../support/browser.js';
import { connectorOf, patchOf, USER_SCHEMA, type Scim } from '../support/scim.js';
import { companyIssuer, startCompany, type Company } from '../support/signed-in.js';

const AUDIENCE = 'https://placet.example.com';

let company: Company;
let scim: Scim;
let replica: Service;
let host: string;
let superuser: pg.Client;

beforeAll(async () => {
  company = await startCompany({ devicePollSeconds: 1 });
  replica = await company.service.replica();
  superuser = await company.service.database.connect('superuser');
  await company.apply(
    companyIssuer(company.idp, {
      subjectTokens: { audiences: [AUDIENCE], type: 'any' },
      provisioning: { scim: true },
    }),
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Host', name: 'desk' },
    { kind: 'Server', name: 'files' },
    { kind: 'Policy', name: 'all', target: { actions: ['*'], resources: ['*'] }, rules: [ALL] },
    { kind: 'AdministratorBinding', name: 'a', to: ['group:company:staff'], roles: ['auditor'] },
  );
  scim = await connectorOf(company.service, 'company');
  const rights = { subjects: ['*'], subjectProperties: ['*'] };
  host = (await company.service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights } })).body.key;
});
afterAll(() => company.close());

const ALL = { name: 'all', effect: 'allow', to: ['any'] };

/** Somebody whom no test before has ended anything of: another identity of theirs, and how to link it. */
let cara: string;
let second: string;
let user: string;
let number = 0;
beforeEach(async () => {
  cara = `cara${++number}`;
  second = `${cara}-too`;
  for (const sub of [cara, second]) company.idp.people.set(sub, { sub, claims: { groups: ['staff'] } });
  const body = { schemas: [USER_SCHEMA], userName: cara, externalId: cara, active: true };
  user = (await scim('POST', '/Users', body)).body.id;
});

const link = () =>
  company.apply({
    kind: 'Subject',
    id: cara,
    aliases: [cara, second].map((sub) => ({ type: 'user', id: `company/${sub}` })),
  });

async function set(active: boolean): Promise<void> {
  const patch = patchOf({ op: 'replace', path: 'active', value: active });
  expect((await scim('PATCH', `/Users/${user}`, patch)).status).toBe(200);
}

/** What each replica answers to one question. */
const everywhere = async <T>(ask: (url: string) => Promise<T>): Promise<T[]> =>
  Promise.all([company.service.url, replica.url].map(ask));

const deciding = (subject: object) => () =>
  everywhere(async (url) => {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
    const body = { subject, server: 'files', direction: 'client_to_server', message };
    const answer = await company.service.call('POST', '/mcp/v1/decisions', { key: host, url, body });
    return answer.body.effect === 'allow';
  });

async function tokenOf(sub: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return company.idp.sign({ iss: company.idp.issuer, aud: AUDIENCE, sub, iat: now, exp: now + 600 });
}

const SERVER = () => `${company.service.url}/t/default`;
const DEVICE = () => `${SERVER()}/oauth/device`;
const xsrfOf = (page: string): string => /name="xsrf"\s+value="([^"]+)"/.exec(page)![1]!;

/** Lets a device in, as somebody who has signed in. */
async function letIn(browser: Cookies, code: string): Promise<void> {
  const post = (members: Record<string, string>) =>
    browser.fetch(DEVICE(), { method: 'POST', body: new URLSearchParams(members) });
  const asked = await (await browser.fetch(DEVICE())).text();
  const confirm = await (await post({ xsrf: xsrfOf(asked), user_code: code })).text();
  expect((await post({ xsrf: xsrfOf(confirm), user_code: code, answer: 'allow' })).status).toBe(200);
}

const administering = (headers: () => Promise<Record<string, string>> | Record<string, string>) => () =>
  everywhere(async (url) => (await fetch(`${url}/api/v1/me`, { headers: await headers() })).status === 200);

const bearer = ({ accessToken }: SignIn) => ({ Authorization: `Bearer ${accessToken}` });

const cookieOf = (cookies: Cookies) => ({
  Cookie: `${SESSION_COOKIE}=${cookies.get(company.service.url, SESSION_COOKIE)}`,
});

const device = async (sub: string): Promise<SignIn> => {
  const browser = await company.signIn(sub);
  return signIn(SERVER(), ({ code }) => void letIn(browser, code));
};

/** Everything by which somebody can be somebody here, and whether it comes back with them. */
const KINDS: readonly [string, () => Promise<() => Promise<boolean[]>>, boolean][] = [
  [
    'a session',
    async () => {
      const cookies = await company.signIn(cara);
      return administering(() => cookieOf(cookies));
    },
    false,
  ],
  [
    'a session of another identity that is linked',
    async () => {
      await link();
      const cookies = await company.signIn(second);
      return administering(() => cookieOf(cookies));
    },
    false,
  ],
  [
    'an access token of a device',
    async () => {
      const present = await device(cara);
      return administering(() => bearer(present));
    },
    false,
  ],
  [
    'a refresh token',
    async () => {
      let present = await device(cara);
      return async () => {
        try {
          present = await refresh(present);
          return await administering(() => bearer(present))();
        } catch {
          return [false, false];
        }
      };
    },
    false,
  ],
  [
    'a token of the identity provider, by which a host proves',
    async () => deciding({ token: await tokenOf(cara) }),
    false,
  ],
  [
    'such a token of another identity that is linked',
    async () => {
      await link();
      return deciding({ token: await tokenOf(second) });
    },
    false,
  ],
  ['a host’s word', () => Promise.resolve(deciding({ type: 'user', id: `company/${cara}` })), true],
  [
    'a host’s word for a name that is linked',
    async () => {
      await link();
      return deciding({ type: 'user', id: cara });
    },
    true,
  ],
];

describe('of whoever leaves', () => {
  it.each(KINDS)('%s is good no more on any replica when the call returns', async (_what, make, comesBack) => {
    const ask = await make();
    await expect.poll(ask).toEqual([true, true]);
    await set(false);
    expect(await ask()).toEqual([false, false]);
    await set(true);
    if (comesBack) return expect.poll(ask).toEqual([true, true]);
    await everywhere((url) => expect.poll(() => isLetIn(url)).toBe(true));
    expect(await ask()).toEqual([false, false]);
  });

  /** Whether a replica has heard that they are back. */
  const isLetIn = async (url: string): Promise<boolean> => {
    const answers = await deciding({ type: 'user', id: `company/${cara}` })();
    return answers[url === replica.url ? 1 : 0]!;
  };

  describe('keys of administrators', () => {
    const isGood = (key: string) => administering(() => ({ Authorization: `Bearer ${key}` }))();
    const made = async (headers: Record<string, string>, path = '', body: object = {}) => {
      const answer = await fetch(`${company.service.url}/api/v1/keys${path}`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'Placet-Request': '1',
          'Sec-Fetch-Site': 'same-origin',
          ...headers,
        },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBeLessThan(300);
      const { id, key } = (await answer.json()) as { id: string; key: string };
      company.service.secrets.add(key);
      return { id, key, bearer: { Authorization: `Bearer ${key}` } };
    };
    const OWNER = { administrator: 'ci', rights: { roles: ['owner'] } };
    const owns = () =>
      company.apply({ kind: 'AdministratorBinding', name: cara, to: [`user:company/${cara}`], roles: ['owner'] });

    it('that they made end with them, those too that these have made or given another secret', async () => {
      await owns();
      const own = await made(cookieOf(await company.signIn(cara)), '', OWNER);
      const byDevice = await made(bearer(await device(cara)), '', OWNER);
      const byKey = await made(own.bearer, '', OWNER);
      const foreign = await made({ Authorization: `Bearer ${company.service.owner}` }, '', OWNER);
      const rotated = await made(byKey.bearer, `/${foreign.id}/rotate`);
      const listed = await company.service.call('GET', `/api/v1/keys/${byKey.id}`);
      expect(listed.body.person).toBe(`user:company/${cara}`);
      const all = [own, byDevice, byKey, rotated].map(({ key }) => key);
      for (const key of all) expect(await isGood(key)).toEqual([true, true]);
      await set(false);
      for (const key of all) expect(await isGood(key)).toEqual([false, false]);
      await set(true);
      await everywhere((url) => expect.poll(() => isLetIn(url)).toBe(true));
      for (const key of all) expect(await isGood(key)).toEqual([false, false]);
    });

    it('of others, of hosts, and those that somebody else has given another secret go on', async () => {
      await owns();
      const session = cookieOf(await company.signIn(cara));
      const handedOver = await made(session, '', OWNER);
      const rotated = await made({ Authorization: `Bearer ${company.service.owner}` }, `/${handedOver.id}/rotate`);
      const ofHost = await made(session, '', { host: 'desk' });
      await set(false);
      expect(await isGood(rotated.key)).toEqual([true, true]);
      expect(await isGood(ofHost.key)).toEqual([true, true]);
      expect(await isGood(company.service.owner)).toEqual([true, true]);
      expect((await company.service.call('GET', `/api/v1/keys/${ofHost.id}`)).body.person).toBeNull();
    });

    it('that are made while they leave are not there afterwards', async () => {
      await owns();
      const session = cookieOf(await company.signIn(cara));
      const [left, late] = await atOnce(
        company.service.database,
        () => set(false),
        () => made(session, '', OWNER).catch(() => undefined),
      );
      expect([left, late]).toEqual([undefined, undefined]);
      await set(true);
      await everywhere((url) => expect.poll(() => isLetIn(url)).toBe(true));
      const again = cookieOf(await company.signIn(cara));
      const [first] = await atOnce(
        company.service.database,
        () => made(again, '', OWNER),
        () => set(false),
      );
      expect(await isGood(first.key)).toEqual([false, false]);
    });
  });

  it('a device that was let in, and has not fetched its tokens, gets none', async () => {
    const form = (members: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(members) });
    const started = (await (
      await fetch(`${DEVICE()}/authorize`, form({ client_id: 'placet-cli', scope: 'administer offline_access' }))
    ).json()) as { device_code: string; user_code: string };
    await letIn(await company.signIn(cara), started.user_code);
    await set(false);
    await set(true);
    await sleep(1100);
    const given = await fetch(
      `${SERVER()}/oauth/token`,
      form({
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: started.device_code,
        client_id: 'placet-cli',
      }),
    );
    expect(given.status).toBe(400);
  });

  it('a sign-in that was under way is over', async () => {
    const cookies = new Cookies();
    const back = await company.begin(cookies, cara);
    await set(false);
    await set(true);
    expect((await cookies.fetch(back)).status).toBeGreaterThanOrEqual(400);
  });

  it('what goes by a name is ended that was linked while the call was planned', async () => {
    const session = await company.signIn(second);
    const token = deciding({ token: await tokenOf(second) });
    await expect.poll(token).toEqual([true, true]);
    const { tenant } = company.service.database;
    await superuser.query('select pg_advisory_lock(placet.lock_key($1))', [tenant]);
    const linking = link();
    await waiting(1);
    const leaving = set(false);
    await waiting(2);
    await superuser.query('select pg_advisory_unlock(placet.lock_key($1))', [tenant]);
    await Promise.all([linking, leaving]);
    expect(await token()).toEqual([false, false]);
    await set(true);
    await everywhere((url) => expect.poll(() => isLetIn(url)).toBe(true));
    expect(await token()).toEqual([false, false]);
    expect((await session.fetch(`${company.service.url}/api/v1/me`)).status).toBe(401);
  });

  it('is stopped, also where something else comes first each time that it is planned', async () => {
    const session = await company.signIn(cara);
    await superuser.query(`
      alter function placet.principal_stands rename to really_stands;
      create function placet.principal_stands(wanted uuid, by_principal text, proof jsonb) returns text language sql stable as $$
        select case when by_principal like 'scim:%' and (proof ->> 'epoch')::bigint < 9007199254740991 then 'rights'
          else placet.really_stands(wanted, by_principal, proof) end $$;`);
    try {
      await set(false);
    } finally {
      await superuser.query(`
        drop function placet.principal_stands;
        alter function placet.really_stands rename to principal_stands;`);
    }
    expect((await session.fetch(`${company.service.url}/api/v1/me`)).status).toBe(401);
  });

  /** Waits until as many wait for a lock that somebody holds. They get it in the order in which they came. */
  async function waiting(many: number): Promise<void> {
    const waits = async () =>
      (
        await superuser.query<{ waits: number }>(
          `select count(*)::int as waits from pg_locks where locktype = 'advisory' and not granted
             and database = (select oid from pg_database where datname = current_database())`,
        )
      ).rows[0]!.waits;
    await expect.poll(waits, { timeout: 5000 }).toBe(many);
  }
});
