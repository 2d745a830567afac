import { CONDITION_BUDGET, type Condition } from '../cel/condition.js';
import { MAX_CANDIDATES } from '../compile/crowd.js';
import type { PolicySet } from '../compile/policy-set.js';
import type { CompiledRule } from '../compile/rules.js';
import type { NameRules } from '../compile/scopes.js';
import { boundaryOf } from '../decide/boundary.js';
import { joinObligations } from '../decide/obligations.js';
import { MCP_RESOURCE_TYPES, type DecisionInput, type ResolvedRequest } from '../decide/request.js';
import { resolve } from '../decide/resolve.js';
import { keeping, obligationsOfRule, unsupported } from '../decide/obliged.js';
import { argumentsCovered, bindingsOf } from '../decide/rule-outcome.js';
import { candidatesOf, principalsOf, REQUEST_BUDGET } from '../decide/weigh.js';
import type { TouchKey } from '../documents/touches.js';
import type { JsonObject, Obligation, ReasonCode, RuleRef } from '../model.js';
import type { Glob } from '../paths/glob.js';
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
import { idOf, Inexpressible, type KnownRow, type Rows } from './rows.js';
import { truthOf, type Scope, type Truth } from './partial.js';

/** Why there is no filter: what stands in the way, in which rule. */
export interface NoFilter {
  readonly why: string;
  readonly rule: RuleRef | null;
  /** The part of the rule's condition that it is about. */
  readonly clause: string | null;
}

/** Which rows a question would be allowed for. */
export interface Residual {
  readonly formula: Formula;
  /** Of every row that passes, all of these must be carried out. */
  readonly obligations: readonly Obligation[];
  /** Why it is all of them, or none; null where it depends on the row. */
  readonly reason: ReasonCode | null;
  readonly keys: readonly TouchKey[];
  /** The first moment at which something expires that was used, in milliseconds since 1970; null: none. */
  readonly validUntil: number | null;
}

/** Most stored resources of the type that are told apart in a filter. */
const MAX_STORED = 100;

/**
 * The rows for which `decide` without consents says allow, as a condition on them. Pure and total. A row is a resource
 * with an id and with attributes that a host would assert; the id and the properties of the input's resource do not count.
 *
 * INVARIANT: exactly those rows pass for which `decide` answers allow, for texts of at most 65,536 characters. What cannot
 * be said exactly is not said at all.
 */
export function residualOf(
  set: PolicySet,
  input: DecisionInput,
  rows: Rows,
  now: number,
): Residual | { readonly refused: NoFilter } {
  const { type } = input.resource;
  const refused = (why: string) => ({ refused: { why, rule: null, clause: null } });
  if (MCP_RESOURCE_TYPES.has(type)) return refused(`resources of the type '${type}' are MCP's own`);
  const resolution = resolve(set, { ...input, resource: { type, id: null, properties: {} } });
  const { keys } = resolution;
  if ('denied' in resolution) {
    return { formula: NEVER, obligations: [], reason: resolution.denied, keys, validUntil: null };
  }
  const { request } = resolution;
  const { principals, rules } = candidatesOf(set, request, principalsOf(set, request, now));
  if (rules.length > MAX_CANDIDATES) return refused(`more than ${MAX_CANDIDATES} rules concern it`);
  const stored = storedOf(set, type);
  if (stored.length > MAX_STORED) return refused(`more than ${MAX_STORED} resources of the type '${type}' are stored`);

  const variables = bindingsOf(request, now);
  const spent: Spent = { steps: 0, length: 0 };
  const weigh = (row: KnownRow) =>
    new Weighing(set, request, rules, { variables, rows, row }, (rule) => rule.to(principals), spent).weigh();
  try {
    const open = weigh(null);
    const each = stored.map((row) => ({ row, ...weigh(row) }));
    const formula = joined(open.formula, each, rows);
    const none = { formula: NEVER, obligations: [], reason: open.reason, keys, validUntil: principals.validUntil };
    if (formula === NEVER) return { ...none, reason: open.reason ?? 'no_rule_allows' };
    const obligations = joinObligations([open, ...each].flatMap((part) => [...part.obligations]));
    if ('conflict' in obligations) {
      return refused(`the rules that allow some of the rows contradict each other on '${obligations.conflict}'`);
    }
    const lacking = unsupported(obligations.obligations, request);
    if (lacking.length > 0) {
      return refused(`some of the rows oblige to what the host does not say that it can do: ${lacking.join(', ')}`);
    }
    return { ...none, ...obligations, formula, reason: formula === ALWAYS ? 'allowed' : null };
  } catch (error) {
    if (error instanceof RuleInexpressible) return { refused: error.refusal };
    if (error instanceof Inexpressible) return refused(error.message);
    if (error instanceof FormulaTooLong) return refused('it would become too long');
    throw error;
  }
}

interface Weighed {
  readonly formula: Formula;
  readonly obligations: readonly Obligation[];
  readonly reason: ReasonCode | null;
}

/** The resources of a type of nobody's server whose attributes are stored, which win over those of a row. */
function storedOf(set: PolicySet, type: string): NonNullable<KnownRow>[] {
  const stored: NonNullable<KnownRow>[] = [];
  for (const { document } of set.documents.all('Resource')) {
    if (document.type !== type || document.server !== undefined) continue;
    stored.push({ id: document.id, properties: (document.properties ?? {}) as JsonObject });
  }
  return stored;
}

/** All rows but the stored ones by the open condition, each stored one by its own. */
function joined(
  open: Formula,
  stored: readonly { readonly row: NonNullable<KnownRow>; readonly formula: Formula }[],
  rows: Rows,
): Formula {
  const unlike = stored.filter(({ formula }) => textOf(formula) !== textOf(open));
  if (unlike.length === 0) return open;
  const id = idOf(rows, null);
  if (!('field' in id)) throw new Error('unreachable: the id of no row is known');
  const values = unlike.map(({ row }) => row.id);
  const others: Formula =
    values.length === 1
      ? { op: 'ne', left: id.field, right: { value: values[0]! } }
      : { op: 'not_in', left: id.field, values };
  return disjunction([
    conjunction([open, others]),
    ...unlike.map(({ row, formula }) => conjunction([{ op: 'eq', left: id.field, right: { value: row.id } }, formula])),
  ]);
}

/** A rule that cannot be turned into a condition on rows. */
class RuleInexpressible extends Error {
  constructor(readonly refusal: NoFilter) {
    super(refusal.why);
  }
}

/** The steps of docs/semantics.md, with conditions on rows in place of outcomes. */
/** What all weighings of one filter have taken together: steps, and characters of what conditions have come to. */
interface Spent {
  steps: number;
  length: number;
}

class Weighing {
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
    for (const rule of by('deny')) {
      const { yes, no } = this.#truthOf(rule);
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

/** No condition takes more: one that would is aborted at the next step. */
const MAX_STEPS = CONDITION_BUDGET + 1;

/** An allow rule that asks for consent lets no row pass, and matters only by the obligations that it brings. */
const asksOrAllowsNothing = ({ consent, obligations, fields }: CompiledRule): boolean =>
  consent !== null && obligations.length === 0 && !fields?.result;
