import type { CompiledRule } from './rules.js';
import { covers } from './targets.js';

/** What a look-up is for. */
export interface Asked {
  readonly server: string | null;
  readonly action: string;
  readonly type: string;
  /** Null where it is not known. */
  readonly id: string | null;
  /** The numbers under which rules name the subject; null where its groups are not known. */
  readonly principals: readonly number[] | null;
}

/** From so many entries on, whom they name is looked up; below, it is faster to read them all. */
const MANY = 32;

/** Rules of one place, by whom they name. A rule that names several stands here several times. */
export class Slot {
  /** Whom the rule at the same place of `#rules` names. */
  readonly #principals: number[] = [];
  readonly #rules: CompiledRule[] = [];
  /** The same by whom they name; made where it is asked for, null until then. */
  #byPrincipal: Map<number, CompiledRule[]> | null = null;

  add(rule: CompiledRule, principals: readonly number[]): void {
    if (this.#rules.at(-1) === rule) return;
    for (const principal of principals) {
      this.#principals.push(principal);
      this.#rules.push(rule);
    }
    this.#byPrincipal = null;
  }

  /** Whether the rule was there. */
  remove(rule: CompiledRule): boolean {
    const before = this.#rules.length;
    let kept = 0;
    for (let at = 0; at < this.#rules.length; at++) {
      if (this.#rules[at] === rule) continue;
      this.#principals[kept] = this.#principals[at]!;
      this.#rules[kept++] = this.#rules[at]!;
    }
    this.#principals.length = kept;
    this.#rules.length = kept;
    this.#byPrincipal = null;
    return kept < before;
  }

  /** With groups unknown every rule could be in error for this subject, so all are visited. */
  collect(asked: Asked, found: Set<CompiledRule>): void {
    const { principals } = asked;
    if (principals === null) {
      for (const rule of this.#rules) addCovering(rule, asked, found);
    } else if (this.#rules.length < MANY) {
      for (let at = 0; at < this.#rules.length; at++) {
        if (principals.includes(this.#principals[at]!)) addCovering(this.#rules[at]!, asked, found);
      }
    } else {
      const byPrincipal = (this.#byPrincipal ??= this.#grouped());
      for (const principal of principals) {
        for (const rule of byPrincipal.get(principal) ?? []) addCovering(rule, asked, found);
      }
    }
  }

  #grouped(): Map<number, CompiledRule[]> {
    const grouped = new Map<number, CompiledRule[]>();
    for (const [at, principal] of this.#principals.entries()) {
      const rules = grouped.get(principal);
      if (rules) rules.push(this.#rules[at]!);
      else grouped.set(principal, [this.#rules[at]!]);
    }
    return grouped;
  }

  get filed(): Iterable<CompiledRule> {
    return this.#rules;
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }
}

/** Adds a rule that a look-up has led to, if its target could cover what is asked. */
export function addCovering(rule: CompiledRule, { server, action, type, id }: Asked, found: Set<CompiledRule>): void {
  if ((rule.foundIsCovered && id !== null) || covers(rule.target, server, action, type, id) !== 'false') {
    found.add(rule);
  }
}
