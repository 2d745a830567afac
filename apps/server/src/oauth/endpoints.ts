/** Where the authorization server of a tenant is. All from the public URL: what a request says about itself is not believed. */
export interface Endpoints {
  readonly issuer: string;
  readonly token: string;
  readonly introspection: string;
  readonly revocation: string;
  readonly jwks: string;
  readonly deviceAuthorization: string;
  readonly device: string;
}

/** Paths within a tenant. */
export const ROUTES = {
  token: '/oauth/token',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  jwks: '/oauth/jwks',
  device_authorization: '/oauth/device/authorize',
  code_verification: '/oauth/device',
} as const;

/** Within a tenant, where the keys are by which receipts are verified. */
export const RECEIPT_KEYS = '/oauth/jwks/receipts';

/** Name of the tenant's OAuth issuer and its endpoints. */
export function endpointsOf(publicUrl: string, tenantName: string): Endpoints {
  const issuer = `${publicUrl}/t/${tenantName}`;
  return {
    issuer,
    token: issuer + ROUTES.token,
    introspection: issuer + ROUTES.introspection,
    revocation: issuer + ROUTES.revocation,
    jwks: issuer + ROUTES.jwks,
    deviceAuthorization: issuer + ROUTES.device_authorization,
    device: issuer + ROUTES.code_verification,
  };
}

export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Ways in which clients prove themselves at the endpoints. */
export const CLIENT_AUTHENTICATION = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;

/** Algorithms of the assertions by which clients prove themselves. */
export const CLIENT_ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] as const;

/** What tokens can be asked for. */
export const OFFERED_SCOPES = ['decide', 'administer', 'offline_access'] as const;

/**
 * What clients find out about the authorization server (RFC 8414). There is no authorization endpoint.
 * @param devices whether people may sign in devices
 */
export function serverMetadata(endpoints: Endpoints, devices: boolean): object {
  const authentication = {
    methods: CLIENT_AUTHENTICATION.filter((method) => method !== 'none'),
    algorithms: CLIENT_ALGORITHMS,
  };
  return {
    issuer: endpoints.issuer,
    token_endpoint: endpoints.token,
    jwks_uri: endpoints.jwks,
    ...(devices ? { device_authorization_endpoint: endpoints.deviceAuthorization } : {}),
    introspection_endpoint: endpoints.introspection,
    revocation_endpoint: endpoints.revocation,
    scopes_supported: OFFERED_SCOPES,
    response_types_supported: [],
    grant_types_supported: [
      'client_credentials',
      ...(devices ? [DEVICE_CODE_GRANT, 'refresh_token'] : []),
      JWT_BEARER_GRANT,
    ],
    token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    token_endpoint_auth_signing_alg_values_supported: authentication.algorithms,
    introspection_endpoint_auth_methods_supported: authentication.methods,
    introspection_endpoint_auth_signing_alg_values_supported: authentication.algorithms,
    revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    revocation_endpoint_auth_signing_alg_values_supported: authentication.algorithms,
  };
}

/** What clients find out about our API (RFC 9728): which authorization server's tokens it takes. */
export function resourceMetadata(publicUrl: string, resource: string, issuer: string): object {
  return {
    resource,
    authorization_servers: [issuer],
    scopes_supported: OFFERED_SCOPES.filter((scope) => scope !== 'offline_access'),
    bearer_methods_supported: ['header'],
    resource_name: 'Placet',
    resource_documentation: `${publicUrl}/docs`,
  };
}
