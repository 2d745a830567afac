import { PrivateKeyJwt, type ClientAuth } from 'openid-client';
import type { SigningKeys } from '../oauth/signing-keys.js';

/**
 * How the service proves itself to identity providers without a secret (private_key_jwt): by the tenant's own key, whose
 * public part stands at `/t/<tenant>/oauth/jwks`. RS256, as not every provider takes another.
 */
export const clientKeyOf =
  (keys: SigningKeys) =>
  async (tenant: string): Promise<ClientAuth> => {
    const { id, key } = await keys.current(tenant, 'RS256');
    return PrivateKeyJwt({ kid: id, key: key.toCryptoKey(RS256, false, ['sign']) });
  };

const RS256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
