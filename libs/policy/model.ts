/** A JSON value as it came from the wire or from a document. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** What a rule does, and what a decision says. */
export type Effect = 'allow' | 'deny' | 'ask';

/**
 * The outcome of a condition, of a part of a rule, or of a rule.
 * `unknown` occurs only in listings, where the arguments are not known yet: it may become any of the other three.
 */
export type Outcome = 'true' | 'false' | 'error' | 'unknown';

/** Why a decision says what it says. A closed list: `docs/semantics.md` has a paragraph on each. */
export const REASON_CODES = [
  'allowed',
  'allowed_by_consent',
  'no_decision_needed',
  'approval_invalid',
  'consent_required',
  'approval_required',
  'guardrail',
  'denied_by_rule',
  'rule_in_error',
  'outside_boundary',
  'no_rule_allows',
  'suspended',
  'directory_unreachable',
  'server_unknown',
  'method_unknown',
  'agent_unknown',
  'arguments_invalid',
  'resource_ambiguous',
  'obligations_conflict',
  'obligation_unsupported',
  'too_many_candidates',
  'budget_exceeded',
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

/** Something that the host must do for an answer to hold. Which members stand beside `type` depends on the type. */
export interface Obligation {
  readonly type: string;
  readonly [property: string]: Json;
}

/** A rule as records and answers name it; one that stands above the tenant by `guardrail:` and its name. */
export interface RuleRef {
  readonly policy: string;
  readonly version: number;
  readonly rule: string;
}
