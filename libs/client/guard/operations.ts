import type { ObligationHandlers } from '../obligations.js';
import type { ListMethod } from '../request.js';
import { RESULT_OBLIGATIONS } from '../result-fields.js';
import type { McpClient } from './mcp-client.js';

/** A method of the MCP client that sends one request. */
export interface ClientOperation {
  readonly method: string;
  /** The params of the request, from the first argument of the client's method; as they are where it is left out. */
  readonly params?: (argument: unknown) => unknown;
  /** What the guard itself carries out, on the result. */
  readonly onResult?: ObligationHandlers;
}

/** What the guard knows how to ask about. */
export const OPERATIONS = {
  callTool: { method: 'tools/call', onResult: RESULT_OBLIGATIONS },
  readResource: { method: 'resources/read' },
  getPrompt: { method: 'prompts/get' },
  complete: { method: 'completion/complete' },
  setLoggingLevel: { method: 'logging/setLevel', params: (level) => ({ level }) },
  subscribeResource: { method: 'resources/subscribe' },
  unsubscribeResource: { method: 'resources/unsubscribe' },
  listen: { method: 'subscriptions/listen', params: (notifications) => ({ notifications }) },
} as const satisfies Partial<Record<keyof McpClient, ClientOperation>>;

/** Those whose result is a list, of which only what can be used is shown. */
export const LIST_OPERATIONS = {
  listTools: 'tools/list',
  listResources: 'resources/list',
  listResourceTemplates: 'resources/templates/list',
  listPrompts: 'prompts/list',
} as const satisfies Partial<Record<keyof McpClient, ListMethod>>;

/** What the guard can do beside the host in a use of what is listed. */
export const ON_RESULT_OF_LISTED: Readonly<Record<ListMethod, ObligationHandlers>> = {
  'tools/list': OPERATIONS.callTool.onResult,
  'resources/list': {},
  'resources/templates/list': {},
  'prompts/list': {},
};

/** What sends nothing that could be decided. */
export const PASSED_ON = [
  'getServerCapabilities',
  'getServerVersion',
  'getInstructions',
  'getNegotiatedProtocolVersion',
] as const satisfies readonly (keyof McpClient)[];

/** What a server may ask of a client. */
export const SERVER_REQUESTS: readonly string[] = ['sampling/createMessage', 'elicitation/create', 'roots/list'];
