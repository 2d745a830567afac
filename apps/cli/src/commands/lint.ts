import { lint as findingsIn } from '#policy';
import { documentSets } from '../files.js';
import { readOffline } from '../offline.js';
import { counted, EXIT, finding, type Output } from '../output.js';

/** `lint DIR`: what in the documents is hardly meant, taking them for all that there are. Asks no service. */
export function lint(output: Output, directory: string): number {
  const sets = documentSets([directory]);
  const read = sets.map(({ files }) => readOffline(files));
  const found = read.flatMap(({ documents, set }) => findingsIn(set, documents));
  for (const each of found) output.line(finding(each));
  if (found.length > 0) return EXIT.failure;
  const documents = read.reduce((count, set) => count + set.documents.length, 0);
  const files = sets.reduce((count, set) => count + set.files.length, 0);
  output.line(`nothing found in ${counted(documents, 'document')} in ${counted(files, 'file')}`);
  return EXIT.ok;
}
