import type { PublicAddress } from '../../http/public-address.js';

/**
 * Our entity id at an identity provider, which is the address of our metadata for it. Each Issuer has its own: an assertion
 * for one of them is none for another.
 */
export const entityIdOf = ({ url }: PublicAddress, tenant: string, issuer: string): string =>
  `${url}/t/${encodeURIComponent(tenant)}/saml/${encodeURIComponent(issuer)}/metadata`;

/** Where an identity provider sends browsers back to, by whatever protocol: one URL for each Issuer. */
export const callbackOf = ({ url }: PublicAddress, tenant: string, issuer: string): string =>
  `${url}/t/${encodeURIComponent(tenant)}/sign-in/${encodeURIComponent(issuer)}/callback`;
