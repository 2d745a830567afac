import * as oidc from 'openid-client';
import type { Outgoing } from '#identity';
import type { DocumentSet, IssuerDocument, LdapSignIn } from '#policy';
import type { PublicAddress } from '../http/public-address.js';
import { SignInError, type Connector } from './connector.js';
import type { Directories } from './ldap/directories.js';
import { LdapConnector, type LdapParts } from './ldap/ldap-connector.js';
import { OidcConnector } from './oidc/oidc-connector.js';
import type { OidcSettings } from './oidc/provider-configuration.js';
import { SamlConnector } from './saml/saml-connector.js';
import type { SamlParts, SamlSettings } from './saml/saml-parts.js';
import type { SamlKeys } from './saml/saml-keys.js';
import { entityIdOf } from './saml/places.js';

/** Where secrets are that documents only name: among the settings of the service. */
export interface NamedSecretsOf {
  of(tenantName: string, secretName: string): string | undefined;
}

/** Proves a client with a key of the tenant's own; undefined where it has none. */
type ClientKey = (tenant: string) => Promise<oidc.ClientAuth | undefined>;

export interface ConnectorParts {
  readonly outgoing: Pick<Outgoing, 'for'>;
  readonly secrets: NamedSecretsOf;
  readonly clientKey: ClientKey;
  readonly samlKeys: Pick<SamlKeys, 'current' | 'decryptionKeys'>;
  /** Where the service is known. */
  readonly address: PublicAddress;
  /** Marks something of a tenant as used until a moment in ms since 1970; whether it had not been before. */
  useOnce(tenant: string, mac: Buffer, until: number): Promise<boolean>;
  readonly directories: Directories;
  /** What keeps people who guess passwords from doing so. */
  passwords(tenant: NamedTenant): Pick<LdapParts, 'attempts' | 'bringUp'>;
  /** ms since 1970, by the database's clock. */
  now(): number;
}

/** A tenant, by its id and by the name that stands in paths and settings. */
export interface NamedTenant {
  readonly id: string;
  readonly name: string;
}

/** How the people of an Issuer sign in, by whatever protocol. */
type SignInSettings = NonNullable<IssuerDocument['signIn']>;

/** An Issuer by which people can sign in. */
export type SignInIssuer = IssuerDocument & { readonly signIn: SignInSettings };

/** The ways to sign in of a tenant, in the order of their names. */
export const signInIssuers = (documents: DocumentSet): SignInIssuer[] =>
  [...documents.all('Issuer')]
    .map(({ document }) => document)
    .filter((document): document is SignInIssuer => document.signIn !== undefined)
    .sort((left, right) => (left.name < right.name ? -1 : 1));

/** The Issuer whose people have e-mail addresses of a domain. Only what documents say: nothing about any person. */
export function issuerOfAddress(issuers: readonly SignInIssuer[], address: string): SignInIssuer | undefined {
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  return issuers.find(({ signIn }) => signIn.domains?.includes(domain) === true);
}

/** Makes connectors of Issuer documents; a document that is saved anew gets another one. */
export class Connectors {
  readonly #made = new WeakMap<IssuerDocument, Connector>();

  constructor(private readonly parts: ConnectorParts) {}

  /** Throws SignInError where nobody can sign in by an Issuer of that name. */
  of(tenant: NamedTenant, documents: DocumentSet, name: string): Connector {
    const issuer = documents.find('Issuer', name)?.document;
    if (!issuer?.signIn) throw new SignInError('not_configured', `nobody signs in by '${name.slice(0, 100)}'`);
    const known = this.#made.get(issuer);
    if (known) return known;
    const connector = this.#make(tenant, issuer, issuer.signIn);
    this.#made.set(issuer, connector);
    return connector;
  }

  #make(tenant: NamedTenant, issuer: IssuerDocument, signIn: SignInSettings): Connector {
    switch (signIn.protocol) {
      case 'saml':
        return this.#saml(tenant, issuer, signIn);
      case 'ldap':
        return this.#ldap(tenant, issuer, signIn);
      default:
        return this.#oidc(tenant, issuer, signIn);
    }
  }

  #saml(tenant: NamedTenant, issuer: IssuerDocument, signIn: SamlSettings): Connector {
    const { samlKeys, address } = this.parts;
    const parts: SamlParts = {
      entityId: () => entityIdOf(address, tenant.name, issuer.name),
      key: () => samlKeys.current(tenant.id),
      decryptionKeys: () => samlKeys.decryptionKeys(tenant.id),
      useOnce: (mac, until) => this.parts.useOnce(tenant.id, mac, until),
      now: () => this.parts.now(),
    };
    return new SamlConnector(issuer, signIn, parts);
  }

  #ldap(tenant: NamedTenant, issuer: IssuerDocument, signIn: LdapSignIn): Connector {
    const directory = this.parts.directories.of(tenant, issuer, signIn);
    return new LdapConnector(issuer, directory, { ...this.parts.passwords(tenant), now: () => this.parts.now() });
  }

  #oidc(tenant: NamedTenant, issuer: IssuerDocument, signIn: OidcSettings): Connector {
    return new OidcConnector(issuer, signIn, {
      fetch: this.parts.outgoing.for(tenant.id, issuer.issuer),
      authentication: () => this.#authentication(tenant, signIn),
      now: () => this.parts.now(),
    });
  }

  async #authentication(tenant: NamedTenant, signIn: OidcSettings): Promise<oidc.ClientAuth> {
    switch (signIn.authentication) {
      case 'none':
        return oidc.None();
      case 'private_key_jwt': {
        const key = await this.parts.clientKey(tenant.id);
        if (key) return key;
        throw new SignInError('not_configured', 'there is no key yet to prove the client with');
      }
      case 'client_secret_basic':
        return oidc.ClientSecretBasic(this.#secret(tenant, signIn));
      case 'client_secret_post':
        return oidc.ClientSecretPost(this.#secret(tenant, signIn));
    }
  }

  #secret(tenant: NamedTenant, { clientSecret }: OidcSettings): string {
    const secret = this.parts.secrets.of(tenant.name, clientSecret!);
    if (secret !== undefined) return secret;
    throw new SignInError('not_configured', `the secret '${clientSecret!}' is not among the settings of the service`);
  }
}
