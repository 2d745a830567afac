/** Which way a message goes. */
export type Direction = 'client_to_server' | 'server_to_client';

/**
 * The two families of protocol versions: up to 2025-11-25 with `initialize` and sessions, from 2026-07-28 without.
 * `any`: the host does not say which; then what either knows is known.
 */
export type Dialect = 'session' | 'stateless' | 'any';

const FIRST_STATELESS = '2026-07-28';

/** The dialect of a protocol version (a date); undefined for what is no version. */
export function dialectOf(version: string | undefined): Dialect | undefined {
  if (version === undefined) return 'any';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(version)) return undefined;
  return version >= FIRST_STATELESS ? 'stateless' : 'session';
}

/** In which dialects a method is known, as request or notification in one direction. */
type Known = Readonly<Record<string, 'session' | 'stateless' | 'both'>>;

/** Requests, by direction (schema.ts of 2025-11-25 and 2026-07-28; tasks from the extension io.modelcontextprotocol/tasks). */
const REQUESTS: Readonly<Record<Direction, Known>> = {
  client_to_server: {
    initialize: 'session',
    ping: 'session',
    'server/discover': 'stateless',
    'tools/list': 'both',
    'tools/call': 'both',
    'resources/list': 'both',
    'resources/templates/list': 'both',
    'resources/read': 'both',
    'resources/subscribe': 'session',
    'resources/unsubscribe': 'session',
    'prompts/list': 'both',
    'prompts/get': 'both',
    'completion/complete': 'both',
    'logging/setLevel': 'session',
    'subscriptions/listen': 'stateless',
    'tasks/get': 'both',
    'tasks/cancel': 'both',
    'tasks/result': 'session',
    'tasks/list': 'session',
    'tasks/update': 'stateless',
  },
  // In the stateless dialect these travel inside results (`inputRequests`); a host asks about each as if it were sent.
  server_to_client: {
    ping: 'session',
    'sampling/createMessage': 'both',
    'elicitation/create': 'both',
    'roots/list': 'both',
    'tasks/get': 'session',
    'tasks/cancel': 'session',
    'tasks/result': 'session',
    'tasks/list': 'session',
  },
};

const NOTIFICATIONS: Readonly<Record<Direction, Known>> = {
  client_to_server: {
    'notifications/initialized': 'session',
    'notifications/cancelled': 'both',
    'notifications/progress': 'session',
    'notifications/roots/list_changed': 'session',
    'notifications/tasks/status': 'session',
  },
  server_to_client: {
    'notifications/cancelled': 'both',
    'notifications/progress': 'both',
    'notifications/message': 'both',
    'notifications/resources/updated': 'both',
    'notifications/resources/list_changed': 'both',
    'notifications/tools/list_changed': 'both',
    'notifications/prompts/list_changed': 'both',
    'notifications/tasks/status': 'both',
    'notifications/elicitation/complete': 'session',
    'notifications/subscriptions/acknowledged': 'stateless',
  },
};

/** Whether a dialect knows a request, in its direction. */
export function knowsRequest(dialect: Dialect, direction: Direction, method: string): boolean {
  return knows(REQUESTS[direction], dialect, method);
}

/** Whether a dialect knows a notification, in its direction. */
export function knowsNotification(dialect: Dialect, direction: Direction, method: string): boolean {
  return knows(NOTIFICATIONS[direction], dialect, method);
}

function knows(known: Known, dialect: Dialect, method: string): boolean {
  if (!Object.hasOwn(known, method)) return false;
  return dialect === 'any' || known[method] === 'both' || known[method] === dialect;
}
