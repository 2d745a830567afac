import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Cookies } from '../support/browser.js';
import type { Said } from '../support/saml/answers.js';
import { ANN, certificatesOf, startSamlCompany, type SamlCompany } from '../support/saml/company.js';
import { samlIssuer } from '../support/saml/sign-in.js';
import type { SamlProvider } from '../support/saml/identity-provider.js';
import { EVIL, wrapped, WRAPPINGS } from '../support/saml/wrappings.js';

let company: SamlCompany;
let idp: SamlProvider;
let url: string;

beforeAll(async () => {
  company = await startSamlCompany();
  ({ idp } = company);
  ({ url } = company.service);
});
afterEach(async () => {
  idp.tamper = undefined;
  idp.encryptsFor = undefined;
  idp.signs = 'both';
  await company.apply(samlIssuer(idp));
});
afterAll(() => company.close());

const SESSION = '__Host-placet';
const ATTEMPT = '__Host-placet-attempt';
const home = async (cookies: Cookies) => cookies.fetch(`${url}/t/default/`);
const isSignedIn = async (cookies: Cookies) => (await home(cookies)).status === 200;

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = await company.service.database.connect('superuser');
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
const personOf = async (id: string) => (await sql(`select * from placet.person where id = '${id}'`))[0];

/** Signs in and is refused; the last line of the log about it. */
async function refusedSignIn(who: Partial<Said> | undefined, query?: string): Promise<Record<string, unknown>> {
  const cookies = new Cookies();
  const before = company.service.log.length;
  const answer = await company.signIn(cookies, who, query);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.headers.get('set-cookie') ?? '').not.toContain(`${SESSION}=`);
  expect(await isSignedIn(cookies)).toBe(false);
  const lines = company.service.log.slice(before).map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.find(({ message, msg }) => (message ?? msg) === 'sign-in refused') ?? lines.at(-1)!;
}

describe('a person of a SAML identity provider', () => {
  it('signs in by a signed request and an answer for this browser', async () => {
    const cookies = new Cookies();
    const answer = await company.signIn(cookies, ANN, '?return_to=%2Ft%2Fdefault%2F%3Fa%3D1');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('refresh')).toBe('0; url=/t/default/?a=1');
    expect(cookies.get(url, ATTEMPT)).toBeUndefined();
    const text = await (await home(cookies)).text();
    expect(text).toContain('Ann Example');
    expect(text).toContain('user:company/ann-0001');
    expect(idp.requests.at(-1)).toMatchObject({
      issuer: company.entityId,
      recipient: company.callback,
      signed: true,
      forceAuthn: false,
      contextClasses: [],
      nameFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    });
    expect(await personOf('user:company/ann-0001')).toMatchObject({
      name: 'Ann Example',
      email: 'ann@example.com',
      claims: { iss: idp.entityId, sub: 'ann-0001', attributes: { groups: ['staff'] } },
    });
  });

  it('signs in with an assertion that is encrypted for us, also for the key of before a rotation', async () => {
    await company.apply(samlIssuer(idp, { encrypted: true }));
    const [current, next, encryption] = await certificatesOf(company);
    expect(encryption).toBe(current);
    idp.encryptsFor = encryption;
    expect((await company.signIn(new Cookies(), ANN)).status).toBe(200);
    const rotated = await company.service.call('POST', '/api/v1/saml-keys/rotate');
    expect(rotated.status).toBe(201);
    const [after, nextAfter] = await certificatesOf(company);
    expect(after).toBe(next);
    expect([current, next]).not.toContain(nextAfter);
    expect(rotated.body.certificates.map((pem: string) => pem.trim())).toEqual([after!.trim(), nextAfter!.trim()]);
    // The provider knows the next key from before, and encrypts still for the one that was replaced.
    expect((await company.signIn(new Cookies(), ANN)).status).toBe(200);
    expect(idp.requests.at(-1)).toMatchObject({ signed: true });
    idp.encryptsFor = after;
    expect((await company.signIn(new Cookies(), ANN)).status).toBe(200);
    idp.encryptsFor = undefined;
    expect(await refusedSignIn(ANN)).toMatchObject({ reason: 'response_invalid' });
  });

  it('is asked to prove it anew for a step-up, and what is not said is neither fresh nor strong', async () => {
    const cookies = new Cookies();
    const strong = { ...ANN, contextClass: 'urn:mfa' };
    expect((await company.signIn(cookies, strong, '?max_age=60&acr=urn:mfa')).status).toBe(200);
    expect(idp.requests.at(-1)).toMatchObject({ forceAuthn: true, contextClasses: ['urn:mfa'] });
    const weak: Partial<Said>[] = [
      ANN,
      { ...strong, contextClass: null },
      { ...strong, authenticatedAt: null },
      { ...strong, authenticatedAt: -3600 },
      { ...strong, authnStatements: 2 },
    ];
    for (const who of weak)
      expect(await refusedSignIn(who, '?max_age=60&acr=urn:mfa')).toMatchObject({ reason: 'not_strong_enough' });
  });

  it('has no session for longer than at the provider', async () => {
    const cookies = new Cookies();
    const answer = await company.signIn(cookies, { ...ANN, sessionEnds: 60 });
    expect(answer.headers.getSetCookie().find((each) => each.startsWith(`${SESSION}=`))).toMatch(/Max-Age=(59|60)$/);
    const [session] = await sql(
      `select ends_at - created_at < interval '61 seconds' as short from placet.session order by created_at desc limit 1`,
    );
    expect(session).toEqual({ short: true });
  });

  it('cancels there', async () => {
    expect(await refusedSignIn(undefined)).toMatchObject({ reason: 'provider_refused' });
  });
});

describe('who somebody is', () => {
  const format = (name: string) => ({ ...ANN, format: `urn:oasis:names:tc:SAML:${name}` });

  it.each(['2.0:nameid-format:transient', '1.1:nameid-format:emailAddress', '1.1:nameid-format:unspecified'])(
    'is not said by a name of the format %s',
    async (name) => expect(await refusedSignIn(format(name))).toMatchObject({ reason: 'identity_missing' }),
  );

  it('can be said by an attribute with one value', async () => {
    await company.apply(samlIssuer(idp, {}, { identity: { claim: '/attributes/employeeId/0' } }));
    const of = (...employeeId: string[]) => ({ ...format('2.0:nameid-format:transient'), attributes: { employeeId } });
    const cookies = new Cookies();
    expect((await company.signIn(cookies, of('e-77'))).status).toBe(200);
    expect(idp.requests.at(-1)!.nameFormat).toBe('');
    expect(await (await home(cookies)).text()).toContain('user:company/e-77');
    expect((await personOf('user:company/e-77'))!['claims']).not.toHaveProperty('name_id');
    expect(await refusedSignIn(of('e-77', 'e-78'))).toMatchObject({ reason: 'identity_missing' });
    expect(await refusedSignIn(of())).toMatchObject({ reason: 'identity_missing' });
  });
});

describe('an answer', () => {
  it('does nothing in another browser, nor in one that has begun nothing', async () => {
    const answer = await company.answered(new Cookies(), ANN);
    const other = new Cookies();
    expect((await company.post(other, answer)).status).toBe(400);
    await company.answered(other, ANN);
    expect((await company.post(other, answer)).status).toBe(403);
    expect(await isSignedIn(other)).toBe(false);
  });

  it('signs in once', async () => {
    const cookies = new Cookies();
    const answer = await company.answered(cookies, ANN);
    const attempt = cookies.get(url, ATTEMPT)!;
    expect((await company.post(cookies, answer)).status).toBe(200);
    const thief = new Cookies();
    thief.put(url, ATTEMPT, attempt);
    expect((await company.post(thief, answer)).status).toBe(400);
    expect(await isSignedIn(thief)).toBe(false);
  });

  it('signs in once at two replicas at the same time', async () => {
    const second = await company.service.replica({ publicUrl: url });
    const cookies = new Cookies();
    const answer = await company.answered(cookies, ANN);
    const attempt = cookies.get(url, ATTEMPT)!;
    const post = (at: string) =>
      fetch(`${at}/t/default/sign-in/company/callback`, {
        method: 'POST',
        headers: { Cookie: `${ATTEMPT}=${attempt}` },
        body: new URLSearchParams({ SAMLResponse: answer }),
      });
    const statuses = (await Promise.all([post(url), post(second.url), post(url), post(second.url)])).map(
      ({ status }) => status,
    );
    expect(statuses.filter((status) => status === 200).length).toBe(1);
    await second.stop();
  });

  it.each(Object.keys(WRAPPINGS))('that is wrapped signs nobody in: %s', async (name) => {
    idp.tamper = (xml) => wrapped(xml, WRAPPINGS[name]!);
    expect(await refusedSignIn(ANN)).toMatchObject({ reason: 'response_invalid' });
    expect(await personOf(`user:company/${EVIL}`)).toBeUndefined();
  });

  it('without a signature around it is taken only where the document says so', async () => {
    idp.signs = 'assertion';
    expect(await refusedSignIn(ANN)).toMatchObject({ reason: 'response_invalid' });
    await company.apply(samlIssuer(idp, { signed: 'assertion' }));
    expect((await company.signIn(new Cookies(), ANN)).status).toBe(200);
  });

  it('of a key that the document has no more does not count', async () => {
    const { newKey } = await import('../support/saml/answers.js');
    await company.apply(samlIssuer(idp, { certificates: [newKey().certificate] }));
    expect(await refusedSignIn(ANN)).toMatchObject({ reason: 'token_invalid' });
    await company.apply(samlIssuer(idp, { certificates: [newKey().certificate, idp.key.certificate] }));
    expect((await company.signIn(new Cookies(), ANN)).status).toBe(200);
  });

  it('for another Issuer of the same provider is none for this one', async () => {
    await company.apply(samlIssuer(idp, {}, { name: 'second' }));
    const cookies = new Cookies();
    const answer = await company.answered(cookies, ANN);
    const to = `${url}/t/default/sign-in/second/callback`;
    const post = () =>
      cookies.fetch(to, { method: 'POST', body: new URLSearchParams({ SAMLResponse: answer, again: '1' }) });
    expect((await post()).status).toBe(400);
    await cookies.follow(`${url}/t/default/sign-in/second`, (next) => next.startsWith(idp.url));
    expect((await post()).status).toBe(403);
    expect(await isSignedIn(cookies)).toBe(false);
  });

  it('for another tenant by the same provider is none for this one, and its person is somebody else there', async () => {
    const acme = await company.service.secondTenant('acme');
    const body = { files: [{ path: 'test.yaml', text: JSON.stringify(samlIssuer(idp)) }] };
    expect((await acme.call('POST', '/api/v1/documents/apply', { body })).status).toBe(200);
    const there = `${url}/t/acme/sign-in/company`;
    const form = (answer: string) => ({
      method: 'POST',
      body: new URLSearchParams({ SAMLResponse: answer, again: '1' }),
    });
    const cookies = new Cookies();
    const answer = await company.answered(cookies, ANN);
    // The cookie is of the other tenant.
    expect((await cookies.fetch(`${there}/callback`, form(answer))).status).toBe(400);
    await cookies.follow(there, (next) => next.startsWith(idp.url));
    expect((await cookies.fetch(`${there}/callback`, form(answer))).status).toBe(403);
    expect((await cookies.fetch(`${url}/t/acme/`, { redirect: 'manual' })).status).toBe(303);
    // Nor is a session of the one any of the other.
    expect((await company.signIn(cookies, ANN)).status).toBe(200);
    expect(await isSignedIn(cookies)).toBe(true);
    expect((await cookies.fetch(`${url}/t/acme/`, { redirect: 'manual' })).status).toBe(303);
  });

  it('by GET, to an Issuer of another protocol, or of nothing, is none', async () => {
    const answer = await company.answered(new Cookies(), ANN);
    const form = () => ({ method: 'POST', body: new URLSearchParams({ SAMLResponse: answer }) });
    expect((await fetch(`${url}/t/default/sign-in/nobody/callback`, form())).status).toBe(404);
    expect((await fetch(company.callback, { method: 'POST', body: new URLSearchParams({ a: 'b' }) })).status).toBe(400);
    await company.apply({
      kind: 'Issuer',
      name: 'oidc',
      issuer: 'https://idp.example.com',
      signIn: { clientId: 'c', authentication: 'none' },
    });
    expect((await fetch(`${url}/t/default/sign-in/oidc/callback`, form())).status).toBe(404);
    const cookies = new Cookies();
    await company.answered(cookies, ANN);
    expect((await cookies.fetch(`${company.callback}?SAMLResponse=${encodeURIComponent(answer)}`)).status).toBe(403);
    const large = new URLSearchParams({ SAMLResponse: 'A'.repeat(600_000) });
    expect((await fetch(company.callback, { method: 'POST', body: large })).status).toBe(413);
  });
});

describe('an answer that nobody has asked for', () => {
  const unsolicited = () => idp.unsolicited(company.entityId, company.callback);

  it('is refused', async () => {
    const answer = await company.post(new Cookies(), await unsolicited());
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('no sign-in under way');
  });

  it('only begins a sign-in, where the document has it so, and never in a circle', async () => {
    await company.apply(samlIssuer(idp, { idpInitiated: 'bounce' }));
    const cookies = new Cookies();
    const first = await company.post(cookies, await unsolicited());
    expect(first.status).toBe(200);
    expect(first.headers.get('refresh')).toBe('0; url=/t/default/sign-in/company');
    expect(cookies.get(url, SESSION)).toBeUndefined();
    await company.answered(cookies, ANN);
    const second = await company.post(cookies, await unsolicited());
    expect(second.status).toBe(403);
    expect(await isSignedIn(cookies)).toBe(false);
    // It is over then, and what comes next begins anew.
    expect((await company.post(cookies, await unsolicited())).headers.get('refresh')).not.toBeNull();
    expect((await company.signIn(cookies, ANN)).status).toBe(200);
    const answer = await company.answered(new Cookies(), ANN);
    expect((await company.post(new Cookies(), answer)).status).toBe(400);
  });
});

describe('the page in between', () => {
  it('has nothing of what was posted but in its field, and runs nothing but what sends it', async () => {
    const evil = '"><script>alert(1)</script>';
    const answer = await fetch(company.callback, { method: 'POST', body: new URLSearchParams({ SAMLResponse: evil }) });
    const text = await answer.text();
    expect(text).not.toContain('<script>alert');
    expect(text).toContain('<script>document.forms[0].submit()</script>');
    expect(answer.headers.get('content-security-policy')).toMatch(
      /script-src 'sha256-[A-Za-z0-9+/=]+'; form-action 'self'/,
    );
    expect(answer.headers.get('set-cookie')).toBeNull();
  });
});

describe('our metadata', () => {
  it('is there for an Issuer of SAML alone', async () => {
    const answer = await fetch(company.entityId);
    expect(answer.headers.get('content-type')).toContain('application/samlmetadata+xml');
    expect(await answer.text()).toContain(`entityID="${company.entityId}"`);
    expect((await fetch(company.entityId.replace('company', 'oidc'))).status).toBe(404);
  });

  it('has keys that sign no tokens', async () => {
    const { keys } = (await (await fetch(`${url}/t/default/oauth/jwks`)).json()) as { keys: { alg?: string }[] };
    expect(keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'RS256']);
  });
});
