import { frozenCopy, type JsonObject } from '../json.js';
import { INWARD, OUTWARD, type Gate, type GuardOptions, type Passage } from './gate.js';
import { SERVER_REQUESTS } from './operations.js';
import { PlacetRefusal } from './refusal.js';

/** Of an MCP client. */
export type SetRequestHandler = (method: string, handler: Handler) => void;

type Handler = (request: ServerRequest, context?: HandlerContext) => unknown;

interface ServerRequest {
  readonly method: string;
  readonly params?: JsonObject;
}

/** What handlers of the SDK are given beside the request; `send` and `notify` talk to the server. */
interface HandlerContext {
  readonly mcpReq?: { readonly id?: string | number; readonly signal?: AbortSignal };
}

/**
 * Sets handlers for what a server asks of the client. The request is decided before the handler sees it, and the answer
 * before the server does: a model's reply, a form, a list of folders goes out like any other data.
 */
export function guardedHandlers(
  gate: Gate,
  setRequestHandler: SetRequestHandler,
  onRefused: GuardOptions['onRefused'] = () => undefined,
): SetRequestHandler {
  return (method, handler) => {
    // A third argument would make the second one schemas, and no function.
    if (!SERVER_REQUESTS.includes(method) || typeof handler !== 'function') {
      throw new TypeError(`the guard takes handlers for ${SERVER_REQUESTS.join(', ')}, and knows no '${method}'`);
    }
    setRequestHandler(method, async (request, context) => {
      try {
        return await decided(gate, method, request, context, handler);
      } catch (error) {
        if (!(error instanceof PlacetRefusal)) throw error;
        onRefused(error);
        throw new RefusedToServer();
      }
    });
  };
}

/** What a server learns of a refusal: that there is one. Policies are not its business. */
class RefusedToServer extends Error {
  override readonly name = 'RefusedToServer';
  /** JSON-RPC's code for a denial in the COAZ-MCP binding. */
  readonly code = -32001;

  constructor() {
    super('not allowed by the policy of the host');
  }
}

async function decided(
  gate: Gate,
  method: string,
  { params }: ServerRequest,
  context: HandlerContext | undefined,
  handler: Handler,
): Promise<unknown> {
  const asked = frozenCopy({ method, ...(params === undefined ? {} : { params }) });
  const { id = 0, signal } = context?.mcpReq ?? {};
  await gate.pass({ direction: INWARD, message: { jsonrpc: '2.0', id, ...asked } }, {}, signal);
  const answer = (outcome: JsonObject): Passage => ({
    direction: OUTWARD,
    message: { jsonrpc: '2.0', id, ...outcome },
    answers: asked,
  });
  let result: unknown;
  try {
    result = frozenCopy(await handler(asked, withoutMessaging(context)));
  } catch (error) {
    // An error is an answer as well, and its text goes to the server.
    await gate.pass(answer({ error: errorOf(error) }), {}, signal);
    throw error;
  }
  await gate.pass(answer({ result: result as JsonObject }), {}, signal);
  return result;
}

/** As the SDK would send it. */
function errorOf(error: unknown): JsonObject {
  const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown };
  return frozenCopy({
    code: Number.isSafeInteger(code) ? (code as number) : -32603,
    message: typeof message === 'string' ? message : 'Internal error',
    ...(data === undefined ? {} : { data: data as JsonObject }),
  });
}

/** The context without the ways to the server that nobody decides on. */
function withoutMessaging(context: HandlerContext | undefined): HandlerContext | undefined {
  if (!context?.mcpReq) return context;
  const refuse = () => {
    throw new TypeError('a guarded handler talks to the server by what it returns');
  };
  return {
    ...context,
    mcpReq: { ...context.mcpReq, send: refuse, notify: refuse } as HandlerContext['mcpReq'] & object,
  };
}
