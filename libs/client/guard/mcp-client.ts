/**
 * What of an MCP client the guard can stand before: `Client` of `@modelcontextprotocol/client`, or any object with some of
 * its methods.
 */
export interface McpClient {
  connect?(transport: never, options?: never): Promise<void>;
  callTool?(params: never, options?: never): Promise<object>;
  readResource?(params: never, options?: never): Promise<object>;
  getPrompt?(params: never, options?: never): Promise<object>;
  complete?(params: never, options?: never): Promise<object>;
  setLoggingLevel?(level: never, options?: never): Promise<object>;
  subscribeResource?(params: never, options?: never): Promise<object>;
  unsubscribeResource?(params: never, options?: never): Promise<object>;
  listen?(filter: never, options?: never): Promise<object>;
  listTools?(params?: never, options?: never): Promise<object>;
  listResources?(params?: never, options?: never): Promise<object>;
  listResourceTemplates?(params?: never, options?: never): Promise<object>;
  listPrompts?(params?: never, options?: never): Promise<object>;
  setRequestHandler?(method: never, handler: never): void;
  close?(): Promise<void>;
  getServerCapabilities?(): object | undefined;
  getServerVersion?(): object | undefined;
  getInstructions?(): string | undefined;
  getNegotiatedProtocolVersion?(): string | undefined;
}

/** The same methods, as far as the client has them, with the client's own types. Nothing else can be reached through it. */
export type GuardedClient<C extends McpClient> = Pick<C, Extract<keyof C, keyof McpClient>>;
