import { documentName, KINDS, type DocumentOf, type Kind } from './schema.js';

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

/** The documents of one tenant at one revision, by kind and name. Immutable. */
export class DocumentSet {
  readonly #kinds: ReadonlyMap<Kind, ReadonlyMap<string, StoredDocument>>;

  private constructor(kinds: ReadonlyMap<Kind, ReadonlyMap<string, StoredDocument>>) {
    this.#kinds = kinds;
  }

  static readonly EMPTY = new DocumentSet(new Map(KINDS.map((kind) => [kind, new Map()])));

  static of(documents: Iterable<StoredDocument>): DocumentSet {
    const changes: DocumentChange[] = [];
    for (const stored of documents) {
      changes.push({ kind: stored.document.kind, name: documentName(stored.document), stored });
    }
    return DocumentSet.EMPTY.with(changes);
  }

  /** The set after some changes. Only the kinds that change are copied. */
  with(changes: readonly DocumentChange[]): DocumentSet {
    const kinds = new Map(this.#kinds);
    const copied = new Map<Kind, Map<string, StoredDocument>>();
    for (const { kind, name, stored } of changes) {
      const documents = copied.get(kind) ?? new Map(this.#kinds.get(kind));
      copied.set(kind, documents);
      kinds.set(kind, documents);
      if (stored) documents.set(name, stored);
      else documents.delete(name);
    }
    return new DocumentSet(kinds);
  }

  find<K extends Kind>(kind: K, name: string): StoredDocument<K> | undefined {
    return this.#kinds.get(kind)!.get(name);
  }

  all<K extends Kind>(kind: K): Iterable<StoredDocument<K>> {
    return this.#kinds.get(kind)!.values() as Iterable<StoredDocument<K>>;
  }

  count(kind: Kind): number {
    return this.#kinds.get(kind)!.size;
  }
}
