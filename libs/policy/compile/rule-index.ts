import type { Glob } from '../paths/glob.js';
import type { Principals } from './principals.js';
import type { CompiledRule } from './rules.js';
import { ANY, covers, entriesOf } from './targets.js';

/** What a rule is looked up by. */
export interface Query {
  readonly server: string | null;
  readonly action: string;
  readonly type: string;
  /** Null where it is not known yet, as for a resource template: then every id could be meant. */
  readonly id: string | null;
  readonly principals: Principals;
}

/**
 * Finds the rules that could concern a request without looking at the others: by server, action, resource (exact, by
 * the literal beginning or end of its pattern, or any) and by whom the rule names. Changed in place.
 *
 * INVARIANT: `candidates` are the rules whose target could cover the query (with a known id: covers it), and whose `to`
 * is not false (with known groups: is true).
 */
export class RuleIndex {
  /** By server, then by action. */
  readonly #shelves = new Map<string, Map<string, Shelf>>();

  add(rule: CompiledRule): void {
    for (const { server, action, pattern } of entriesOf(rule.target)) {
      let shelves = this.#shelves.get(server);
      if (!shelves) this.#shelves.set(server, (shelves = new Map<string, Shelf>()));
      let shelf = shelves.get(action);
      if (!shelf) shelves.set(action, (shelf = new Shelf()));
      shelf.add(pattern, rule);
    }
  }

  remove(rule: CompiledRule): void {
    for (const { server, action, pattern } of entriesOf(rule.target)) {
      const shelves = this.#shelves.get(server);
      const shelf = shelves?.get(action);
      shelf?.remove(pattern, rule);
      if (shelf?.isEmpty) shelves!.delete(action);
      if (shelves?.size === 0) this.#shelves.delete(server);
    }
  }

  candidates(query: Query): Set<CompiledRule> {
    const found = new Set<CompiledRule>();
    for (const server of query.server === null ? [ANY] : [query.server, ANY]) {
      const shelves = this.#shelves.get(server);
      shelves?.get(query.action)?.collect(query, found);
      shelves?.get(ANY)?.collect(query, found);
    }
    return found;
  }
}

/** The rules of one server and action, by resource. */
class Shelf {
  readonly #exact = new Map<string, Slot>();
  readonly #prefixes = new AffixMap((id, length) => id.slice(0, length));
  readonly #suffixes = new AffixMap((id, length) => id.slice(id.length - length));

  add(pattern: Glob, rule: CompiledRule): void {
    if (pattern.exact !== undefined) {
      const slot = this.#exact.get(pattern.exact) ?? new Slot();
      this.#exact.set(pattern.exact, slot);
      slot.add(rule);
    } else {
      this.#affixesFor(pattern).add(affixOf(pattern), rule);
    }
  }

  remove(pattern: Glob, rule: CompiledRule): void {
    if (pattern.exact !== undefined) {
      const slot = this.#exact.get(pattern.exact);
      slot?.remove(rule);
      if (slot?.isEmpty) this.#exact.delete(pattern.exact);
    } else {
      this.#affixesFor(pattern).remove(affixOf(pattern), rule);
    }
  }

  collect(query: Query, found: Set<CompiledRule>): void {
    if (query.id === null) for (const slot of this.#exact.values()) slot.collect(query, found);
    else this.#exact.get(query.id)?.collect(query, found);
    this.#prefixes.collect(query, found);
    this.#suffixes.collect(query, found);
  }

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#prefixes.isEmpty && this.#suffixes.isEmpty;
  }

  #affixesFor(pattern: Glob): AffixMap {
    return pattern.prefix.length >= pattern.suffix.length ? this.#prefixes : this.#suffixes;
  }
}

const affixOf = (pattern: Glob): string =>
  pattern.prefix.length >= pattern.suffix.length ? pattern.prefix : pattern.suffix;

/** Rules by the literal beginning (or end) of their patterns: one look-up per length that occurs. */
class AffixMap {
  readonly #slots = new Map<string, Slot>();
  /** How many affixes there are of each length. */
  readonly #lengths = new Map<number, number>();

  constructor(private readonly affix: (id: string, length: number) => string) {}

  add(affix: string, rule: CompiledRule): void {
    let slot = this.#slots.get(affix);
    if (!slot) {
      this.#slots.set(affix, (slot = new Slot()));
      this.#lengths.set(affix.length, (this.#lengths.get(affix.length) ?? 0) + 1);
    }
    slot.add(rule);
  }

  remove(affix: string, rule: CompiledRule): void {
    const slot = this.#slots.get(affix);
    slot?.remove(rule);
    if (!slot?.isEmpty) return;
    this.#slots.delete(affix);
    const left = this.#lengths.get(affix.length)! - 1;
    if (left === 0) this.#lengths.delete(affix.length);
    else this.#lengths.set(affix.length, left);
  }

  collect(query: Query, found: Set<CompiledRule>): void {
    if (this.isEmpty) return;
    const { id } = query;
    if (id === null) for (const slot of this.#slots.values()) slot.collect(query, found);
    else
      for (const length of this.#lengths.keys()) {
        if (length <= id.length) this.#slots.get(this.affix(id, length))?.collect(query, found);
      }
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }
}

/** Rules by whom they name. A rule that names several stands here several times. */
class Slot {
  readonly #byPrincipal = new Map<string, CompiledRule[]>();

  add(rule: CompiledRule): void {
    for (const key of rule.principalKeys) {
      const rules = this.#byPrincipal.get(key);
      if (!rules) this.#byPrincipal.set(key, [rule]);
      else if (rules.at(-1) !== rule) rules.push(rule);
    }
  }

  remove(rule: CompiledRule): void {
    for (const key of rule.principalKeys) {
      const rules = this.#byPrincipal.get(key)?.filter((other) => other !== rule);
      if (rules && rules.length > 0) this.#byPrincipal.set(key, rules);
      else this.#byPrincipal.delete(key);
    }
  }

  /** With groups unknown every rule could be in error for this subject, so all are visited. */
  collect(query: Query, found: Set<CompiledRule>): void {
    if (query.principals.groups === null) {
      for (const rules of this.#byPrincipal.values()) addCovering(rules, query, found);
      return;
    }
    for (const key of query.principals.indexKeys) {
      const rules = this.#byPrincipal.get(key);
      if (rules) addCovering(rules, query, found);
    }
  }

  get isEmpty(): boolean {
    return this.#byPrincipal.size === 0;
  }
}

function addCovering(
  rules: readonly CompiledRule[],
  { server, action, type, id }: Query,
  found: Set<CompiledRule>,
): void {
  for (const rule of rules) {
    if ((rule.foundIsCovered && id !== null) || covers(rule.target, server, action, type, id) !== 'false')
      found.add(rule);
  }
}
