import type { RightsProof } from '#store';
import type { AdministratorAbility } from './administration/ability.js';
import type { HostRights } from './rights.js';

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
  /** From where the key may be used; left out: from anywhere, or it is no key. */
  readonly cidrs?: readonly string[];
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
  /** The person that it is, by its verified id, as in user:entra/3f2c; null for a key. */
  readonly subject: { readonly type: string; readonly id: string } | null;
  /** Its roles of administrators, without those that they inherit. */
  readonly roles: readonly string[];
  readonly ability: AdministratorAbility;
  /** How the person signed in, and when, in ms since 1970; null for a key. */
  readonly assurance: SignInAssurance | null;
  /** From where it calls; looked at again with the rest, where the credential is bound to networks. */
  readonly address: string;
  /** As of a host. */
  readonly cidrs?: readonly string[];
  /** What its rights rest on, and since when: looked at again where it changes or exports something. */
  readonly proof: RightsProof;
  readonly validUntil: number | null;
}

/** A company's directory, which provisions the people and groups of one Issuer (SCIM 2.0). No caller of any other API. */
export interface ConnectorPrincipal {
  readonly kind: 'connector';
  readonly tenant: string;
  /** The id of its token. */
  readonly credential: string;
  /** The name of the Issuer. */
  readonly issuer: string;
}

/** What the identity provider said of a sign-in (OpenID Connect Core §2); null: it said nothing. */
export interface SignInAssurance {
  readonly acr: string | null;
  readonly amr: readonly string[];
  readonly authTime: number | null;
}

/** An administrator that has proven who it is, and whose roles have not been looked up yet. */
export type ProvenAdministrator = Omit<AdministratorPrincipal, 'ability'>;

/** How records and changes name a principal: `key:<id>`, `session:<id>` or `token:<id>`. */
export const principalName = ({ via, credential }: Pick<Principal, 'via' | 'credential'>): string =>
  `${via}:${credential}`;
