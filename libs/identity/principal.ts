import type { RightsProof } from '#store';
import type { AdministratorRights, HostRights } from './rights.js';

/** Who calls our API: a host, or an administrator. Never the subject of a decision. */
export type Principal = HostPrincipal | AdministratorPrincipal;

export interface HostPrincipal {
  readonly kind: 'host';
  /** An API key, or an access token of an OAuth client. */
  readonly via: 'key' | 'token';
  readonly tenant: string;
  /** The id of the key or of the client. */
  readonly credential: string;
  readonly host: string;
  /** The id of the access token, if there is one. */
  readonly token?: string;
  readonly rights: HostRights;
  /** When the key, the secret that was used, or the token expires, in ms since 1970; null: never. */
  readonly validUntil: number | null;
}

export interface AdministratorPrincipal {
  readonly kind: 'administrator';
  /** An API key, a person's session in a browser, or a person's access token. */
  readonly via: 'key' | 'session' | 'token';
  readonly tenant: string;
  /** The id of the key, session or token. */
  readonly credential: string;
  readonly name: string;
  readonly rights: AdministratorRights;
  /** What its rights rest on, and since when: looked at again where it changes or exports something. */
  readonly proof: RightsProof;
  readonly validUntil: number | null;
}

/** How records and changes name a principal: `key:<id>`, `session:<id>` or `token:<id>`. */
export const principalName = ({ via, credential }: Principal): string => `${via}:${credential}`;
