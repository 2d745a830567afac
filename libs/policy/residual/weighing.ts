import { CONDITION_BUDGET, type Condition } from '../cel/condition.js';
import type { PolicySet } from '../compile/policy-set.js';
import type { CompiledRule } from '../compile/rules.js';
import type { NameRules } from '../compile/scopes.js';
import { boundaryOf } from '../decide/boundary.js';
import { keeping, obligationsOfRule } from '../decide/obliged.js';
import type { ResolvedRequest } from '../decide/request.js';
import { argumentsCovered } from '../decide/rule-outcome.js';
import { REQUEST_BUDGET } from '../decide/weigh.js';
import type { Obligation, ReasonCode, RuleRef } from '../model.js';
import type { Glob } from '../paths/glob.js';
import type { Truth } from './cases.js';
import {
  ALWAYS,
  conjunction,
  disjunction,
  FormulaTooLong,
  MAX_LENGTH,
  NEVER,
  textOf,
  type Formula,
} from './formula.js';
import type { Scope } from './known-part.js';
import { truthOf } from './partial.js';
import { idOf, Inexpressible } from './rows.js';

/** The steps of docs/semantics.md, with conditions on rows in place of outcomes. */
export class Weighing {
  #steps = 0;

  constructor(
    private readonly set: PolicySet,
    private readonly request: ResolvedRequest,
    private readonly rules: readonly CompiledRule[],
    private readonly scope: Scope,
    private readonly to: (rule: CompiledRule) => 'true' | 'false' | 'error',
    private readonly spent: Spent,
  ) {}

  weigh(): Weighed {
    const none = (reason: ReasonCode): Weighed => ({ formula: NEVER, obligations: [], reason });
    const by = (effect: CompiledRule['effect']) => this.rules.filter((rule) => rule.effect === effect);

    // 1. No deny rule applies or is in error. One that does for every row settles it, whatever the others are.
    const undenied: Formula[] = [];
    const denies = by('deny');
    const isAbove = ({ guardrail }: CompiledRule) => guardrail !== null;
    for (const rule of [...denies.filter(isAbove), ...denies.filter((other) => !isAbove(other))]) {
      const { yes, no } = this.#truthOf(rule);
      if (no === NEVER && isAbove(rule)) return none('guardrail');
      if (no === NEVER) return none(yes === ALWAYS ? 'denied_by_rule' : 'rule_in_error');
      undenied.push(no);
    }

    // 2. Inside of all boundaries.
    const inside = this.#inside();
    if (inside === NEVER) return none('outside_boundary');

    // 3. and 4. A rule allows that asks nothing, and no ask rule applies or is in error: what is asked about is not found.
    const allows = by('allow').map((rule) => ({ rule, ...this.#truthOf(rule, asksOrAllowsNothing) }));
    const allowed = disjunction(allows.flatMap(({ rule, yes }) => (rule.consent ? [] : [yes])));
    if (allowed === NEVER) return none('no_rule_allows');
    const unasked = by('ask').map((rule) => this.#truthOf(rule).no);
    if (unasked.includes(NEVER)) return none('consent_required');

    // What a decision takes at most must be within the budget; or else it would be a deny.
    if (this.#steps > REQUEST_BUDGET) throw new Inexpressible('with some rows the rules could take too many steps');
    const obligations = allows.flatMap(({ rule, no }) => (no === ALWAYS ? [] : this.#obligationsOf(rule)));
    return { formula: conjunction([...undenied, inside, allowed, ...unasked]), obligations, reason: null };
  }

  /** Each rule limits the fields of the result by itself: which rules a row has in common is not known. */
  #obligationsOf(rule: CompiledRule): readonly Obligation[] {
    const result = rule.fields?.result;
    return [...obligationsOfRule(rule, this.request), ...(result ? [keeping(result)] : [])];
  }

  /** Of which rows a rule applies, and of which it is false. */
  #truthOf(rule: CompiledRule, isOfNoMatter: (rule: CompiledRule) => boolean = () => false): Truth {
    const target = this.#covered(rule);
    const to = this.to(rule);
    const isFor = rule.via === null || rule.via.has(this.request.agent.id);
    const fields = argumentsCovered(rule, this.request);
    this.#steps += fields.steps;
    if (target.yes === NEVER || !isFor || to === 'false' || fields.outcome === 'false') {
      return { yes: NEVER, no: ALWAYS };
    }
    if (isOfNoMatter(rule)) {
      // It would be evaluated all the same, and that takes its steps.
      this.#steps += MAX_STEPS * [rule.when, rule.unless].filter(Boolean).length;
      return { yes: NEVER, no: NEVER };
    }
    const when = this.#conditionOf(rule, rule.when) ?? { yes: ALWAYS, no: NEVER };
    if (when.no === ALWAYS) return { yes: NEVER, no: ALWAYS };
    const unless = this.#conditionOf(rule, rule.unless) ?? { yes: NEVER, no: ALWAYS };
    return {
      yes: to === 'true' && fields.outcome === 'true' ? conjunction([target.yes, when.yes, unless.no]) : NEVER,
      no: disjunction([target.no, when.no, unless.yes]),
    };
  }

  #conditionOf(rule: CompiledRule, condition: Condition | null): Truth | null {
    if (!condition) return null;
    try {
      const { steps, ...truth } = truthOf(condition, this.scope);
      this.#steps += steps;
      this.spent.steps += steps;
      this.spent.length += textOf(truth.yes).length + textOf(truth.no).length;
      if (this.spent.steps > REQUEST_BUDGET) throw new Inexpressible('it would take too many steps');
      // Both sides are looked at, and hardly ever more than one of them is needed.
      if (this.spent.length > 2 * MAX_LENGTH) throw new FormulaTooLong();
      return truth;
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error;
      if (rule.guardrail) throw new RuleInexpressible({ why: NOT_TOLD, rule: rule.ref, clause: null });
      const { start, end } = error.range ?? { start: 0, end: condition.text.length };
      throw new RuleInexpressible({ why: error.message, rule: rule.ref, clause: condition.text.slice(start, end) });
    }
  }

  /** The rows that a rule's target names, by their ids. */
  #covered({ target }: CompiledRule): Truth {
    const { type } = this.request.resource;
    const patterns = target.resources.filter((pattern) => pattern.type === null || pattern.type === type);
    return this.#matched(patterns.map(({ id }) => id));
  }

  /** The rows whose ids match one of some patterns, and all others. */
  #matched(patterns: readonly Glob[]): Truth {
    if (patterns.some(({ text }) => text === '*')) return { yes: ALWAYS, no: NEVER };
    if (patterns.length === 0) return { yes: NEVER, no: ALWAYS };
    const id = idOf(this.scope.rows, this.scope.row);
    if ('known' in id) {
      const isMatched = patterns.some((pattern) => pattern.matches(id.known as string));
      return isMatched ? { yes: ALWAYS, no: NEVER } : { yes: NEVER, no: ALWAYS };
    }
    const left = id.field;
    const one = ({ exact, text }: Glob, is: boolean): Formula => {
      if (exact === undefined) return { op: is ? 'glob' : 'not_glob', left, pattern: text };
      return { op: is ? 'eq' : 'ne', left, right: { value: exact } };
    };
    return {
      yes: disjunction(patterns.map((pattern) => one(pattern, true))),
      no: conjunction(patterns.map((pattern) => one(pattern, false))),
    };
  }

  /** The rows inside of every boundary. Of a scope's clauses only `resources` depends on the row. */
  #inside(): Formula {
    const scopes = this.set.hostScopes(this.request.agent.id);
    const others = scopes.map((scope) => ({ ...scope, resources: null }));
    const resource = { ...this.request.resource, id: '' };
    if (boundaryOf([], others, { ...this.request, resource }).outcome !== 'true') return NEVER;
    return conjunction(scopes.map((scope) => (scope.resources ? this.#admitted(scope.resources) : ALWAYS)));
  }

  #admitted({ allow, deny }: NameRules): Formula {
    return conjunction([allow ? this.#matched(allow).yes : ALWAYS, this.#matched(deny).no]);
  }
}

/** Why there is none that says what a guardrail says: not by its text, which the tenant is not told. */
const NOT_TOLD = 'what the guardrail says cannot be said of rows';

/** Why there is no filter: what stands in the way, in which rule. */
export interface NoFilter {
  readonly why: string;
  readonly rule: RuleRef | null;
  /** The part of the rule's condition that it is about. */
  readonly clause: string | null;
}

/** A rule that cannot be turned into a condition on rows. */
export class RuleInexpressible extends Error {
  constructor(readonly refusal: NoFilter) {
    super(refusal.why);
  }
}

/** What all weighings of one filter have taken together: steps, and characters of what conditions have come to. */
export interface Spent {
  steps: number;
  length: number;
}

/** What the rules come to for some rows. */
interface Weighed {
  readonly formula: Formula;
  readonly obligations: readonly Obligation[];
  readonly reason: ReasonCode | null;
}

/** No condition takes more: one that would is aborted at the next step. */
const MAX_STEPS = CONDITION_BUDGET + 1;

/** An allow rule that asks for consent lets no row pass, and matters only by the obligations that it brings. */
const asksOrAllowsNothing = ({ consent, obligations, fields }: CompiledRule): boolean =>
  consent !== null && obligations.length === 0 && !fields?.result;
