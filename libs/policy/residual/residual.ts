import { areTooMany, MAX_CANDIDATES } from '../compile/crowd.js';
import type { PolicySet } from '../compile/policy-set.js';
import { unsupported } from '../decide/obliged.js';
import { joinObligations } from '../decide/obligations.js';
import { MCP_RESOURCE_TYPES, type DecisionInput } from '../decide/request.js';
import { resolve } from '../decide/resolve.js';
import { bindingsOf } from '../decide/rule-outcome.js';
import { candidatesOf, principalsOf } from '../decide/weigh.js';
import type { TouchKey } from '../documents/touches.js';
import type { JsonObject, Obligation, ReasonCode } from '../model.js';
import { ALWAYS, conjunction, disjunction, FormulaTooLong, NEVER, textOf, type Formula } from './formula.js';
import { idOf, Inexpressible, type KnownRow, type Rows } from './rows.js';
import { RuleInexpressible, Weighing, type NoFilter, type Spent } from './weighing.js';

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
  if (areTooMany(rules)) return refused(`more than ${MAX_CANDIDATES} rules concern it`);
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
