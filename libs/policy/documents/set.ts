import { LayeredMap, type Table } from '../layers.js';
import { documentName, KINDS, type DocumentOf, type Kind, type RuleDocument } from './schema.js';

/** A document as it is stored: its content and the number of this version of it. */
export interface StoredDocument<K extends Kind = Kind> {
  readonly document: DocumentOf<K>;
  readonly version: number;
}

/** One change of a set: the new version of a document, or that it is gone. */
export interface DocumentChange {
  readonly kind: Kind;
  readonly name: string;
  /** Absent where the document was deleted. */
  readonly stored?: StoredDocument;
}

type Documents = Table<string, StoredDocument>;

/** The documents of one tenant at one revision, by kind and name. Immutable. */
export class DocumentSet {
  readonly #kinds: ReadonlyMap<Kind, Documents>;

  private constructor(kinds: ReadonlyMap<Kind, Documents>) {
    this.#kinds = kinds;
  }

  static readonly EMPTY = new DocumentSet(new Map(KINDS.map((kind) => [kind, new Map<string, StoredDocument>()])));

  static of(documents: Iterable<StoredDocument>): DocumentSet {
    const changes: DocumentChange[] = [];
    for (const stored of documents) {
      changes.push({ kind: stored.document.kind, name: documentName(stored.document), stored });
    }
    return DocumentSet.EMPTY.with(changes);
  }

  /** The set after some changes. Only the kinds that change are copied. */
  with(changes: readonly DocumentChange[]): DocumentSet {
    return new DocumentSet(changed(this.#kinds, changes, copyOf));
  }

  /** The same as a layer over this set: nothing is copied, and look-ups take the longer the more layers there are. */
  over(changes: readonly DocumentChange[]): DocumentSet {
    return new DocumentSet(changed(this.#kinds, changes, (documents) => new LayeredMap(documents)));
  }

  find<K extends Kind>(kind: K, name: string): StoredDocument<K> | undefined {
    return this.#kinds.get(kind)!.get(name);
  }

  /** A rule of a policy, as it is written. */
  rule(policy: string, name: string): RuleDocument | undefined {
    return this.find('Policy', policy)?.document.rules.find((rule) => rule.name === name);
  }

  all<K extends Kind>(kind: K): Iterable<StoredDocument<K>> {
    return this.#kinds.get(kind)!.values() as Iterable<StoredDocument<K>>;
  }

  count(kind: Kind): number {
    return this.#kinds.get(kind)!.size;
  }
}

function changed(
  before: ReadonlyMap<Kind, Documents>,
  changes: readonly DocumentChange[],
  toChange: (documents: Documents) => Documents,
): ReadonlyMap<Kind, Documents> {
  const kinds = new Map(before);
  const begun = new Set<Kind>();
  for (const { kind, name, stored } of changes) {
    const documents = begun.has(kind) ? kinds.get(kind)! : toChange(kinds.get(kind)!);
    begun.add(kind);
    kinds.set(kind, documents);
    if (stored) documents.set(name, stored);
    else documents.delete(name);
  }
  return kinds;
}

function copyOf(documents: Documents): Documents {
  if (documents instanceof Map) return new Map<string, StoredDocument>(documents);
  const copy = new Map<string, StoredDocument>();
  for (const name of documents.keys()) copy.set(name, documents.get(name)!);
  return copy;
}
