import type { Asked, Decision, Denied, Reason, Requirement, RuleRef } from '../decision.js';
import type { DecisionRequest } from '../request.js';

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
  ) {
    super(messageOf(decision, request));
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

  constructor(decision: Asked, request: DecisionRequest) {
    super(decision, request);
    this.requirements = decision.requirements;
  }
}

function messageOf({ effect, reason, evaluationId }: Decision, { message, answers }: DecisionRequest): string {
  const what = typeof message.method === 'string' ? message.method : `the answer to ${answers?.method ?? 'a request'}`;
  const more = [reason.code, reason.detail, evaluationId].filter((part) => part !== undefined).join('; ');
  return `${what}: ${effect === 'ask' ? 'not yet' : 'denied'}. ${reason.message} (${more})`;
}
