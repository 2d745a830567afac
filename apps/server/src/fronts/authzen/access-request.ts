import type { Answer } from '#decision';
import { whoInWords, type RequestStanding } from '#consent';
import type { Problem, ProblemCode } from '#http';
import type { JsonObject, Requirement } from '#policy';

/*
 * The AuthZEN access request and approval profile (draft 1). Its names may still change: they stand here and nowhere else.
 */

/** Where requests are made, and below it where their tasks are. */
export const REQUESTS_PATH = '/access/v1/requests';

/** The capability that metadata names for it. */
export const ACCESS_REQUEST_CAPABILITY = 'urn:openid:authzen:capability:access-request';

/** How long, in ms, a denial can be turned into a request. */
export const REQUESTABLE_MS = 10 * 60 * 1000;

/**
 * The member that marks a denial as one that people could lift; undefined where nothing that they agree to could, because the
 * host does not say which definition of the tool it means.
 */
export function accessRequest(requirements: readonly Requirement[], now: number, url: string): JsonObject | undefined {
  if (requirements.some(({ binding }) => binding === null)) return undefined;
  const who = [...new Set(requirements.flatMap(({ consent }) => consent.by))];
  return {
    endpoint: url + REQUESTS_PATH,
    template: who.every((by) => by === 'subject') ? 'consent' : 'approval',
    expires_at: new Date(now + REQUESTABLE_MS).toISOString(),
    display: {
      title: who.every((by) => by === 'subject') ? 'Your consent is needed' : 'An approval is needed',
      description: `To be agreed to by ${whoInWords(who)}.`,
    },
  };
}

/** Seconds after which whoever waits for people may ask again. */
const RETRY_AFTER = 2;

/** What a host is told of the approval that it named, and what it can do next. */
export function approvalBody({ approval, decision }: Answer): JsonObject | undefined {
  if (decision.reason === 'approval_invalid') return { next_action: 'none', reason: 'approval_unverifiable' };
  if (!approval || decision.effect === 'allow') return undefined;
  const { id, state, usedBy } = approval;
  const said = { id, state, ...(usedBy === undefined ? {} : { used_by: usedBy }) };
  if (decision.effect === 'deny') return { ...said, next_action: 'none', reason: 'policy_denied' };
  switch (state) {
    case 'pending':
      return { ...said, next_action: 'retry', retry_after: RETRY_AFTER, reason: 'grant_pending' };
    case 'denied':
      return { ...said, next_action: 'none', reason: 'policy_denied' };
    case 'expired':
      return { ...said, next_action: 'request', reason: 'approval_expired' };
    case 'used':
      return { ...said, next_action: 'request', reason: 'consent_used' };
    default:
      return { ...said, next_action: 'request', reason: 'out_of_scope' };
  }
}

/** A task: where a request stands, and what may be done with what came of it. */
export function taskBody(standing: RequestStanding, url: string, reviewUrl: string): JsonObject {
  const { id, status, expiresAt, approvedUntil } = standing;
  const self = `${url}${REQUESTS_PATH}/${id}`;
  return {
    task: {
      id,
      status,
      status_endpoint: self,
      expires_at: new Date(expiresAt).toISOString(),
      links: { review: reviewUrl, ...(status === 'pending' ? { cancel: `${self}/cancel` } : {}) },
    },
    ...(status === 'approved' && approvedUntil !== null
      ? { result: { mode: 'reevaluate', approval: { id, approved_until: new Date(approvedUntil).toISOString() } } }
      : {}),
  };
}

/** An elicitation that a host can show as it is (MCP 2025-11-25, elicitation, URL mode). */
export const elicitationOf = (id: string, reviewUrl: string, title: string): JsonObject => ({
  mode: 'url',
  elicitationId: id,
  url: reviewUrl,
  message: title,
});

const ERRORS: Readonly<Partial<Record<ProblemCode, string>>> = {
  not_requestable: 'not_requestable',
  expired_denial: 'expired_denial',
  invalid_denial_binding: 'invalid_denial_binding',
  duplicate_request: 'duplicate_request',
  not_found: 'unknown_task',
  invalid_task_state: 'invalid_task_state',
};

/** An error of these routes with the type that the profile gives it. */
export function profileProblem(problem: Problem): Problem {
  const name = ERRORS[problem.code];
  return name === undefined ? problem : { ...problem, type: `urn:openid:authzen:access-request:error:${name}` };
}
