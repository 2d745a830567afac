import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AbuseLimits } from '#http';
import { derivedKey, sameSecret } from '#identity';
import type { OAuthStore } from '#store';
import { html, type Html } from '../pages/html.js';
import { sendPage } from '../pages/page.js';
import { userCodeDigest } from './adapter.js';
import { AttemptLimit } from './attempt-limit.js';
import { COMMAND_LINE, COMMAND_LINE_CLIENT } from './clients.js';
import type { SignedInPerson, SignedInPersons } from './signed-in.js';
import type { AuthorizationServer } from './providers.js';
import { readForm } from './requests.js';

type DeviceCode = InstanceType<AuthorizationServer['provider']['DeviceCode']>;

const MINUTES = 60_000;

/** Wrong codes that all of a tenant together may enter in a while; those of one address are limited by the settings. */
const BY_TENANT = [200, 10 * MINUTES] as const;

/** What people read about scopes. */
const SCOPE_WORDS: Readonly<Record<string, string>> = {
  administer: 'Administer Placet with all the rights that you have',
  offline_access: 'Stay signed in for up to 12 hours',
};

export interface DevicePagesParts {
  readonly state: OAuthStore;
  readonly pepper: Buffer;
  readonly sessions: SignedInPersons;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly limits: Pick<AbuseLimits, 'secondsToWait' | 'failed'>;
}

/**
 * The pages on which a person lets a device act for them (RFC 8628): the code, then who asks for what and from where, then
 * yes or no. Nothing is granted by following a link.
 */
export class DevicePages {
  readonly #byTenant = new AttemptLimit(...BY_TENANT);

  constructor(private readonly parts: DevicePagesParts) {}

  async handle(request: IncomingMessage, response: ServerResponse, server: AuthorizationServer): Promise<void> {
    if (!(await server.letsDevicesIn())) return switchedOff(response);
    const given = request.method === 'POST' ? await readForm(request) : queryOf(request);
    const userCode = (given.get('user_code') ?? '')
      .toUpperCase()
      .replace(/[^A-Z]/g, '')
      .slice(0, 8);
    const person = await this.parts.sessions.of(request);
    if (!person || person.tenant !== server.tenant) return toSignIn(response, server, userCode);
    if (request.method !== 'POST') return this.#ask(response, server, person, userCode);
    if (!sameSecret(given.get('xsrf') ?? '', this.#xsrf(person)) || !isOurs(request, server))
      return this.#ask(
        response,
        server,
        person,
        userCode,
        403,
        'This form is not valid any more. Enter the code again.',
      );
    const code = await this.#find(request, server, userCode);
    if (typeof code === 'string') return this.#ask(response, server, person, '', code === LIMITED ? 429 : 400, code);
    const answer = given.get('answer');
    if (answer !== 'allow' && answer !== 'deny') return this.#confirm(response, server, person, code);
    if (!(await this.parts.state.claimUserCode(server.tenant, userCodeDigest(this.parts.pepper, userCode))))
      return this.#ask(response, server, person, '', 400, UNKNOWN);
    if (answer === 'deny') await refuse(code);
    else await grant(server, code, person, async () => (await this.parts.sessions.of(request))?.id === person.id);
    return done(response, answer === 'allow' && code.accountId === person.person);
  }

  /** The device code of a user code; a sentence where there is none. */
  async #find(request: IncomingMessage, server: AuthorizationServer, userCode: string): Promise<DeviceCode | string> {
    const { limits, addressOf } = this.parts;
    const address = addressOf(request);
    if (limits.secondsToWait('user_code', address) > 0 || !this.#byTenant.allows(server.tenant)) return LIMITED;
    const code = await server.provider.DeviceCode.findByUserCode(userCode);
    const isOpen = code && !code.accountId && !code.error && !code.isExpired;
    if (isOpen) return code;
    limits.failed('user_code', address);
    this.#byTenant.count(server.tenant);
    return UNKNOWN;
  }

  #ask(
    response: ServerResponse,
    server: AuthorizationServer,
    person: SignedInPerson,
    userCode: string,
    status = 200,
    problem?: string,
  ): void {
    sendPage(response, status, {
      title: 'Sign in a device',
      body: html`${problem === undefined ? undefined : html`<p role="alert">${problem}</p>`}
        <p>Enter the code that the device shows. Go on only if you started this yourself, just now.</p>
        ${this.#form(
          server,
          person,
          html`<label for="user_code">Code</label>
            <input
              id="user_code"
              name="user_code"
              value="${shown(userCode)}"
              autocomplete="off"
              autocapitalize="characters"
              spellcheck="false"
              required
            />
            <button class="primary" type="submit">Go on</button>`,
        )}`,
    });
  }

  #confirm(response: ServerResponse, server: AuthorizationServer, person: SignedInPerson, code: DeviceCode): void {
    const { address, program } = (code.deviceInfo ?? {}) as { address?: string; program?: string };
    const scopes = scopesOf(code).map((scope) => html`<li>${SCOPE_WORDS[scope] ?? scope}</li>`);
    sendPage(response, 200, {
      title: 'Let this device act for you?',
      body: html`<dl>
          <dt>Program</dt>
          <dd>${code.clientId === COMMAND_LINE ? COMMAND_LINE_CLIENT.client_name : code.clientId}</dd>
          <dt>Asked from</dt>
          <dd>${address ?? 'unknown'}${program ? html`<br />${program}` : undefined}</dd>
          <dt>Code</dt>
          <dd>${shown(code.userCode ?? '')}</dd>
          <dt>You are</dt>
          <dd>${person.name ?? person.person}</dd>
        </dl>
        <p>It asks to:</p>
        <ul>
          ${scopes}
        </ul>
        <p>If somebody sent you this code, or you do not know the address, refuse.</p>
        ${this.#form(
          server,
          person,
          html`<input type="hidden" name="user_code" value="${code.userCode ?? ''}" />
            <button type="submit" name="answer" value="deny">Refuse</button>
            <button class="primary" type="submit" name="answer" value="allow">Allow</button>`,
        )}`,
    });
  }

  #form(server: AuthorizationServer, person: SignedInPerson, fields: Html): Html {
    return html`<form method="post" action="${new URL(server.endpoints.device).pathname}">
      <input type="hidden" name="xsrf" value="${this.#xsrf(person)}" />
      ${fields}
    </form>`;
  }

  /** Bound to the session: a form of somebody else's, or of an earlier sign-in, is refused. */
  #xsrf({ tenant, id }: SignedInPerson): string {
    const key = derivedKey(this.parts.pepper, 'device form');
    return createHmac('sha256', key)
      .update(JSON.stringify([tenant, id]))
      .digest('base64url');
  }
}

const UNKNOWN = 'There is no such code, or it is over. Codes are good for ten minutes.';
const LIMITED = 'There were too many wrong codes. Wait some minutes.';

const shown = (userCode: string): string =>
  userCode.length === 8 ? `${userCode.slice(0, 4)}-${userCode.slice(4)}` : '';

const scopesOf = ({ params }: DeviceCode): string[] =>
  typeof params?.scope === 'string' ? params.scope.split(' ') : [];

const queryOf = ({ url = '' }: IncomingMessage): URLSearchParams =>
  new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');

/** Browsers say where a form comes from; one from elsewhere is refused whatever else is right about it. */
function isOurs({ headers }: IncomingMessage, { endpoints }: AuthorizationServer): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  // With `Referrer-Policy: no-referrer` a browser says `null` of our own pages.
  const { origin } = headers;
  return origin === undefined || origin === 'null' || origin === new URL(endpoints.issuer).origin;
}

/** People sign in first, and come back to a path of ours. */
function toSignIn(response: ServerResponse, { endpoints }: AuthorizationServer, userCode: string): void {
  const { pathname } = new URL(endpoints.device);
  const back = userCode === '' ? pathname : `${pathname}?user_code=${shown(userCode)}`;
  response.writeHead(303, {
    Location: `${endpoints.issuer}/sign-in?return_to=${encodeURIComponent(back)}`,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
  });
  response.end();
}

/**
 * INVARIANT: the grant is kept before the session is looked at again, and the code after it: signing somebody out everywhere
 * ends their sessions and grants together, so it is seen here, or it takes the grant away that the code needs.
 */
async function grant(
  { provider }: AuthorizationServer,
  code: DeviceCode,
  { person }: SignedInPerson,
  isStillSignedIn: () => Promise<boolean>,
): Promise<void> {
  const scope = scopesOf(code).join(' ');
  const given = new provider.Grant({ accountId: person, clientId: code.clientId! });
  given.addOIDCScope(scope);
  const grantId = await given.save();
  if (!(await isStillSignedIn())) {
    await given.destroy();
    return refuse(code);
  }
  Object.assign(code, { accountId: person, grantId, scope });
  await code.save();
}

async function refuse(code: DeviceCode): Promise<void> {
  Object.assign(code, { error: 'access_denied', errorDescription: 'the person refused' });
  await code.save();
}

const switchedOff = (response: ServerResponse): void =>
  sendPage(response, 403, {
    title: 'Devices cannot be signed in',
    body: html`<p role="alert">
      Device sign-in is switched off here. The device gets nothing. Ask your administrator.
    </p>`,
  });

const done = (response: ServerResponse, isAllowed: boolean): void =>
  sendPage(response, 200, {
    title: isAllowed ? 'The device is signed in' : 'Refused',
    body: html`<p>
      ${isAllowed ? 'You can close this page and go on there.' : 'The device gets nothing. You can close this page.'}
    </p>`,
  });
