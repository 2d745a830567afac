import { frozenCopy, isJsonObject, own, type Json, type JsonObject } from '../json.js';
import { LISTS } from '../lists.js';
import type { ListMethod } from '../request.js';
import { createGate, OUTWARD, type Gate, type GuardOptions } from './gate.js';
import { gatedTransport, type McpTransport } from './gated-transport.js';
import type { GuardedClient, McpClient } from './mcp-client.js';
import { LIST_OPERATIONS, ON_RESULT_OF_LISTED, OPERATIONS, PASSED_ON, type ClientOperation } from './operations.js';
import { limitedCall } from './limited-call.js';
import { PlacetDenied } from './refusal.js';
import { guardedHandlers } from './server-requests.js';

/** Any method of an MCP client, bound to it. */
type Method = (...given: unknown[]) => Promise<object>;

/**
 * An MCP client that asks Placet before each operation, and carries the answer out: denied operations reject with
 * PlacetDenied, those that somebody must agree to with PlacetAsks, and lists leave out what could only be denied. What the
 * server asks of the client through handlers set here is decided both ways.
 *
 * The guard holds for what goes through it. Keep the client itself to yourself: what is called or set on that one directly
 * (handlers, `listChanged`) is not guarded.
 */
export function guardClient<C extends McpClient>(client: C, options: GuardOptions): GuardedClient<C> {
  const tools: KnownTools = new Map();
  const gate = createGate(options, () => client.getNegotiatedProtocolVersion?.());
  const guarded: Record<string, unknown> = {};
  const offer = (name: keyof McpClient, wrap: (method: Method) => unknown) => {
    const method: unknown = Reflect.get(client, name);
    if (typeof method === 'function') guarded[name] = wrap(method.bind(client) as Method);
  };
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    offer(name as keyof typeof OPERATIONS, (method) => guardedOperation(gate, operation, method, tools));
  }
  for (const [name, list] of Object.entries(LIST_OPERATIONS)) {
    offer(name as keyof typeof LIST_OPERATIONS, (method) => guardedList(gate, list, method, options, tools));
  }
  offer('connect', (method) => guardedConnect(gate, method));
  offer('setRequestHandler', (method) => guardedHandlers(gate, (...given) => void method(...given), options.onRefused));
  offer('close', (method) => async () => {
    gate.giveUp();
    await method();
  });
  for (const name of PASSED_ON) offer(name, (method) => method);
  return Object.freeze(guarded) as GuardedClient<C>;
}

/** Tools by their names, as the server listed them last. */
type KnownTools = Map<unknown, JsonObject>;

function guardedOperation(
  gate: Gate,
  { method, params, onResult }: ClientOperation,
  send: Method,
  tools: KnownTools,
): Method {
  return async (argument, given) => {
    refuseManualInput(given);
    const sent = frozenCopy(argument);
    const message = gate.request(method, params ? frozenCopy(params(sent)) : sent);
    const definition = method === 'tools/call' && isJsonObject(sent) ? tools.get(own(sent, 'name')) : undefined;
    const passage = { direction: OUTWARD, message, ...(definition ? { tool: { definition } } : {}) };
    const obligations = await gate.pass(passage, onResult, signalOf(given));
    const call = () => send(sent, given);
    return onResult ? limitedCall(call, obligations) : call();
  };
}

/** Of the options of the SDK's client, by which a caller gives an operation up. */
function signalOf(given: unknown): AbortSignal | undefined {
  const signal = typeof given === 'object' && given !== null && 'signal' in given ? given.signal : undefined;
  return signal instanceof AbortSignal ? signal : undefined;
}

/**
 * What a server asks for in the middle of a call (2026-07-28) is decided where the handlers are. A host that takes such
 * results into its own hands would go past that.
 */
function refuseManualInput(given: unknown): void {
  const manual =
    typeof given === 'object' && given !== null && 'allowInputRequired' in given && given.allowInputRequired;
  if (manual)
    throw new TypeError('the guard cannot decide on what a server asks for by allowInputRequired: set handlers');
}

function guardedList(
  gate: Gate,
  method: ListMethod,
  send: Method,
  { placet, obligations, onRefused }: GuardOptions,
  tools: KnownTools,
): Method {
  return async (argument, given) => {
    const sent = frozenCopy(argument);
    const message = gate.request(method, sent);
    await gate.pass({ direction: OUTWARD, message }, {}, signalOf(given));
    const result = await send(sent, given);
    const copy = frozenCopy(result) as JsonObject;
    const handlers = { ...obligations, ...ON_RESULT_OF_LISTED[method] };
    const listing = await placet.list({ ...gate.circumstances(), method, result: copy }, handlers);
    if ('failure' in listing) {
      onRefused?.(new PlacetDenied(listing.failure, { ...gate.circumstances(), direction: OUTWARD, message }));
    } else if (method === 'tools/list') {
      // What Placet did not take in a list, it would not take with a call either, and the call would be denied for it.
      for (const tool of entriesOf(copy, method) ?? []) if (isJsonObject(tool)) tools.set(own(tool, 'name'), tool);
    }
    return { ...result, [LISTS[method].entries]: shown(copy, method, listing.items) };
  };
}

/** The entries that Placet does not say deny of. Without an answer for each of them, none. */
function shown(
  result: JsonObject,
  method: ListMethod,
  items: readonly { readonly effect: string }[],
): readonly unknown[] {
  const entries = entriesOf(result, method);
  if (!entries || entries.length !== items.length) return [];
  return entries.filter((_, at) => items[at]!.effect === 'allow' || items[at]!.effect === 'ask');
}

function entriesOf(result: JsonObject, method: ListMethod): readonly Json[] | undefined {
  const entries = isJsonObject(result) ? own(result, LISTS[method].entries) : undefined;
  return Array.isArray(entries) ? entries : undefined;
}

/** The connection is decided before the transport is started, so that no program runs and no byte goes out for a deny. */
function guardedConnect(gate: Gate, connect: Method): Method {
  return async (transport, given) => {
    const gated = gatedTransport(transport as McpTransport, gate);
    try {
      return await connect(gated.transport, given);
    } catch (error) {
      // Clients translate what a transport fails with; the host is to see the refusal.
      throw gated.refusal() ?? error;
    }
  };
}
