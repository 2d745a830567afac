import * as oidc from 'openid-client';
import type { StrengthDemand } from '#identity';
import type { Attempt } from '../connector.js';
import type { OidcSettings } from './provider-configuration.js';

/** Where a browser is sent to with the request to sign somebody in (OpenID Connect Core §3.1.2.1). */
export async function authorizationUrl(
  config: oidc.Configuration,
  { scopes, acrValues, extraParameters }: OidcSettings,
  { callback, secrets, demand }: Pick<Attempt, 'callback' | 'secrets' | 'demand'>,
): Promise<URL> {
  const acr = demand.acr.length > 0 ? demand.acr : (acrValues ?? []);
  return oidc.buildAuthorizationUrl(config, {
    ...extraParameters,
    response_type: 'code',
    redirect_uri: callback,
    scope: scopes.join(' '),
    state: secrets.state,
    nonce: secrets.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(secrets.verifier),
    code_challenge_method: 'S256',
    ...(acr.length > 0 ? { acr_values: acr.join(' ') } : {}),
    ...(isStepUp(demand) ? { prompt: 'login' } : {}),
    ...(demand.maxAge === null ? {} : { max_age: String(demand.maxAge) }),
  });
}

/** A proof that is asked for anew: no session at the provider may answer for the person. */
const isStepUp = (demand: StrengthDemand): boolean => demand.maxAge !== null || demand.acr.length > 0;
