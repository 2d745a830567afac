import type { Obligation } from './decision.js';
import type { ObligationHandler } from './obligations.js';
import type { DecisionRequest, EvaluationRequest } from './request.js';

/** What the obligation `log` asks the host to write down. */
export interface LogEntry {
  /** Under which Placet's ledger has it. */
  readonly evaluationId: string;
  /** `metadata` or `full`, as the policy says. */
  readonly level: string;
  /** As in `user:ann`; `(proven by a token)` where Placet alone has read who it is: its ledger says it. */
  readonly subject: string;
  readonly operation: string;
  /** The request as it was asked about, without tokens; with the level `full` only. */
  readonly request?: DecisionRequest | EvaluationRequest;
}

/** Handles the obligation `log` with a logger of the host's. It is an intent that is logged: the operation comes after. */
export function logTo(write: (entry: LogEntry) => Promise<void> | void): ObligationHandler {
  return async (obligation, { request, evaluationId }) => {
    const { subject } = request;
    const name = 'token' in subject ? '(proven by a token)' : `${subject.type}:${subject.id}`;
    const level = levelOf(obligation);
    await write({
      evaluationId,
      level,
      subject: name,
      operation: operationOf(request),
      ...(level === 'full' ? { request: withoutTokens(request) } : {}),
    });
  };
}

const HIDDEN = '(a token)';

/** A token is good for whoever reads it, so no log may have one. */
function withoutTokens<Request extends DecisionRequest | EvaluationRequest>(request: Request): Request {
  const { subject, context } = request;
  return {
    ...request,
    subject: 'token' in subject ? { ...subject, token: HIDDEN } : subject,
    ...(context && 'subject_token' in context ? { context: { ...context, subject_token: HIDDEN } } : {}),
  };
}

/** What we do not know is logged in full: less would not be what the policy asked for. */
const levelOf = ({ level }: Obligation): string => (level === 'metadata' ? 'metadata' : 'full');

function operationOf(request: DecisionRequest | EvaluationRequest): string {
  if ('action' in request) return `${request.action.name} ${request.resource.type}:${request.resource.id}`;
  const { method, params } = request.message;
  const named = params as { readonly name?: unknown; readonly uri?: unknown } | undefined;
  const what = named?.name ?? named?.uri;
  const operation = typeof method === 'string' ? method : `${request.answers?.method ?? ''}:result`;
  return typeof what === 'string' ? `${operation} ${what}` : operation;
}
