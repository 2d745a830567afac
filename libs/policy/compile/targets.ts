import type { Glob } from '../paths/glob.js';

/** Which resources a rule is for: ids by a pattern, of one type or (null) of any. */
interface ResourcePattern {
  readonly type: string | null;
  readonly id: Glob;
}

/** Which servers, actions and resources a policy is for. `servers` null: any server, and none. */
export interface Target {
  readonly servers: readonly Glob[] | null;
  readonly actions: readonly Glob[];
  readonly resources: readonly ResourcePattern[];
}

/** Whether a target covers a request's server (null: none), action and resource; `unknown` where the id (null) is. */
export function covers(
  target: Target,
  server: string | null,
  action: string,
  type: string,
  id: string | null,
): 'true' | 'false' | 'unknown' {
  if (target.servers !== null && (server === null || !anyMatches(target.servers, server))) return 'false';
  if (!anyMatches(target.actions, action)) return 'false';
  let outcome: 'false' | 'unknown' = 'false';
  for (const pattern of target.resources) {
    if (pattern.type !== null && pattern.type !== type) continue;
    if (id === null ? pattern.id.text === '*' : pattern.id.matches(id)) return 'true';
    if (id === null) outcome = 'unknown';
  }
  return outcome;
}

function anyMatches(patterns: readonly Glob[], text: string): boolean {
  for (const pattern of patterns) if (pattern.matches(text)) return true;
  return false;
}

/** Stands for every server, or every action, where a rule is filed. No server has such a name. */
export const ANY = '*';

/** Where the index files a rule: under a server and an action, by a pattern for ids. */
export interface Entry {
  readonly server: string;
  readonly action: string;
  readonly pattern: Glob;
}

/** A target with more combinations of servers, actions and resources than this is filed under any server. */
const MAX_ENTRIES = 4096;

export function entriesOf(target: Target): Entry[] {
  const actions = literals(target.actions);
  const patterns = target.resources.map(({ id }) => id);
  const servers = target.servers === null ? [ANY] : literals(target.servers);
  const narrow = servers.length * actions.length * patterns.length <= MAX_ENTRIES;
  const entries: Entry[] = [];
  for (const server of narrow ? servers : [ANY]) {
    for (const action of actions.length * patterns.length <= MAX_ENTRIES ? actions : [ANY]) {
      for (const pattern of patterns) entries.push({ server, action, pattern });
    }
  }
  return entries;
}

/** The exact texts among some patterns; all of the others are filed under any. */
function literals(patterns: readonly Glob[]): string[] {
  return [...new Set(patterns.map((pattern) => pattern.exact ?? ANY))];
}

/**
 * Whether a look-up that ends at one of a target's entries proves that the target covers the request, so that its
 * patterns need not be read again: with many rules they lie where no cache has them.
 */
export function entriesProve({ servers, actions, resources }: Target): boolean {
  const named = (patterns: readonly Glob[]) => patterns.every(({ exact }) => exact !== undefined && exact !== ANY);
  return (
    (servers === null || named(servers)) &&
    named(actions) &&
    resources.every(({ type, id }) => type === null && (id.exact !== undefined || id.text === `${id.prefix}*`)) &&
    (servers?.length ?? 1) * actions.length * resources.length <= MAX_ENTRIES
  );
}
