import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NamedSecrets } from '#config';
import { DirectoryStore } from '#store';
import { Cookies } from '../support/browser.js';
import {
  askedForPassword,
  GOOD_FOR_SECONDS,
  openLdapIssuer,
  passwordPageOf,
  READER_SECRETS,
  sendPassword,
  signInByPassword,
  tokenOf,
} from '../support/directories/company.js';
import { hasOpenLdap, READER, startOpenLdap, type OpenLdap } from '../support/directories/open-ldap.js';
import { startTestService, type TestService } from '../support/service.js';

const PASSWORD = 'pw-of-ann';

const DOCUMENTS = [
  { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
  { kind: 'Host', name: 'desk' },
  { kind: 'Server', name: 'files', identity: { url: 'https://files.example.com/mcp' } },
  {
    kind: 'Policy',
    name: 'all',
    target: { actions: ['*'], resources: ['*'] },
    rules: [{ name: 'all', effect: 'allow', to: ['any'] }],
  },
];

const NAME = `sign-in by a directory${hasOpenLdap ? '' : ' (OpenLDAP is not installed here)'}`;

describe.skipIf(!hasOpenLdap)(NAME, () => {
  let ldap: OpenLdap;
  let service: TestService;
  let ann: string;
  let host: string;

  beforeAll(async () => {
    ldap = await startOpenLdap();
    ann = await ldap.person('ann', { displayName: 'Ann Example' });
    await ldap.person('bob');
    await ldap.group('staff', ann);
    service = await startTestService({
      quickstart: false,
      attempts: { sign_in: 10_000, session: 10_000, password: 3 },
      secrets: NamedSecrets.read(READER_SECRETS),
    });
    service.secrets.add(READER.password, PASSWORD, 'pw-of-bob', 'pw-of-eve', 'a-wrong-password');
    await apply(openLdapIssuer(ldap), mapping, ...DOCUMENTS);
    const rights = { subjects: ['*'] };
    host = (await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights } })).body.key;
  }, 60_000);
  afterAll(async () => {
    await service?.close();
    await ldap?.close();
  });
  afterEach(async () => {
    await ldap.set(ann, 'employeeType');
  });

  const mapping = {
    kind: 'Mapping',
    name: 'corp',
    issuer: 'corp',
    rules: [{ name: 'staff', when: [{ group: 'corp:staff' }], administration: ['auditor'] }],
  };

  async function apply(...documents: readonly object[]): Promise<void> {
    const text = documents.map((each) => JSON.stringify(each)).join('\n---\n');
    const { status, body } = await service.call('POST', '/api/v1/documents/apply', {
      body: { files: [{ path: 'test.yaml', text }] },
    });
    expect(status, JSON.stringify(body)).toBe(200);
  }

  const page = () => passwordPageOf(service.url);
  const begin = (cookies: Cookies) => askedForPassword(service.url, cookies);
  const send = (cookies: Cookies, form: Record<string, string>, headers?: Record<string, string>) =>
    sendPassword(service.url, cookies, form, headers);
  const signIn = (username = 'ann', password = PASSWORD) => signInByPassword(service.url, username, password);
  const me = async (cookies: Cookies, url = service.url) => {
    const answer = await cookies.fetch(`${url}/api/v1/me`);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const sql = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = await service.database.connect('superuser');
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const person = async () => String((await sql(`select id from placet.person where name = 'Ann Example'`))[0]!['id']);
  /** The effect and the reason at one replica. */
  const decide = async (id: string, url = service.url): Promise<string> => {
    const { body } = await service.call('POST', '/mcp/v1/decisions', {
      key: host,
      url,
      body: {
        subject: { type: 'user', id: id.replace('user:', '') },
        server: 'files',
        direction: 'client_to_server',
        message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } },
      },
    });
    return `${body.effect} ${body.reason?.code}`;
  };
  const home = (cookies: Cookies, url = service.url) => cookies.fetch(`${url}/t/default/`);

  it('begins a session by user name and password, with the groups of the directory', async () => {
    const { cookies, answer } = await signIn();
    expect(answer.status).toBe(303);
    expect(await (await home(cookies)).text()).toContain('Ann Example');
    expect(await person()).toMatch(/^user:corp\/[0-9a-f-]{36}$/);
    expect((await me(cookies)).body).toMatchObject({ rights: { roles: ['auditor'] } });
  });

  it('shows a page that password managers know, and that nobody may frame', async () => {
    const cookies = new Cookies();
    await begin(cookies);
    const answer = await cookies.fetch(page());
    const text = await answer.text();
    expect(text).toMatch(/name="username"\s+autocomplete="username"/);
    expect(text).toMatch(/type="password"\s+autocomplete="current-password"/);
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('says the same of a wrong password and of somebody unknown, after the same time', async () => {
    const texts: string[] = [];
    for (const username of ['bob', 'nobody', 'bob\u0000', '*']) {
      const since = performance.now();
      const { answer, cookies } = await signIn(username, 'a-wrong-password');
      expect(answer.status).toBe(403);
      expect(performance.now() - since).toBeGreaterThan(1000);
      texts.push((await answer.text()).replace(/value="[^"]+"/, ''));
      expect((await home(cookies)).status).not.toBe(200);
    }
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain('The user name or the password is wrong');
    expect(texts[0]).not.toContain('nobody');
  });

  it('lets somebody who has mistyped try again on the page that they get', async () => {
    const { cookies, answer } = await signIn('ann', 'a-wrong-password');
    const token = tokenOf(await answer.text());
    expect((await send(cookies, { token, username: 'ann', password: PASSWORD })).status).toBe(303);
  });

  it.each<[string, (form: Record<string, string>) => [Record<string, string>, Record<string, string>]]>([
    ['of another site', (form) => [form, { Origin: 'https://evil.example' }]],
    ['without its token', ({ token: _, ...form }) => [form, {}]],
    ['with the token of another sign-in', (form) => [{ ...form, token: 'x'.repeat(43) }, {}]],
  ])('takes no form %s', async (_what, changed) => {
    const cookies = new Cookies();
    const token = await begin(cookies);
    const [form, headers] = changed({ token, username: 'ann', password: PASSWORD });
    expect((await send(cookies, form, headers)).status).toBe(403);
    expect((await home(cookies)).status).not.toBe(200);
  });

  it('takes no form of a browser that has not begun, and none twice', async () => {
    const cookies = new Cookies();
    const form = { token: await begin(cookies), username: 'ann', password: PASSWORD };
    expect((await send(new Cookies(), form)).status).toBe(400);
    const attempt = cookies.get(service.url, '__Host-placet-attempt')!;
    expect((await send(cookies, form)).status).toBe(303);
    const again = new Cookies();
    again.put(service.url, '__Host-placet-attempt', attempt);
    expect((await send(again, form)).status).toBe(400);
  });

  it('tries no more passwords of an account from anywhere, and still lets its person in from where they were', async () => {
    expect((await signIn('bob', 'pw-of-bob')).answer.status).toBe(303);
    const bobs = `where person = (select id from placet.person where name = 'bob Example')`;
    const here = String((await sql(`select address from placet.session ${bobs}`))[0]!['address']);
    await sql(`update placet.session set address = '203.0.113.7' ${bobs}`);
    for (let count = 0; count < 4; count++) await signIn('bob', 'a-wrong-password');
    expect((await signIn('bob', 'pw-of-bob')).answer.status).toBe(403);
    // He has been here before: what others have used up elsewhere is not his.
    await sql(`update placet.session set address = '${here}' ${bobs}`);
    expect((await signIn('bob', 'pw-of-bob')).answer.status).toBe(303);
  }, 30_000);

  it('tries no more passwords of an account at once than one after the other', async () => {
    const dn = await ldap.person('eve');
    const before = service.log.length;
    await Promise.all(Array.from({ length: 12 }, () => signIn('eve', 'a-wrong-password')));
    const details = service.log.slice(before).map((line) => String((JSON.parse(line) as { detail?: string }).detail));
    expect(details.filter((detail) => detail.includes(`is not the one of ${dn}`))).toHaveLength(3);
    expect(details.filter((detail) => detail.includes('too many passwords were tried'))).toHaveLength(9);
    // Nobody is told which it was.
    expect((await signIn('eve', 'pw-of-eve')).answer.status).toBe(403);
  }, 30_000);

  it('asks the directory again where a reading of all has begun since it was asked', async () => {
    const readings = new DirectoryStore(service.database.store);
    const { tenant } = service.database;
    const superuser = await service.database.connect('superuser');
    const lock = (call: string) => superuser.query(`select ${call}(placet.lock_key($1))`, [tenant]);
    const cookies = new Cookies();
    const token = await begin(cookies);
    await lock('pg_advisory_lock');
    const answer = send(cookies, { token, username: 'ann', password: PASSWORD });
    // Until the session would begin, which waits for the lock.
    await new Promise((done) => setTimeout(done, 500));
    const begun = await readings.begin(tenant, 'corp', 0);
    await lock('pg_advisory_unlock');
    expect((await answer).status).toBe(303);
    await readings.giveUp(tenant, 'corp', begun!);
  });

  it('stops a person whose account is not good any more, within the stated time and on every replica', async () => {
    const replica = await service.replica();
    const { cookies } = await signIn();
    const id = await person();
    expect(await decide(id, replica.url)).toBe('allow allowed');
    await ldap.set(ann, 'employeeType', 'left');
    const since = performance.now();
    while (performance.now() - since < GOOD_FOR_SECONDS * 1000) await new Promise((done) => setTimeout(done, 100));
    for (const url of [service.url, replica.url]) {
      expect(await decide(id, url)).toBe('deny suspended');
      expect((await home(cookies, url)).status).not.toBe(200);
    }
    expect((await signIn()).answer.status).toBe(403);
    expect(
      (await sql(`select body from placet.document where kind = 'Suspension' and body is not null`))[0],
    ).toMatchObject({
      body: { name: id, by: 'corp' },
    });
    await ldap.set(ann, 'employeeType');
    await expect.poll(() => decide(id, replica.url), { timeout: 10_000 }).toBe('allow allowed');
    // The session of before is over for good.
    expect((await home(cookies)).status).not.toBe(200);
  }, 40_000);

  it('takes rights away with the group, under the epoch', async () => {
    const { cookies } = await signIn();
    expect((await me(cookies)).body).toMatchObject({ rights: { roles: ['auditor'] } });
    const epoch = async () => Number((await sql('select epoch from placet.tenant_state'))[0]!['epoch']);
    const before = await epoch();
    await ldap.set(`cn=staff,ou=groups,${ldap.base}`, 'member', READER.dn);
    const rights = async () => JSON.stringify((await me(cookies)).body);
    await expect.poll(rights, { timeout: GOOD_FOR_SECONDS * 1000 }).not.toContain('auditor');
    expect(await epoch()).toBeGreaterThan(before);
    await ldap.set(`cn=staff,ou=groups,${ldap.base}`, 'member', ann);
  }, 20_000);

  it('grants nothing where the directory has been away for longer than the stated time, and goes on when it is back', async () => {
    const replica = await service.replica();
    const { cookies } = await signIn();
    const id = await person();
    await ldap.away();
    try {
      await new Promise((done) => setTimeout(done, GOOD_FOR_SECONDS * 1000));
      for (const url of [service.url, replica.url]) {
        expect(await decide(id, url)).toBe('deny directory_unreachable');
        expect((await home(cookies, url)).status).not.toBe(200);
      }
      expect((await signIn()).answer.status).toBe(503);
    } finally {
      await ldap.back();
    }
    await expect.poll(() => decide(id, replica.url), { timeout: 15_000 }).toBe('allow allowed');
    expect((await home(cookies)).status).toBe(200);
  }, 60_000);
});
