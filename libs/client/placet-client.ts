import { invalid, readDecision } from './answer.js';
import { readTask, type ConsentTask } from './consent-task.js';
import type { Decision } from './decision.js';
import { profileNameOf, readEvaluation, type Evaluation } from './evaluation.js';
import { createExchange, type Reply } from './exchange.js';
import { readListing, type Listing } from './lists.js';
import { carryOut, supportedBy, type ObligationHandlers } from './obligations.js';
import {
  namesApproval,
  type Circumstances,
  type ConsentRequest,
  type DecisionRequest,
  type EvaluationRequest,
  type ListingRequest,
} from './request.js';

export interface PlacetClientOptions {
  /** Of the service, as in `https://placet.example.com`. */
  readonly url: string;
  /** The key of the host, as in `placet_…`. */
  readonly key: string;
  /** How long a question may take in all, in ms. Less than any time-out of what waits for it. Default 3000. */
  readonly deadlineMs?: number;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Asks a Placet. Nothing here rejects because Placet could not be asked: that is a deny, with the reason. */
export interface PlacetClient {
  /**
   * Asks about one message of MCP, and carries out what an allow obliges to with the handlers given, of which Placet is
   * told: without them, an allow with an obligation is a deny.
   */
  decide(request: DecisionRequest, obligations?: ObligationHandlers): Promise<Decision>;
  /** Asks which entries of a list are worth showing to whoever can carry out what there are handlers for. */
  list(request: ListingRequest, obligations?: ObligationHandlers): Promise<Listing>;
  /** Asks by AuthZEN. Obligations are carried out as by `decide`. */
  evaluate(request: EvaluationRequest, obligations?: ObligationHandlers): Promise<Evaluation>;
  /**
   * Asks people for what a decision asked, or joins an equal request that is open. Nothing is allowed by that: once it is
   * approved, `decide` the same once more with the `approval`.
   * @param obligations those that the decision was asked for with
   */
  request(request: ConsentRequest, obligations?: ObligationHandlers): Promise<ConsentTask>;
  /** Where a request stands. */
  status(id: string, options?: StatusOptions): Promise<ConsentTask>;
  /** Takes a request back: nobody can answer it any more. A failure, if it is answered already. */
  cancel(id: string): Promise<ConsentTask>;
}

export interface StatusOptions {
  /** How many seconds to wait while it is pending, 30 at most. Default 0. They come on top of `deadlineMs`. */
  readonly wait?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

const REQUESTS = '/access/v1/requests';

/** A client of one Placet under one key. Has no state: nothing is remembered from one answer to the next. */
export function createPlacetClient({
  url,
  key,
  deadlineMs = 3000,
  fetch = (...request) => globalThis.fetch(...request),
}: PlacetClientOptions): PlacetClient {
  const exchange = createExchange({ url, key, deadlineMs, fetch });
  return {
    async decide(request, obligations = {}) {
      const body = { ...decisionBody(request, obligations), approval: request.approval };
      const mayRepeat = !namesApproval(request) && !namesApproval(request.context);
      const reply = await exchange({ path: '/mcp/v1/decisions', body, mayRepeat });
      return carryOut(readDecision(reply), obligations, request);
    },

    async list(request, obligations = {}) {
      const { method, result } = request;
      const body = { ...circumstances(request, obligations), method, result };
      const reply = await exchange({ path: '/mcp/v1/listings', body, mayRepeat: !namesApproval(request.context) });
      return readListing(reply, method, result);
    },

    async evaluate(request, obligations = {}) {
      const supported = supportedBy(obligations).map(profileNameOf);
      const { agent, ...asked } = request;
      const named = agent === undefined ? {} : { agent };
      const body = { ...asked, context: { ...request.context, ...named, supported_obligations: supported } };
      const mayRepeat = !namesApproval(request.context);
      const reply = await exchange({ path: '/access/v1/evaluation', body, mayRepeat });
      const { decision, context } = readEvaluation(reply);
      const { effect, reason } = await carryOut(decision, obligations, request);
      return { decision: effect === 'allow', context, reason };
    },

    async request(request, obligations = {}) {
      const { evaluationId, idempotencyKey = evaluationId } = request;
      const body = { denial: { evaluation_id: evaluationId }, mcp: decisionBody(request, obligations) };
      const headers = { 'Idempotency-Key': idempotencyKey };
      return readTask(await exchange({ path: REQUESTS, body, headers, status: 201, mayRepeat: true }), true);
    },

    async status(id, { wait = 0, signal } = {}) {
      const path = `${REQUESTS}/${encodeURIComponent(id)}?wait=${wait}`;
      const longerMs = wait * 1000;
      return taskOf(id, await exchange({ method: 'GET', path, mayRepeat: true, longerMs, signal }));
    },

    async cancel(id) {
      const path = `${REQUESTS}/${encodeURIComponent(id)}/cancel`;
      return taskOf(id, await exchange({ path, mayRepeat: true }));
    },
  };
}

/** A task, which must be the one that was asked about: what was agreed to elsewhere counts for nothing here. */
function taskOf(id: string, reply: Reply): ConsentTask {
  const task = readTask(reply);
  return 'failure' in task || task.id === id ? task : { failure: invalid('it is about another request') };
}

/** Without an approval, which a request for one cannot name. */
function decisionBody(request: DecisionRequest, obligations: ObligationHandlers): object {
  const { direction, message, answers, tool } = request;
  return { ...circumstances(request, obligations), direction, message, answers, tool };
}

/** As the wire has them; what is undefined is left out by JSON. */
function circumstances(
  { subject, server, agent, session, protocolVersion, purpose, context, atLeast }: Circumstances,
  obligations: ObligationHandlers,
): object {
  const supported = supportedBy(obligations);
  return {
    subject,
    server,
    agent,
    session,
    protocolVersion,
    purpose,
    context,
    supported_obligations: supported,
    at_least: atLeast,
  };
}
