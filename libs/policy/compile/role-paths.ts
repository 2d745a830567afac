import type { Memberships } from './memberships.js';
import { principalKey } from './principals.js';

/** One way in which a rule's `to` names somebody. */
export type Reach =
  | { readonly by: 'any' | 'subject' }
  | { readonly by: 'group'; readonly group: string }
  | {
      readonly by: 'role';
      readonly role: string;
      readonly binding: string;
      /** The group that the binding names; null where it names the subject. */
      readonly group: string | null;
      /** From the role that the binding gives to the one that the rule names, each inheriting the next. */
      readonly chain: readonly string[];
    };

/** Most ways to one rule that are told. */
export const MAX_REACHES = 20;

/**
 * How a rule names a subject, in an order that does not depend on that of the documents. Empty where it does not, and where
 * nobody can say because the groups are unknown.
 * @param now milliseconds since 1970
 */
export function reachesOf(
  memberships: Memberships,
  to: readonly string[],
  { key, groups }: { readonly key: string; readonly groups: ReadonlySet<string> | null },
  now: number,
): Reach[] {
  const named = new Set(to.map(principalKey));
  const reaches: Reach[] = [];
  if (named.has('any')) reaches.push({ by: 'any' });
  if (named.has(key)) reaches.push({ by: 'subject' });
  const sorted = [...(groups ?? [])].sort();
  for (const group of sorted) if (named.has(`group:${group}`)) reaches.push({ by: 'group', group });
  for (const role of [...named].filter((name) => name.startsWith('role:')).sort()) {
    for (const group of [null, ...sorted]) {
      reaches.push(...byRole(memberships, role.slice('role:'.length), group, key, now));
      if (reaches.length >= MAX_REACHES) return reaches.slice(0, MAX_REACHES);
    }
  }
  return reaches.slice(0, MAX_REACHES);
}

function byRole(memberships: Memberships, role: string, group: string | null, key: string, now: number): Reach[] {
  const found: Reach[] = [];
  const bindings = [...memberships.bindingsOf(group === null ? key : `group:${group}`)];
  for (const [binding, { roles, expires }] of bindings.sort(([left], [right]) => (left < right ? -1 : 1))) {
    if (expires !== null && !(expires > now)) continue;
    for (const bound of roles) {
      const chain = chainBetween(memberships, bound, role);
      if (chain) found.push({ by: 'role', role, binding, group, chain });
    }
  }
  return found;
}

/** The shortest way by inheritance from one role to another; undefined if there is none. */
function chainBetween(memberships: Memberships, from: string, to: string): readonly string[] | undefined {
  const heirs = new Map<string, string | null>([[from, null]]);
  for (const role of heirs.keys()) {
    if (role === to) return wayTo(to, heirs);
    for (const parent of memberships.parentsOf(role)) if (!heirs.has(parent)) heirs.set(parent, role);
  }
  return undefined;
}

function wayTo(role: string, heirs: ReadonlyMap<string, string | null>): readonly string[] {
  const heir = heirs.get(role) ?? null;
  return heir === null ? [role] : [...wayTo(heir, heirs), role];
}
