import type { IssuerDocument } from '../documents/schema.js';
import type { DocumentSet } from '../documents/set.js';

/** Somebody as the connector of an Issuer (SCIM 2.0) has provisioned them: one row of what is stored. */
export interface ProvisionedRow {
  readonly row: string;
  /** The name of the Issuer. */
  readonly issuer: string;
  /** What the Issuer's tokens call them; null: nobody knows, so the row is about nobody. */
  readonly identity: string | null;
  readonly active: boolean;
  /** Names of groups; null stands for one that has no name by which the Issuer names groups. */
  readonly groups: readonly (string | null)[];
}

/** What of a person counts. A changed row makes another object. */
export type ProvisionedPerson = Pick<ProvisionedRow, 'active' | 'groups'>;

/** What says who is provisioned. */
export interface Provisioning {
  /** The person of an id, as in `entra/3f2c`. */
  of(id: string): ProvisionedPerson | undefined;
  /** Whether the connector of the person's own Issuer keeps them out: see `Provisioned`. */
  isKeptOut(documents: DocumentSet, person: { readonly type: string; readonly id: string }): boolean;
}

/** Whom connectors have provisioned, by the ids of subjects. Moved forward in place, with the documents. */
export class Provisioned implements Provisioning {
  readonly #byId = new Map<string, ProvisionedPerson & { readonly row: string }>();
  readonly #idOfRow = new Map<string, string>();

  /** Where nobody is kept out, whatever is stored: for tests of policies. */
  static readonly NOBODY: Provisioning = { of: () => undefined, isKeptOut: () => false };

  /** Takes over rows that are new or changed, in the order in which they came to be so. */
  apply(rows: readonly ProvisionedRow[]): void {
    for (const { row, issuer, identity, active, groups } of rows) {
      const before = this.#idOfRow.get(row);
      if (before !== undefined && this.#byId.get(before)?.row === row) this.#byId.delete(before);
      this.#idOfRow.delete(row);
      if (identity === null) continue;
      const id = `${issuer}/${identity}`;
      this.#byId.set(id, { row, active, groups });
      this.#idOfRow.set(row, id);
    }
  }

  of(id: string): ProvisionedPerson | undefined {
    return this.#byId.get(id);
  }

  /**
   * INVARIANT: whoever the connector has made inactive or taken away is kept out, and so is whoever it has never heard of,
   * where the Issuer requires it. Issuers without a connector keep nobody out.
   */
  isKeptOut(documents: DocumentSet, { type, id }: { readonly type: string; readonly id: string }): boolean {
    const issuer = issuerOf(documents, type, id);
    if (!issuer?.provisioning) return false;
    const person = this.#byId.get(id);
    return person ? !person.active : issuer.provisioning.required;
  }
}

/** The Issuer whose people have such ids. Its name has no slash, so there is one at most. */
function issuerOf(documents: DocumentSet, type: string, id: string): IssuerDocument | undefined {
  const slash = id.indexOf('/');
  const issuer = slash < 1 ? undefined : documents.find('Issuer', id.slice(0, slash))?.document;
  return issuer?.subjectType === type ? issuer : undefined;
}
