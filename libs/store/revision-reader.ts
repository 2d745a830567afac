import type { AnyDocument, Kind } from '#policy';
import type { DocumentCursor } from './document-reader.js';
import type { Store, TenantView } from './store.js';

/** One change as the log has it. `changedAt` in ISO 8601. */
export interface RevisionEntry {
  readonly revision: number;
  readonly epoch: number;
  readonly changedBy: string;
  /** Whose key that is, if it is one. */
  readonly administrator: string | null;
  readonly changedAt: string;
  readonly message: string | null;
  /** The draft that it published. */
  readonly draft: string | null;
  readonly rolledBackTo: number | null;
  /** The people who had seen it, or that it was waived; null: two were not demanded. */
  readonly seenBy: readonly string[] | 'waived' | null;
  /** How many documents it changed. */
  readonly documents: number;
  /** What else it did: keys and drafts. */
  readonly others: readonly {
    readonly op: string;
    readonly id?: string;
    readonly principal?: string;
    readonly name?: string;
  }[];
}

/** A document at two revisions; null where it was not there. */
export interface StateChange {
  readonly kind: Kind;
  readonly name: string;
  readonly before: AnyDocument | null;
  readonly after: AnyDocument | null;
}

/** What no draft and no rollback touches, and no comparison shows: a suspension is made and ended by calls of its own. */
const AUTHORED = `v.kind <> 'Suspension'`;

const ENTRY = `
  select r.revision, r.epoch, r.changed_by as "changedBy", c.principal as administrator, r.changed_at as "changedAt",
    r.message, r.draft, r.rolled_back_to as "rolledBackTo", r.seen_by as "seenBy", r.documents, r.others
  from placet.revision r
  left join placet.credential c on c.tenant = r.tenant and 'key:' || c.id = r.changed_by
  where r.tenant = $1`;

/** The body of a document at a revision: that of its last version until then. */
const bodyAt = (revision: string, as: string): string => `
  left join lateral (
    select b.body from placet.document_version b
    where b.tenant = $1 and b.kind = t.kind and b.name = t.name and b.revision <= ${revision}
    order by b.version desc limit 1
  ) ${as} on true`;

/** Reads what was changed, by whom and why, and the state at any revision. */
export class RevisionReader {
  constructor(private readonly store: Store) {}

  /** Changes, newest first; those before `before` only, one more than `limit` if there is more. */
  async list(
    tenant: string,
    ofDocuments: boolean,
    before: number | undefined,
    limit: number,
  ): Promise<RevisionEntry[]> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<EntryRow[]>(
        `${ENTRY} and r.revision < $2 ${ofDocuments ? 'and r.documents > 0' : ''} order by r.revision desc limit $3`,
        [tenant, before ?? Number.MAX_SAFE_INTEGER, limit + 1],
      ),
    );
    return rows.map(entryOf);
  }

  async find(tenant: string, revision: number): Promise<RevisionEntry | undefined> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<EntryRow[]>(`${ENTRY} and r.revision = $2`, [tenant, revision]),
    );
    return rows.map(entryOf)[0];
  }

  /** What one revision changed, by kind and name, suspensions among it; one more than `limit` if there is more. */
  async changesOf(
    tenant: string,
    revision: number,
    after: DocumentCursor | undefined,
    limit: number,
  ): Promise<StateChange[]> {
    return this.store.read(tenant, (view) =>
      view.query<StateChange[]>(
        `select t.kind, t.name, a.body as before, t.body as after from placet.document_version t
         left join placet.document_version a
           on a.tenant = $1 and a.kind = t.kind and a.name = t.name and a.version = t.version - 1
         where t.tenant = $1 and t.revision = $2 and (t.kind, t.name) > ($3, $4)
         order by t.kind, t.name limit $5`,
        [tenant, revision, after?.kind ?? '', after?.name ?? '', limit + 1],
      ),
    );
  }

  /**
   * What differs between two revisions, by kind and name, one more than `limit` if there is more. Undefined where there is
   * no such revision. `to` may be left out, and is then the present one.
   */
  async difference(
    tenant: string,
    from: number,
    to: number | undefined,
    after: DocumentCursor | undefined,
    limit: number,
  ): Promise<{ readonly to: number; readonly changes: readonly StateChange[] } | undefined> {
    return this.store.read(tenant, async (view) => {
      const present = await presentRevision(view, tenant);
      const until = to ?? present;
      if (from > present || until > present) return undefined;
      const changes = await view.query<StateChange[]>(
        `select t.kind, t.name, a.body as before, b.body as after from (
           select distinct v.kind, v.name from placet.document_version v
           where v.tenant = $1 and v.revision > least($2::bigint, $3::bigint) and v.revision <= greatest($2::bigint, $3::bigint) and ${AUTHORED}
             and (v.kind, v.name) > ($4, $5)
         ) t ${bodyAt('$2', 'a')} ${bodyAt('$3', 'b')}
         where a.body is distinct from b.body
         order by t.kind, t.name limit $6`,
        [tenant, from, until, after?.kind ?? '', after?.name ?? '', limit + 1],
      );
      return { to: until, changes };
    });
  }

  /** What every document that was changed after a revision was at it; null where it was not there. */
  async changedSince(tenant: string, revision: number): Promise<Omit<StateChange, 'after'>[]> {
    return this.store.read(tenant, (view) =>
      view.query<Omit<StateChange, 'after'>[]>(
        `select t.kind, t.name, a.body as before from (
           select v.kind, v.name from placet.document v where v.tenant = $1 and v.revision > $2 and ${AUTHORED}
         ) t ${bodyAt('$2', 'a')} order by t.kind, t.name`,
        [tenant, revision],
      ),
    );
  }
}

type EntryRow = Omit<RevisionEntry, 'changedAt'> & { readonly changedAt: Date };

const entryOf = (row: EntryRow): RevisionEntry => ({ ...row, changedAt: row.changedAt.toISOString() });

async function presentRevision(view: TenantView, tenant: string): Promise<number> {
  const [row] = await view.query<{ revision: number }[]>('select revision from placet.tenant_state where tenant = $1', [
    tenant,
  ]);
  return row?.revision ?? 0;
}
