import { IsNull, MoreThan, Not } from 'typeorm';
import type { AnyDocument, Kind } from '#policy';
import { DocumentVersionEntity } from './entities/document-version.entity.js';
import { DocumentEntity } from './entities/document.entity.js';
import type { Store } from './store.js';

/** One version of a document. A body of null is its deletion. */
export interface StoredVersion {
  readonly kind: Kind;
  readonly name: string;
  readonly version: number;
  readonly revision: number;
  readonly body: AnyDocument | null;
  /** Only of a version out of the history. */
  readonly changedBy?: string;
  readonly changedAt?: string;
}

/** Where a page of a listing begins: after this document. */
export interface DocumentCursor {
  readonly kind: string;
  readonly name: string;
}

/** Reads documents as they are in the database at this moment. */
export class DocumentReader {
  constructor(private readonly store: Store) {}

  /** The latest version; undefined where there is none, or it is a deletion. */
  async find(tenant: string, kind: Kind, name: string): Promise<StoredVersion | undefined> {
    const found = await this.store.read(tenant, (view) =>
      view.getRepository(DocumentEntity).findOneBy({ tenant, kind, name, body: Not(IsNull()) }),
    );
    return found ? latest(found) : undefined;
  }

  /** Documents by kind and name, one more than `limit` if there is more. */
  async list(
    tenant: string,
    kind: Kind | undefined,
    after: DocumentCursor | undefined,
    limit: number,
  ): Promise<StoredVersion[]> {
    const live = { tenant, body: Not(IsNull()) };
    const ofKind = kind === undefined ? {} : { kind };
    const where = after
      ? [
          { ...live, ...ofKind, kind: kind ?? after.kind, name: MoreThan(after.name) },
          ...(kind === undefined ? [{ ...live, kind: MoreThan(after.kind) }] : []),
        ]
      : { ...live, ...ofKind };
    const found = await this.store.read(tenant, (view) =>
      view.getRepository(DocumentEntity).find({ where, order: { kind: 'ASC', name: 'ASC' }, take: limit + 1 }),
    );
    return found.map(latest);
  }

  /** Every version of a document, deletions among them, newest first; those before `before` only, one more than `limit`. */
  async versions(
    tenant: string,
    kind: Kind,
    name: string,
    before: number | undefined,
    limit: number,
  ): Promise<StoredVersion[]> {
    const query = await this.store.read(tenant, (view) =>
      view
        .getRepository(DocumentVersionEntity)
        .createQueryBuilder('v')
        .where('v.tenant = :tenant and v.kind = :kind and v.name = :name', { tenant, kind, name })
        .andWhere('v.version < :before', { before: before ?? 2_147_483_647 })
        .orderBy('v.version', 'DESC')
        .take(limit + 1)
        .getMany(),
    );
    return query.map(historic);
  }

  /** Several versions of documents of one kind; those that are not there are left out. */
  async versionsNamed(
    tenant: string,
    kind: Kind,
    wanted: readonly { readonly name: string; readonly version: number }[],
  ): Promise<StoredVersion[]> {
    if (wanted.length === 0) return [];
    const where = wanted.map(({ name, version }) => ({ tenant, kind, name, version }));
    const found = await this.store.read(tenant, (view) => view.getRepository(DocumentVersionEntity).find({ where }));
    return found.map(historic);
  }

  /** One version out of the history. */
  async version(tenant: string, kind: Kind, name: string, version: number): Promise<StoredVersion | undefined> {
    const found = await this.store.read(tenant, (view) =>
      view.getRepository(DocumentVersionEntity).findOneBy({ tenant, kind, name, version }),
    );
    return found ? historic(found) : undefined;
  }
}

function latest({ kind, name, version, revision, body }: DocumentEntity): StoredVersion {
  return { kind: kind as Kind, name, version, revision, body: body as AnyDocument | null };
}

function historic(entity: DocumentVersionEntity): StoredVersion {
  return { ...latest(entity), changedBy: entity.changedBy, changedAt: entity.changedAt.toISOString() };
}
