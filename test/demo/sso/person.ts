import * as oidc from 'openid-client';
import { Cookies } from '../../support/browser.js';
import type { IdentityProvider } from '../../support/identity-provider.js';
import { APPLICATION_CALLBACK } from './company.js';
import { AUDIENCE } from './documents.js';

/** Who the session of a browser says that somebody is, and may do; without a session only the status. */
export interface Me {
  readonly status: number;
  readonly name: string | undefined;
  readonly roles: readonly string[] | undefined;
}

const SESSION = '__Host-placet';

/** Somebody at a browser of their own. */
export class Person {
  readonly #cookies = new Cookies();
  readonly #home: string;
  #token: Promise<string> | undefined;

  constructor(
    private readonly id: string,
    private readonly idp: IdentityProvider,
    private readonly url: string,
  ) {
    this.#home = `${url}/t/default`;
  }

  /** What the session cookie was set with, without its value. */
  get cookie(): string {
    const set = this.#cookies.set.filter(({ header }) => header.startsWith(`${SESSION}=`) && !/=;/.test(header));
    return set.at(-1)?.header.replace(/=[^;]*/, '=...') ?? 'none';
  }

  /** Signs in by way of the identity provider. Answers the status of the last page: 303 leads on, into Placet. */
  async signIn(): Promise<number> {
    this.idp.keyboard = { sub: this.id };
    const back = await this.#cookies.follow(`${this.#home}/sign-in/company`, (to) => to.startsWith(`${this.#home}/`));
    return (await this.#cookies.fetch(back)).status;
  }

  async me(): Promise<Me> {
    const response = await this.#cookies.fetch(`${this.url}/api/v1/me`);
    const body = (await response.json()) as { administrator?: string; rights?: { roles: string[] } };
    return { status: response.status, name: body.administrator, roles: body.rights?.roles };
  }

  /** What the person reads on the page of who is signed in. */
  async home(): Promise<string> {
    return textOf(await (await this.#cookies.fetch(`${this.#home}/`)).text());
  }

  /** Reads something of the administration API by the session. Rejects where it may not. */
  async read(path: string): Promise<unknown> {
    const response = await this.#cookies.fetch(this.url + path);
    if (!response.ok) throw new Error(`GET ${path} was refused: ${await response.text()}`);
    return response.json();
  }

  /** Enters the code that a device shows, and lets the device go on. Answers what was asked before. */
  async confirmDevice(page: string, code: string): Promise<string> {
    const asking = await (await this.#cookies.fetch(page)).text();
    const entered = await this.#submit(page, 'xsrf', asking, { user_code: code });
    const asked = await entered.text();
    const done = await this.#submit(page, 'xsrf', asked, { user_code: code, answer: 'allow' });
    if (!done.ok) throw new Error(`the device was not let on: ${await done.text()}`);
    return textOf(asked);
  }

  /** What the application that the person works with has got from the identity provider, to hand on to Placet. */
  accessToken(): Promise<string> {
    return (this.#token ??= this.#newToken());
  }

  async #newToken(): Promise<string> {
    this.idp.keyboard = { sub: this.id };
    const config = await oidc.discovery(new URL(this.idp.issuer), 'assistant', undefined, oidc.None(), {
      execute: [oidc.allowInsecureRequests],
    });
    const [pkceCodeVerifier, expectedState] = [oidc.randomPKCECodeVerifier(), oidc.randomState()];
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: APPLICATION_CALLBACK,
      scope: 'api',
      resource: AUDIENCE,
      state: expectedState,
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    const back = await this.#cookies.follow(url.href, (to) => to.startsWith(APPLICATION_CALLBACK));
    const checks = { pkceCodeVerifier, expectedState };
    return (await oidc.authorizationCodeGrant(config, new URL(back), checks, { resource: AUDIENCE })).access_token;
  }

  /** Signs out of Placet and, as its page leads on, of the identity provider. Answers whether the latter went. */
  async signOut(): Promise<boolean> {
    const home = await (await this.#cookies.fetch(`${this.#home}/`)).text();
    const page = await this.#submit(`${this.#home}/sign-out`, 'token', home, {});
    const onward = page.headers.get('refresh')?.replace('0; url=', '');
    if (onward === undefined) return false;
    const asked = await (await this.#cookies.fetch(onward)).text();
    const ended = await this.#submit(`${this.idp.issuer}/session/end/confirm`, 'xsrf', asked, { logout: 'yes' });
    return ended.headers.get('location')?.startsWith(`${this.#home}/signed-out`) ?? false;
  }

  /** The session cookie as it is, and putting one back, as who has copied it would. */
  stolenCookie(): () => void {
    const value = this.#cookies.get(this.url, SESSION);
    if (value === undefined) throw new Error('there is no session cookie');
    return () => this.#cookies.put(this.url, SESSION, value);
  }
  /** Sends a form of a page, with the text that tells it from one of another site. */
  #submit(to: string, hidden: string, page: string, fields: Readonly<Record<string, string>>): Promise<Response> {
    const value = new RegExp(`name="${hidden}"\\s+value="([^"]+)"`).exec(page)?.[1];
    if (value === undefined) throw new Error(`there is no form to send to ${to}: ${textOf(page)}`);
    const headers = { Origin: new URL(to).origin };
    return this.#cookies.fetch(to, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ [hidden]: value, ...fields }),
    });
  }
}

/** What a person reads of a page. */
function textOf(page: string): string {
  const main = /<main[^>]*>(.*)<\/main>/s.exec(page)?.[1] ?? page;
  return main
    .replace(/<style.*?<\/style>/gs, ' ')
    .replace(/<\/dt>\s*<dd>/g, ': ')
    .replace(/<\/?(h1|p|dl|dt|dd|li|ul|form|button|br)\b[^>]*>/g, '\n')
    .replace(/<[^>]+>/g, '')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/\s*\n\s*/g, ' | ')
    .replace(/^[ |]+|[ |]+$/g, '');
}
