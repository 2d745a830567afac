import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NamedSecrets } from '#config';
import { Cookies } from '../support/browser.js';
import { hasOpenLdap, READER, startOpenLdap, type OpenLdap } from '../support/directories/open-ldap.js';
import { freePort } from '../support/directories/program.js';
import { startTestService, type TestService } from '../support/service.js';
import { begunTest, examined, faults, sentOn, toldTest, traces, type ToldTest } from '../support/sign-in-tests.js';

const NAME = `tests of a directory${hasOpenLdap ? '' : ' (OpenLDAP is not installed here)'}`;
const OVER = 'The test is over';

describe.skipIf(!hasOpenLdap)(NAME, () => {
  let ldap: OpenLdap;
  let other: OpenLdap;
  let service: TestService;
  let ann: string;

  beforeAll(async () => {
    [ldap, other] = [await startOpenLdap(), await startOpenLdap(['DNS:elsewhere.example'])];
    ann = await ldap.person('ann', { displayName: 'Ann Example' });
    for (let count = 0; count < 12; count++) await ldap.person(`person-${count}`);
    await ldap.group('staff', ann);
    service = await startTestService({
      quickstart: false,
      attempts: { sign_in: 10_000, session: 10_000, password: 3 },
      secrets: NamedSecrets.read({
        PLACET_SECRET_DEFAULT__READER: READER.password,
        PLACET_SECRET_DEFAULT__WRONG: 'another-password',
      }),
    });
    service.secrets.add(READER.password, 'pw-of-ann', 'another-password', 'a-wrong-password');
    await apply();
  }, 60_000);
  afterAll(async () => {
    await service?.close();
    await ldap?.close();
    await other?.close();
  });
  afterEach(async () => {
    await ldap.set(ann, 'employeeType');
    await apply();
  });

  async function apply(signIn: object = {}, over: object = {}): Promise<void> {
    const issuer = {
      kind: 'Issuer',
      name: 'corp',
      issuer: 'ldap://ex.test',
      groups: { prefix: 'corp:' },
      signIn: {
        protocol: 'ldap',
        directory: 'generic',
        urls: [ldap.tlsUrl, ldap.url],
        ca: ldap.ca,
        account: READER.dn,
        password: 'reader',
        people: { base: `ou=people,${ldap.base}` },
        groups: { base: `ou=groups,${ldap.base}` },
        inactiveWhen: [{ attribute: 'employeeType', oneOf: ['left'] }],
        ...signIn,
      },
      ...over,
    };
    const mapping = {
      kind: 'Mapping',
      name: 'corp',
      issuer: 'corp',
      rules: [{ name: 'staff', when: [{ group: 'corp:staff' }], administration: ['auditor'] }],
    };
    const text = [issuer, mapping].map((each) => JSON.stringify(each)).join('\n---\n');
    const { status, body } = await service.call('POST', '/api/v1/documents/apply', {
      body: { files: [{ path: 'test.yaml', text }] },
    });
    expect(status, JSON.stringify(body)).toBe(200);
  }

  /** The page for a password that a test leads to, filled in. */
  async function typed(cookies: Cookies, url: string, username: string, password: string): Promise<Response> {
    const page = await sentOn(cookies, url);
    const token = /name="token" value="([^"]+)"/.exec(await (await cookies.fetch(page)).text())![1]!;
    return cookies.fetch(page, {
      method: 'POST',
      body: new URLSearchParams({ token, username, password }),
      headers: { Origin: service.url },
    });
  }

  async function tested(username = 'ann', password = 'pw-of-ann') {
    const cookies = new Cookies();
    const { id, url } = await begunTest(service, 'corp');
    const page = await (await typed(cookies, url, username, password)).text();
    return { test: await toldTest(service, id), page, cookies };
  }

  const failed = ({ steps }: ToldTest) => steps.find(({ outcome }) => outcome === 'failed');

  it('try each of its servers without a person', async () => {
    const steps = await examined(service, 'corp');
    const ofOne = [
      'ok server',
      'ok tls',
      'ok reading_account',
      'ok paging',
      'ok people',
      'ok memberships',
      'unknown clock',
    ];
    expect(steps.map(({ step, outcome }) => `${outcome} ${step}`)).toEqual([
      ...['ok document', 'ok service_provider', 'ok secret'],
      ...ofOne,
      ...ofOne,
    ]);
    const said = JSON.stringify(steps);
    for (const text of [ldap.url, ldap.tlsUrl, 'DNS:localhost', READER.dn]) expect(said).toContain(text);
    expect(said).not.toContain(READER.password);
  });

  it.each<[string, () => object | Promise<object>, readonly string[], string]>([
    [
      'a wrong password of the reading account',
      () => ({ password: 'wrong' }),
      ['failed reading_account', 'failed reading_account'],
      'does not let in',
    ],
    [
      'a secret that is not set',
      () => ({ password: 'none' }),
      ['failed secret', 'failed reading_account', 'failed reading_account'],
      "'none'",
    ],
    [
      'a certificate for another name',
      () => ({ urls: [other.tlsUrl], ca: other.ca }),
      ['failed tls'],
      'elsewhere.example',
    ],
    [
      'a certificate for another name, by StartTLS',
      () => ({ urls: [other.url], ca: other.ca }),
      ['failed tls'],
      'elsewhere.example',
    ],
    ['an authority that is not known', () => ({ ca: other.ca }), ['failed tls', 'failed tls'], 'certificate'],
    [
      'one server of two that is away',
      async () => ({ urls: [`ldaps://localhost:${await freePort()}`, ldap.url] }),
      ['failed server', 'unknown clock'],
      'ECONNREFUSED',
    ],
    ['a name that is none', () => ({ urls: ['ldaps://nowhere.invalid'] }), ['failed server'], 'nowhere.invalid'],
    [
      'people who are not there',
      () => ({ urls: [ldap.url], people: { base: `ou=nobody,${ldap.base}` } }),
      ['failed people', 'unknown clock'],
      '',
    ],
    ['no groups', () => ({ urls: [ldap.url], groups: undefined }), ['unknown memberships', 'unknown clock'], 'unknown'],
  ])('name the step, of %s', async (_what, signIn, expected, found) => {
    await apply(await signIn());
    const steps = await examined(service, 'corp');
    expect(faults(steps)).toEqual(expected);
    const fault = steps.find(({ outcome }) => outcome !== 'ok')!;
    expect(fault).toMatchObject({ found: expect.stringContaining(found), mend: expect.any(String) });
    expect(JSON.stringify(steps)).not.toContain('another-password');
  });

  it('tell every step of a sign-in, and leave nothing behind', async () => {
    const before = await traces(service);
    const { test, page, cookies } = await tested();
    expect(page).toContain(OVER);
    expect(test).toMatchObject({
      state: 'over',
      refused: null,
      came: { name: 'Ann Example', groups: { names: ['corp:staff'], complete: true }, administration: ['auditor'] },
    });
    expect(faults(test.steps)).toEqual([]);
    expect(test.steps.map(({ step }) => step)).toEqual([
      ...['request', 'attempt', 'attempt', 'response', 'server', 'user_name', 'server', 'server', 'reading_account'],
      ...[
        'user_name',
        'attempts',
        'password',
        'account',
        'memberships',
        'require',
        'identity',
        'strength',
        'suspension',
      ],
      ...['signed_out', 'person', 'claims', 'groups', 'mapping', 'roles'],
    ]);
    expect(JSON.stringify(test)).not.toContain('pw-of-ann');
    expect(cookies.get(service.url, '__Host-placet')).toBeUndefined();
    expect(await traces(service)).toEqual(before);
  });

  it('tell of a server that was away, and go on with the other', async () => {
    const away = `ldaps://localhost:${await freePort()}`;
    await apply({ urls: [away, ldap.url] });
    const { test } = await tested();
    expect(test.refused).toBeNull();
    expect(failed(test)).toMatchObject({ step: 'server', found: expect.stringContaining(away) });
  });

  it('tell of certificates that are not good, where no server has another one', async () => {
    await apply({ ca: other.ca });
    const { test } = await tested();
    expect(test).toMatchObject({ refused: 'provider_unreachable', came: null });
    expect(new Set(faults(test.steps))).toEqual(new Set(['failed tls']));
  });

  it.each<[string, [string, string], object, string, string]>([
    ['a wrong password', ['person-1', 'a-wrong-password'], {}, 'password', 'not_proven'],
    ['a user name that is none', ['nobody', 'pw-of-ann'], {}, 'user_name', 'not_proven'],
    ['an empty password', ['ann', ''], {}, 'user_name', 'not_proven'],
    [
      'a wrong password of the reading account',
      ['ann', 'pw-of-ann'],
      { password: 'wrong' },
      'reading_account',
      'not_configured',
    ],
  ])('name the step, of %s', async (_what, [user, password], signIn, step, refused) => {
    await apply(signIn);
    const { test, page, cookies } = await tested(user, password);
    expect(test).toMatchObject({ state: 'over', refused, came: null });
    expect(failed(test)).toMatchObject({ step, mend: expect.any(String) });
    expect(page).toContain(OVER);
    expect(page).not.toContain('name="password"');
    expect(cookies.get(service.url, '__Host-placet')).toBeUndefined();
    expect(JSON.stringify(test)).not.toContain('a-wrong-password');
  });

  it('name the step, of an account that is over', async () => {
    await ldap.set(ann, 'employeeType', 'left');
    const { test } = await tested();
    expect(test).toMatchObject({ refused: 'requirement_unmet', came: null });
    expect(failed(test)).toMatchObject({ step: 'account', found: expect.stringContaining('disabled') });
  });

  it('are no way around the limit on passwords', async () => {
    for (let count = 0; count < 3; count++) await tested('person-2', 'a-wrong-password');
    const { test } = await tested('person-2', 'pw-of-person-2');
    expect(test.refused).toBe('not_proven');
    expect(failed(test)!.step).toBe('attempts');
  });

  it('take no form of a sign-in, and give none', async () => {
    const [tester, person] = [new Cookies(), new Cookies()];
    const { id, url } = await begunTest(service, 'corp');
    const page = await sentOn(tester, url);
    const tokenOf = async (cookies: Cookies) =>
      /name="token" value="([^"]+)"/.exec(await (await cookies.fetch(page)).text())![1]!;
    await person.follow(`${service.url}/t/default/sign-in/corp`, (to) => to.endsWith('/password'));
    const [ofTest, ofPerson] = [await tokenOf(tester), await tokenOf(person)];
    const send = (cookies: Cookies, token: string) =>
      cookies.fetch(page, {
        method: 'POST',
        body: new URLSearchParams({ token, username: 'ann', password: 'pw-of-ann' }),
        headers: { Origin: service.url },
      });
    expect((await send(person, ofTest)).status).toBe(403);
    expect(await (await send(tester, ofPerson)).text()).toContain(OVER);
    expect(failed(await toldTest(service, id))!.step).toBe('response');
    expect([tester, person].map((cookies) => cookies.get(service.url, '__Host-placet'))).toEqual([
      undefined,
      undefined,
    ]);
  });
});
