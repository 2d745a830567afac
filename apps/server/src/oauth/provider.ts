import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import Provider, { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { derivedKey } from '#identity';
import { PostgresAdapter, type AdapterParts } from './adapter.js';
import { ClientProofs } from './client-proofs.js';
import { COMMAND_LINE_CLIENT, metadataOf, type OAuthClients } from './clients.js';
import { CLIENT_ALGORITHMS, CLIENT_AUTHENTICATION, JWT_BEARER_GRANT, OFFERED_SCOPES, ROUTES } from './endpoints.js';
import { LIFETIMES } from './lifetimes.js';

/** How far the clock of a client may be off, in seconds. */
const CLOCK_TOLERANCE = 30;

export interface ProviderParts extends Omit<AdapterParts, 'stillProven'> {
  readonly issuer: string;
  readonly clients: OAuthClients;
  readonly signingKey: object;
  /** The client whose assertion (RFC 7523) a request has shown; undefined: it has shown none that is good. */
  readonly workloadOf: (request: IncomingMessage) => string | undefined;
  /** Whether a person may still get tokens by a sign-in of a moment, in ms since 1970. */
  readonly mayGoOn: (person: string, since: number) => Promise<boolean>;
  readonly addressOf: (request: IncomingMessage) => string;
  /** How long a device is told to wait between two questions for its tokens. */
  readonly devicePollSeconds: number;
  readonly onError: (error: unknown) => void;
}

export type { Provider };

/** The authorization server of one tenant: what the library would offer besides is off. */
export function createProvider(parts: ProviderParts): Provider {
  const proofs = new ClientProofs(parts.tenant, parts.clients);
  const provider = new Provider(parts.issuer, configurationOf(parts, proofs));
  believeOnly(provider, parts);
  Object.defineProperty(provider.Client.prototype, 'compareClientSecret', {
    value(this: { readonly clientId: string }, text: string) {
      const context = Provider.ctx!;
      return proofs.bySecret(context, this.clientId, text, context.ip);
    },
  });
  provider.registerGrantType(JWT_BEARER_GRANT, (context) => workloadToken(provider, parts, context), [
    'assertion',
    'scope',
  ]);
  provider.on('device_authorization.success', (_context, answer) => {
    Object.assign(answer, { interval: parts.devicePollSeconds });
  });
  provider.on('server_error', (_context, error) => parts.onError(error));
  (provider as EventEmitter).on('error', parts.onError);
  return provider;
}

/** INVARIANT: URLs come from the issuer alone; no header of a request gets into one. */
function believeOnly(provider: Provider, { issuer, addressOf }: ProviderParts): void {
  const { protocol, host } = new URL(issuer);
  Object.defineProperties(provider.request, {
    protocol: { get: () => protocol.slice(0, -1) },
    secure: { get: () => protocol === 'https:' },
    host: { get: () => host },
    hostname: { get: () => new URL(issuer).hostname },
    ip: {
      get(this: { readonly req: IncomingMessage }) {
        return addressOf(this.req);
      },
    },
  });
}

async function workloadToken(
  provider: Provider,
  { workloadOf }: ProviderParts,
  context: KoaContextWithOIDC,
): Promise<void> {
  const { client, params } = context.oidc;
  if (!client || workloadOf(context.req) !== client.clientId)
    throw new errors.InvalidGrant('no assertion that is good');
  const scope = typeof params?.scope === 'string' ? params.scope : 'decide';
  const token = new provider.ClientCredentials({ client, scope });
  context.oidc.entity('ClientCredentials', token);
  const value = await token.save();
  context.body = { access_token: value, expires_in: token.expiration, scope, token_type: token.tokenType };
}

const secondsLeft = (until: number): number => Math.max(1, Math.floor(until - Date.now() / 1000));

function configurationOf(parts: ProviderParts, proofs: ClientProofs): Configuration {
  const { tenant, pepper, clients, signingKey, mayGoOn } = parts;
  const adapterParts = { ...parts, stillProven: () => proofs.still(Provider.ctx!) };
  const off = { enabled: false } as const;
  return {
    adapter: (model: string) =>
      model === 'Client'
        ? clientAdapter(tenant, clients, adapterParts, proofs)
        : new PostgresAdapter(model, adapterParts),
    clients: [COMMAND_LINE_CLIENT],
    clientDefaults: { grant_types: [], response_types: [], id_token_signed_response_alg: 'ES256' },
    clientAuthMethods: [...CLIENT_AUTHENTICATION],
    enabledJWA: { clientAuthSigningAlgValues: [...CLIENT_ALGORITHMS], idTokenSigningAlgValues: ['ES256'] },
    assertJwtClientAuthClaimsAndHeader(context, claims) {
      const now = Date.now() / 1000;
      if (!(typeof claims.exp === 'number' && claims.exp - now <= LIFETIMES.assertion + CLOCK_TOLERANCE))
        throw new errors.InvalidClientAuth('the assertion lasts too long');
      if (!proofs.byKeys(context, context.ip)) throw new errors.InvalidClientAuth('not from one of its networks');
    },
    // No page of another site has business with these endpoints.
    clientBasedCORS: () => false,
    clockTolerance: CLOCK_TOLERANCE,
    cookies: { keys: [derivedKey(pepper, 'oauth cookies', tenant).toString('base64url')] },
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        deviceInfo: (context) => ({ address: context.ip, program: context.get('user-agent').slice(0, 200) }),
      },
      introspection: {
        enabled: true,
        allowedPolicy: (_context, client, token) =>
          client.clientAuthMethod !== 'none' && token.clientId === client.clientId,
      },
      revocation: { enabled: true, allowedPolicy: (_context, client, token) => token.clientId === client.clientId },
      devInteractions: off,
      dPoP: off,
      pushedAuthorizationRequests: off,
      resourceIndicators: off,
      rpInitiatedLogout: off,
      userinfo: off,
    },
    async findAccount(_context, person, token) {
      const { iiat, iat } = (token ?? {}) as { readonly iiat?: number; readonly iat?: number };
      if (!(await mayGoOn(person, (iiat ?? iat ?? 0) * 1000))) return undefined;
      return { accountId: person, claims: async () => ({ sub: person }) };
    },
    // Nothing that a client says makes the service ask anybody.
    fetch: async () => {
      throw new Error('the authorization server fetches nothing');
    },
    jwks: { keys: [signingKey] },
    pkce: { required: () => true },
    renderError: async (context, out) => {
      context.type = 'json';
      context.body = out;
    },
    responseTypes: ['none'],
    rotateRefreshToken: true,
    routes: ROUTES,
    scopes: [...OFFERED_SCOPES],
    ttl: {
      ClientCredentials: LIFETIMES.hostToken,
      AccessToken: (context) =>
        Math.min(LIFETIMES.personToken, secondsLeft(context?.oidc.entities.Grant?.exp ?? Infinity)),
      DeviceCode: LIFETIMES.deviceCode,
      Grant: LIFETIMES.grant,
      RefreshToken: (_context, token) =>
        token.iiat === undefined ? LIFETIMES.grant : secondsLeft(token.iiat + LIFETIMES.grant),
    },
  };
}

/** Clients are credentials, which nobody makes or changes by this way. */
function clientAdapter(
  tenant: string,
  clients: OAuthClients,
  parts: AdapterParts,
  proofs: ClientProofs,
): PostgresAdapter {
  return new (class extends PostgresAdapter {
    override async find(id: string) {
      const stored = await clients.live(tenant, id);
      if (!stored) return undefined;
      proofs.begins(Provider.ctx, stored);
      return metadataOf(stored);
    }
  })('Client', parts);
}
