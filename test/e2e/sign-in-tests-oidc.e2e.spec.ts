import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Cookies } from '../support/browser.js';
import { COMPANY_SECRET, companyIssuer, startCompany, type Company } from '../support/signed-in.js';
import { begunTest, examined, faults, sentOn, toldTest, traces, type ToldTest } from '../support/sign-in-tests.js';

let company: Company;
let base: string;

const ATTEMPT = '__Host-placet-attempt';
const SESSION = '__Host-placet';
const OVER = 'The test is over';

const mapping = {
  kind: 'Mapping',
  name: 'company',
  issuer: 'company',
  rules: [
    { name: 'staff', when: [{ group: 'company:staff' }], roles: ['reader'], administration: ['auditor'] },
    { name: 'boss', when: [{ group: 'company:boss' }], administration: ['owner'] },
  ],
};

const register = (over: object = {}) =>
  company.idp.client({
    client_id: 'placet',
    client_secret: COMPANY_SECRET,
    redirect_uris: [`${base}/callback`],
    ...over,
  });

beforeAll(async () => {
  company = await startCompany();
  base = `${company.service.url}/t/default/sign-in/company`;
  await company.apply({ kind: 'Role', name: 'reader' }, mapping);
});
afterEach(async () => {
  company.idp.tamper = undefined;
  company.idp.away = false;
  register();
  company.idp.people.set('ann', { sub: 'ann', claims: { name: 'Ann', email: 'ann@example.com', groups: ['staff'] } });
  await company.apply(companyIssuer(company.idp));
});
afterAll(() => company.close());

/** As far as the way back, which the provider sends the browser to. */
async function wayBack(cookies: Cookies, who = 'ann'): Promise<{ id: string; back: string }> {
  company.idp.keyboard = { sub: who };
  const { id, url } = await begunTest(company.service);
  const at = await sentOn(cookies, url);
  const back = await cookies.follow(at, (to) => new URL(to).pathname.endsWith('/callback'));
  return { id, back };
}

async function tested(who = 'ann'): Promise<{ test: ToldTest; page: string; cookies: Cookies }> {
  const cookies = new Cookies();
  const { id, back } = await wayBack(cookies, who);
  const page = await (await cookies.fetch(back)).text();
  return { test: await toldTest(company.service, id), page, cookies };
}

const failed = ({ steps }: ToldTest) => steps.find(({ outcome }) => outcome === 'failed');

describe('what can be tried of an OpenID provider without a person', () => {
  it('is all good where it is', async () => {
    const steps = await examined(company.service);
    expect(steps.map(({ step, outcome }) => `${outcome} ${step}`)).toEqual([
      'ok document',
      'ok service_provider',
      'ok secret',
      'ok discovery',
      'ok endpoints',
      'ok keys',
      'ok algorithms',
      'ok client_authentication',
      'ok clock',
      'ok redirect_uri',
      'ok token_endpoint',
    ]);
    expect(JSON.stringify(steps)).not.toContain(COMPANY_SECRET);
    expect(steps.find(({ step }) => step === 'keys')!.found).toContain(company.idp.keyId);
  });

  it.each<[string, () => Promise<unknown> | void, string]>([
    [
      'another secret at the provider',
      () => register({ client_secret: 'another-secret-of-32-bytes-or-more' }),
      'token_endpoint',
    ],
    [
      'another redirect URI at the provider',
      () => register({ redirect_uris: ['https://other.example/cb'] }),
      'redirect_uri',
    ],
    ['a provider that is away', () => void (company.idp.away = true), 'discovery'],
    [
      'another issuer',
      () => company.apply(companyIssuer(company.idp, { issuer: company.idp.issuer.replace('localhost', '127.0.0.1') })),
      'discovery',
    ],
    [
      'an algorithm that the provider has not',
      () => company.apply(companyIssuer(company.idp, { algorithms: ['ES512'] })),
      'algorithms',
    ],
    [
      'keys that are elsewhere',
      () => company.apply(companyIssuer(company.idp, { jwksUri: `${company.idp.issuer}/nothing` })),
      'keys',
    ],
    [
      'a secret that is not set',
      () =>
        company.apply(
          companyIssuer(company.idp, {
            signIn: {
              clientId: 'placet',
              authentication: 'client_secret_basic',
              clientSecret: 'none',
              scopes: ['openid'],
            },
          }),
        ),
      'secret',
    ],
    [
      'a client that the provider does not know',
      () =>
        company.apply(
          companyIssuer(company.idp, {
            signIn: {
              clientId: 'other',
              authentication: 'client_secret_basic',
              clientSecret: 'company',
              scopes: ['openid'],
            },
          }),
        ),
      'redirect_uri',
    ],
    [
      'no signIn',
      () => company.apply({ ...companyIssuer(company.idp), signIn: undefined, subjectTokens: { audiences: ['x'] } }),
      'document',
    ],
  ])('names the step, of %s', async (_what, wrong, step) => {
    await wrong();
    const steps = await examined(company.service);
    const first = steps.find(({ outcome }) => outcome === 'failed');
    expect(first).toMatchObject({ step, mend: expect.any(String) });
  });
});

describe('a test of a sign-in by OpenID Connect', () => {
  it('tells every step, who it was and what they would get, and leaves nothing behind', async () => {
    const before = await traces(company.service);
    const { test, page, cookies } = await tested();
    expect(page).toContain(OVER);
    expect(page).not.toContain('ann');
    expect(test).toMatchObject({
      state: 'over',
      refused: null,
      came: {
        subject: { type: 'user', id: 'company/ann' },
        claims: { email: 'ann@example.com', groups: ['staff'] },
        groups: { names: ['company:staff'], complete: true },
        roles: { held: ['reader'] },
        administration: ['auditor'],
      },
    });
    expect(faults(test.steps)).toEqual([]);
    expect(test.steps.map(({ step }) => step)).toEqual([
      ...['discovery', 'request', 'attempt', 'attempt', 'discovery', 'state', 'response', 'token_endpoint', 'id_token'],
      ...['signature', 'audience', 'strength', 'require', 'identity', 'suspension', 'signed_out', 'person', 'claims'],
      ...['groups', 'mapping', 'roles'],
    ]);
    expect(cookies.get(base, SESSION)).toBeUndefined();
    expect(cookies.get(base, ATTEMPT)).toBeUndefined();
    expect(await traces(company.service)).toEqual(before);
  });

  it('keeps no token and no secret, and nothing that can be read in the database', async () => {
    let token = '';
    company.idp.tamper = (answer) => {
      token = answer.id_token!;
      return answer;
    };
    const { test } = await tested();
    const said = JSON.stringify(test);
    expect(token).not.toBe('');
    for (const secret of [token, token.split('.')[2]!, COMPANY_SECRET]) expect(said).not.toContain(secret);
    const client = await company.service.database.connect('superuser');
    const { rows } = await client.query<{ row: string }>(
      `select encode(sealed, 'escape') as row from placet.sign_in_test union all
       select body from placet.ledger_record where kind = 'sign_in_test'`,
    );
    await client.end();
    const kept = rows.map(({ row }) => row).join('\n');
    expect(kept).toContain('"action"');
    for (const word of ['ann', COMPANY_SECRET, token]) expect(kept).not.toContain(word);
  });

  it.each<[string, () => Promise<unknown> | void, string, string, string]>([
    [
      'another secret',
      () => register({ client_secret: 'another-secret-of-32-bytes-or-more' }),
      'token_endpoint',
      'provider_refused',
      'invalid_client',
    ],
    [
      'a token of another issuer',
      () => changed({ iss: 'https://evil.example' }),
      'id_token',
      'token_invalid',
      'iss is "https://evil.example"',
    ],
    ['a token for another client', () => changed({ aud: 'other' }), 'id_token', 'token_invalid', 'aud is "other"'],
    ['a token for others besides', () => changed({ aud: ['placet', 'other'] }), 'id_token', 'token_invalid', 'aud'],
    [
      'a clock that is an hour behind',
      () => changed({ exp: Math.floor(Date.now() / 1000) - 3000 }),
      'id_token',
      'token_invalid',
      'exp is ',
    ],
    [
      'a signature by another key',
      () => {
        company.idp.tamper = (answer) => ({ ...answer, id_token: `${answer.id_token!.slice(0, -8)}AAAAAAAA` });
      },
      'signature',
      'token_invalid',
      'signature',
    ],
    [
      'a claim that is not as it must be',
      () => company.apply(companyIssuer(company.idp, { require: [{ claim: '/email', equals: 'boss@example.com' }] })),
      'require',
      'requirement_unmet',
      'the document requires /email to be "boss@example.com"',
    ],
    [
      'no claim that says who it is',
      () => company.apply(companyIssuer(company.idp, { identity: { claim: '/employee' } })),
      'identity',
      'identity_missing',
      '/employee',
    ],
    [
      'somebody who is suspended',
      async () => {
        const path = `/api/v1/suspensions/Subject/${encodeURIComponent('user:company/ann')}`;
        const { status } = await company.service.call('PUT', path, { body: {} });
        if (status >= 300) throw new Error(String(status));
      },
      'suspension',
      'suspended',
      'user:company/ann',
    ],
  ])('names the step, of %s', async (what, wrong, step, refused, found) => {
    await wrong();
    try {
      const { test, page, cookies } = await tested();
      expect(test).toMatchObject({ state: 'over', refused, came: null });
      expect(failed(test)).toMatchObject({ step, found: expect.stringContaining(found), mend: expect.any(String) });
      expect(test.steps.at(-1)).toBe(failed(test));
      expect(page).toContain(OVER);
      expect(page).not.toContain(found);
      expect(cookies.get(base, SESSION)).toBeUndefined();
    } finally {
      if (what.includes('suspended'))
        await company.service.call('DELETE', `/api/v1/suspensions/Subject/${encodeURIComponent('user:company/ann')}`);
    }
  });

  it('says what the provider says, where somebody cancels', async () => {
    const cookies = new Cookies();
    const { id, url } = await begunTest(company.service);
    company.idp.keyboard = undefined;
    const back = await cookies.follow(await sentOn(cookies, url), (to) => new URL(to).pathname.endsWith('/callback'));
    await cookies.fetch(back);
    const test = await toldTest(company.service, id);
    expect(test.refused).toBe('provider_refused');
    expect(failed(test)).toMatchObject({ step: 'response', found: expect.stringContaining('access_denied') });
  });

  it('says of groups that are not there that they are unknown, and not none', async () => {
    company.idp.people.set('ann', { sub: 'ann', claims: { name: 'Ann' } });
    const { test } = await tested();
    expect(test).toMatchObject({ refused: null, came: { groups: null, roles: { held: [] } } });
    expect(faults(test.steps)).toEqual(['unknown groups', 'unknown mapping']);
    expect(test.steps.find(({ step }) => step === 'groups')!.found).toContain('unknown, which is not none');
  });

  it('waits where the provider does not know the redirect URI and sends nobody back', async () => {
    register({ redirect_uris: ['https://other.example/cb'] });
    const { id, url } = await begunTest(company.service);
    const cookies = new Cookies();
    expect((await cookies.fetch(await sentOn(cookies, url))).status).toBe(400);
    expect(await toldTest(company.service, id)).toMatchObject({ state: 'sent', refused: null, came: null });
  });

  const changed = (claims: Record<string, unknown>) => {
    company.idp.tamper = async (answer) => {
      const said = JSON.parse(Buffer.from(answer.id_token!.split('.')[1]!, 'base64url').toString()) as object;
      return { ...answer, id_token: await company.idp.sign({ ...said, ...claims }) };
    };
  };
});

describe('a test and a sign-in', () => {
  it('cannot take what is meant for the other', async () => {
    const [tester, person] = [new Cookies(), new Cookies()];
    const { id, back: ofTest } = await wayBack(tester);
    const ofPerson = await company.begin(person, 'ann');
    const before = await traces(company.service);
    // What came of the test goes to a browser that signs in for real, and the other way round.
    expect((await person.fetch(ofTest)).status).toBe(403);
    expect(await (await tester.fetch(ofPerson)).text()).toContain(OVER);
    const test = await toldTest(company.service, id);
    expect(test.refused).toBe('response_invalid');
    expect(failed(test)!.step).toBe('state');
    expect(await traces(company.service)).toEqual(before);
    expect([tester.get(base, SESSION), person.get(base, SESSION)]).toEqual([undefined, undefined]);
  });

  it('are not told apart by anything that a browser could change', async () => {
    const cookies = new Cookies();
    const { back } = await wayBack(cookies);
    const [body, mac] = cookies.get(base, ATTEMPT)!.split('.') as [string, string];
    const { test, ...real } = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    expect(test).toEqual(expect.any(String));
    cookies.put(base, ATTEMPT, `${Buffer.from(JSON.stringify(real)).toString('base64url')}.${mac}`);
    expect((await cookies.fetch(back)).status).toBe(400);
    expect(cookies.get(base, SESSION)).toBeUndefined();
  });

  it('count alike where they come to nothing', async () => {
    const limited = await company.service.replica({ attempts: { sign_in: 2 } });
    const { url: testUrl } = await begunTest(company.service);
    const there = testUrl.replace(company.service.url, limited.url);
    // Somebody else's link, and then a test whose browser brings nothing.
    const cookies = new Cookies();
    await sentOn(cookies, there);
    const callback = `${limited.url}/t/default/sign-in/company/callback`;
    expect((await cookies.fetch(`${callback}?error=x`)).status).toBe(200);
    const { url: second } = await begunTest(company.service);
    await sentOn(cookies, second.replace(company.service.url, limited.url));
    expect((await cookies.fetch(`${callback}?error=x`)).status).toBe(200);
    expect((await new Cookies().fetch(callback)).status).toBe(429);
  });

  it('begins once, in one browser, and is finished once', async () => {
    const { id, url } = await begunTest(company.service);
    const [first, second] = [new Cookies(), new Cookies()];
    const sent = await Promise.allSettled([sentOn(first, url), sentOn(second, url)]);
    expect(sent.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = sent[0].status === 'fulfilled' ? first : second;
    const loser = winner === first ? second : first;
    expect(loser.get(base, ATTEMPT)).toBeUndefined();
    company.idp.keyboard = { sub: 'ann' };
    const to = (sent.find(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<string>).value;
    const back = await winner.follow(to, (at) => new URL(at).pathname.endsWith('/callback'));
    const cookie = winner.get(base, ATTEMPT)!;
    await winner.fetch(back);
    const told = await toldTest(company.service, id);
    winner.put(base, ATTEMPT, cookie);
    expect(await (await winner.fetch(back)).text()).toContain(OVER);
    expect(await toldTest(company.service, id)).toEqual(told);
    expect((await winner.fetch(url)).status).toBe(404);
  });

  it('goes on at another replica', async () => {
    const replica = await company.service.replica();
    const cookies = new Cookies();
    const { id, back } = await wayBack(cookies);
    await cookies.fetch(back);
    expect(await toldTest(company.service, id, replica.url)).toMatchObject({ state: 'over', refused: null });
  });
});

describe('who may test', () => {
  const keyOf = async (roles: readonly string[], name = 'other') => {
    const { status, body } = await company.service.call('POST', '/api/v1/keys', {
      body: { administrator: name, rights: { roles } },
    });
    expect(status, JSON.stringify(body)).toBe(201);
    return body.key as string;
  };

  it('is whoever may write that Issuer', async () => {
    const key = await keyOf(['publisher']);
    for (const path of ['examine', 'sign-in-tests']) {
      const { status, body } = await company.service.call('POST', `/api/v1/issuers/company/${path}`, { key });
      expect([status, body.code]).toEqual([403, 'forbidden']);
    }
  });

  it('is nobody who may write another one only', async () => {
    await company.apply({
      kind: 'AdministratorRole',
      name: 'others',
      grants: [{ actions: ['write'], on: ['Issuer'], names: ['other'] }],
    });
    const key = await keyOf(['others'], 'others');
    for (const path of ['examine', 'sign-in-tests']) {
      const { status } = await company.service.call('POST', `/api/v1/issuers/company/${path}`, { key });
      expect(status).toBe(403);
    }
  });

  it('is told of their own tests alone', async () => {
    const { id } = await begunTest(company.service);
    const other = await keyOf(['owner'], 'second-owner');
    const { status, body } = await company.service.call('GET', `/api/v1/sign-in-tests/${id}`, { key: other });
    expect([status, body.code]).toEqual([404, 'not_found']);
  });

  it('sees nothing of the person without the right to read people', async () => {
    await company.apply({
      kind: 'AdministratorRole',
      name: 'idp',
      grants: [{ actions: ['write', 'read'], on: ['Issuer'] }],
    });
    const key = await keyOf(['idp'], 'idp');
    const { id, url } = await begunTest(company.service, 'company', key);
    const cookies = new Cookies();
    company.idp.keyboard = { sub: 'ann' };
    await cookies.fetch(await cookies.follow(await sentOn(cookies, url), (to) => to.includes('/callback')));
    const { body } = await company.service.call('GET', `/api/v1/sign-in-tests/${id}`, { key });
    expect(body).toMatchObject({ state: 'over', refused: null, came: null });
    for (const said of ['ann@example.com', 'company/ann', 'signed in first', 'staff', 'auditor'])
      expect(JSON.stringify(body)).not.toContain(said);
    expect((body as ToldTest).steps.find(({ step }) => step === 'roles')).toEqual({
      step: 'roles',
      outcome: 'ok',
      found: 'of a person, whom you may not read',
    });
  });

  it('sees nothing of somebody who was refused either, without the right to read people', async () => {
    const key = await keyOf(['idp'], 'idp');
    const { id, url } = await begunTest(company.service, 'company', key);
    const suspended = '/api/v1/suspensions/Subject/user%3Acompany%2Fann';
    await company.service.call('PUT', suspended, { body: {} });
    const cookies = new Cookies();
    company.idp.keyboard = { sub: 'ann' };
    await cookies.fetch(await cookies.follow(await sentOn(cookies, url), (to) => to.includes('/callback')));
    const { body } = await company.service.call('GET', `/api/v1/sign-in-tests/${id}`, { key });
    await company.service.call('DELETE', suspended, { headers: { 'If-Match': '*' } });
    expect(body).toMatchObject({ state: 'over', refused: 'suspended', came: null });
    expect(JSON.stringify(body)).not.toContain('company/ann');
  });

  it('has three Issuers examined at once', async () => {
    const examine = () => company.service.call('POST', '/api/v1/issuers/company/examine');
    const answers = await Promise.all(Array.from({ length: 6 }, examine));
    const codes = answers.map(({ status, body }) => (status === 200 ? 200 : body.code)).sort();
    expect(codes).toEqual([200, 200, 200, 'quota_exceeded', 'quota_exceeded', 'quota_exceeded']);
    expect((await examine()).status).toBe(200);
  });

  it('does it anew signed in, where the tenant asks for that of who changes Issuers', async () => {
    await company.apply({
      kind: 'AdministratorBinding',
      name: 'bob',
      to: ['user:company/bob'],
      roles: ['owner'],
    });
    const tenant = (stepUp: object) => ({ kind: 'Tenant', name: 'default', defaults: { effect: 'deny' }, ...stepUp });
    await company.apply(tenant({ administration: { stepUp: { acr: ['urn:company:mfa'] } } }));
    const cookies = await company.signIn('bob');
    const answer = await cookies.fetch(`${company.service.url}/api/v1/issuers/company/sign-in-tests`, {
      method: 'POST',
      headers: { 'Placet-Request': '1', 'Content-Type': 'application/json', Origin: company.service.url },
      body: '{}',
    });
    expect(await answer.json()).toMatchObject({ code: 'step_up_required' });
    await company.apply(tenant({}));
  });

  it('has twenty tests under way, and each is gone after a while', async () => {
    const client = await company.service.database.connect('superuser');
    const expire = () => client.query(`update placet.sign_in_test set expires_at = now() - interval '1 second'`);
    await expire();
    const begun = await Promise.all(
      Array.from({ length: 24 }, () => company.service.call('POST', '/api/v1/issuers/company/sign-in-tests')),
    );
    expect(begun.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(begun.find(({ status }) => status !== 201)!.body).toMatchObject({ code: 'quota_exceeded' });
    // What is over makes room, and stays for as long as nobody needs it.
    await client.query(
      `update placet.sign_in_test set state = 'over' where id in (select id from placet.sign_in_test order by begun_at limit 2)`,
    );
    await begunTest(company.service);
    expect((await client.query('select from placet.sign_in_test')).rowCount).toBe(20);
    expect((await client.query(`select from placet.sign_in_test where state = 'over'`)).rowCount).toBe(1);
    const { id, url } = await begunTest(company.service);
    await expire();
    expect((await company.service.call('GET', `/api/v1/sign-in-tests/${id}`)).status).toBe(404);
    expect((await new Cookies().fetch(url)).status).toBe(404);
    await client.end();
    await begunTest(company.service);
  });
});
