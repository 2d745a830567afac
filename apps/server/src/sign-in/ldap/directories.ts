import { Directory, DirectoryError } from '#directory';
import type { Outgoing } from '#identity';
import type { IssuerDocument, LdapSignIn } from '#policy';

export interface DirectoriesParts {
  readonly outgoing: Pick<Outgoing, 'addressesOf'>;
  /** Those that documents only name: they are among the settings of the service. */
  readonly secrets: { of(tenantName: string, secretName: string): string | undefined };
  /** ms since 1970, by the database's clock. */
  now(): number;
}

/** The directories that Issuer documents name; a document that is saved anew gets another one. */
export class Directories {
  readonly #made = new WeakMap<IssuerDocument, Directory>();

  constructor(private readonly parts: DirectoriesParts) {}

  of(tenant: { readonly id: string; readonly name: string }, issuer: IssuerDocument, signIn: LdapSignIn): Directory {
    const known = this.#made.get(issuer);
    if (known) return known;
    const { outgoing, secrets } = this.parts;
    const directory = new Directory(signIn, {
      now: () => this.parts.now(),
      addressesOf: (url) => outgoing.addressesOf(tenant.id, url),
      password: () => {
        const secret = secrets.of(tenant.name, signIn.password);
        if (secret !== undefined) return secret;
        throw new DirectoryError(
          'misconfigured',
          `the secret '${signIn.password}' is not among the settings of the service`,
        );
      },
    });
    this.#made.set(issuer, directory);
    return directory;
  }
}
