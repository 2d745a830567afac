import { readDecision } from './answer.js';
import type { Decision } from './decision.js';
import { profileNameOf, readEvaluation, type Evaluation } from './evaluation.js';
import { createExchange } from './exchange.js';
import { readListing, type Listing } from './lists.js';
import { carryOut, supportedBy, type ObligationHandlers } from './obligations.js';
import {
  namesApproval,
  type Circumstances,
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
}

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
      const { direction, message, answers, tool } = request;
      const body = { ...circumstances(request, obligations), direction, message, answers, tool };
      const reply = await exchange('/mcp/v1/decisions', body, !namesApproval(request.context));
      return carryOut(readDecision(reply), obligations, request);
    },

    async list(request, obligations = {}) {
      const { method, result } = request;
      const body = { ...circumstances(request, obligations), method, result };
      const reply = await exchange('/mcp/v1/listings', body, !namesApproval(request.context));
      return readListing(reply, method, result);
    },

    async evaluate(request, obligations = {}) {
      const supported = supportedBy(obligations).map(profileNameOf);
      const { agent, ...asked } = request;
      const named = agent === undefined ? {} : { agent };
      const body = { ...asked, context: { ...request.context, ...named, supported_obligations: supported } };
      const reply = await exchange('/access/v1/evaluation', body, !namesApproval(request.context));
      const { decision, context } = readEvaluation(reply);
      const { effect, reason } = await carryOut(decision, obligations, request);
      return { decision: effect === 'allow', context, reason };
    },
  };
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
