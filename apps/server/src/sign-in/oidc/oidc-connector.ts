import { hash } from 'node:crypto';
import * as oidc from 'openid-client';
import { isStrongEnough, type SignInAssurance } from '#identity';
import { identityClaim, identityOf, unmetRequirement, type IssuerDocument, type JsonObject } from '#policy';
import {
  SignInError,
  type Attempt,
  type Connector,
  type Examined,
  type Received,
  type VerifiedSignIn,
} from '../connector.js';
import { requirements } from '../test/told.js';
import { authorizationUrl } from './authorization-url.js';
import { examineProvider } from './examination.js';
import { lastingClaims } from './lasting-claims.js';
import type { OidcParts } from './oidc-parts.js';
import { configurationOf, type OidcSettings } from './provider-configuration.js';
import { tellRedeemed, tellUnredeemed, tokenAnswer } from './told.js';

/** How long what a provider says of itself is believed, in ms. */
const METADATA_FOR = 600_000;

/**
 * Sign-in by OpenID Connect: authorization code with PKCE (S256), state, nonce and the issuer's name in the response
 * (RFC 9207). The ID token is checked by the Issuer document.
 */
export class OidcConnector implements Connector {
  readonly kind = 'oidc';
  #configuration: { readonly at: number; readonly value: Promise<oidc.Configuration> } | undefined;

  constructor(
    private readonly issuer: IssuerDocument,
    private readonly settings: OidcSettings,
    private readonly parts: OidcParts,
  ) {}

  get name(): string {
    return this.issuer.name;
  }

  async begin(attempt: Attempt): Promise<URL> {
    attempt.watch?.look('discovery', `the issuer ${this.issuer.issuer}`);
    const config = await this.#config();
    attempt.watch?.look('request', `a code for ${this.settings.clientId} to ${attempt.callback}`);
    const url = await authorizationUrl(config, this.settings, attempt);
    if (isWebPage(url)) return url;
    throw new SignInError('not_configured', `the authorization endpoint is ${url.href}`);
  }

  async finish({ url }: Received, attempt: Attempt): Promise<VerifiedSignIn> {
    const { watch } = attempt;
    watch?.look('discovery', `the issuer ${this.issuer.issuer}`);
    const config = await this.#config();
    const tokens = await redeemed(config, url, attempt);
    const claims = tokens.claims() as JsonObject | undefined;
    if (claims === undefined || tokens.id_token === undefined)
      throw new SignInError('token_invalid', 'the answer has no ID token');
    watch?.look('audience', `aud is ${JSON.stringify(claims['aud'])}, ours is ${this.settings.clientId}`);
    this.#checkAudience(claims['aud']);
    const assurance = assuranceOf(claims);
    watch?.look('strength', `acr ${assurance.acr ?? 'not said'}, amr ${assurance.amr.join(', ') || 'not said'}`);
    if (!isStrongEnough(assurance, attempt.demand, this.parts.now()))
      throw new SignInError(
        'not_strong_enough',
        `acr ${assurance.acr ?? 'not said'}, at ${assurance.authTime ?? 'not said'}`,
      );
    watch?.look('require', requirements(this.issuer));
    const unmet = unmetRequirement(this.issuer, claims);
    if (unmet !== undefined) throw new SignInError('requirement_unmet', `the claim ${unmet} is not as it must be`);
    watch?.look('identity', `the claim ${identityClaim(this.issuer, claims)}`);
    const subject = identityOf(this.issuer, claims);
    if (!subject) throw new SignInError('identity_missing', 'the claim that says who it is cannot be used');
    return {
      issuer: this.issuer.name,
      subject,
      claims: lastingClaims(claims),
      name: textOf(claims['name']) ?? textOf(claims['preferred_username']),
      email: textOf(claims['email']),
      upstreamSession: textOf(claims['sid']),
      assurance,
      evidence: hash('sha256', tokens.id_token, 'base64url'),
      logoutHint: tokens.id_token,
    };
  }

  async examine(examined: Examined): Promise<void> {
    await examineProvider(this.issuer, this.settings, this.parts, examined);
  }

  /** RP-Initiated Logout 1.0. A provider that cannot be reached does not keep anybody from signing out here. */
  async endSession(returnTo: string, hint: string | null): Promise<URL | undefined> {
    const config = await this.#config();
    if (config.serverMetadata().end_session_endpoint === undefined) return undefined;
    const url = oidc.buildEndSessionUrl(config, {
      post_logout_redirect_uri: returnTo,
      ...(hint === null ? {} : { id_token_hint: hint }),
    });
    return isWebPage(url) ? url : undefined;
  }

  /** A token that is meant for others as well might have been made for them, and passed on to us (§3.1.3.7, step 3). */
  #checkAudience(audience: unknown): void {
    const all: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
    if (all.length !== 1 || all[0] !== this.settings.clientId)
      throw new SignInError('token_invalid', 'the ID token is not meant for us alone');
  }

  #config(): Promise<oidc.Configuration> {
    const now = this.parts.now();
    if (this.#configuration && now - this.#configuration.at < METADATA_FOR) return this.#configuration.value;
    const value = this.#load();
    const entry = { at: now, value };
    this.#configuration = entry;
    value.catch(() => {
      if (this.#configuration === entry) this.#configuration = undefined;
    });
    return value;
  }

  async #load(): Promise<oidc.Configuration> {
    const authentication = await this.parts.authentication();
    return configurationOf(this.issuer, this.settings, authentication, this.parts.fetch);
  }
}

/** Whether a URL that a provider gave is one to send a browser to. */
const isWebPage = ({ protocol }: URL): boolean => protocol === 'https:' || protocol === 'http:';

/** The tokens for an authorization response. Throws SignInError. */
async function redeemed(config: oidc.Configuration, url: URL, { callback, secrets, demand, watch }: Attempt) {
  // The redirect URI of the token request is this URL without its query: what was registered, whatever the request said.
  const current = new URL(callback);
  current.search = url.search;
  try {
    const tokens = await oidc.authorizationCodeGrant(config, current, {
      expectedState: secrets.state,
      expectedNonce: secrets.nonce,
      pkceCodeVerifier: secrets.verifier,
      idTokenExpected: true,
      ...(demand.maxAge === null ? {} : { maxAge: demand.maxAge }),
    });
    if (watch) tellRedeemed(watch, config, url, tokens.id_token);
    return tokens;
  } catch (error) {
    if (watch) tellUnredeemed(watch, config, url, error);
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): SignInError {
  const options = { cause: error };
  if (error instanceof SignInError) return error;
  if (error instanceof oidc.AuthorizationResponseError)
    return new SignInError('provider_refused', `the provider answers ${printable(error.error)}`, options);
  if (error instanceof oidc.ResponseBodyError)
    return new SignInError('provider_refused', `the token endpoint answers ${printable(error.error)}`, options);
  // As an endpoint answers a client that has not proven itself by the Authorization header (RFC 6749 §5.2).
  if (error instanceof oidc.WWWAuthenticateChallengeError)
    return new SignInError('provider_refused', `the token endpoint answers ${printable(tokenAnswer(error)!)}`, options);
  if (error instanceof oidc.ClientError) {
    const inner = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    const isToken = /JWT|ID Token|JWS|claim|signature/i.test(error.message + inner);
    return new SignInError(isToken ? 'token_invalid' : 'response_invalid', printable(error.message + inner), options);
  }
  return new SignInError('provider_unreachable', printable((error as Error).message), options);
}

/** What others have said, fit for a log. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);

function assuranceOf(claims: JsonObject): SignInAssurance {
  const { acr, amr, auth_time: time } = claims;
  return {
    acr: typeof acr === 'string' ? acr : null,
    amr: Array.isArray(amr) ? amr.filter((one): one is string => typeof one === 'string').slice(0, 20) : [],
    authTime: typeof time === 'number' && Number.isFinite(time) && time > 0 ? time * 1000 : null,
  };
}

const textOf = (claim: unknown): string | null =>
  typeof claim === 'string' && claim !== '' ? claim.slice(0, 512).toWellFormed().replaceAll('\u0000', '') : null;
