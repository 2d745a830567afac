import type { Principals } from './principals.js';
import type { CompiledRule } from './rules.js';
import { addCovering, type Asked } from './rule-slot.js';
import { Shelf } from './shelf.js';
import { ANY, entriesOf } from './targets.js';

/** What a rule is looked up by. */
export interface Query {
  readonly server: string | null;
  readonly action: string;
  readonly type: string;
  /** Null where it is not known yet, as for a resource template: then every id could be meant. */
  readonly id: string | null;
  readonly principals: Principals;
}

/** Rules whose target could cover a query, and whether these are all. */
export interface Covering {
  readonly rules: ReadonlySet<CompiledRule>;
  readonly isComplete: boolean;
}

/** Where rules are filed, to be found again. */
export type Rules = Pick<RuleIndex, 'add' | 'remove' | 'candidates' | 'covering'>;

/** The rules of another index without some, and some of its own. The other one is not changed. */
export class LayeredIndex implements Rules {
  readonly #own = new RuleIndex();
  readonly #added = new Set<CompiledRule>();
  readonly #removed = new Set<CompiledRule>();

  constructor(private readonly base: Rules) {}

  add(rule: CompiledRule): void {
    this.#added.add(rule);
    this.#own.add(rule);
  }

  remove(rule: CompiledRule): void {
    if (this.#added.delete(rule)) this.#own.remove(rule);
    else this.#removed.add(rule);
  }

  candidates(query: Query): Set<CompiledRule> {
    const found = this.#own.candidates(query);
    for (const rule of this.base.candidates(query)) if (!this.#removed.has(rule)) found.add(rule);
    return found;
  }

  covering(query: Query, limit: number): Covering {
    const [own, below] = [this.#own.covering(query, limit), this.base.covering(query, limit)];
    const kept = [...below.rules].filter((rule) => !this.#removed.has(rule));
    return { rules: new Set([...own.rules, ...kept]), isComplete: own.isComplete && below.isComplete };
  }
}

/**
 * Finds the rules that could concern a request without looking at the others: by server, action, resource (exact, by
 * the literal beginning or end of its pattern, or any) and by whom the rule names. Changed in place.
 *
 * With many rules nearly all of the time goes into waiting for memory that no cache has, so what a look-up passes is kept
 * short and dense: actions first, as they are few; whom rules name as numbers.
 *
 * INVARIANT: `candidates` are the rules whose target could cover the query (with a known id: covers it), and whose `to`
 * is not false (of somebody of whom all is certain: is true).
 */
export class RuleIndex {
  /** By action, then by server. */
  readonly #shelves = new Map<string, Map<string, Shelf>>();
  readonly #numbers = new PrincipalNumbers();

  add(rule: CompiledRule): void {
    const principals = rule.principalKeys.map((key) => this.#numbers.take(key));
    for (const { server, action, pattern } of entriesOf(rule.target)) {
      let shelves = this.#shelves.get(action);
      if (!shelves) this.#shelves.set(action, (shelves = new Map<string, Shelf>()));
      let shelf = shelves.get(server);
      if (!shelf) shelves.set(server, (shelf = new Shelf()));
      shelf.add(pattern, rule, principals);
    }
  }

  remove(rule: CompiledRule): void {
    let wasThere = false;
    for (const { server, action, pattern } of entriesOf(rule.target)) {
      const shelves = this.#shelves.get(action);
      const shelf = shelves?.get(server);
      if (shelf?.remove(pattern, rule)) wasThere = true;
      if (shelf?.isEmpty) shelves!.delete(server);
      if (shelves?.size === 0) this.#shelves.delete(action);
    }
    if (wasThere) for (const key of rule.principalKeys) this.#numbers.giveBack(key);
  }

  candidates(query: Query): Set<CompiledRule> {
    const { server, action, type, id } = query;
    const { mayBeInMore, indexKeys } = query.principals;
    const asked: Asked = { server, action, type, id, principals: mayBeInMore ? null : this.#numbers.of(indexKeys) };
    const found = new Set<CompiledRule>();
    for (const shelves of [this.#shelves.get(action), this.#shelves.get(ANY)]) {
      if (!shelves) continue;
      if (server !== null) shelves.get(server)?.collect(asked, found);
      shelves.get(ANY)?.collect(asked, found);
    }
    return found;
  }

  /**
   * The rules whose target could cover a query, whomever they are for. Looks at no more than `limit`; if there are more,
   * which ones depends on the order in which they were saved.
   */
  covering(query: Query, limit: number): Covering {
    const { server, action, type, id } = query;
    const rules = new Set<CompiledRule>();
    let seen = 0;
    for (const shelves of [this.#shelves.get(action), this.#shelves.get(ANY)]) {
      for (const shelf of [server === null ? undefined : shelves?.get(server), shelves?.get(ANY)]) {
        for (const rule of shelf?.filed(id) ?? []) {
          if (++seen > limit) return { rules, isComplete: false };
          addCovering(rule, { server, action, type, id, principals: null }, rules);
        }
      }
    }
    return { rules, isComplete: true };
  }
}

/** A number for each of those whom rules name, as long as one does. */
class PrincipalNumbers {
  readonly #known = new Map<string, { readonly number: number; uses: number }>();
  #next = 0;

  take(key: string): number {
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, (known = { number: this.#next++, uses: 0 }));
    known.uses++;
    return known.number;
  }

  giveBack(key: string): void {
    const known = this.#known.get(key);
    if (known && --known.uses === 0) this.#known.delete(key);
  }

  /** The numbers of those that some rule names. */
  of(keys: readonly string[]): number[] {
    const numbers: number[] = [];
    for (const key of keys) {
      const known = this.#known.get(key);
      if (known) numbers.push(known.number);
    }
    return numbers;
  }
}
