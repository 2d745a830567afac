/** The methods of MCP that are decided, in both directions; an answer to one is the method with `:result`. */
export const METHODS = [
  'initialize',
  'server/discover',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
  'tasks/list',
  'tasks/get',
  'tasks/result',
  'tasks/cancel',
  'tasks/update',
  'sampling/createMessage',
  'elicitation/create',
  'roots/list',
] as const;

const METHODS_AND_RESULTS: readonly string[] = METHODS.flatMap((method) => [method, `${method}:result`]);

/**
 * The method that an action is surely meant to be, or undefined. Sure is only what differs by capitals, separators or a
 * plural, or by one letter too many, too few or out of order: actions of one's own, such as `pools/list`, are none.
 */
export function intendedMethod(action: string): string | undefined {
  if (!action.includes('/') || METHODS_AND_RESULTS.includes(action)) return undefined;
  return (
    METHODS_AND_RESULTS.find((method) => plain(method) === plain(action)) ??
    METHODS_AND_RESULTS.find((method) => method[0] === action[0] && isSlip(action, method))
  );
}

const plain = (action: string): string =>
  action
    .split('/')
    .map((part) =>
      part
        .toLowerCase()
        .replace(/[^a-z:]/g, '')
        .replace(/s(?=:|$)/, ''),
    )
    .join('/');

/** Whether two texts differ by one letter that only one of them has, or by two neighbours in the other order. */
function isSlip(left: string, right: string): boolean {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  const [a, b] = [left.slice(at), right.slice(at)];
  if (a.slice(1) === b || a === b.slice(1)) return true;
  return a.length === b.length && a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
}
