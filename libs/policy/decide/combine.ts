import { guardrailOf } from '../compile/guardrails.js';
import type { Effect, Outcome, ReasonCode, RuleRef } from '../model.js';

/** What one candidate came to, as a record keeps it. Candidates that came out false are not kept. */
export interface RuleRecord {
  readonly ref: RuleRef;
  readonly effect: Effect;
  readonly outcome: Exclude<Outcome, 'false'>;
  /** Whether a live consent meets what the rule asks; null where it asks nothing. */
  readonly met: boolean | null;
}

/** Everything that a decision follows from. */
export interface Outcomes {
  readonly rules: readonly RuleRecord[];
  readonly boundary: Exclude<Outcome, 'error'>;
  readonly default: { readonly effect: 'deny' | 'ask'; readonly met: boolean };
}

export interface Verdict {
  readonly effect: Effect;
  readonly reason: ReasonCode;
  /** The rules that decided. */
  readonly rules: readonly RuleRecord[];
}

/** The steps of docs/semantics.md, one after the other. The order of the rules changes nothing. */
export function combine({ rules, boundary, default: fallback }: Outcomes): Verdict {
  // 1. A deny rule that applies or is in error; a guardrail before all others.
  const denies = rules.filter(({ effect }) => effect === 'deny');
  const guardrails = denies.filter(isGuardrail);
  if (guardrails.length > 0) return { effect: 'deny', reason: 'guardrail', rules: guardrails };
  const applying = denies.filter(({ outcome }) => outcome === 'true');
  if (applying.length > 0) return { effect: 'deny', reason: 'denied_by_rule', rules: applying };
  if (denies.length > 0) return { effect: 'deny', reason: 'rule_in_error', rules: denies };

  // 2. Outside a boundary; inside must be proven.
  if (boundary !== 'true') return { effect: 'deny', reason: 'outside_boundary', rules: [] };

  // 3. No allow rule applies: the default.
  const allows = rules.filter(({ effect, outcome }) => effect === 'allow' && outcome === 'true');
  if (allows.length === 0 && fallback.effect === 'deny') return { effect: 'deny', reason: 'no_rule_allows', rules: [] };

  // 4. Requirements: ask rules that apply or are in error, what the allows ask unless one asks nothing, and the default's.
  const asks = rules.filter(({ effect }) => effect === 'ask');
  const gates = allows.some(({ met }) => met === null) ? asks : [...asks, ...allows];
  const unmet = gates.filter(({ met }) => met !== true);
  const defaultUnmet = allows.length === 0 && !fallback.met;
  if (unmet.length > 0 || defaultUnmet) return { effect: 'ask', reason: 'consent_required', rules: unmet };
  const consented = gates.length > 0 || allows.length === 0;
  return { effect: 'allow', reason: consented ? 'allowed_by_consent' : 'allowed', rules: [...allows, ...asks] };
}

const isGuardrail = ({ ref }: RuleRecord): boolean => guardrailOf(ref) !== undefined;

/** What a listing says of an item: the most permissive effect that some arguments could still reach. */
export interface ListingVerdict {
  readonly effect: Effect;
  /** Whether the effect hangs on the arguments. */
  readonly conditional: boolean;
  /** Why no arguments could give anything but a deny; null where some could. */
  readonly denied: ReasonCode | null;
}

/**
 * The listing rule: deny only if no arguments could give anything else.
 *
 * INVARIANT: for every call, the effect of the call is at most as permissive as that of the listing, consents aside.
 */
export function combineListing({ rules, boundary, default: fallback }: Outcomes): ListingVerdict {
  const denies = rules.filter(({ effect }) => effect === 'deny');
  if (denies.some((record) => isGuardrail(record) && record.outcome !== 'unknown')) return deniedListing('guardrail');
  if (denies.some(({ outcome }) => outcome === 'true')) return deniedListing('denied_by_rule');
  if (denies.some(({ outcome }) => outcome === 'error')) return deniedListing('rule_in_error');
  if (boundary === 'false') return deniedListing('outside_boundary');

  const allows = rules.filter(({ effect, outcome }) => effect === 'allow' && outcome !== 'error');
  if (allows.length === 0 && fallback.effect === 'deny') return deniedListing('no_rule_allows');

  const conditional = boundary === 'unknown' || rules.some(({ outcome }) => outcome === 'unknown');
  const gated = rules.some(({ effect, outcome }) => effect === 'ask' && outcome !== 'unknown');
  const asks = gated || !allows.some(({ met }) => met === null);
  return { effect: asks ? 'ask' : 'allow', conditional, denied: null };
}

export const deniedListing = (denied: ReasonCode): ListingVerdict => ({ effect: 'deny', conditional: false, denied });
