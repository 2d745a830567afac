import type { IssuerDocument } from '#policy';
import type { SamlKey } from './saml-keys.js';

/** How an Issuer's people sign in by SAML, as its document has it. */
export type SamlSettings = Extract<NonNullable<IssuerDocument['signIn']>, { readonly protocol: 'saml' }>;

/** What a sign-in by SAML needs of us. */
export interface SamlParts {
  /** Our entity id at this identity provider. */
  entityId(): string;
  /** Our key that signs. */
  key(): Promise<SamlKey>;
  /** Our keys that assertions may be encrypted for, PEM. */
  decryptionKeys(): Promise<readonly string[]>;
  /** Marks something as used, until it would be too old anyway (ms since 1970); whether it had not been before. */
  useOnce(mac: Buffer, until: number): Promise<boolean>;
  /** ms since 1970, by the database's clock. */
  now(): number;
}
