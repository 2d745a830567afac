import type { JSONWebKeySet, JWK } from 'jose';
import { isJsonObject, own, type IssuerDocument, type Json, type JsonObject } from '#policy';
import { OutgoingError } from '#outgoing';
import type { OutgoingFetch } from '../outgoing.js';

/** Keys of one provider that are looked at. */
const MAX_KEYS = 200;

/** Public keys; a secret has no place in a set that everybody can read. */
const KEY_TYPES: readonly unknown[] = ['RSA', 'EC', 'OKP', 'AKP'];

/** Fetches the public keys of an issuer, from where its document or its own metadata says. Throws OutgoingError. */
export async function fetchKeys(issuer: IssuerDocument, fetch: OutgoingFetch): Promise<JSONWebKeySet> {
  const uri = issuer.jwksUri ?? (await discoveredUri(issuer.issuer, fetch));
  const keys = own(await fetchObject(uri, fetch), 'keys');
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw new OutgoingError(`${uri} is no set of keys`);
  return {
    keys: (keys as readonly Json[]).filter(
      (key) => isJsonObject(key) && KEY_TYPES.includes(own(key, 'kty')) && own(key, 'd') === undefined,
    ) as unknown as JWK[],
  };
}

/** OpenID Connect Discovery 1.0, section 4: the metadata must say the very issuer that was asked (section 4.3). */
async function discoveredUri(issuer: string, fetch: OutgoingFetch): Promise<string> {
  const metadata = await fetchObject(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, fetch);
  const [said, uri] = [own(metadata, 'issuer'), own(metadata, 'jwks_uri')];
  if (said !== issuer) throw new OutgoingError(`the metadata of ${issuer} is of another issuer`);
  if (typeof uri !== 'string' || !URL.canParse(uri))
    throw new OutgoingError(`the metadata of ${issuer} has no jwks_uri`);
  return uri;
}

async function fetchObject(url: string, fetch: OutgoingFetch): Promise<JsonObject> {
  const response = await fetch(url, { headers: { Accept: 'application/json' } });
  if (response.status !== 200) throw new OutgoingError(`${url} answers with status ${response.status}`);
  const value = (await response.json().catch(() => undefined)) as Json | undefined;
  if (!isJsonObject(value)) throw new OutgoingError(`${url} is no JSON object`);
  return value;
}
