import type * as oidc from 'openid-client';
import type { OutgoingFetch } from '#identity';

/** What a sign-in by OpenID Connect needs of us. */
export interface OidcParts {
  readonly fetch: OutgoingFetch;
  /** How the client proves itself at the token endpoint; asked for once for each configuration. */
  authentication(): Promise<oidc.ClientAuth>;
  /** ms since 1970, by the database's clock. */
  now(): number;
}
