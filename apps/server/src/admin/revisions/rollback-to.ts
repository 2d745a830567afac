import { Refusal } from '#http';
import type { Kind, SourceDocument } from '#policy';
import type { RevisionReader } from '#store';
import { readStored } from '../documents/stored.js';

/** What has to be written for the documents to be again what they were. */
export interface Rollback {
  readonly documents: readonly SourceDocument[];
  readonly deletions: readonly { readonly kind: Kind; readonly name: string }[];
}

/**
 * What going back to a revision would write: what was changed since is changed back, and what was created since goes.
 * Throws Refusal for a revision that is not there yet, and where what was right then is wrong today.
 * @param present the present revision
 */
export async function rollbackTo(
  reader: RevisionReader,
  tenant: string,
  to: number,
  present: number,
): Promise<Rollback> {
  if (to > present) throw noRevision(to);
  const then = await reader.changedSince(tenant, to);
  const { documents, problems } = await readStored(then.flatMap(({ before }) => before ?? []));
  if (problems.length > 0) {
    const why = `what was saved at revision ${to} is not valid any more: ${problems[0]!.message}`;
    throw new Refusal('documents_invalid', why, { errors: problems });
  }
  return {
    documents,
    deletions: then.filter(({ before }) => before === null).map(({ kind, name }) => ({ kind, name })),
  };
}

export const noRevision = (revision: number): Refusal => new Refusal('not_found', `there is no revision ${revision}`);
