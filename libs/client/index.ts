export {
  createPlacetClient,
  type PlacetClient,
  type PlacetClientOptions,
  type StatusOptions,
} from './placet-client.js';
export type { Approval, ConsentTask, KnownTask, UnknownTask, UrlElicitation } from './consent-task.js';
export type {
  Allowed,
  Asked,
  ClientReasonCode,
  Decision,
  Denied,
  NamedApproval,
  Obligation,
  Reason,
  Requirement,
  RuleRef,
} from './decision.js';
export type {
  Circumstances,
  ConsentRequest,
  DecisionRequest,
  Direction,
  EvaluationRequest,
  ListingRequest,
  ListMethod,
  ServerReference,
  Subject,
  SubjectToken,
  ToolReference,
} from './request.js';
export type { Listed, ListedItem, Listing, Unlisted } from './lists.js';
export type { Evaluation } from './evaluation.js';
export type { ObligationContext, ObligationHandler, ObligationHandlers } from './obligations.js';
export { limitedResult, RESULT_OBLIGATIONS } from './result-fields.js';
export { logTo, type LogEntry } from './log-obligation.js';
export { guardClient } from './guard/guard-client.js';
export type { GuardOptions } from './guard/gate.js';
export type { ConsentAsk, ConsentOptions } from './guard/agreement.js';
export type { GuardedClient, McpClient } from './guard/mcp-client.js';
export { PlacetAsks, PlacetDenied, PlacetRefusal, type Unanswered } from './guard/refusal.js';
export type { Json, JsonObject } from './json.js';
