import { randomBytes } from 'node:crypto';
import * as oidc from 'openid-client';
import { fetchKeys, type OutgoingFetch } from '#identity';
import type { IssuerDocument } from '#policy';
import type { Examined } from '../connector.js';
import { NotGood } from '../test/steps.js';
import { authorizationUrl } from './authorization-url.js';
import type { OidcParts } from './oidc-parts.js';
import { configurationOf, discover, metadataUrl, type OidcSettings } from './provider-configuration.js';
import { tokenAnswer } from './told.js';

/** Between the provider's clock and ours, in ms: as much as is forgiven of tokens. */
const CLOCK_TOLERANCE_MS = 30_000;

/** What a provider answers who knows the client and its redirect URI, and may not show the person a page (OpenID Connect Core §3.1.2.6). */
const NOBODY_THERE = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required'];

/** Tries everything that can be tried of a provider without a person. */
export async function examineProvider(
  issuer: IssuerDocument,
  settings: OidcSettings,
  parts: OidcParts,
  { callback, step, unknown }: Examined,
): Promise<void> {
  let authentication: oidc.ClientAuth | undefined;
  await step('secret', async () => {
    authentication = await parts.authentication();
    return proofOf(settings);
  });
  let theirs: number | undefined;
  const fetch: OutgoingFetch = async (url, options) => {
    const answer = await parts.fetch(url, options);
    const date = Date.parse(answer.headers.get('date') ?? '');
    if (!Number.isNaN(date)) theirs = date;
    return answer;
  };
  let metadata: oidc.ServerMetadata | undefined;
  await step('discovery', async () => {
    metadata = await discover(issuer.issuer, fetch);
    return `${metadataUrl(issuer.issuer)} is of the issuer ${issuer.issuer}`;
  });
  if (!metadata) return;
  const known = metadata;
  const hasEndpoints = await step('endpoints', () => endpointsOf(known));
  await step('keys', async () => {
    const { keys } = await fetchKeys(issuer, fetch);
    if (keys.length === 0) throw new NotGood('there is no public key');
    return keys
      .map(({ kid = 'without kid', kty, alg }) => `${kid} (${[kty, alg].filter(Boolean).join(' ')})`)
      .join(', ');
  });
  await step('algorithms', () => algorithmsOf(issuer, known));
  await step('client_authentication', () => authenticationOf(settings, known));
  if (theirs === undefined) unknown('clock', 'the provider does not say its time');
  else await sayClock(theirs, parts.now(), step);
  if (!authentication || !hasEndpoints) return;
  const config = await configurationOf(issuer, settings, authentication, fetch);
  await tryRedirect(config, settings, fetch, { callback, step, unknown });
  await tryToken(config, { callback, step, unknown });
}

const proofOf = ({ authentication, clientSecret }: OidcSettings): string =>
  clientSecret === undefined
    ? `${authentication}: there is no secret to keep`
    : `${authentication}, by the secret '${clientSecret}', which is set`;

function endpointsOf(metadata: oidc.ServerMetadata): string {
  const { authorization_endpoint: authorization, token_endpoint: token } = metadata;
  for (const [name, url] of Object.entries({ authorization_endpoint: authorization, token_endpoint: token }))
    if (typeof url !== 'string' || !URL.canParse(url)) throw new NotGood(`${name} is not there, or no URL`);
  return `authorization at ${authorization}, token at ${token}`;
}

function algorithmsOf({ algorithms }: IssuerDocument, metadata: oidc.ServerMetadata): string {
  const said = metadata.id_token_signing_alg_values_supported ?? ['RS256'];
  const both = algorithms.filter((algorithm) => said.includes(algorithm));
  const text = `the document takes ${algorithms.join(', ')}, the provider has ${said.join(', ')}`;
  if (both.length > 0) return text;
  throw new NotGood(text);
}

/** What is not said means `client_secret_basic` (OpenID Connect Discovery 1.0 §3). */
function authenticationOf({ authentication }: OidcSettings, metadata: oidc.ServerMetadata): string {
  const said = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const text = `the document says ${authentication}, the provider takes ${said.join(', ')}`;
  // A client without a proof of itself is often not among what providers list.
  if (said.includes(authentication) || authentication === 'none') return text;
  throw new NotGood(text);
}

async function sayClock(theirs: number, now: number, step: Examined['step']): Promise<void> {
  await step('clock', () => {
    const text = `the provider's clock is ${Math.round(Math.abs(theirs - now) / 1000)} s from ours`;
    if (Math.abs(theirs - now) <= CLOCK_TOLERANCE_MS) return text;
    throw new NotGood(text);
  });
}

/** Asks as a browser would in which nobody is signed in: whoever knows the client and its redirect URI sends it back there. */
async function tryRedirect(
  config: oidc.Configuration,
  settings: OidcSettings,
  fetch: OutgoingFetch,
  { callback, step, unknown }: Examined,
): Promise<void> {
  const random = () => randomBytes(32).toString('base64url');
  const secrets = { state: random(), nonce: random(), verifier: random() };
  const url = await authorizationUrl(config, settings, { callback, secrets, demand: { acr: [], maxAge: null } });
  url.searchParams.set('prompt', 'none');
  const answer = await fetch(url.href).catch(() => undefined);
  if (!answer) return unknown('redirect_uri', `${url.origin} cannot be asked from here: browsers must reach it`);
  const to = answer.headers.get('location');
  const back = to !== null && URL.canParse(to, url.href) ? new URL(to, url) : undefined;
  const isBack = back !== undefined && back.origin + back.pathname === callback;
  const error = back?.searchParams.get('error') ?? '';
  if (!isBack && answer.status < 400)
    return unknown(
      'redirect_uri',
      `the provider answers ${answer.status} without a person, which says nothing of ${callback}`,
    );
  await step('redirect_uri', () => {
    if (isBack && NOBODY_THERE.includes(error)) return `the provider sends browsers back to ${callback} (${error})`;
    if (isBack)
      throw new NotGood(
        `the provider refuses the request: ${error || 'without an error'} ${back.searchParams.get('error_description') ?? ''}`,
      );
    throw new NotGood(
      `the provider answers ${answer.status} on its own page, and does not send browsers back to ${callback}`,
    );
  });
}

/** Asks for the tokens of a code that was never issued: that is refused, and the client is looked at before (RFC 6749 §5.2). */
async function tryToken(config: oidc.Configuration, { callback, step, unknown }: Examined): Promise<void> {
  const random = () => randomBytes(32).toString('base64url');
  const asked = { code: random(), redirect_uri: callback, code_verifier: random() };
  const endpoint = config.serverMetadata().token_endpoint!;
  const error: unknown = await oidc
    .genericGrantRequest(config, 'authorization_code', asked)
    .catch((cause: unknown) => cause);
  const said = tokenAnswer(error);
  if (said === undefined)
    return unknown(
      'token_endpoint',
      `${endpoint} does not answer as a token endpoint does: ${(error as Error).message ?? ''}`,
    );
  await step('token_endpoint', () => {
    if (said.startsWith('invalid_grant'))
      return `${endpoint} refuses an invented code (invalid_grant), and not the client`;
    throw new NotGood(`${endpoint} answers ${said}`);
  });
}
