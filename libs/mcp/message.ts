import { isJsonObject, layer, own, type Json, type JsonObject } from '#policy';
import { dialectOf, knowsNotification, knowsRequest, type Dialect, type Direction } from './dialects.js';
import { MappingError, operationsOf, type Operation } from './operations.js';

/** A message as a host sends it for a decision. */
export interface HostMessage {
  readonly direction: Direction;
  /** The raw JSON-RPC message: a request, a notification or a response. */
  readonly message: Json;
  readonly protocolVersion: string | undefined;
  /**
   * For a response: the request that it answers, `{method, params}`. For a request with `inputResponses`: the same for
   * each of its keys.
   */
  readonly answers: JsonObject | undefined;
}

/** What a message asks to be decided. */
export type MappedMessage =
  /** All of these must be allowed. */
  | { readonly kind: 'operations'; readonly operations: readonly Operation[] }
  /** `ping`, and notifications that the dialect knows. */
  | { readonly kind: 'none'; readonly method: string }
  | { readonly kind: 'unknown'; readonly method: string };

/** Turns a message into what is to be decided. Throws MappingError for what is no message of MCP. */
export function mapMessage(host: HostMessage): MappedMessage {
  const { message } = host;
  if (Array.isArray(message)) throw new MappingError('batches of JSON-RPC messages are not allowed: send one message');
  if (!isJsonObject(message)) throw new MappingError('the message must be a JSON-RPC object');
  if (own(message, 'jsonrpc') !== '2.0') throw new MappingError('message.jsonrpc must be "2.0"');
  const method = own(message, 'method');
  if (method === undefined) return mapResponse(message, host);
  if (typeof method !== 'string') throw new MappingError('message.method must be a text');
  if (own(message, 'result') !== undefined || own(message, 'error') !== undefined) {
    throw new MappingError('a message is a request or a response, not both');
  }
  const params = own(message, 'params') ?? {};
  if (!isJsonObject(params)) throw new MappingError('message.params must be an object');
  const dialect = dialectFor(host, params);
  const isRequest = own(message, 'id') !== undefined;
  if (!isRequest) {
    return { kind: knowsNotification(dialect, host.direction, method) ? 'none' : 'unknown', method };
  }
  if (!isRequestId(own(message, 'id'))) throw new MappingError('message.id must be a text or a number');
  if (!knowsRequest(dialect, host.direction, method)) return { kind: 'unknown', method };
  const operations = [...operationsOf(method, params), ...inputResponses(params, host.answers)];
  return operations.length === 0 ? { kind: 'none', method } : { kind: 'operations', operations };
}

const isRequestId = (id: Json | undefined): boolean => typeof id === 'string' || typeof id === 'number';

/** What the host says, else what the message says of itself (2026-07-28), else either. */
function dialectFor({ protocolVersion }: HostMessage, params: JsonObject): Dialect {
  const meta = own(params, '_meta');
  const declared = isJsonObject(meta) ? own(meta, 'io.modelcontextprotocol/protocolVersion') : undefined;
  const version = protocolVersion ?? (typeof declared === 'string' ? declared : undefined);
  const dialect = dialectOf(version);
  if (!dialect) throw new MappingError(`'${version}' is not a protocol version`);
  return dialect;
}

/** A response is decided as what it answers, under the name of the method with `:result`. */
function mapResponse(message: JsonObject, { direction, answers, protocolVersion }: HostMessage): MappedMessage {
  const result = own(message, 'result');
  const error = own(message, 'error');
  if ((result === undefined) === (error === undefined))
    throw new MappingError('a message has a method, a result or an error');
  if (!answers) throw new MappingError('a response must say what it answers: add answers {method, params}');
  const { method, params } = answered(answers);
  const dialect = dialectOf(protocolVersion);
  if (!dialect) throw new MappingError(`'${protocolVersion}' is not a protocol version`);
  const asked: Direction = direction === 'client_to_server' ? 'server_to_client' : 'client_to_server';
  if (!knowsRequest(dialect, asked, method)) return { kind: 'unknown', method: `${method}:result` };
  const outcome: JsonObject = result === undefined ? { error: error! } : { result };
  const operations = operationsOf(method, params).map((operation) => asResult(operation, outcome));
  return operations.length === 0 ? { kind: 'none', method } : { kind: 'operations', operations };
}

function answered(answers: Json | undefined): { method: string; params: JsonObject } {
  const method = isJsonObject(answers) ? own(answers, 'method') : undefined;
  const params = isJsonObject(answers) ? (own(answers, 'params') ?? {}) : undefined;
  if (typeof method !== 'string' || !isJsonObject(params))
    throw new MappingError('answers is written as {method, params}');
  return { method, params };
}

const asResult = (operation: Operation, outcome: JsonObject): Operation => ({
  ...operation,
  action: `${operation.action}:result`,
  context: layer(outcome, operation.context),
});

/** A retry (2026-07-28) carries answers to what the server asked: each goes to the server, so each is decided. */
function inputResponses(params: JsonObject, answers: JsonObject | undefined): Operation[] {
  const responses = own(params, 'inputResponses');
  if (responses === undefined) return [];
  if (!isJsonObject(responses)) throw new MappingError('params.inputResponses must be an object');
  return Object.entries(responses).flatMap(([key, result]) => {
    const { method, params: asked } = answered(answers && own(answers, key));
    if (!knowsRequest('stateless', 'server_to_client', method)) {
      throw new MappingError(`answers.${key}.method: '${method}' is nothing that a server may ask`);
    }
    return operationsOf(method, asked).map((operation) => asResult(operation, { result }));
  });
}
