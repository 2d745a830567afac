import { Injectable } from '@nestjs/common';
import { Refusal } from '#http';
import type { AdministratorPrincipal } from '#identity';
import type { Snapshots } from '#snapshot';
import { RevisionReader, type Store } from '#store';
import type { AppliedChange, DocumentsService } from '../documents/documents.service.js';
import { readStored } from '../documents/stored.js';

/** The history of the documents, and the way back. */
@Injectable()
export class RevisionsService {
  readonly reader: RevisionReader;

  constructor(
    store: Store,
    private readonly snapshots: Snapshots,
    private readonly documents: DocumentsService,
  ) {
    this.reader = new RevisionReader(store);
  }

  /**
   * Makes the documents be what they were at a revision, as a new one. Suspensions and keys stay as they are. Throws Refusal
   * where what was right then is wrong today.
   */
  async rollback(principal: AdministratorPrincipal, to: number, message: string): Promise<AppliedChange> {
    const { tenant } = principal;
    await this.snapshots.refresh(tenant, Infinity);
    const { revision } = await this.snapshots.of(tenant);
    if (to > revision) throw noRevision(to);
    return this.documents.make(principal, async () => {
      const then = await this.reader.changedSince(tenant, to);
      const { documents, problems } = await readStored(then.flatMap(({ before }) => before ?? []));
      if (problems.length > 0) {
        const why = `what was saved at revision ${to} is not valid any more: ${problems[0]!.message}`;
        throw new Refusal('documents_invalid', why, { errors: problems });
      }
      const deletions = then.filter(({ before }) => before === null).map(({ kind, name }) => ({ kind, name }));
      return {
        wanted: { sources: [], documents, deletions, prune: false },
        about: { message, rolledBackTo: to },
        isOfWholeState: true,
      };
    });
  }
}

export const noRevision = (revision: number): Refusal => new Refusal('not_found', `there is no revision ${revision}`);
