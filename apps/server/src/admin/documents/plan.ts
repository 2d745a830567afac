import {
  canonicalJson,
  checkChange,
  documentName,
  duplicateNames,
  lint,
  parseDocuments,
  touchedKeys,
  type AnyDocument,
  type DocumentChange,
  type DocumentProblem,
  type DocumentSet,
  type Json,
  type Kind,
  type LintFinding,
  type Source,
  type SourceDocument,
  type TouchKey,
} from '#policy';
import type { Operation } from '#store';

/** What a set of documents would change. */
export interface PlannedDocument {
  readonly kind: Kind;
  readonly name: string;
  readonly change: 'created' | 'updated' | 'deleted' | 'unchanged';
  readonly before: AnyDocument | undefined;
  readonly after: AnyDocument | undefined;
}

/** A change, checked against the documents that are there. */
export interface Plan {
  readonly documents: readonly PlannedDocument[];
  readonly operations: readonly Operation[];
  readonly keys: readonly TouchKey[];
  /** The documents as they will be. */
  readonly after: DocumentSet;
  /** Whether it was only right as long as nothing else changes: it was checked against other documents. */
  readonly dependsOnOthers: boolean;
  /** What lint finds in the documents that were sent, changed or not, beside all that there will be. */
  warnings(): LintFinding[];
  /** Adds to what is wrong with a document where that stands, if the document was among those that were sent. */
  locate(problem: DocumentProblem): DocumentProblem;
}

export interface Wanted {
  readonly sources: readonly Source[];
  /** Documents that have been read already. */
  readonly documents?: readonly SourceDocument[];
  readonly deletions: readonly { readonly kind: Kind; readonly name: string }[];
  /** Whether what is not among the sources goes. */
  readonly prune: boolean;
}

/** What stands in the way of a change, and, if its documents can be read, what it would change. */
export interface Hindrance {
  readonly problems: readonly DocumentProblem[];
  readonly documents: readonly PlannedDocument[];
}

/** Plans a change, or says everything that is wrong with it. Nothing is written here. */
export function planChange(present: DocumentSet, wanted: Wanted, kinds: readonly Kind[]): Plan | Hindrance {
  const parsed = wanted.sources.map(parseDocuments);
  const proposed = [...(wanted.documents ?? []), ...parsed.flatMap(({ documents }) => documents)];
  const problems = [...parsed.flatMap((source) => source.problems), ...duplicateNames(proposed)];
  if (problems.length > 0) return { problems, documents: [] };

  const planned = [
    ...proposed.map((source) => planPut(present, source)),
    ...planDeletions(present, wanted, proposed, kinds),
  ];
  const changed = planned.filter(({ change }) => change !== 'unchanged');
  const after = present.with(changed.map(asChange));
  const isNew = new Set(changed.map((planned) => planned.after));
  const found = checkChange(after, {
    documents: proposed.filter(({ document }) => isNew.has(document)),
    deletions: changed.filter(({ change }) => change === 'deleted'),
  });
  if (found.length > 0) return { problems: found, documents: planned };
  return {
    documents: planned,
    operations: changed.map((document) => operationOf(present, document)),
    after,
    keys: [...new Set(changed.flatMap(({ before, after }) => touchedKeys(before, after)))],
    dependsOnOthers: changed.some(({ kind, change }) =>
      change === 'deleted' ? DEPENDED_ON.includes(kind) : !INDEPENDENT.includes(kind),
    ),
    warnings: () => lint(after, proposed),
    locate: (problem) => located(problem, proposed),
  };
}

function located(problem: DocumentProblem, proposed: readonly SourceDocument[]): DocumentProblem {
  const { document: about, path } = problem;
  const found = proposed.find(({ document }) => document.kind === about?.kind && documentName(document) === about.name);
  if (!found) return problem;
  const { file } = found.source;
  const position = found.position((path ?? '').split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part)));
  return { ...problem, ...(file === undefined ? {} : { file }), ...position };
}

/** Kinds that are right or wrong whatever else there is. */
const INDEPENDENT: readonly Kind[] = ['Host', 'Resource', 'Scope'];

/** Kinds of which others are looked at when one goes: who else has a role, and who else is an owner. */
const DEPENDED_ON: readonly Kind[] = ['Role', 'Issuer', 'Mapping', 'AdministratorRole', 'AdministratorBinding'];

function planPut(present: DocumentSet, { document }: SourceDocument): PlannedDocument {
  const { kind } = document;
  const name = documentName(document);
  const before = present.find(kind, name)?.document;
  const same =
    before !== undefined && canonicalJson(before as unknown as Json) === canonicalJson(document as unknown as Json);
  return { kind, name, change: same ? 'unchanged' : before ? 'updated' : 'created', before, after: document };
}

function planDeletions(
  present: DocumentSet,
  { deletions, prune }: Wanted,
  proposed: readonly SourceDocument[],
  kinds: readonly Kind[],
): PlannedDocument[] {
  const kept = new Set(proposed.map(({ document }) => documentKey(document.kind, documentName(document))));
  const pruned = prune
    ? kinds.flatMap((kind) => [...present.all(kind)].map(({ document }) => ({ kind, name: documentName(document) })))
    : [];
  return [...deletions, ...pruned]
    .filter(({ kind, name }) => !kept.has(documentKey(kind, name)))
    .flatMap(({ kind, name }) => {
      const before = present.find(kind, name)?.document;
      return before ? [{ kind, name, change: 'deleted' as const, before, after: undefined }] : [];
    });
}

/** A document's kind and name in one text. */
export const documentKey = (kind: Kind, name: string): string => `${kind}\n${name}`;

/** A planned document as the change of a set. */
export const asChange = ({ kind, name, after }: PlannedDocument): DocumentChange =>
  after ? { kind, name, stored: { document: after, version: 0 } } : { kind, name };

/** Each write expects the version that the plan was made on, so that what it touches was told rightly. */
function operationOf(present: DocumentSet, { kind, name, after }: PlannedDocument): Operation {
  const expectedVersion = present.find(kind, name)?.version ?? 0;
  return after
    ? { op: 'put_document', kind, name, body: after, expectedVersion }
    : { op: 'delete_document', kind, name, expectedVersion };
}
