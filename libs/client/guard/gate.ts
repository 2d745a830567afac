import { frozenCopy, type JsonObject } from '../json.js';
import type { Obligation } from '../decision.js';
import type { ObligationHandler, ObligationHandlers } from '../obligations.js';
import type { PlacetClient } from '../placet-client.js';
import type { Circumstances, DecisionRequest, Direction } from '../request.js';
import { PlacetAsks, PlacetDenied, type PlacetRefusal } from './refusal.js';

export interface GuardOptions extends Omit<Circumstances, 'protocolVersion' | 'atLeast'> {
  readonly placet: Pick<PlacetClient, 'decide' | 'list'>;
  /** The server that the MCP client talks to, as Placet knows it. What the server calls itself says nothing. */
  readonly server: NonNullable<Circumstances['server']>;
  /**
   * What this host can do, by the type of the obligation. An allow with any other obligation is a deny, but for those of
   * the guard's own: it limits the results of tools itself (`fields`, `redact`, `mask`).
   */
  readonly obligations?: ObligationHandlers;
  /**
   * Told when somebody must agree first. Resolves with the approval, as the access request gave it, once there is one:
   * Placet is then asked again, with it. Undefined: nobody has agreed, and the operation fails with the PlacetAsks.
   */
  readonly onAsk?: (ask: PlacetAsks) => Promise<JsonObject | undefined>;
  /**
   * Told of the refusals that no call of the host's fails with: what the server asked for, what would have been answered
   * to it, and lists that are shown empty because Placet could not be asked.
   */
  readonly onRefused?: (refusal: PlacetRefusal) => void;
}

/** A message on its way. */
export type Passage = Pick<DecisionRequest, 'direction' | 'message' | 'answers' | 'tool'>;

/** What every message of one MCP client must pass. */
export interface Gate {
  /**
   * Resolves if the message may pass, with what that obliges to; rejects with a PlacetRefusal if not.
   * @param own what the caller carries out itself, beside the host's handlers for the same
   */
  pass(passage: Passage, own?: ObligationHandlers): Promise<readonly Obligation[]>;
  /** What the message would be decided with. */
  circumstances(): Circumstances;
  /** A JSON-RPC request as it will be sent, but for its id, which the MCP client chooses. */
  request(method: string, params: unknown): JsonObject;
}

export function createGate(options: GuardOptions, protocolVersion: () => string | undefined): Gate {
  const { placet, obligations = {}, onAsk } = options;
  const { subject, server, agent, session, purpose, context } = options;
  const fixed = frozenCopy({ subject, server, agent, session, purpose, context });
  let requests = 0;
  const gate: Gate = {
    circumstances: () => ({ ...fixed, protocolVersion: protocolVersion() }),

    request: (method, params) => ({
      jsonrpc: '2.0',
      id: ++requests,
      method,
      ...(params === undefined ? {} : { params: params as JsonObject }),
    }),

    async pass(passage, own = {}) {
      const handlers = together(own, obligations);
      // Whoever is handed the request on the way must not turn it into another than the one that is sent.
      const message = Object.freeze({ ...passage.message });
      const request: DecisionRequest = Object.freeze({ ...gate.circumstances(), ...passage, message });
      const decision = await placet.decide(request, handlers);
      if (decision.effect !== 'ask') return settle(decision, request);
      const ask = new PlacetAsks(decision, request);
      const approval = await onAsk?.(ask);
      if (approval === undefined) throw ask;
      // INVARIANT: an ask is never carried out. Whoever agreed, it is Placet that lets the message pass.
      const approved = { ...request, context: { ...request.context, approval } };
      return settle(await placet.decide(approved, handlers), approved);
    },
  };
  return gate;
}

/** All of what two can do; what both have handlers for is done by both. */
function together(first: ObligationHandlers, second: ObligationHandlers): ObligationHandlers {
  const both = Object.entries(first).map(([type, handler]): [string, ObligationHandler] => {
    const other = Object.hasOwn(second, type) ? second[type] : undefined;
    if (!other) return [type, handler];
    return [
      type,
      async (obligation, context) => {
        const done = await handler(obligation, context);
        return (done === undefined || done === true) && other(obligation, context);
      },
    ];
  });
  return { ...second, ...Object.fromEntries(both) };
}

function settle(
  decision: Awaited<ReturnType<PlacetClient['decide']>>,
  request: DecisionRequest,
): readonly Obligation[] {
  if (decision.effect === 'allow') return decision.obligations;
  throw decision.effect === 'ask' ? new PlacetAsks(decision, request) : new PlacetDenied(decision, request);
}

export const [OUTWARD, INWARD]: readonly [Direction, Direction] = ['client_to_server', 'server_to_client'];
