import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, type JWTPayload } from 'jose';
import { Provider, type AdapterPayload, type Configuration, type JWK } from 'oidc-provider';
import { Memory } from './identity-provider/memory.js';

/** Somebody whom the identity provider knows. `claims` has what a token says besides `sub`: email, groups, and so on. */
interface IdpPerson {
  readonly sub: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** An OAuth client of the identity provider, in the words of OAuth dynamic registration. */
interface IdpClient {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly redirect_uris?: readonly string[];
  readonly [member: string]: unknown;
}

/** A company's identity provider: a real one, whose people sign in without a human. */
export interface IdentityProvider {
  readonly issuer: string;
  readonly port: number;
  /** Claims are read at each token, so they can change in between. */
  readonly people: Map<string, IdpPerson>;
  /** Who is at its sign-in page, and how they prove themselves; undefined: they click on Cancel. */
  keyboard: Keyboard | undefined;
  /** Whether its sign-in page asks who somebody is, for people at a browser; else `keyboard` says it. */
  asksWho: boolean;
  /** Changes an answer of the token endpoint on its way, as a fault or an attacker would. */
  tamper: ((answer: TokenAnswer) => TokenAnswer | Promise<TokenAnswer>) | undefined;
  /** Every request that came, as in `GET /jwks`. */
  readonly requests: string[];
  /** Adds a client, or replaces it. */
  client(client: IdpClient): void;
  /** Any token under its key, or another: for those that the provider itself would never issue. */
  sign(claims: JWTPayload, options?: SignOptions): Promise<string>;
  /** Stops to answer, or answers again: whatever comes is turned away with 503. */
  away: boolean;
  /** The private key that it signs with. */
  readonly key: KeyObject;
  readonly keyId: string;
  close(): Promise<void>;
}

export interface Keyboard {
  readonly sub: string;
  /** How it was proven; left out: the first class that was asked for, or `urn:company:password`. */
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** Seconds since 1970; left out: now. */
  readonly authTime?: number;
}

export interface TokenAnswer {
  readonly id_token?: string;
  readonly access_token?: string;
  readonly [member: string]: unknown;
}

interface SignOptions {
  /** Members of the header over `{alg: 'RS256', kid}`. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: KeyObject | Uint8Array;
}

/** Classes of assurance that it knows. */
const ACR_VALUES = ['urn:company:password', 'urn:company:mfa'] as const;

/** Starts an identity provider on a free port, or on the one of an earlier one that was closed. */
export async function startIdentityProvider({ port = 0 }: { readonly port?: number } = {}): Promise<IdentityProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyId = randomBytes(6).toString('hex');
  const clients = new Map<string, AdapterPayload>();
  const idp: IdentityProvider = {
    issuer,
    port: (server.address() as AddressInfo).port,
    people: new Map(),
    keyboard: undefined,
    asksWho: false,
    tamper: undefined,
    requests: [],
    away: false,
    key: privateKey,
    keyId,
    client: (client) => void clients.set(client.client_id, asPayload(client)),
    sign: (claims, { header = {}, key = privateKey } = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: keyId, ...header }).sign(key),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const provider = new Provider(issuer, configuration(idp, new Memory(clients)));
  provider.on('server_error', (_context, error) => console.error('identity provider:', error));
  provider.use(async (context, next) => {
    await next();
    if (context.path === '/token' && idp.tamper) context.body = await idp.tamper(context.body as TokenAnswer);
  });
  const answer = provider.callback();
  server.on('request', (request, response) => {
    idp.requests.push(`${request.method} ${request.url!.split('?')[0]}`);
    if (idp.away) return void response.writeHead(503).end();
    if (!request.url!.startsWith('/interaction/')) return void answer(request, response);
    interact(provider, idp, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  return idp;
}

function asPayload(client: IdpClient): AdapterPayload {
  const isPublic = client.client_secret === undefined && client['jwks'] === undefined;
  return {
    redirect_uris: [],
    response_types: client.redirect_uris?.length ? ['code'] : [],
    grant_types: client.redirect_uris?.length ? ['authorization_code', 'refresh_token'] : ['client_credentials'],
    ...(isPublic ? { token_endpoint_auth_method: 'none' } : {}),
    ...client,
  };
}

function configuration(idp: IdentityProvider, memory: Memory): Configuration {
  return {
    adapter: (model) => memory.adapter(model),
    jwks: {
      keys: [{ ...(idp.key.export({ format: 'jwk' }) as JWK), kid: idp.keyId, alg: 'RS256', use: 'sig' }],
    },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    scopes: ['openid', 'offline_access', 'email', 'profile', 'groups', 'api'],
    claims: {
      openid: ['sub', 'amr', 'groups', 'hd', 'oid', 'tid', 'roles'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username'],
      acr: null,
      auth_time: null,
      sid: null,
      iss: null,
    },
    // As companies' providers do: what the scopes stand for is in the ID token, and not only at the userinfo endpoint.
    conformIdTokenClaims: false,
    acrValues: [...ACR_VALUES],
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, sub) => {
      const person = idp.people.get(sub);
      return (
        person && {
          accountId: sub,
          claims: async () => ({ ...person.claims, sub, amr: [...(idp.keyboard?.amr ?? ['pwd'])] }),
        }
      );
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (context, form) => {
          const button =
            '<button id="end" form="op.logoutForm" type="submit" value="yes" name="logout">Sign out</button>';
          context.body = `<!DOCTYPE html><title>Sign out</title>${form}${button}<script>document.getElementById('end').click()</script>`;
        },
      },
      // Access tokens that are JWTs, for the resource that was asked for.
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => ({
          scope: 'api openid',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: (_context, token) => {
      const sub = 'accountId' in token ? token.accountId : undefined;
      return sub === undefined ? undefined : { ...idp.people.get(sub)?.claims };
    },
    ttl: { AccessToken: 600, ClientCredentials: 600, IdToken: 600, Session: 3600, Grant: 3600, Interaction: 600 },
    pkce: { required: () => false },
  };
}

/** What a person would do at the pages: give their name and proof, and agree. */
async function interact(
  provider: Provider,
  idp: IdentityProvider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const said = prompt.name === 'login' ? new URL(request.url!, idp.issuer).searchParams.get('as') : session?.accountId;
  if (idp.asksWho && !idp.people.has(said ?? '')) return askWho(idp, response);
  const keyboard: Keyboard | undefined = idp.asksWho ? { sub: said! } : idp.keyboard;
  if (!keyboard) {
    const refusal = { error: 'access_denied', error_description: 'the person cancelled' };
    return provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
  }
  if (prompt.name === 'login') {
    const asked = typeof params['acr_values'] === 'string' ? params['acr_values'].split(' ')[0] : undefined;
    const login = {
      accountId: keyboard.sub,
      acr: keyboard.acr ?? asked ?? ACR_VALUES[0],
      amr: [...(keyboard.amr ?? ['pwd'])],
      ...(keyboard.authTime === undefined ? {} : { ts: keyboard.authTime }),
    };
    return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  }
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant = known ?? new provider.Grant({ accountId: session!.accountId, clientId: params['client_id'] as string });
  const details = prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {}))
    grant.addResourceScope(resource, scopes.join(' '));
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

/** The page on which a person says who they are. */
function askWho({ people }: IdentityProvider, response: ServerResponse): void {
  const links = [...people.keys()].map((sub) => `<p><a href="?as=${encodeURIComponent(sub)}">${sub}</a></p>`).join('');
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(
    `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Who are you?</title><h1>Who are you?</h1>${links}</html>`,
  );
}
