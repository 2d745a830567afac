import { SAML } from '@node-saml/node-saml';
import { NAME_FORMATS } from './names.js';

/** A request to sign somebody in. */
export interface AuthnRequest {
  /** Where the identity provider takes requests, by its HTTP-Redirect binding. */
  readonly destination: string;
  /** Our entity id. */
  readonly issuer: string;
  /** Where we take the answer. */
  readonly recipient: string;
  /** Random, and bound to the browser that is sent. */
  readonly id: string;
  /** Whether the person must prove anew who they are. */
  readonly force: boolean;
  /** Classes of authentication of which one is asked for; empty: any. */
  readonly contextClasses: readonly string[];
  /** Whether a persistent name is asked for, as nothing else says who somebody is. */
  readonly persistentName: boolean;
  /** Our private key, PEM. */
  readonly key: string;
}

/** The URL that a browser is sent to with a signed request (SAML 2.0 bindings §3.4). */
export async function authnRequestUrl(request: AuthnRequest): Promise<URL> {
  const library = new SAML({
    entryPoint: request.destination,
    issuer: request.issuer,
    callbackUrl: request.recipient,
    // It wants one for answers, which are verified elsewhere.
    idpCert: 'unused',
    privateKey: request.key,
    signatureAlgorithm: 'sha256',
    generateUniqueId: () => request.id,
    forceAuthn: request.force,
    identifierFormat: request.persistentName ? NAME_FORMATS.persistent : null,
    disableRequestedAuthnContext: request.contextClasses.length === 0,
    authnContext: [...request.contextClasses],
    racComparison: 'exact',
  });
  return new URL(await library.getAuthorizeUrlAsync('', undefined, {}));
}
