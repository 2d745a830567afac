import { subjectKey } from './names.js';
import type { DocumentProblem, SourceDocument } from './parse.js';
import { problemAt } from './report.js';
import { documentName, type AnyDocument } from './schema.js';
import { serverIdentities } from './server-identity.js';
import type { DocumentSet } from './set.js';

/** Everything that a subject or a server answers to besides its own name. */
export function identitiesOf(document: AnyDocument): string[] {
  if (document.kind === 'Subject') {
    return [
      subjectKey(document.type, document.id),
      ...(document.aliases ?? []).map((alias) => subjectKey(alias.type, alias.id)),
    ];
  }
  return document.kind === 'Server' && document.identity ? serverIdentities(document.identity) : [];
}

/** Two subjects or two servers may not claim the same identity: a request names one of them, and it must be clear which. */
export function checkIdentities(after: DocumentSet, documents: readonly SourceDocument[]): DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  for (const kind of ['Subject', 'Server'] as const) {
    const proposed = documents.filter(({ document }) => document.kind === kind);
    if (proposed.length === 0) continue;
    const owners = new Map<string, Set<string>>();
    for (const { document } of after.all(kind)) {
      for (const identity of identitiesOf(document)) {
        owners.set(identity, (owners.get(identity) ?? new Set()).add(documentName(document)));
      }
    }
    for (const source of proposed) {
      const name = documentName(source.document);
      for (const identity of identitiesOf(source.document)) {
        const other = [...owners.get(identity)!].find((owner) => owner !== name);
        if (other === undefined) continue;
        const path = kind === 'Subject' ? ['aliases'] : ['identity'];
        problems.push(
          problemAt(source, 'identity_taken', `${identity} already stands for the ${kind} '${other}'`, path, {
            position: source.position(path),
          }),
        );
      }
    }
  }
  return problems;
}
