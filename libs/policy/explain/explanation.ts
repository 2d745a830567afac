import type { BoundaryOutcome } from '../decide/boundary.js';
import type { Outcomes } from '../decide/combine.js';
import type { Effect, Outcome, ReasonCode, RuleRef } from '../model.js';
import type { ToldChange } from './changes.js';
import type { MaskedValue } from './mask.js';

/** Where in docs/semantics.md an answer was settled: before any rule, at one of its four steps, or beside them. */
export const STEPS = [
  'before_rules',
  'limits',
  'deny_rules',
  'boundaries',
  'allow_rules',
  'requirements',
  'obligations',
] as const;

export type Step = (typeof STEPS)[number];

const STEP_OF: Readonly<Record<ReasonCode, Step>> = {
  no_decision_needed: 'before_rules',
  approval_invalid: 'before_rules',
  suspended: 'before_rules',
  directory_unreachable: 'before_rules',
  agent_unknown: 'before_rules',
  server_unknown: 'before_rules',
  method_unknown: 'before_rules',
  resource_ambiguous: 'before_rules',
  arguments_invalid: 'before_rules',
  too_many_candidates: 'limits',
  budget_exceeded: 'limits',
  guardrail: 'deny_rules',
  denied_by_rule: 'deny_rules',
  rule_in_error: 'deny_rules',
  outside_boundary: 'boundaries',
  no_rule_allows: 'allow_rules',
  consent_required: 'requirements',
  approval_required: 'requirements',
  allowed: 'requirements',
  allowed_by_consent: 'requirements',
  obligations_conflict: 'obligations',
  obligation_unsupported: 'obligations',
};

/** The step that settled an answer with this reason. */
export const stepOf = (reason: ReasonCode): Step => STEP_OF[reason];

/** Why an answer is what it is, for whoever may know. Values are masked; the texts of policies are shown. */
export interface Explanation {
  readonly step: Step;
  /** The rules that decided, then the others that could concern the request, then those that are for others. */
  readonly rules: readonly ExplainedRule[];
  /** What the organisation has set above all rules and has a say in the answer. Of the others nothing is told. */
  readonly guardrails: readonly ExplainedGuardrail[];
  /** Null where no boundary was looked at. */
  readonly boundary: Pick<BoundaryOutcome, 'outcome' | 'outside'> | null;
  /** What holds where no allow rule applies; null where no rule was looked at. */
  readonly default: Outcomes['default'] | null;
  /** The roles that these rules name. */
  readonly roles: readonly ExplainedRole[];
  readonly counterfactual: Counterfactual | 'none';
  /** What there is more of than is shown, or was tried. */
  readonly truncated: readonly ('rules' | 'roles' | 'counterfactual')[];
}

export interface ExplainedRule extends RuleRef {
  readonly effect: Effect;
  /** False: a shadow rule, which decides nothing. */
  readonly enforced: boolean;
  /** Whether the answer names it. */
  readonly decided: boolean;
  /** The conjunction of its parts. */
  readonly outcome: Outcome;
  /** Whether what it asks for has been agreed to; absent where it asks nothing, or is false. */
  readonly met?: boolean;
  /** Whom it is for; at most 20 of the names. */
  readonly to: readonly string[];
  /** `unless` is true where its condition is false. A part that the rule does not have is absent. */
  readonly parts: {
    readonly target: Outcome;
    readonly to: Outcome;
    readonly via?: Outcome;
    /** Whether every argument lies within its `fields.arguments`. */
    readonly fields?: Outcome;
    readonly when?: Outcome;
    readonly unless?: Outcome;
  };
  /** The clause that kept its `when`, or else its `unless`, from being true. */
  readonly failed?: FailedClause;
}

/** A guardrail that did not come out false: all that a tenant is told of it. */
export interface ExplainedGuardrail {
  readonly name: string;
  readonly effect: Effect;
  readonly reason: string;
  /** Whether what it asks for has been agreed to; absent where it asks nothing. */
  readonly met?: boolean;
}

export interface FailedClause {
  readonly part: 'when' | 'unless';
  /** The clause as the policy has it, and where in the condition it stands. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** What the clause came to. */
  readonly outcome: 'true' | 'false' | 'error';
  /** Why it is in error. */
  readonly fault?: string;
  /** What it looked at; at most 10. */
  readonly saw: readonly MaskedValue[];
}

export interface ExplainedRole {
  readonly role: string;
  /** `error`: it could come by a group that is not known, or by a mapping rule in error. */
  readonly held: 'true' | 'false' | 'error';
  readonly ways: readonly ExplainedWay[];
}

/** How a role is reached: by a binding, or by a rule of a Mapping. */
export type ExplainedWay = {
  /** Whom it names: the person, or a group. */
  readonly by: string;
  /** The role that is given, and those that lead on from it. */
  readonly through: readonly string[];
} & (
  | { readonly binding: string; readonly expires?: string }
  | {
      readonly mapping: string;
      readonly rule: string;
      /** Whether the rule is in error, so that the role may be held or not. */
      readonly possible?: true;
    }
);

/** The one change that makes the answer another one, and which. It has been tried. */
export type Counterfactual = { readonly effect: Effect; readonly reason: ReasonCode } & (
  { readonly change: 'add_role' | 'remove_role'; readonly role: string } | ToldChange
);
