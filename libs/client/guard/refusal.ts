import type { Asked, Decision, Denied, Reason, Requirement, RuleRef } from '../decision.js';
import type { DecisionRequest } from '../request.js';

/** Why nobody has agreed to what was asked. */
export interface Unanswered {
  readonly code:
    /** Nothing that anybody agrees to could count: list the tools before they are called. */
    | 'not_requestable'
    /** Placet did not take the request, or could not be asked: the message says why. */
    | 'not_requested'
    /** Somebody who was asked has refused. */
    | 'denied'
    /** Its time was up before enough people had answered: by Placet's time, or by `waitMs`. */
    | 'expired'
    | 'timed_out'
    /** It was taken back. */
    | 'cancelled'
    /** Nobody waits for the operation any more: it was aborted, or the connection closed. */
    | 'given_up'
    /** The application could not show it. */
    | 'not_shown'
    /** Placet does not say any more where the request stands. */
    | 'unknown'
    /** It was approved, and Placet asks all the same: it was used, taken back or outlived meanwhile, or more is asked now. */
    | 'not_enough';
  readonly message: string;
  /** Of the request, where there is one. */
  readonly requestId?: string;
}

/** Something was not let through: `PlacetDenied` or `PlacetAsks`. Nothing of it has happened. */
export abstract class PlacetRefusal extends Error {
  abstract readonly effect: 'deny' | 'ask';
  readonly reason: Reason;
  readonly rules: readonly RuleRef[];
  /** Under which Placet's ledger has it; undefined where Placet did not decide. */
  readonly evaluationId: string | undefined;

  constructor(
    decision: Exclude<Decision, { readonly effect: 'allow' }>,
    /** What was asked. */
    readonly request: DecisionRequest,
    unanswered?: Unanswered,
  ) {
    super(messageOf(decision, request, unanswered));
    this.reason = decision.reason;
    this.rules = decision.rules;
    this.evaluationId = decision.evaluationId;
  }
}

/** Denied, by a policy or because Placet could not be asked; `reason.code` says which. */
export class PlacetDenied extends PlacetRefusal {
  override readonly name = 'PlacetDenied';
  readonly effect = 'deny';

  constructor(decision: Denied, request: DecisionRequest) {
    super(decision, request);
  }
}

/** Somebody must agree first. The requirements say who, and to what. */
export class PlacetAsks extends PlacetRefusal {
  override readonly name = 'PlacetAsks';
  readonly effect = 'ask';
  readonly requirements: readonly Requirement[];

  constructor(
    decision: Asked,
    request: DecisionRequest,
    /** Why nobody has agreed; undefined: the application has people asked for nothing. */
    readonly unanswered?: Unanswered,
  ) {
    super(decision, request, unanswered);
    this.requirements = decision.requirements;
  }
}

function messageOf(
  { effect, reason, evaluationId }: Decision,
  { message, answers }: DecisionRequest,
  unanswered: Unanswered | undefined,
): string {
  const what = typeof message.method === 'string' ? message.method : `the answer to ${answers?.method ?? 'a request'}`;
  const more = [reason.code, reason.detail, evaluationId].filter((part) => part !== undefined).join('; ');
  const why = unanswered ? `: ${unanswered.message} (${unanswered.code})` : '';
  return `${what}: ${effect === 'ask' ? 'not yet' : 'denied'}. ${reason.message} (${more})${why}`;
}
