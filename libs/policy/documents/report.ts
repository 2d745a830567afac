import type { DocumentProblem, Position, SourceDocument } from './parse.js';
import { documentName } from './schema.js';

/** Reports a problem at a member of a document. */
export type Report = (
  code: DocumentProblem['code'],
  message: string,
  path: readonly PropertyKey[],
  more?: { rule?: string | undefined; offset?: number },
) => void;

/** A problem of a document that is about to be saved, with where it stands. */
export function problemAt(
  { document, source }: SourceDocument,
  code: DocumentProblem['code'],
  message: string,
  path: readonly PropertyKey[],
  more: { rule?: string | undefined; position: Partial<Position> },
): DocumentProblem {
  const { rule, position } = more;
  return {
    code,
    message,
    document: { kind: document.kind, name: documentName(document) },
    ...(rule === undefined ? {} : { rule }),
    path: path.join('.'),
    ...(source.file === undefined ? {} : { file: source.file }),
    ...position,
  };
}
