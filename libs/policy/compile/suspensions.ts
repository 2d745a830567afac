import type { SuspensionDocument } from '../documents/schema.js';
import { tableOver, type Table } from '../layers.js';

/** What is suspended, by the document's name; what suspends the tenant stands apart, because it concerns every request. */
export class Suspensions {
  readonly #named: Table<string, SuspensionDocument>;
  readonly #ofTenant: Table<string, SuspensionDocument>;

  /** @param base those that these are a layer over; left out: none */
  constructor(base?: Suspensions) {
    this.#named = tableOver(base && base.#named);
    this.#ofTenant = tableOver(base && base.#ofTenant);
  }

  /** Puts one document in the place of another of that name, where there is one. */
  replace(name: string, before: SuspensionDocument | undefined, after: SuspensionDocument | undefined): void {
    const suspensions = (before ?? after)?.of === 'Tenant' ? this.#ofTenant : this.#named;
    if (after) suspensions.set(name, after);
    else suspensions.delete(name);
  }

  /** What suspends one of some names, as in `Server:files`; or the tenant. */
  of(names: () => readonly string[]): SuspensionDocument | undefined {
    for (const suspension of this.#ofTenant.values()) return suspension;
    if (this.#named.size === 0) return undefined;
    for (const name of names()) {
      const suspension = this.#named.get(name);
      if (suspension) return suspension;
    }
    return undefined;
  }
}
