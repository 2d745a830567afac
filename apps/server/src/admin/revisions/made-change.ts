import type { AppliedChange } from '../documents/documents.service.js';
import type { PlannedDocument } from '../documents/plan.js';
import type { CountsBody, MadeChangeBody } from './wire.js';

/** More documents than this are not listed in the answer to a change. */
const LISTED = 1000;

/** How many documents a change creates, updates, deletes and leaves. */
export function countsOf(documents: readonly PlannedDocument[]): CountsBody {
  const counts = { created: 0, updated: 0, deleted: 0, unchanged: 0 };
  for (const { change } of documents) counts[change]++;
  return counts;
}

/** What a change of any size has done, in an answer of limited size. */
export function madeChange({ revision, documents }: AppliedChange): MadeChangeBody {
  const changed = documents.flatMap(({ kind, name, change }) =>
    change === 'unchanged' ? [] : [{ kind, name, change }],
  );
  return { revision, counts: countsOf(documents), documents: changed.slice(0, LISTED) };
}
