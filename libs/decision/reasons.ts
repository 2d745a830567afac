import type { ReasonCode } from '#policy';

/** What a reason means, for the person on whose behalf the host asked. Rules, roles and attributes are not mentioned. */
export const REASON_TEXT: Readonly<Record<ReasonCode, string>> = {
  allowed: 'Allowed by policy.',
  allowed_by_consent: 'Allowed: what the policy asks for has been agreed to.',
  no_decision_needed: 'The protocol lets this pass without a decision.',
  approval_invalid: 'The approval that the application names is not one for this.',
  consent_required: 'You must agree to this first.',
  approval_required: 'Somebody who is entitled to must approve this first.',
  guardrail: 'A guardrail of the organisation forbids this.',
  denied_by_rule: 'A policy forbids this.',
  rule_in_error: 'A policy that could forbid this could not be evaluated, so it is not allowed.',
  outside_boundary: 'This is outside of what the server or the application may be used for.',
  no_rule_allows: 'No policy allows this.',
  server_unknown: 'The server is not registered.',
  suspended: 'This has been stopped by an administrator.',
  directory_unreachable: 'It cannot be found out at this moment whether your account is still good. Try again later.',
  method_unknown: 'The protocol does not know this operation.',
  agent_unknown: 'The application is not registered.',
  arguments_invalid: 'The arguments do not fit what the tool declares.',
  resource_ambiguous: 'The name of the resource could mean more than one thing.',
  obligations_conflict: 'The policies that allow this contradict each other on what must be done about it.',
  obligation_unsupported: 'This is allowed only with something that the application says it cannot do.',
  too_many_candidates: 'Too many policies concern this to decide it.',
  budget_exceeded: 'The policies that concern this take too long to evaluate.',
};
