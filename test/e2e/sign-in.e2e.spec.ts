import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { decodeJwt, UnsecuredJWT, type JWTPayload } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureTenant } from '#store';
import { Cookies } from '../support/browser.js';
import { startIdentityProvider, type IdentityProvider, type TokenAnswer } from '../support/identity-provider.js';
import { COMPANY_SECRET, companyIssuer, startCompany, type Company } from '../support/signed-in.js';

let company: Company;
let idp: IdentityProvider;
let other: IdentityProvider;
let url: string;

beforeAll(async () => {
  company = await startCompany();
  ({ idp } = company);
  ({ url } = company.service);
  other = await startIdentityProvider();
  other.client({ client_id: 'placet', redirect_uris: [`${url}/t/default/sign-in/other/callback`] });
  other.people.set('ann', { sub: 'ann' });
  other.keyboard = { sub: 'ann' };
  const signIn = { clientId: 'placet', authentication: 'none' };
  await company.apply(companyIssuer(other, { name: 'other', signIn }), binding('user:company/ann'));
});
beforeEach(() => {
  idp.tamper = undefined;
  idp.away = false;
});
afterAll(async () => {
  await company.close();
  await other.close();
});

const binding = (...to: string[]) => ({ kind: 'AdministratorBinding', name: 'owners', to, roles: ['owner'] });

const SESSION = '__Host-placet';
const ATTEMPT = '__Host-placet-attempt';
const home = (cookies: Cookies, tenant = 'default') => cookies.fetch(`${url}/t/${tenant}/`);
const isSignedIn = async (cookies: Cookies) => (await home(cookies)).status === 200;

/** Changes rows as the superuser, as time would. */
async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = await company.service.database.connect('superuser');
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

const events = async (kind: string) =>
  (await sql(`select body::json as body from placet.ledger_record where kind = '${kind}' order by commit`)).map(
    ({ body }) => (body as { about: Record<string, unknown> }).about,
  );

/** That a refused sign-in of a kind is in the ledger. Nobody who is refused waits for the record. */
const isRecorded = (about: object) =>
  expect.poll(() => events('sign_in_refused')).toContainEqual(expect.objectContaining(about));

const sessionsOf = (person: string) =>
  sql(`select * from placet.session where person = '${person}' order by created_at`);

async function signOut(
  cookies: Cookies,
  { token, headers }: { token?: string; headers?: Record<string, string> } = {},
) {
  const page = await (await home(cookies)).text();
  const shown = /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';
  return cookies.fetch(`${url}/t/default/sign-out`, {
    method: 'POST',
    body: new URLSearchParams({ token: token ?? shown }),
    headers: headers ?? { Origin: url },
  });
}

describe('a person', () => {
  it('signs in, is somebody, and signs out, here and at the provider', async () => {
    const cookies = await company.signIn('ann');
    const text = await (await home(cookies)).text();
    expect(text).toContain('Ann Example');
    expect(text).toContain('user:company/ann');
    expect(cookies.set.filter(({ header }) => header.startsWith('__Host-')).map(({ header }) => header)).toEqual([
      expect.stringMatching(/^__Host-placet-attempt=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/),
      expect.stringMatching(
        /^__Host-placet=[A-Za-z0-9_-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200$/,
      ),
      '__Host-placet-attempt=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0',
    ]);
    const out = await signOut(cookies);
    const onward = out.headers.get('refresh')!.replace('0; url=', '');
    expect(new URL(onward).searchParams.get('id_token_hint')).toMatch(/^ey/);
    expect(new URL(onward).searchParams.get('post_logout_redirect_uri')).toBe(`${url}/t/default/signed-out`);
    expect((await cookies.fetch(onward)).status).toBe(200);
    expect(await isSignedIn(cookies)).toBe(false);
    expect((await events('sign_in')).at(-1)).toMatchObject({ person: 'user:company/ann', issuer: 'company' });
    expect((await events('sign_out')).at(-1)).toMatchObject({ person: 'user:company/ann' });
  });

  it('cannot go back in with a cookie that was signed out', async () => {
    const cookies = await company.signIn('ann');
    const value = cookies.get(url, SESSION)!;
    await signOut(cookies);
    cookies.put(url, SESSION, value);
    expect(await isSignedIn(cookies)).toBe(false);
  });

  it('comes back to where they wanted to go', async () => {
    const cookies = new Cookies();
    const back = await company.begin(cookies, 'ann', { query: 'return_to=%2Ft%2Fdefault%2Fx%3Fa%3Db' });
    expect((await cookies.fetch(back)).headers.get('location')).toBe('/t/default/x?a=b');
  });

  it('signs in where the service proves itself with a key of its own', async () => {
    const jwks = (await (await fetch(`${url}/t/default/oauth/jwks`)).json()) as object;
    idp.client({
      client_id: 'keyed',
      redirect_uris: [`${url}/t/default/sign-in/keyed/callback`],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks,
    });
    await company.apply(companyIssuer(idp, { name: 'keyed', signIn: { clientId: 'keyed' } }));
    const cookies = await company.signIn('ann', { issuer: 'keyed' });
    expect(await (await home(cookies)).text()).toContain('user:keyed/ann');
  });

  it('who cancels is told so, and is nobody', async () => {
    const cookies = new Cookies();
    idp.keyboard = undefined;
    const back = await cookies.follow(`${url}/t/default/sign-in/company`, (to) => to.includes('/callback'));
    expect((await cookies.fetch(back)).status).toBe(403);
    expect(await isSignedIn(cookies)).toBe(false);
    await isRecorded({ reason: 'provider_refused', issuer: 'company' });
  });

  it('is told where the provider is away', async () => {
    const cookies = new Cookies();
    const back = await company.begin(cookies, 'ann');
    idp.away = true;
    expect((await cookies.fetch(back)).status).toBeGreaterThanOrEqual(403);
    expect(await isSignedIn(cookies)).toBe(false);
  });
});

describe('what is brought back from the provider', () => {
  /** What the service answers, and whether anybody is signed in afterwards. */
  async function answered(cookies: Cookies, back: string): Promise<number> {
    const { status } = await cookies.fetch(back);
    if (status !== 303) expect(await isSignedIn(cookies)).toBe(false);
    return status;
  }

  it('counts only in the browser that began', async () => {
    const [hers, his] = [new Cookies(), new Cookies()];
    const back = await company.begin(hers, 'ann');
    await company.begin(his, 'bob');
    expect(await answered(his, back)).toBe(403);
    expect(await answered(new Cookies(), back)).toBe(400);
    await isRecorded({ reason: 'attempt_missing' });
    expect(await answered(hers, back)).toBe(303);
  });

  it('counts once, also when it comes twice at the same time', async () => {
    const cookies = new Cookies();
    const back = await company.begin(cookies, 'ann');
    const attempt = cookies.get(url, ATTEMPT)!;
    const twice = [new Cookies(), new Cookies()];
    for (const each of twice) each.put(url, ATTEMPT, attempt);
    const statuses = await Promise.all(twice.map(async (each) => (await each.fetch(back)).status));
    expect(statuses.sort()).toEqual([303, 400]);
    cookies.put(url, ATTEMPT, attempt);
    expect(await answered(cookies, back)).toBe(400);
    await isRecorded({ reason: 'attempt_used' });
  });

  it.each<[string, (back: URL) => void]>([
    ['another state', (back) => back.searchParams.set('state', 'x'.repeat(43))],
    ['no state', (back) => back.searchParams.delete('state')],
    ['two states', (back) => back.searchParams.append('state', 'x')],
    ['another code', (back) => back.searchParams.set('code', 'x'.repeat(43))],
    ['no code', (back) => back.searchParams.delete('code')],
    ['two codes', (back) => back.searchParams.append('code', 'x')],
    ['the issuer of somebody else', (back) => back.searchParams.set('iss', 'https://evil.example')],
    ['no issuer, of a provider that says it', (back) => back.searchParams.delete('iss')],
  ])('with %s is refused', async (_what, change) => {
    const cookies = new Cookies();
    const back = new URL(await company.begin(cookies, 'ann'));
    change(back);
    expect(await answered(cookies, back.href)).toBe(403);
  });

  it('from one provider does not count as from another (mix-up)', async () => {
    const cookies = new Cookies();
    other.keyboard = { sub: 'ann' };
    const back = new URL(await company.begin(cookies, 'ann', { issuer: 'other' }));
    const attempt = cookies.get(url, ATTEMPT)!;
    const swapped = back.href.replace('/sign-in/other/', '/sign-in/company/');
    expect(await answered(cookies, swapped)).toBe(400);
    // The attacker has the victim begin at the honest provider, and brings what the other one has given.
    const victim = new Cookies();
    const honest = new URL(await company.begin(victim, 'ann'));
    for (const name of ['code', 'iss']) honest.searchParams.set(name, back.searchParams.get(name)!);
    expect(await answered(victim, honest.href)).toBe(403);
    cookies.put(url, ATTEMPT, attempt);
    expect(await answered(cookies, back.href)).toBe(303);
  });

  it('of one tenant does not count in another', async () => {
    await ensureTenant(company.service.database.address, 'second');
    const cookies = new Cookies();
    const back = await company.begin(cookies, 'ann');
    expect(await answered(cookies, back.replace('/t/default/', '/t/second/'))).toBe(400);
  });

  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = () => Math.floor(Date.now() / 1000);
  type Forge = (claims: JWTPayload, answer: TokenAnswer) => string | undefined | Promise<string | undefined>;
  it.each<[string, Forge]>([
    ['none', () => undefined],
    ['alg none', (claims) => new UnsecuredJWT(claims).encode()],
    [
      'HS256 under the secret of the client',
      (claims) => idp.sign(claims, { header: { alg: 'HS256' }, key: Buffer.from(COMPANY_SECRET) }),
    ],
    ['an algorithm that the document does not name', (claims) => idp.sign(claims, { header: { alg: 'PS256' } })],
    ['the key of somebody else', (claims) => idp.sign(claims, { key: pair.privateKey })],
    ['a key that is not there', (claims) => idp.sign(claims, { header: { kid: 'x' } })],
    ['another nonce', (claims) => idp.sign({ ...claims, nonce: 'x' })],
    ['no nonce', ({ nonce: _, ...claims }) => idp.sign(claims)],
    ['another audience', (claims) => idp.sign({ ...claims, aud: 'another' })],
    ['one audience more', (claims) => idp.sign({ ...claims, aud: ['placet', 'another'], azp: 'placet' })],
    ['another issuer', (claims) => idp.sign({ ...claims, iss: 'https://evil.example' })],
    ['an end that has come', (claims) => idp.sign({ ...claims, exp: now() - 60 })],
    ['no end', ({ exp: _, ...claims }) => idp.sign(claims)],
    ['no subject', ({ sub: _, ...claims }) => idp.sign(claims)],
    ['a subject with control characters', (claims) => idp.sign({ ...claims, sub: 'ann\n' })],
    ['a signature cut off', (_, { id_token: token }) => token!.slice(0, -10)],
  ])('as an ID token with %s is refused', async (_what, forge) => {
    const cookies = new Cookies();
    const back = await company.begin(cookies, 'ann');
    idp.tamper = async (answer) => {
      const { id_token: _token, ...rest } = answer;
      const forged = await forge(decodeJwt(answer.id_token!), answer);
      return forged === undefined ? rest : { ...rest, id_token: forged };
    };
    expect(await answered(cookies, back)).toBe(403);
    await isRecorded({});
  });

  it('is signed as the document says, and not as the provider does', async () => {
    await company.apply(companyIssuer(idp, { algorithms: ['ES256'] }));
    const cookies = new Cookies();
    expect(await answered(cookies, await company.begin(cookies, 'ann'))).toBe(403);
    await company.apply(companyIssuer(idp));
  });

  it('lets the same forger in where nothing is forged', async () => {
    idp.tamper = async (answer) => ({ ...answer, id_token: await idp.sign(decodeJwt(answer.id_token!)) });
    await company.signIn('ann');
  });
});

describe('the way back', () => {
  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/%2f/evil.example',
    '/%09/evil.example',
    '/%0d%0aX:y',
  ])('does not lead to %s', async (to) => {
    const answer = await fetch(`${url}/t/default/sign-in/company?return_to=${encodeURIComponent(to)}`, {
      redirect: 'manual',
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });
});

describe('a session', () => {
  it('is never one whose cookie was there before (fixation)', async () => {
    const cookies = new Cookies();
    const planted = 'p'.repeat(43);
    cookies.put(url, SESSION, planted);
    await company.signIn('ann', { cookies });
    expect(cookies.get(url, SESSION)).not.toBe(planted);
    cookies.put(url, SESSION, planted);
    expect(await isSignedIn(cookies)).toBe(false);
  });

  it('ends where another begins in the same browser', async () => {
    const cookies = await company.signIn('ann');
    const before = cookies.get(url, SESSION)!;
    const after = new Cookies();
    after.put(url, SESSION, before);
    await company.signIn('bob', { cookies: after });
    expect(await isSignedIn(cookies)).toBe(false);
    expect(await (await home(after)).text()).toContain('user:company/bob');
  });

  it.each([
    ['idle for too long', `update placet.session set idle_ends_at = now() - interval '1 second'`],
    ['too old in all', `update placet.session set ends_at = now() - interval '1 second'`],
    ['too old by the limits of now', `update placet.session set created_at = now() - interval '13 hours'`],
    ['not seen for longer than the limits of now', `update placet.session set seen_at = now() - interval '31 minutes'`],
    [
      'of an issuer whose text is another',
      `update placet.person set claims = claims || '{"iss": "https://evil.example"}'`,
    ],
    ['of somebody else by the claims', `update placet.person set claims = claims || '{"sub": "eve"}'`],
  ])('is none that is %s', async (_what, statement) => {
    const cookies = await company.signIn('bob');
    expect(await isSignedIn(cookies)).toBe(true);
    await sql(`${statement} where true`);
    expect(await isSignedIn(cookies)).toBe(false);
  });

  it('goes on while it is used, and no longer than its limits', async () => {
    const cookies = await company.signIn('bob');
    await sql(
      `update placet.session set seen_at = now() - interval '20 minutes', idle_ends_at = now() + interval '10 minutes' where ended_at is null`,
    );
    expect(await isSignedIn(cookies)).toBe(true);
    const [row] = (await sql(
      `select extract(epoch from idle_ends_at - now()) as left from placet.session where person = 'user:company/bob' and ended_at is null order by created_at desc`,
    )) as { left: string }[];
    expect(Number(row!.left)).toBeGreaterThan(29 * 60);
  });

  it('is none in another environment, by the same database and pepper', async () => {
    const cookies = await company.signIn('ann');
    const elsewhere = await company.service.replica({ environment: 'prod' });
    const answer = await fetch(`${elsewhere.url}/t/default/`, {
      headers: { Cookie: `${SESSION}=${cookies.get(url, SESSION)}` },
      redirect: 'manual',
    });
    expect(answer.status).toBe(303);
  });

  it('of one tenant is none in another', async () => {
    await ensureTenant(company.service.database.address, 'second');
    const cookies = await company.signIn('ann');
    expect((await home(cookies, 'second')).status).toBe(303);
  });

  it('ends with the suspension of its person, under any of their names', async () => {
    await company.apply({ kind: 'Subject', id: 'robert', aliases: [{ type: 'user', id: 'company/bob' }] });
    const suspend = (method: string, what: string) =>
      company.service.call(method, `/api/v1/suspensions/${what}`, method === 'PUT' ? { body: {} } : {});
    for (const what of ['Subject/user:robert', 'Subject/user:company%2Fbob']) {
      const cookies = await company.signIn('bob');
      expect((await suspend('PUT', what)).status).toBe(200);
      expect(await isSignedIn(cookies), what).toBe(false);
      const again = new Cookies();
      const back = await company.begin(again, 'bob');
      expect((await again.fetch(back)).status).toBe(403);
      expect((await suspend('DELETE', what)).status).toBe(200);
    }
    expect(company.service.log.some((line) => line.includes('"reason":"suspended"'))).toBe(true);
  });

  it('goes on where the tenant has stopped itself, so that its people can let it go on', async () => {
    const cookies = await company.signIn('bob');
    const call = (method: string) =>
      company.service.call(method, '/api/v1/suspensions/Tenant/default', method === 'PUT' ? { body: {} } : {});
    expect((await call('PUT')).status).toBe(200);
    expect(await isSignedIn(cookies)).toBe(true);
    expect(await isSignedIn(await company.signIn('ann'))).toBe(true);
    expect((await call('DELETE')).status).toBe(200);
  });

  it('ends with its Issuer', async () => {
    const cookies = await company.signIn('ann', { issuer: 'other' });
    expect(await isSignedIn(cookies)).toBe(true);
    const issuer = companyIssuer(other, { name: 'other', subjectTokens: { audiences: ['x'] } }) as Record<
      string,
      unknown
    >;
    delete issuer['signIn'];
    await company.apply(issuer);
    expect(await isSignedIn(cookies)).toBe(false);
    await company.apply(
      companyIssuer(other, { name: 'other', signIn: { clientId: 'placet', authentication: 'none' } }),
    );
  });
});

describe('a logout that the provider tells of', () => {
  const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const post = (token: string, issuer = 'company') =>
    fetch(`${url}/t/default/sign-in/${issuer}/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    });
  let count = 0;
  const claims = (over: JWTPayload = {}): JWTPayload => {
    const iat = Math.floor(Date.now() / 1000);
    return { iss: idp.issuer, aud: 'placet', iat, exp: iat + 120, jti: `logout-${++count}`, events: EVENTS, ...over };
  };
  const sid = async () => (await sessionsOf('user:company/ann')).at(-1)!['upstream_session'] as string;

  it('ends the session of its sid, and no other', async () => {
    const [one, two] = [await company.signIn('ann'), await company.signIn('ann')];
    const token = await idp.sign(claims({ sid: await sid() }), { header: { typ: 'logout+jwt' } });
    expect((await post(token)).status).toBe(200);
    expect([await isSignedIn(one), await isSignedIn(two)]).toEqual([true, false]);
    expect((await events('sign_out')).at(-1)).toMatchObject({ by: 'identity-provider', issuer: 'company' });
    expect((await post(token)).status).toBe(400);
  });

  it('ends every session of its sub', async () => {
    const both = [await company.signIn('ann'), await company.signIn('ann')];
    expect((await post(await idp.sign(claims({ sub: 'ann' })))).status).toBe(200);
    expect(await Promise.all(both.map(isSignedIn))).toEqual([false, false]);
    // Tokens of before are refused as well, those of the provider among them.
    const denied = await sql(
      `select 1 from placet.denial where key = 'subject:company/ann' and before > now() - interval '10 s'`,
    );
    expect(denied).toHaveLength(1);
  });

  it('comes from the real provider when its own session ends', async () => {
    const cookies = await company.signIn('ann');
    const value = cookies.get(url, SESSION)!;
    const out = await signOut(cookies);
    expect(out.status).toBe(200);
    const another = await company.signIn('ann', { cookies });
    expect(another.get(url, SESSION)).not.toBe(value);
    const page = await cookies.fetch((await signOut(cookies)).headers.get('refresh')!.replace('0; url=', ''));
    const [, xsrf] = /name="xsrf" value="([^"]+)"/.exec(await page.text())!;
    const ended = await cookies.fetch(`${idp.issuer}/session/end/confirm`, {
      method: 'POST',
      body: new URLSearchParams({ xsrf: xsrf!, logout: 'yes' }),
    });
    expect([302, 303]).toContain(ended.status);
    expect(ended.headers.get('location')).toContain(`${url}/t/default/signed-out`);
  });

  it.each<[string, () => JWTPayload, object?]>([
    ['without the event', () => claims({ sub: 'ann', events: {} })],
    ['with a nonce', () => claims({ sub: 'ann', nonce: 'x' })],
    ['without sub and sid', () => claims()],
    ['for somebody else', () => claims({ sub: 'ann', aud: 'another' })],
    ['of another issuer', () => claims({ sub: 'ann', iss: other.issuer })],
    ['that is over', () => claims({ sub: 'ann', exp: 1, iat: 0 })],
    ['of another type', () => claims({ sub: 'ann' }), { typ: 'at+jwt' }],
    ['with alg none', () => claims({ sub: 'ann' }), { alg: 'none' }],
  ])('does not count %s', async (_what, body, header = {}) => {
    const cookies = await company.signIn('ann');
    const isUnsigned = 'alg' in header;
    const token = isUnsigned ? new UnsecuredJWT(body()).encode() : await idp.sign(body(), { header: { ...header } });
    expect((await post(token)).status).toBe(400);
    expect(await isSignedIn(cookies)).toBe(true);
  });

  it('does not count at the URL of another Issuer', async () => {
    const cookies = await company.signIn('ann');
    expect((await post(await idp.sign(claims({ sub: 'ann' })), 'other')).status).toBe(400);
    expect(await isSignedIn(cookies)).toBe(true);
  });
});

describe('the administration API by the cookie of a session', () => {
  const put = (cookies: Cookies, headers: Record<string, string>, body: string | undefined = '{}') =>
    cookies.fetch(`${url}/api/v1/suspensions/Subject/user:mallory`, {
      method: 'PUT',
      headers,
      ...(body === '' ? {} : { body }),
    });
  const good = () => ({ 'Content-Type': 'application/json', 'Placet-Request': '1', Origin: url });
  afterEach(() => company.service.call('DELETE', '/api/v1/suspensions/Subject/user:mallory'));

  it('takes an administrator for one, and records the session', async () => {
    const cookies = await company.signIn('ann');
    expect((await cookies.fetch(`${url}/api/v1/suspensions`)).status).toBe(200);
    expect((await put(cookies, good())).status).toBe(200);
    const [{ id }] = (await sessionsOf('user:company/ann')).slice(-1) as [{ id: string }];
    const [{ changed_by: by }] = (await sql(
      'select changed_by from placet.revision order by revision desc limit 1',
    )) as [{ changed_by: string }];
    expect(by).toBe(`session:${id}`);
  });

  it.each<[string, () => Record<string, string>, number]>([
    ['no header of ours', () => ({ 'Content-Type': 'application/json', Origin: url }), 403],
    ['no origin', () => ({ 'Content-Type': 'application/json', 'Placet-Request': '1' }), 403],
    ['another origin', () => ({ ...good(), Origin: 'https://evil.example' }), 403],
    ['the origin null', () => ({ ...good(), Origin: 'null' }), 403],
    ['a page of another site', () => ({ ...good(), 'Sec-Fetch-Site': 'cross-site' }), 403],
    ['a page of the same site', () => ({ ...good(), 'Sec-Fetch-Site': 'same-site' }), 403],
    ['a plain text', () => ({ ...good(), 'Content-Type': 'text/plain' }), 415],
    ['a form', () => ({ ...good(), 'Content-Type': 'application/x-www-form-urlencoded' }), 415],
  ])('changes nothing with %s', async (_what, headers, status) => {
    const cookies = await company.signIn('ann');
    expect((await put(cookies, headers())).status).toBe(status);
    const all = await company.service.call('GET', '/api/v1/suspensions');
    expect(JSON.stringify(all.body)).not.toContain('mallory');
  });

  it('gives nobody rights who has none', async () => {
    const cookies = await company.signIn('bob');
    expect((await cookies.fetch(`${url}/api/v1/suspensions`)).status).toBe(403);
    expect((await put(cookies, good())).status).toBe(403);
  });

  it('is not asked where there is an Authorization header', async () => {
    const cookies = await company.signIn('ann');
    const answer = await cookies.fetch(`${url}/api/v1/suspensions`, { headers: { Authorization: 'Bearer x' } });
    expect(answer.status).toBe(401);
  });

  it('lets no other origin read or ask', async () => {
    const cookies = await company.signIn('ann');
    const answer = await cookies.fetch(`${url}/api/v1/suspensions`, { headers: { Origin: 'https://evil.example' } });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });

  it('is over at once when the rights are gone', async () => {
    const cookies = await company.signIn('ann');
    await company.apply(binding('user:company/nobody'));
    expect((await put(cookies, good())).status).toBe(403);
    await company.apply(binding('user:company/ann'));
  });
});

describe('who may do what', () => {
  const stepUp = { acr: ['urn:company:mfa'], maxAgeSeconds: 300 };
  const tenant = (over: object) => ({ kind: 'Tenant', name: 'default', defaults: { effect: 'deny' }, ...over });
  const grant = (cookies: Cookies, name = 'new') =>
    cookies.fetch(`${url}/api/v1/documents/AdministratorBinding/${name}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'Placet-Request': '1', 'If-None-Match': '*', Origin: url },
      body: JSON.stringify({ kind: 'AdministratorBinding', name, to: ['user:company/zoe'], roles: ['auditor'] }),
    });
  afterEach(() => company.apply(tenant({})));

  it('is changed by people who have signed in as well, and as freshly, as is demanded', async () => {
    await company.apply(tenant({ administration: { stepUp } }));
    const cookies = await company.signIn('ann');
    const refused = await grant(cookies);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="placet", resource_metadata="${url}/.well-known/oauth-protected-resource", error="insufficient_user_authentication", acr_values="urn:company:mfa", max_age="300"`,
    );
    const problem = (await refused.json()) as { code: string; sign_in_url: string };
    expect(problem.code).toBe('step_up_required');
    const before = cookies.get(url, SESSION)!;
    const [{ id }] = (await sessionsOf('user:company/ann')).slice(-1) as [{ id: string }];
    await company.signIn('ann', { cookies, query: problem.sign_in_url.split('?')[1]! });
    const [after] = (await sql(
      `select id, acr from placet.session where person = 'user:company/ann' and ended_at is null order by seen_at desc limit 1`,
    )) as [{ id: string; acr: string }];
    expect(after).toEqual({ id, acr: 'urn:company:mfa' });
    expect(cookies.get(url, SESSION)).not.toBe(before);
    const old = new Cookies();
    old.put(url, SESSION, before);
    expect(await isSignedIn(old)).toBe(false);
    expect((await grant(cookies)).status).not.toBe(401);
    await sql(`update placet.session set authenticated_at = now() - interval '400 seconds' where id = '${id}'`);
    expect((await grant(cookies, 'newer')).status).toBe(401);
  });

  it('is also said by making, emptying, copying and deleting tenants, and not by stopping them', async () => {
    await company.service.secondTenant('operated');
    await company.apply(
      { kind: 'AdministratorBinding', name: 'operators', to: ['user:company/ann'], roles: ['operator'] },
      tenant({ administration: { stepUp } }),
    );
    const cookies = await company.signIn('ann');
    const operate = async (method: string, path: string, body?: object) => {
      const answer = await cookies.fetch(`${url}/api/v1/tenants${path}`, {
        method,
        headers: { 'Placet-Request': '1', Origin: url, ...(body ? { 'Content-Type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await answer.text();
      return text.includes('"code":"step_up_required"') ? 'step-up' : answer.status;
    };
    expect(await operate('GET', '/operated')).toBe(200);
    expect(await operate('PUT', '/operated/suspension', {})).toBe(200);
    const rest: [string, string, object?][] = [
      ['POST', '', { name: 'one-more' }],
      ['POST', '/operated/export'],
      ['POST', '/operated/owner-key', { reason: 'lost' }],
      ['PUT', '/operated/quotas', { documents: 1 }],
      ['DELETE', '/operated/suspension'],
      ['DELETE', `/operated?export=${'0'.repeat(64)}`],
    ];
    for (const [method, path, body] of rest)
      expect([path, await operate(method, path, body)]).toEqual([path, 'step-up']);
    await company.signIn('ann', { cookies, query: 'acr=urn:company:mfa&max_age=300' });
    for (const [method, path, body] of rest) expect([path, await operate(method, path, body)]).not.toContain('step-up');
  });

  it.each<[string, object]>([
    ['a lesser class', { acr: 'urn:company:password' }],
    ['a proof of long ago', { authTime: Math.floor(Date.now() / 1000) - 7200 }],
  ])('is not with %s that the provider gives instead', async (_what, proof) => {
    const cookies = await company.signIn('ann');
    const back = await company.begin(cookies, 'ann', { cookies, query: 'acr=urn:company:mfa&max_age=300' });
    idp.tamper = async (answer) => {
      const { acr, authTime } = proof as { acr?: string; authTime?: number };
      const said = { ...(acr ? { acr } : {}), ...(authTime ? { auth_time: authTime } : {}) };
      return { ...answer, id_token: await idp.sign({ ...decodeJwt(answer.id_token!), ...said }) };
    };
    expect((await cookies.fetch(back)).status).toBe(403);
  });

  it('is not where the provider does not say when', async () => {
    const cookies = new Cookies();
    const back = await company.begin(cookies, 'ann', { query: 'max_age=300' });
    idp.tamper = async (answer) => {
      const { auth_time: _, ...rest } = decodeJwt(answer.id_token!);
      return { ...answer, id_token: await idp.sign(rest) };
    };
    expect((await cookies.fetch(back)).status).toBe(403);
  });
});

describe('people', () => {
  const read = (path: string) => company.service.call('GET', `/api/v1/people${path}`);
  const ann = '/user:company%2Fann';

  it('are listed, with what was said of them and where they are signed in', async () => {
    await company.signIn('ann');
    const list = (await read('')).body as { items: { id: string; sessions: number }[] };
    expect(list.items.find(({ id }) => id === 'user:company/ann')!.sessions).toBeGreaterThan(0);
    expect((await read(ann)).body).toMatchObject({
      email: 'ann@example.com',
      claims: { sub: 'ann', groups: ['staff'] },
    });
    const claims = ((await read(ann)).body as { claims: object }).claims;
    for (const name of ['iat', 'exp', 'nonce', 'sid', 'auth_time']) expect(claims).not.toHaveProperty(name);
    expect(((await read(`${ann}/sessions`)).body as { items: unknown[] }).items[0]).toMatchObject({
      address: '127.0.0.1',
      current: false,
    });
    expect((await read('/user:company%2Fnobody')).status).toBe(404);
  });

  it('see and end their own sessions, and nobody else’s', async () => {
    const [one, two, his] = [await company.signIn('ann'), await company.signIn('ann'), await company.signIn('bob')];
    const list = async (cookies: Cookies) =>
      (
        (await (await cookies.fetch(`${url}/api/v1/me/sessions`)).json()) as {
          items: { id: string; current: boolean }[];
        }
      ).items;
    const { id } = (await list(one)).find(({ current }) => current)!;
    const end = (cookies: Cookies) =>
      cookies.fetch(`${url}/api/v1/me/sessions/${id}`, {
        method: 'DELETE',
        headers: { 'Placet-Request': '1', Origin: url },
      });
    expect((await end(his)).status).toBe(404);
    expect((await end(two)).status).toBe(204);
    expect([await isSignedIn(one), await isSignedIn(two)]).toEqual([false, true]);
    expect((await company.service.call('GET', '/api/v1/me/sessions')).status).toBe(404);
  });

  it('are signed out everywhere, on every replica, and while they sign in', async () => {
    const replica = await company.service.replica();
    const cookies = await company.signIn('ann');
    const there = { Cookie: `${SESSION}=${cookies.get(url, SESSION)}` };
    expect((await fetch(`${replica.url}/api/v1/suspensions`, { headers: there })).status).toBe(200);
    const late = new Cookies();
    const back = await company.begin(late, 'ann');
    expect((await company.service.call('POST', `/api/v1/people${ann}/sign-out`)).status).toBe(200);
    expect((await fetch(`${replica.url}/api/v1/suspensions`, { headers: there })).status).toBe(401);
    expect(await isSignedIn(cookies)).toBe(false);
    expect((await late.fetch(back)).status).toBe(403);
    expect(await isSignedIn(await company.signIn('ann'))).toBe(true);
  });

  it('whose claims have changed at a sign-in are looked at anew', async () => {
    await company.signIn('bob');
    const epoch = async () => Number((await sql('select max(epoch) as epoch from placet.tenant_state'))[0]!['epoch']);
    const before = await epoch();
    await company.signIn('bob');
    expect(await epoch()).toBe(before);
    idp.people.set('bob', { sub: 'bob', claims: { name: 'Bob Example', groups: [] } });
    await company.signIn('bob');
    expect(await epoch()).toBe(before + 1);
    expect((await sql('select keys from placet.change order by revision desc limit 1'))[0]!['keys']).toEqual([
      'subject:user:company/bob',
    ]);
  });
});

describe('a browser that signs in to a second tenant', () => {
  it('leaves no session behind in the first, and what was ended is recorded there', async () => {
    // Other tenants reach this machine only where the settings say so.
    const there = await startCompany({ privateIdentityProviders: 'loopback' });
    try {
      const at = there.service.url;
      const second = await there.service.secondTenant();
      there.idp.client({ client_id: 'second', redirect_uris: [`${at}/t/second/sign-in/company/callback`] });
      const body = companyIssuer(there.idp, { signIn: { clientId: 'second', authentication: 'none' } });
      const saved = await second.call('PUT', '/api/v1/documents/Issuer/company', {
        body,
        headers: { 'If-None-Match': '*' },
      });
      expect(saved.status, JSON.stringify(saved.body)).toBe(201);
      const cookies = await there.signIn('ann');
      const before = new Cookies();
      before.put(at, SESSION, cookies.get(at, SESSION)!);
      const status = async (of: Cookies, tenant: string) => (await of.fetch(`${at}/t/${tenant}/`)).status;
      expect(await status(before, 'default')).toBe(200);
      await there.signIn('ann', { cookies, tenant: 'second' });
      expect(await status(cookies, 'second')).toBe(200);
      expect(await status(before, 'default')).toBe(303);
      const superuser = await there.service.database.connect('superuser');
      const { rows } = await superuser.query<{ about: object }>(
        `select body::json -> 'about' as about from placet.ledger_record where kind = 'sign_out' and tenant = $1`,
        [there.service.database.tenant],
      );
      expect(rows.map(({ about }) => about)).toEqual([
        { by: 'another-sign-in', session: expect.any(String) as unknown, person: 'user:company/ann' },
      ]);
      // A sign-in that comes to nothing ends nothing.
      const back = await there.begin(cookies, 'bob');
      expect((await cookies.fetch(back.replace(/code=[^&]+/, 'code=x'))).status).toBe(403);
      expect(await status(cookies, 'second')).toBe(200);
    } finally {
      await there.close();
    }
  });
});

describe('a provider on this machine', () => {
  it('is one of the home tenant: nobody is sent there by another one, where nothing is set', async () => {
    const second = await company.service.secondTenant('inner');
    const body = companyIssuer(idp, {
      signIn: { clientId: 'placet', authentication: 'none' },
      subjectTokens: { audiences: ['a'] },
    });
    const saved = await second.call('PUT', '/api/v1/documents/Issuer/company', {
      body,
      headers: { 'If-None-Match': '*' },
    });
    expect(saved.status, JSON.stringify(saved.body)).toBe(201);
    const requests = idp.requests.length;
    const begun = (tenant: string) => fetch(`${url}/t/${tenant}/sign-in/company`, { redirect: 'manual' });
    expect((await begun('inner')).status).toBe(503);
    const now = Math.floor(Date.now() / 1000);
    const token = await idp.sign(
      { iss: idp.issuer, aud: 'a', sub: 'ann', iat: now, exp: now + 60 },
      { header: { typ: 'at+jwt' } },
    );
    const tried = await second.call('POST', '/api/v1/mappings/try', { body: { token } });
    expect([tried.status, tried.body.code]).toEqual([503, 'identity_provider_unavailable']);
    expect(idp.requests.length).toBe(requests);
    expect((await begun('default')).status).toBe(303);
  });
});

describe('signing out', () => {
  it('at a page of another tenant leaves no session behind', async () => {
    await ensureTenant(company.service.database.address, 'third');
    const cookies = await company.signIn('bob');
    const token = /name="token" value="([^"]+)"/.exec(await (await home(cookies)).text())![1]!;
    const value = cookies.get(url, SESSION)!;
    const away = { method: 'POST', body: new URLSearchParams({ token }), headers: { Origin: url } };
    expect((await cookies.fetch(`${url}/t/third/sign-out`, away)).status).toBe(200);
    const kept = new Cookies();
    kept.put(url, SESSION, value);
    expect(await isSignedIn(kept)).toBe(false);
  });
});

describe('signing out takes', () => {
  it.each<[string, { token?: string; headers?: Record<string, string> }]>([
    ['the text of the form', { token: 'x' }],
    ['our own origin', { headers: { Origin: 'https://evil.example' } }],
    ['a page of ours', { headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'null' } }],
    ['a browser that says from where', { headers: {} }],
  ])('%s', async (_what, options) => {
    const cookies = await company.signIn('ann');
    expect((await signOut(cookies, options)).status).toBe(403);
    expect(await isSignedIn(cookies)).toBe(true);
  });
});

describe('the choice of a provider', () => {
  const find = async (email: string) => {
    const answer = await fetch(`${url}/t/default/sign-in`, { method: 'POST', body: new URLSearchParams({ email }) });
    return { status: answer.status, onward: answer.headers.get('refresh'), text: await answer.text() };
  };

  it('is by the domain of an address, and says the same of anybody in it', async () => {
    const signIn = { clientId: 'placet', authentication: 'none', domains: ['other.example'] };
    await company.apply(companyIssuer(other, { name: 'other', signIn }));
    const known = await find('ann@other.example');
    expect(known.onward).toBe('0; url=/t/default/sign-in/other');
    expect(await find('nobody@Other.Example')).toEqual(known);
    expect((await find('ann@elsewhere.example')).status).toBe(404);
    const page = await (await fetch(`${url}/t/default/sign-in?return_to=%2Fx`)).text();
    expect(page).toContain('href="/t/default/sign-in/company?return_to=%2Fx"');
    expect(page).not.toContain('/sign-in/other');
  });

  it('is of tenants that are there', async () => {
    expect((await fetch(`${url}/t/nowhere/sign-in`)).status).toBe(404);
    expect((await fetch(`${url}/t/default/sign-in/nobody`)).status).toBe(404);
  });
});

describe('whoever fails too often', () => {
  it('is not looked at for a while: at sign-ins, and with cookies', async () => {
    const limited = await company.service.replica({ attempts: { sign_in: 2, session: 2 } });
    const status = async (path: string, cookie = '') =>
      (await fetch(limited.url + path, { headers: cookie === '' ? {} : { Cookie: cookie }, redirect: 'manual' }))
        .status;
    const callback = '/t/default/sign-in/company/callback?code=x&state=y';
    expect([await status(callback), await status(callback), await status(callback)]).toEqual([400, 400, 429]);
    // Nor are more looked at at once.
    const another = await company.service.replica({ attempts: { sign_in: 2 } });
    const atOnce = Array.from({ length: 6 }, () => fetch(another.url + callback, { redirect: 'manual' }));
    expect((await Promise.all(atOnce)).map((answer) => answer.status).sort()).toEqual([400, 400, 429, 429, 429, 429]);
    const made = () => `${SESSION}=${randomBytes(32).toString('base64url')}`;
    const home = '/t/default/';
    expect([await status(home, made()), await status(home, made()), await status(home, made())]).toEqual([
      303, 303, 429,
    ]);
  });
});
