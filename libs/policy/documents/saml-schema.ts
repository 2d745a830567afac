import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { endpointProblem } from './identity-members.js';
import { withoutProblem, word } from './members.js';

/** An absolute URI: what SAML calls an entity (SAML 2.0 core §8.3.6), which need not be an address of anything. */
export function entityProblem(text: string): string | undefined {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/.test(text)
    ? undefined
    : 'the entity id of a SAML identity provider is an absolute URI, as its metadata has it in entityID';
}

/** Where an assertion says who somebody is: its persistent name, or the only value of an attribute. */
export const samlIdentityProblem = (pointer: string): string | undefined =>
  pointer === '/sub' || /^\/attributes\/[^/]+\/0$/.test(pointer)
    ? undefined
    : 'with SAML the identity is /sub (the persistent NameID) or /attributes/NAME/0 (an attribute with one value)';

/** What is wrong with the certificate of an identity provider. Only its key counts: not who signed it, and not until when. */
function certificateProblem(text: string): string | undefined {
  const form =
    'a certificate is written as PEM: from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, one in each';
  if (!/^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/.test(text)) return form;
  try {
    const { publicKey } = new X509Certificate(text);
    const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
    return publicKey.asymmetricKeyType === 'rsa' && bits >= 2048
      ? undefined
      : 'the key of a certificate is an RSA key of 2048 bits or more';
  } catch {
    return form;
  }
}

const attribute = z.string().min(1).max(512);

/** How people of an Issuer sign in by SAML 2.0. */
export const samlSignInMembers = {
  protocol: z.literal('saml'),
  /** Where the provider takes requests, by HTTP-Redirect. */
  url: z.string().min(1).max(2048).superRefine(withoutProblem(endpointProblem)),
  certificates: z
    .array(z.string().max(16_384).superRefine(withoutProblem(certificateProblem)))
    .min(1)
    .max(10),
  /** The assertion is signed in any case. */
  signed: z.enum(['response', 'assertion']).default('response'),
  encrypted: z.boolean().default(false),
  contextClasses: z.array(word).min(1).max(20).optional(),
  idpInitiated: z.enum(['off', 'bounce']).default('off'),
  nameAttribute: attribute.optional(),
  emailAttribute: attribute.optional(),
};
