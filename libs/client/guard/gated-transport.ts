import { frozenCopy, isJsonObject, type JsonObject } from '../json.js';
import { OUTWARD, type Gate } from './gate.js';
import { PlacetRefusal } from './refusal.js';

/** A transport of the MCP SDK, as far as we look at it. */
export interface McpTransport {
  start(): Promise<void>;
  send(message: unknown, options?: unknown): Promise<void>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  setProtocolVersion?(version: string): void;
  setSupportedProtocolVersions?(versions: string[]): void;
}

/** What begins a connection, in either dialect. */
const HANDSHAKES: readonly unknown[] = ['initialize', 'server/discover'];

/**
 * A transport that is started by the first message, and only once that was let through: until then there is no process,
 * no connection and no byte. Each handshake is decided as it will be sent; where the client takes up an earlier connection
 * without one, the connection is decided as such.
 */
export function gatedTransport(
  inner: McpTransport,
  gate: Gate,
): { readonly transport: McpTransport; refusal(): PlacetRefusal | undefined } {
  let refusal: PlacetRefusal | undefined;
  let connection: Promise<void> | undefined;
  let started: Promise<void> | undefined;
  const closed = new AbortController();

  const decide = async (message: JsonObject): Promise<void> => {
    try {
      await gate.pass({ direction: OUTWARD, message }, {}, closed.signal);
    } catch (error) {
      if (error instanceof PlacetRefusal) refusal = error;
      throw error;
    }
  };

  const transport: McpTransport = {
    start: async () => undefined,
    async send(message, options) {
      const handshake = isJsonObject(message) && HANDSHAKES.includes(message.method) ? frozenCopy(message) : undefined;
      if (handshake) connection = decide(handshake);
      await (connection ??= decide(gate.request('server/discover', undefined)));
      // Whoever had to agree may have taken longer than the client waited.
      if (closed.signal.aborted) throw new Error('the connection was given up before it was decided');
      await (started ??= inner.start());
      await inner.send(handshake ?? message, options);
    },
    async close() {
      closed.abort();
      if (started) await inner.close();
      else inner.onclose?.();
    },
  };
  return { transport: lookingLike(inner, transport), refusal: () => refusal };
}

/** Everything else is the inner transport's. */
function lookingLike(inner: McpTransport, transport: McpTransport): McpTransport {
  const members = inner as unknown as Record<string, unknown>;
  const forward = (member: string, isEvent: boolean) =>
    Object.defineProperty(transport, member, {
      get: () => members[member],
      ...(isEvent ? { set: (handler: unknown) => void (members[member] = handler) } : {}),
      enumerable: true,
    });
  for (const event of ['onclose', 'onerror', 'onmessage']) forward(event, true);
  for (const member of ['sessionId', 'hasPerRequestStream']) forward(member, false);
  // By these two the SDK tells a child process; not being its own class keeps it from starting a second one as a probe.
  for (const member of ['stderr', 'pid']) if (member in inner) forward(member, false);
  transport.setProtocolVersion = (version) => inner.setProtocolVersion?.(version);
  transport.setSupportedProtocolVersions = (versions) => inner.setSupportedProtocolVersions?.(versions);
  return transport;
}
