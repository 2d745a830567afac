import {
  checkChange,
  documentName,
  DocumentSet,
  duplicateNames,
  lint as findingsIn,
  parseDocuments,
  type DocumentProblem,
  type SourceDocument,
} from '#policy';
import { CommandError } from '../api.js';
import { readPolicyFiles } from '../files.js';
import { counted, EXIT, finding, placed, type Output } from '../output.js';

/** `lint DIR`: what in the documents is hardly meant, taking them for all that there are. Asks no service. */
export function lint(output: Output, directory: string): number {
  const files = readPolicyFiles(directory);
  const parsed = files.map(({ path, text }) => parseDocuments({ file: path, text }));
  const documents = parsed.flatMap((source) => source.documents);
  const problems = [...parsed.flatMap((source) => source.problems), ...duplicateNames(documents)];
  refuse(problems);
  const set = setOf(documents);
  refuse(checkChange(set, { documents, deletions: [] }));

  const found = findingsIn(set, documents);
  for (const each of found) output.line(finding(each));
  if (found.length > 0) return EXIT.failure;
  output.line(`nothing found in ${counted(documents.length, 'document')} in ${counted(files.length, 'file')}`);
  return EXIT.ok;
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
