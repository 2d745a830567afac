import { NamedSecrets } from '#config';
import { Cookies } from './browser.js';
import { startIdentityProvider, type IdentityProvider, type Keyboard } from './identity-provider.js';
import { startTestService, type TestOptions, type TestService } from './service.js';

/** A service with a company's identity provider beside it, by which people sign in. */
export interface Company {
  readonly service: TestService;
  readonly idp: IdentityProvider;
  /** Saves documents, as JSON or YAML. */
  apply(...documents: readonly object[]): Promise<void>;
  /** Signs somebody in, as a browser would, and returns that browser. */
  signIn(who: string | Keyboard, options?: SignInOptions): Promise<Cookies>;
  /** The part of `signIn` up to the way back: the URL that the provider sends the browser to. */
  begin(cookies: Cookies, who: string | Keyboard, options?: SignInOptions): Promise<string>;
  close(): Promise<void>;
}

interface SignInOptions {
  readonly cookies?: Cookies;
  /** Of the URL at which it begins, as in `max_age=60`. */
  readonly query?: string;
  readonly issuer?: string;
  readonly tenant?: string;
}

/** The Issuer document of the test's identity provider. */
export const companyIssuer = (idp: IdentityProvider, over: object = {}) => ({
  kind: 'Issuer',
  name: 'company',
  issuer: idp.issuer,
  groups: { prefix: 'company:' },
  signIn: {
    clientId: 'placet',
    authentication: 'client_secret_basic',
    clientSecret: 'company',
    scopes: ['openid', 'email', 'profile'],
  },
  ...over,
});

export const COMPANY_SECRET = 'a-secret-of-the-company-32-bytes';

/** Starts both, with two people, Ann and Bob, and the Issuer `company`. */
export async function startCompany(options: TestOptions = {}): Promise<Company> {
  const idp = await startIdentityProvider();
  const service = await startTestService({
    quickstart: false,
    // All of a spec come from one address, and many are meant to fail.
    attempts: { sign_in: 10_000, session: 10_000 },
    secrets: NamedSecrets.read({ PLACET_SECRET_DEFAULT__COMPANY: COMPANY_SECRET }),
    ...options,
  });
  const path = (tenant: string, issuer: string) => `${service.url}/t/${tenant}/sign-in/${issuer}`;
  idp.client({
    client_id: 'placet',
    client_secret: COMPANY_SECRET,
    redirect_uris: [`${path('default', 'company')}/callback`],
    post_logout_redirect_uris: [`${service.url}/t/default/signed-out`],
    backchannel_logout_uri: `${path('default', 'company')}/backchannel-logout`,
    backchannel_logout_session_required: true,
  });
  for (const [sub, name] of [
    ['ann', 'Ann Example'],
    ['bob', 'Bob Example'],
  ] as const)
    idp.people.set(sub, { sub, claims: { name, email: `${sub}@example.com`, groups: ['staff'] } });
  const company: Company = {
    service,
    idp,
    async apply(...documents) {
      const answer = await service.call('POST', '/api/v1/documents/apply', {
        body: { files: [{ path: 'test.yaml', text: documents.map((each) => JSON.stringify(each)).join('\n---\n') }] },
      });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    },
    async begin(cookies, who, { query = '', issuer = 'company', tenant = 'default' } = {}) {
      idp.keyboard = typeof who === 'string' ? { sub: who } : who;
      const from = `${path(tenant, issuer)}${query === '' ? '' : `?${query}`}`;
      return cookies.follow(from, (to) => new URL(to).pathname.endsWith('/callback'));
    },
    async signIn(who, given = {}) {
      const cookies = given.cookies ?? new Cookies();
      const back = await company.begin(cookies, who, given);
      const answer = await cookies.fetch(back);
      if (answer.status !== 303) throw new Error(`${back} answers ${answer.status}: ${await answer.text()}`);
      return cookies;
    },
    async close() {
      await service.close();
      await idp.close();
    },
  };
  await company.apply(companyIssuer(idp));
  return company;
}
