import type { PolicySet } from '../compile/policy-set.js';
import type { CompiledRule } from '../compile/rules.js';
import type { Decision } from '../decide/decide.js';
import { nameOf } from './expectation.js';

/** How far the cases have come with a rule: it decided one, applied in one, or was looked at and did not apply. */
type Reached = 'decided' | 'applied' | 'evaluated';

/** How many of the rules were shown to do something. */
export interface Coverage {
  /** Rules that are enforced. */
  readonly rules: number;
  /** Those of them that decided, or at least applied, in some case. */
  readonly covered: number;
  /** Whole percent, rounded down; 100 where there is no rule. */
  readonly percent: number;
  /** The others by name, the first hundred; `evaluated`: whether a case got as far as to look at it. */
  readonly uncovered: readonly { readonly rule: string; readonly evaluated: boolean }[];
  /** Rules that are not enforced, and those of them that would have decided some case. */
  readonly shadow: { readonly rules: number; readonly covered: number };
}

const MAX_NAMED = 100;

/** Rules after which others may have their turn. */
const TURN = 512;

/** Gathers what cases have shown of rules. Only those that some case came across take room. */
export class CoverageSoFar {
  readonly #reached = new Map<CompiledRule, Reached>();

  add(candidates: Iterable<CompiledRule>, { rules, wouldBe, outcomes }: Decision): void {
    const deciding = new Set(rules);
    const wouldDecide = new Set(wouldBe?.rules);
    const applying = new Set(outcomes.rules.flatMap(({ ref, outcome }) => (outcome === 'true' ? [ref] : [])));
    for (const rule of candidates) {
      if ((rule.enforced ? deciding : wouldDecide).has(rule.ref)) this.#reached.set(rule, 'decided');
      else if (this.#reached.get(rule) === 'decided') continue;
      else if (applying.has(rule.ref)) this.#reached.set(rule, 'applied');
      else if (!this.#reached.has(rule)) this.#reached.set(rule, 'evaluated');
    }
  }

  /** What came of it with regard to all rules. Stops now and then, for others to have their turn. */
  *total(set: PolicySet): Generator<undefined, Coverage | undefined> {
    let [rules, covered, seen] = [0, 0, 0];
    const shadow = { rules: 0, covered: 0 };
    const uncovered: Coverage['uncovered'][number][] = [];
    for (const rule of set.rules()) {
      if (++seen % TURN === 0) {
        yield;
        if (set.isStale) return undefined;
      }
      const reached = this.#reached.get(rule);
      const isCovered = reached === 'decided' || reached === 'applied';
      if (!rule.enforced) {
        shadow.rules++;
        if (isCovered) shadow.covered++;
        continue;
      }
      rules++;
      if (isCovered) covered++;
      else if (uncovered.length < MAX_NAMED)
        uncovered.push({ rule: nameOf(rule.ref), evaluated: reached === 'evaluated' });
    }
    uncovered.sort((left, right) => (left.rule < right.rule ? -1 : 1));
    const percent = rules === 0 ? 100 : Math.floor((100 * covered) / rules);
    return { rules, covered, percent, uncovered, shadow };
  }
}
