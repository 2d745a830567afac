import type { PolicySet } from '../compile/policy-set.js';
import type { CompiledRule } from '../compile/rules.js';
import { subjectKey } from '../documents/names.js';
import type { RuleRef } from '../model.js';
import type { Glob } from '../paths/glob.js';
import { reachesOf, type Reach } from './reach.js';

/** A rule that allows somebody what nothing declares or stores: whatever fits its target. */
export interface FurtherRule {
  readonly ref: RuleRef;
  readonly reached: readonly Reach[];
  /** The target, as patterns; servers null: any, and none. */
  readonly servers: readonly string[] | null;
  readonly actions: readonly string[];
  readonly resources: readonly { readonly type: string | null; readonly id: string }[];
  /** The hosts that it is for; null: any. */
  readonly via: readonly string[] | null;
}

/**
 * Finds the allow rules that reach further for somebody than any list of what is known by name.
 * @param only of one server; null: of any
 * @param host through one host; null: through any
 * @returns what to tell of a rule, or undefined for all others
 */
export function furtherRules(
  set: PolicySet,
  subject: { readonly type: string; readonly id: string },
  { only, host }: { readonly only: string | null; readonly host: string | null },
  now: number,
): (rule: CompiledRule) => FurtherRule | undefined {
  const stored = set.subject(subject.type, subject.id);
  const key = subjectKey(stored?.type ?? subject.type, stored?.id ?? subject.id);
  const groups = stored?.groups ? new Set(stored.groups) : null;
  const principals = set.memberships.rolesOf(key, groups, now);
  return (rule) => {
    const { effect, enforced, target, to, via, ref } = rule;
    if (effect !== 'allow' || !enforced || to(principals) !== 'true') return undefined;
    if (host !== null && via !== null && !via.has(host)) return undefined;
    if (only !== null && target.servers !== null && !target.servers.some((server) => server.matches(only)))
      return undefined;
    if (!reachesFurther(set, rule)) return undefined;
    return {
      ref,
      reached: reachesOf(set.memberships, rule.principalKeys, { key, groups }, now),
      servers: target.servers?.map(({ text }) => text) ?? null,
      actions: target.actions.map(({ text }) => text),
      resources: target.resources.map(({ type, id }) => ({ type, id: id.text })),
      via: via && [...via].sort(),
    };
  };
}

/** Whether a target has a pattern for actions or resources, or names something that its servers are not known to have. */
function reachesFurther(set: PolicySet, { target: { servers, actions, resources } }: CompiledRule): boolean {
  if (![...actions, ...resources.map(({ id }) => id)].every(isExact)) return true;
  if (servers === null || !servers.every(isExact)) return true;
  return servers.some(({ exact: server }) => resources.some(({ id }) => !isKnown(set, server!, id.exact!)));
}

const isExact = ({ exact }: Glob): boolean => exact !== undefined;

function isKnown(set: PolicySet, name: string, id: string): boolean {
  const server = set.server({ name });
  if (!server) return true;
  return id === name || set.tool(server, id) !== undefined || set.resource(name, 'resource', id) !== undefined;
}
