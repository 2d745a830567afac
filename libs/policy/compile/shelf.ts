import type { Glob } from '../paths/glob.js';
import { Slot, type Asked } from './rule-slot.js';
import type { CompiledRule } from './rules.js';

/** The rules of one server and action, by resource. */
export class Shelf {
  readonly #exact = new Map<string, Slot>();
  #prefixes: AffixMap | null = null;
  #suffixes: AffixMap | null = null;

  add(pattern: Glob, rule: CompiledRule, principals: readonly number[]): void {
    if (pattern.exact !== undefined) {
      let slot = this.#exact.get(pattern.exact);
      if (!slot) this.#exact.set(pattern.exact, (slot = new Slot()));
      slot.add(rule, principals);
    } else if (byPrefix(pattern)) {
      (this.#prefixes ??= new AffixMap(start)).add(pattern.prefix, rule, principals);
    } else {
      (this.#suffixes ??= new AffixMap(end)).add(pattern.suffix, rule, principals);
    }
  }

  /** Whether the rule was there. */
  remove(pattern: Glob, rule: CompiledRule): boolean {
    if (pattern.exact !== undefined) {
      const slot = this.#exact.get(pattern.exact);
      const wasThere = slot?.remove(rule) ?? false;
      if (slot?.isEmpty) this.#exact.delete(pattern.exact);
      return wasThere;
    }
    const affixes = byPrefix(pattern) ? this.#prefixes : this.#suffixes;
    const wasThere = affixes?.remove(byPrefix(pattern) ? pattern.prefix : pattern.suffix, rule) ?? false;
    if (this.#prefixes?.isEmpty) this.#prefixes = null;
    if (this.#suffixes?.isEmpty) this.#suffixes = null;
    return wasThere;
  }

  collect(asked: Asked, found: Set<CompiledRule>): void {
    if (asked.id === null) for (const slot of this.#exact.values()) slot.collect(asked, found);
    else this.#exact.get(asked.id)?.collect(asked, found);
    this.#prefixes?.collect(asked, found);
    this.#suffixes?.collect(asked, found);
  }

  /** Everything that stands where a resource leads, some of it more than once. */
  *filed(id: string | null): Iterable<CompiledRule> {
    const exact = id === null ? this.#exact.values() : [this.#exact.get(id)];
    for (const slot of exact) yield* slot?.filed ?? [];
    yield* this.#prefixes?.filed(id) ?? [];
    yield* this.#suffixes?.filed(id) ?? [];
  }

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#prefixes === null && this.#suffixes === null;
  }
}

const byPrefix = (pattern: Glob): boolean => pattern.prefix.length >= pattern.suffix.length;
const start = (id: string, length: number): string => id.slice(0, length);
const end = (id: string, length: number): string => id.slice(id.length - length);

/** Rules by the literal beginning (or end) of their patterns: one look-up per length that occurs. */
class AffixMap {
  readonly #slots = new Map<string, Slot>();
  #lengths: readonly number[] = [];

  constructor(private readonly affix: (id: string, length: number) => string) {}

  add(affix: string, rule: CompiledRule, principals: readonly number[]): void {
    let slot = this.#slots.get(affix);
    if (!slot) {
      this.#slots.set(affix, (slot = new Slot()));
      if (!this.#lengths.includes(affix.length)) this.#lengths = [...this.#lengths, affix.length];
    }
    slot.add(rule, principals);
  }

  remove(affix: string, rule: CompiledRule): boolean {
    const slot = this.#slots.get(affix);
    const wasThere = slot?.remove(rule) ?? false;
    if (!slot?.isEmpty) return wasThere;
    this.#slots.delete(affix);
    for (const { length } of this.#slots.keys()) if (length === affix.length) return wasThere;
    this.#lengths = this.#lengths.filter((length) => length !== affix.length);
    return wasThere;
  }

  collect(asked: Asked, found: Set<CompiledRule>): void {
    const { id } = asked;
    if (id === null) for (const slot of this.#slots.values()) slot.collect(asked, found);
    else
      for (const length of this.#lengths) {
        if (length <= id.length) this.#slots.get(this.affix(id, length))?.collect(asked, found);
      }
  }

  *filed(id: string | null): Iterable<CompiledRule> {
    if (id === null) for (const slot of this.#slots.values()) yield* slot.filed;
    else
      for (const length of this.#lengths) {
        if (length <= id.length) yield* this.#slots.get(this.affix(id, length))?.filed ?? [];
      }
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }
}
