/** What a compiled set needs of a map, be it one of its own or a layer over that of another set. */
export type Table<K, V> = Pick<Map<K, V>, 'get' | 'has' | 'set' | 'delete' | 'keys' | 'values' | 'size'>;

/** A map of its own, or a layer over another one. */
export function tableOver<K, V>(base: Table<K, V> | undefined): Table<K, V> {
  return base ? new LayeredMap(base) : new Map<K, V>();
}

/**
 * A map that reads through to another one where it was not written to, which it never changes: it costs what is written,
 * however large the other one is. It is good for as long as nobody else changes that one.
 */
export class LayeredMap<K, V> implements Table<K, V> {
  readonly #own = new Map<K, V>();
  readonly #gone = new Set<K>();
  #size: number;

  constructor(private readonly base: Pick<Table<K, V>, 'get' | 'has' | 'keys' | 'size'>) {
    this.#size = base.size;
  }

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    if (this.#own.has(key)) return this.#own.get(key);
    return this.#gone.has(key) ? undefined : this.base.get(key);
  }

  has(key: K): boolean {
    return this.#own.has(key) || (!this.#gone.has(key) && this.base.has(key));
  }

  set(key: K, value: V): Map<K, V> {
    if (!this.has(key)) this.#size++;
    return this.#own.set(key, value);
  }

  delete(key: K): boolean {
    if (!this.has(key)) return false;
    this.#size--;
    this.#own.delete(key);
    if (this.base.has(key)) this.#gone.add(key);
    return true;
  }

  *keys(): MapIterator<K> {
    for (const key of this.base.keys()) if (!this.#own.has(key) && !this.#gone.has(key)) yield key;
    yield* this.#own.keys();
  }

  *values(): MapIterator<V> {
    for (const key of this.keys()) yield this.get(key)!;
  }
}

/** Things by their owner, then by their name. Over another one, an owner's are copied before they are changed. */
export class Owned<V> {
  readonly #owners: Table<string, Map<string, V>>;
  /** Owners whose things are in a map of this one's own; null where all are. */
  readonly #copied: Set<string> | null;

  constructor(base?: Owned<V>) {
    this.#owners = tableOver(base && base.#owners);
    this.#copied = base ? new Set() : null;
  }

  /** What an owner has, by name; undefined where it has nothing. */
  of(owner: string): ReadonlyMap<string, V> | undefined {
    return this.#owners.get(owner);
  }

  owners(): Iterable<string> {
    return this.#owners.keys();
  }

  set(owner: string, name: string, value: V): void {
    this.#toChange(owner).set(name, value);
  }

  delete(owner: string, name: string): void {
    if (!this.#owners.has(owner)) return;
    const things = this.#toChange(owner);
    things.delete(name);
    if (things.size === 0) this.#owners.delete(owner);
  }

  #toChange(owner: string): Map<string, V> {
    const known = this.#owners.get(owner);
    if (known && (this.#copied === null || this.#copied.has(owner))) return known;
    const things = new Map(known);
    this.#owners.set(owner, things);
    this.#copied?.add(owner);
    return things;
  }
}
