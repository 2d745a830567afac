import * as oidc from 'openid-client';
import type { OutgoingFetch } from '#identity';
import { isLoopbackUrl } from '#outgoing';
import type { IssuerDocument } from '#policy';
import { SignInError } from '../connector.js';

/** How an Issuer's people sign in by OpenID Connect, as its document has it. */
export type OidcSettings = Extract<NonNullable<IssuerDocument['signIn']>, { readonly clientId: string }>;

/**
 * What openid-client needs to know of a provider: its own metadata, by discovery, and over them what the Issuer document
 * says. Throws SignInError.
 */
export async function configurationOf(
  issuer: IssuerDocument,
  signIn: OidcSettings,
  authentication: oidc.ClientAuth,
  fetch: OutgoingFetch,
): Promise<oidc.Configuration> {
  const metadata = await discover(issuer.issuer, fetch);
  const server = {
    ...metadata,
    ...(issuer.jwksUri === undefined ? {} : { jwks_uri: issuer.jwksUri }),
    // INVARIANT: which signatures count, the document says, and never the provider or the token.
    id_token_signing_alg_values_supported: [...issuer.algorithms],
  };
  const config = new oidc.Configuration(server, signIn.clientId, undefined, authentication);
  config[oidc.customFetch] = (url, { method, headers, body, signal }) =>
    fetch(url, { method, headers, body: body as never, signal });
  config.timeout = 10;
  // TLS alone would do by OpenID Connect Core §3.1.3.7; the signature holds also against who has broken into TLS.
  oidc.enableNonRepudiationChecks(config);
  if (isLoopbackUrl(issuer.issuer)) oidc.allowInsecureRequests(config);
  return config;
}

/** Where a provider's metadata are. */
export const metadataUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

/** A provider's metadata (OpenID Connect Discovery 1.0 §4). Throws SignInError. */
export async function discover(issuer: string, fetch: OutgoingFetch): Promise<oidc.ServerMetadata> {
  const url = metadataUrl(issuer);
  const metadata = await fetchJson(url, fetch);
  if (metadata['issuer'] !== issuer) {
    throw new SignInError('not_configured', `${url} is of the issuer ${JSON.stringify(metadata['issuer'])}`);
  }
  return metadata as unknown as oidc.ServerMetadata;
}

async function fetchJson(url: string, fetch: OutgoingFetch): Promise<Record<string, unknown>> {
  try {
    const response = await fetch(url, { headers: { Accept: 'application/json' } });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    const value: unknown = await response.json();
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new Error('not an object');
  } catch (cause) {
    throw new SignInError('provider_unreachable', `${url}: ${(cause as Error).message}`, { cause });
  }
}
