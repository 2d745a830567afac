import type { Kind } from '#policy';
import type { DraftContent } from './change.js';
import type { Store, TenantView } from './store.js';

/** A draft as lists show it: everything but what it holds. Times in ISO 8601. */
export interface DraftListing {
  readonly name: string;
  /** Of this saving of it. No other draft ever has the same, not even one of this name. */
  readonly version: number;
  /** What was changed after it, the author has not seen. */
  readonly baseRevision: number;
  readonly description: string | null;
  readonly prune: boolean;
  readonly changedBy: string;
  readonly changedAt: string;
  /** The people who have seen it as it is. */
  readonly seenBy: readonly DraftEye[];
}

/** A person who has saved a draft as it is, or has approved of it since. */
export interface DraftEye {
  /** As in user:entra/3f2c. */
  readonly person: string;
  readonly how: 'saved' | 'approved';
  /** In ISO 8601. */
  readonly at: string;
}

/** A whole draft. */
export type StoredDraft = DraftListing & Pick<DraftContent, 'documents' | 'deletions'>;

/** A document that has changed, and since which revision it is as it is. */
export interface ChangedDocument {
  readonly kind: Kind;
  readonly name: string;
  readonly revision: number;
}

const LISTING = `
  d.name, d.version, d.base_revision as "baseRevision", d.description, d.prune, d.changed_by as "changedBy",
  d.changed_at as "changedAt", d.seen_by as "seenBy"`;

/** Reads drafts as they are in the database at this moment. */
export class DraftReader {
  constructor(private readonly store: Store) {}

  async find(tenant: string, name: string): Promise<StoredDraft | undefined> {
    return this.store.read(tenant, (view) => findDraft(view, tenant, name));
  }

  /** A draft, and the documents that were changed after its base, those that are gone among them; both of one moment. */
  async findWithChanges(
    tenant: string,
    name: string,
  ): Promise<{ readonly draft: StoredDraft; readonly changed: readonly ChangedDocument[] } | undefined> {
    return this.store.read(tenant, async (view) => {
      const draft = await findDraft(view, tenant, name);
      if (!draft) return undefined;
      const changed = await view.query<ChangedDocument[]>(
        `select d.kind, d.name, d.revision from placet.document d
         where d.tenant = $1 and d.revision > $2 and d.kind <> 'Suspension' order by d.kind, d.name`,
        [tenant, draft.baseRevision],
      );
      return { draft, changed };
    });
  }

  /** Drafts by name, one more than `limit` if there is more. */
  async list(tenant: string, after: string | undefined, limit: number): Promise<DraftListing[]> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<DraftRow<DraftListing>[]>(
        `select ${LISTING} from placet.draft d where d.tenant = $1 and ($2::text is null or d.name > $2)
         order by d.name limit $3`,
        [tenant, after ?? null, limit + 1],
      ),
    );
    return rows.map(timed);
  }
}

async function findDraft(view: TenantView, tenant: string, name: string): Promise<StoredDraft | undefined> {
  const rows = await view.query<DraftRow<StoredDraft>[]>(
    `select ${LISTING}, d.documents, d.deletions from placet.draft d where d.tenant = $1 and d.name = $2`,
    [tenant, name],
  );
  return rows.map(timed)[0];
}

type DraftRow<T extends DraftListing> = Omit<T, 'changedAt'> & { readonly changedAt: Date };

const timed = <T extends DraftListing>(row: DraftRow<T>): T =>
  ({ ...row, changedAt: row.changedAt.toISOString() }) as unknown as T;
