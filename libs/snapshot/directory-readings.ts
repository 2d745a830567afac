import type { DocumentSet, IssuerDocument, LdapSignIn } from '#policy';
import { DirectoryStore, type Store } from '#store';
import type { TenantSnapshot } from './tenant-snapshot.js';

/** How often it is asked for what others have read of the directories of a tenant, at the most, in ms. */
const ASK_EVERY_MS = 500;

interface Known {
  /** Up to when all people of a directory were read, by the Issuer's name, in ms since 1970. */
  asOf: ReadonlyMap<string, number>;
  askedAt: number;
  asking: Promise<void> | undefined;
}

type DirectoryIssuer = IssuerDocument & { readonly signIn: LdapSignIn };

/**
 * Knows how old what is known of company directories is, and marks in snapshots those of which it is too old.
 *
 * INVARIANT: a directory that was never read, or of which it cannot be found out, counts as one that is silent.
 */
export class DirectoryReadings {
  readonly #store: DirectoryStore;
  readonly #known = new Map<string, Known>();

  constructor(
    private readonly store: Store,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#store = new DirectoryStore(store);
  }

  /** Marks what is silent; looks up what others have read, where something seems to be. Never rejects. */
  async bringUp(snapshot: TenantSnapshot): Promise<void> {
    this.mark(snapshot);
    if (snapshot.policies.silent.size === 0) return;
    await this.#ask(snapshot.tenant);
    this.mark(snapshot);
  }

  /** Marks what is silent by what is known here. */
  mark({ tenant, policies }: TenantSnapshot): void {
    const directories = directoriesOf(policies.documents);
    if (directories.length === 0 && policies.silent.size === 0) return;
    const now = this.store.clock.now();
    const asOf = this.#known.get(tenant)?.asOf;
    const silent = directories.filter(
      ({ name, signIn }) => !(now < (asOf?.get(name) ?? -Infinity) + signIn.goodForSeconds * 1000),
    );
    policies.silence(new Set(silent.map(({ name }) => name)));
  }

  forget(tenant: string): void {
    this.#known.delete(tenant);
  }

  async #ask(tenant: string): Promise<void> {
    const known = this.#known.get(tenant) ?? { asOf: new Map(), askedAt: -Infinity, asking: undefined };
    this.#known.set(tenant, known);
    if (known.asking) return known.asking;
    if (performance.now() - known.askedAt < ASK_EVERY_MS) return;
    known.asking = this.#store
      .readings(tenant)
      .then((asOf) => void (known.asOf = asOf), this.onError)
      .finally(() => {
        known.askedAt = performance.now();
        known.asking = undefined;
      });
    return known.asking;
  }
}

/** Worked out once for each state of the documents. */
const found = new WeakMap<DocumentSet, readonly DirectoryIssuer[]>();

function directoriesOf(documents: DocumentSet): readonly DirectoryIssuer[] {
  let directories = found.get(documents);
  if (!directories) {
    const issuers = [...documents.all('Issuer')].map(({ document }) => document);
    directories = issuers.filter((issuer): issuer is DirectoryIssuer => issuer.signIn?.protocol === 'ldap');
    found.set(documents, directories);
  }
  return directories;
}
