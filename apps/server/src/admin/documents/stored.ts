import { setImmediate as turn } from 'node:timers/promises';
import { parseValues, type AnyDocument, type DocumentProblem, type Json, type SourceDocument } from '#policy';

/** Documents that are read before others get their turn: some milliseconds. */
const SLICE = 200;

/** Reads documents out of the store by today's schemas. Between slices of them decisions go on. */
export async function readStored(
  bodies: readonly AnyDocument[],
): Promise<{ readonly documents: readonly SourceDocument[]; readonly problems: readonly DocumentProblem[] }> {
  const documents: SourceDocument[] = [];
  const problems: DocumentProblem[] = [];
  for (let at = 0; at < bodies.length; at += SLICE) {
    const read = parseValues(bodies.slice(at, at + SLICE) as unknown as Json[]);
    documents.push(...read.documents);
    problems.push(...read.problems);
    await turn();
  }
  return { documents, problems };
}
