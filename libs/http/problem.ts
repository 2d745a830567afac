import type { IdentityProviderUnavailable, ScopeError, TokenRefused, UnauthenticatedError } from '#identity';
import type { LedgerErrorCode } from '#ledger';
import type { MappingError } from '#mcp';
import type { SnapshotError } from '#snapshot';
import type { StoreErrorCode } from '#store';
import type { BodyError } from './body.js';
import type { DoorCode } from './json-door.js';

/** What a call of ours can be refused for, besides what the libraries refuse. */
export type RefusalCode =
  | 'invalid_request'
  | 'documents_invalid'
  | 'forbidden'
  | 'grant_exceeds_own'
  | 'last_owner'
  | 'not_a_host'
  | 'not_an_administrator'
  | 'subject_not_assertable'
  | 'subject_token_mismatch'
  | 'step_up_required'
  | 'not_requestable'
  | 'expired_denial'
  | 'invalid_denial_binding'
  | 'duplicate_request'
  | 'invalid_task_state'
  | 'prompt_budget'
  | 'not_entitled'
  | 'already_answered'
  | 'shown_differs'
  | 'link_refused'
  | 'cross_site'
  | 'sign_in_needs_tls'
  | 'not_found'
  | 'method_not_allowed'
  | 'already_exists'
  | 'draft_conflict'
  | 'four_eyes_required'
  | 'version_mismatch'
  | 'precondition_required'
  | 'too_many_attempts'
  | 'insufficient_scope'
  | 'agent_required'
  | 'agent_not_permitted'
  | 'no_exact_filter'
  | 'tenant_suspended'
  | 'quota_exceeded'
  | 'too_much_at_once'
  | 'too_many_changes'
  | 'revision_not_reached';

/** Every code that an error answer can carry. A closed list: docs/errors.md has a line on each. */
export type ProblemCode =
  | RefusalCode
  | DoorCode
  | BodyError['code']
  | UnauthenticatedError['code']
  | ScopeError['code']
  | TokenRefused['code']
  | IdentityProviderUnavailable['code']
  | LedgerErrorCode
  | StoreErrorCode
  | SnapshotError['code']
  | 'mapping_error'
  | 'internal';

/** The one place that knows a status code. */
const STATUS: Readonly<Record<ProblemCode, number>> = {
  invalid_request: 400,
  mapping_error: 400,
  malformed_json: 400,
  duplicate_key: 400,
  too_deep: 400,
  too_many_entries: 400,
  imprecise_number: 400,
  lone_surrogate: 400,
  body_incomplete: 400,
  agent_required: 400,
  credentials_missing: 401,
  credentials_invalid: 401,
  step_up_required: 401,
  not_requestable: 400,
  invalid_denial_binding: 400,
  not_entitled: 403,
  already_answered: 409,
  shown_differs: 409,
  duplicate_request: 409,
  invalid_task_state: 409,
  expired_denial: 410,
  link_refused: 410,
  prompt_budget: 429,
  forbidden: 403,
  cross_site: 403,
  sign_in_needs_tls: 403,
  grant_exceeds_own: 403,
  tenant_suspended: 403,
  insufficient_scope: 403,
  not_a_host: 403,
  not_an_administrator: 403,
  subject_not_assertable: 403,
  agent_not_permitted: 403,
  not_found: 404,
  tenant_unknown: 404,
  method_not_allowed: 405,
  already_exists: 409,
  last_owner: 409,
  quota_reached: 409,
  draft_conflict: 409,
  four_eyes_required: 403,
  revision_not_reached: 409,
  version_mismatch: 412,
  body_too_large: 413,
  unsupported_content_type: 415,
  subject_token_invalid: 422,
  subject_token_mismatch: 422,
  documents_invalid: 422,
  no_exact_filter: 422,
  too_much_at_once: 422,
  precondition_required: 428,
  too_many_attempts: 429,
  quota_exceeded: 429,
  internal: 500,
  contention: 503,
  overloaded: 503,
  ledger_unavailable: 503,
  answer_too_late: 503,
  state_regressed: 503,
  identity_provider_unavailable: 503,
  too_many_changes: 503,
  database_unreachable: 503,
  database_refuses: 503,
  database_too_old: 503,
  database_roles: 503,
  database_busy: 503,
  unknown_outcome: 503,
};

/** Every code, for the documentation to be held against. */
export const PROBLEM_CODES = Object.keys(STATUS) as readonly ProblemCode[];

/** A refusal of our own, with what the caller can do about it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: RefusalCode,
    message: string,
    /** More members of the answer. */
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** Nothing is allowed in a tenant that its operator has suspended, and nobody of it may administer. */
export const tenantSuspended = (): Refusal =>
  new Refusal('tenant_suspended', 'the tenant is suspended: its operator can resume it');

/** An error answer by RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly [member: string]: unknown;
}

/** Codes whose messages were written by us for whoever calls. The text of any other error stays inside. */
const isKnown = (code: unknown): code is ProblemCode => typeof code === 'string' && Object.hasOwn(STATUS, code);

/** What an error is to the caller. What is not known to be harmless becomes `internal`, and says nothing. */
export function toProblem(error: unknown): Problem {
  const code = codeOf(error);
  const status = STATUS[code];
  return {
    // First, so that none of them takes the place of what every problem has.
    ...(error instanceof Refusal ? error.members : {}),
    type: `urn:placet:problem:${code}`,
    title: code.replaceAll('_', ' '),
    status,
    code,
    detail:
      code === 'internal'
        ? 'something went wrong on our side; the log has it under the request id'
        : (error as Error).message,
  };
}

function codeOf(error: unknown): ProblemCode {
  if (!(error instanceof Error)) return 'internal';
  if (error.name === ('MappingError' satisfies MappingError['name'])) return 'mapping_error';
  const { code } = error as { code?: unknown };
  return isKnown(code) ? code : 'internal';
}
