import {
  checkChange,
  documentName,
  DocumentSet,
  duplicateNames,
  parseDocuments,
  type DocumentProblem,
  type SourceDocument,
} from '#policy';
import { CommandError } from './api.js';
import type { PolicyFile } from './files.js';
import { placed } from './output.js';

/** Documents out of files, taken for all that there are. */
export interface OfflineSet {
  readonly documents: readonly SourceDocument[];
  readonly set: DocumentSet;
}

/** Reads and checks documents as the service would that has no others. Throws CommandError with all that is wrong. */
export function readOffline(files: readonly PolicyFile[]): OfflineSet {
  const parsed = files.map(({ path, text }) => parseDocuments({ file: path, text }));
  const documents = parsed.flatMap((source) => source.documents);
  refuse([...parsed.flatMap((source) => source.problems), ...duplicateNames(documents)]);
  const set = setOf(documents);
  refuse(checkChange(set, { documents, deletions: [] }));
  return { documents, set };
}

/** What cannot be saved is not looked at any further. */
function refuse(problems: readonly DocumentProblem[]): void {
  if (problems.length > 0) throw new CommandError(problems.map(placed).join('\n'));
}

const setOf = (documents: readonly SourceDocument[]): DocumentSet =>
  DocumentSet.EMPTY.with(
    documents.map(({ document }) => ({
      kind: document.kind,
      name: documentName(document),
      stored: { document, version: 0 },
    })),
  );
