import { frozenCopy, type JsonObject } from '../json.js';
import type { Decision, Obligation } from '../decision.js';
import type { ObligationHandler, ObligationHandlers } from '../obligations.js';
import type { PlacetClient } from '../placet-client.js';
import type { Circumstances, DecisionRequest, Direction } from '../request.js';
import { agreementTo, type ConsentOptions } from './agreement.js';
import { PlacetAsks, PlacetDenied, type PlacetRefusal, type Unanswered } from './refusal.js';

export interface GuardOptions extends Omit<Circumstances, 'protocolVersion' | 'atLeast'> {
  readonly placet: Omit<PlacetClient, 'evaluate'>;
  /** The server that the MCP client talks to, as Placet knows it. What the server calls itself says nothing. */
  readonly server: NonNullable<Circumstances['server']>;
  /**
   * What this host can do, by the type of the obligation. An allow with any other obligation is a deny, but for those of
   * the guard's own: it limits the results of tools itself (`fields`, `redact`, `mask`).
   */
  readonly obligations?: ObligationHandlers;
  /**
   * Has people asked where somebody must agree first, and waits for them: once they have, Placet is asked again, and what
   * it then says counts. Left out: nobody is asked, and the operation fails with the PlacetAsks.
   */
  readonly consent?: ConsentOptions;
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
   * @param signal aborted where nobody waits for it any more: then no one is asked, or needs to answer
   */
  pass(passage: Passage, own?: ObligationHandlers, signal?: AbortSignal): Promise<readonly Obligation[]>;
  /** Ends all waiting for people: the connection is being closed. */
  giveUp(): void;
  /** What the message would be decided with. */
  circumstances(): Circumstances;
  /** A JSON-RPC request as it will be sent, but for its id, which the MCP client chooses. */
  request(method: string, params: unknown): JsonObject;
}

export function createGate(options: GuardOptions, protocolVersion: () => string | undefined): Gate {
  const { placet, obligations = {}, consent } = options;
  const { subject, server, agent, session, purpose, context } = options;
  const fixed = frozenCopy({ subject, server, agent, session, purpose, context });
  let requests = 0;
  let open = new AbortController();
  const gate: Gate = {
    circumstances: () => ({ ...fixed, protocolVersion: protocolVersion() }),

    request: (method, params) => ({
      jsonrpc: '2.0',
      id: ++requests,
      method,
      ...(params === undefined ? {} : { params: params as JsonObject }),
    }),

    giveUp() {
      open.abort();
      open = new AbortController();
    },

    async pass(passage, own = {}, signal) {
      const handlers = together(own, obligations);
      // Whoever is handed the request on the way must not turn it into another than the one that is sent.
      const message = Object.freeze({ ...passage.message });
      const request: DecisionRequest = Object.freeze({ ...gate.circumstances(), ...passage, message });
      const signals = [open.signal, ...(signal ? [signal] : [])];
      const decision = await placet.decide(request, handlers);
      if (decision.effect !== 'ask' || !consent) return settle(decision, request);
      const agreement = await agreementTo(decision, request, { placet, consent, obligations: handlers, signals });
      if ('unanswered' in agreement) throw new PlacetAsks(decision, request, agreement.unanswered);
      // INVARIANT: an ask is never carried out. Whoever agreed, it is Placet that lets the message pass, asked once.
      const approved = Object.freeze({ ...request, approval: agreement.approval });
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

function settle(decision: Decision, request: DecisionRequest): readonly Obligation[] {
  if (decision.effect === 'allow') return decision.obligations;
  if (decision.effect === 'deny') throw new PlacetDenied(decision, request);
  throw new PlacetAsks(decision, request, request.approval && notEnough(request.approval.id));
}

const notEnough = (requestId: string): Unanswered => ({
  code: 'not_enough',
  message: 'people have agreed, and it must be agreed to once more',
  requestId,
});

export const [OUTWARD, INWARD]: readonly [Direction, Direction] = ['client_to_server', 'server_to_client'];
