import { BY_TOOL, isJsonObject, own, THE_SERVER, type Json, type JsonObject } from '#policy';

/** One operation of MCP in AuthZEN's terms: what is to be decided. */
export interface Operation {
  /** The method; for an answer to it, the method with `:result`. */
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly arguments: JsonObject;
  /** What it does in the words of a Scope; null where operations do not concern it. */
  readonly operation: string | typeof BY_TOOL | null;
  /** What else the mapping says about the request. */
  readonly context: JsonObject;
}

/** The message cannot be read as what its method says it is: code -32602 in JSON-RPC. */
export class MappingError extends Error {
  override readonly name = 'MappingError';
}

/** The operations of a request that the dialect knows; all of them must be allowed. `ping` has none. */
export function operationsOf(method: string, params: JsonObject): readonly Operation[] {
  const map = Object.hasOwn(MAPPINGS, method) ? MAPPINGS[method] : undefined;
  if (!map) throw new MappingError(`there is no mapping for '${method}'`);
  return map(method, params);
}

/**
 * What each method does in the words of a Scope's `operations`; null where operations do not concern it, because it only
 * manages the session or lists what there is.
 */
const WORDS: Readonly<Record<string, Operation['operation']>> = {
  initialize: null,
  'server/discover': null,
  'tools/list': null,
  'tools/call': BY_TOOL,
  'resources/list': null,
  'resources/templates/list': null,
  'resources/read': 'read',
  'resources/subscribe': 'read',
  'resources/unsubscribe': null,
  'subscriptions/listen': 'read',
  'prompts/list': null,
  'prompts/get': 'read',
  'completion/complete': 'read',
  'logging/setLevel': null,
  'tasks/list': null,
  'tasks/get': null,
  'tasks/result': null,
  'tasks/cancel': null,
  'tasks/update': null,
  'sampling/createMessage': 'sample',
  'elicitation/create': 'elicit',
  'roots/list': 'roots',
};

/** What an action does, by the method that it is named for; undefined where nobody says. */
export function operationWord(action: string): Operation['operation'] | undefined {
  const method = action.replace(/:result$/, '');
  return Object.hasOwn(WORDS, method) ? WORDS[method] : undefined;
}

const ON_RESOURCES = ['resources/read', 'resources/subscribe', 'resources/unsubscribe', 'subscriptions/listen'];

/** The methods that can be about a resource, by its type. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  mcp_server: [
    'initialize',
    'server/discover',
    'tools/list',
    'resources/list',
    'resources/templates/list',
    'prompts/list',
    'tasks/list',
    'logging/setLevel',
    'subscriptions/listen',
  ],
  tool: ['tools/call'],
  resource: [...ON_RESOURCES, 'completion/complete'],
  prompt: ['prompts/get', 'completion/complete'],
  task: ['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/update'],
  sampling: ['sampling/createMessage'],
  elicitation: ['elicitation/create'],
  root: ['roots/list'],
};

/** The methods whose operations are on resources of a type; none for types that are not MCP's. */
export function methodsOn(type: string): readonly string[] {
  return Object.hasOwn(METHODS, type) ? METHODS[type]! : [];
}

type Mapping = (method: string, params: JsonObject) => readonly Operation[];

/**
 * The default mapping of the COAZ-MCP binding, and ours where it has none: `resources/templates/list`,
 * `server/discover`, `subscriptions/listen`, `tasks/update`, and what servers ask of clients.
 */
const MAPPINGS: Readonly<Record<string, Mapping | undefined>> = {
  ping: () => [],
  initialize: onServer((params) => pick(params, 'protocolVersion', 'protocol_version')),
  'server/discover': onServer(),
  'tools/list': onServer(),
  'resources/list': onServer(),
  'resources/templates/list': onServer(),
  'prompts/list': onServer(),
  'tasks/list': onServer(),
  'logging/setLevel': onServer((params) => pick(params, 'level', 'level')),
  'tools/call': (method, params) => [operation(method, 'tool', text(params, 'name'), members(params, 'arguments'))],
  'prompts/get': (method, params) => [operation(method, 'prompt', text(params, 'name'), members(params, 'arguments'))],
  'resources/read': onResource,
  'resources/subscribe': onResource,
  'resources/unsubscribe': onResource,
  'subscriptions/listen': listen,
  'completion/complete': complete,
  'tasks/get': onTask,
  'tasks/result': onTask,
  'tasks/cancel': onTask,
  'tasks/update': onTask,
  'sampling/createMessage': (method, params) => [operation(method, 'sampling', THE_SERVER, withoutMeta(params))],
  'elicitation/create': (method, params) => [
    operation(
      method,
      'elicitation',
      own(params, 'mode') === undefined ? 'form' : text(params, 'mode'),
      withoutMeta(params),
    ),
  ],
  'roots/list': (method, params) => [operation(method, 'root', THE_SERVER, withoutMeta(params))],
};

function operation(action: string, type: string, id: string, given: JsonObject, context: JsonObject = {}): Operation {
  return { action, resource: { type, id }, arguments: given, operation: operationWord(action) ?? null, context };
}

function onServer(context: (params: JsonObject) => JsonObject = () => ({})): Mapping {
  return (method, params) => [operation(method, 'mcp_server', THE_SERVER, withoutMeta(params), context(params))];
}

function onResource(method: string, params: JsonObject): readonly Operation[] {
  return [operation(method, 'resource', text(params, 'uri'), withoutMeta(params))];
}

function onTask(method: string, params: JsonObject): readonly Operation[] {
  return [operation(method, 'task', text(params, 'taskId'), withoutMeta(params))];
}

/** A subscription to the server as such, and one to each resource that its filter names. */
function listen(method: string, params: JsonObject): readonly Operation[] {
  const uris = own(members(params, 'notifications'), 'resourceSubscriptions') ?? [];
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string' && uri !== '')) {
    throw new MappingError(`${method}: resourceSubscriptions is a list of URIs`);
  }
  const given = withoutMeta(params);
  return [
    operation(method, 'mcp_server', THE_SERVER, given),
    ...(uris as readonly string[]).map((uri) => operation(method, 'resource', uri, given)),
  ];
}

function complete(method: string, params: JsonObject): readonly Operation[] {
  const ref = members(params, 'ref');
  const type = text(ref, 'type');
  if (type === 'ref/prompt') return [operation(method, 'prompt', text(ref, 'name'), withoutMeta(params))];
  if (type === 'ref/resource') return [operation(method, 'resource', text(ref, 'uri'), withoutMeta(params))];
  throw new MappingError(`${method}: ref.type is ref/prompt or ref/resource`);
}

function text(params: JsonObject, name: string): string {
  const value = own(params, name);
  if (typeof value !== 'string' || value === '') throw new MappingError(`params.${name} must be a text`);
  return value;
}

function members(params: JsonObject, name: string): JsonObject {
  const value = own(params, name) ?? {};
  if (!isJsonObject(value)) throw new MappingError(`params.${name} must be an object`);
  return value;
}

/** Params without what belongs to the protocol: `_meta`, and the state and answers of a retry. */
function withoutMeta(params: JsonObject): JsonObject {
  const kept = Object.create(null) as Record<string, Json>;
  for (const [key, value] of Object.entries(params)) {
    if (key !== '_meta' && key !== 'inputResponses' && key !== 'requestState') kept[key] = value;
  }
  return kept;
}

function pick(params: JsonObject, name: string, as: string): JsonObject {
  const value = own(params, name);
  return value === undefined ? {} : { [as]: value };
}
