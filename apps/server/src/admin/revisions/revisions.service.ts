import { Injectable } from '@nestjs/common';
import type { AdministratorPrincipal } from '#identity';
import type { Snapshots } from '#snapshot';
import { RevisionReader, type Store } from '#store';
import type { AppliedChange, DocumentsService } from '../documents/documents.service.js';
import { rollbackTo } from './rollback-to.js';

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
    return this.documents.make(principal, async () => {
      const { documents, deletions } = await rollbackTo(this.reader, tenant, to, revision);
      return {
        wanted: { sources: [], documents, deletions, prune: false },
        about: { message, rolledBackTo: to },
        isOfWholeState: true,
      };
    });
  }
}
