import type { Memberships } from '../compile/memberships.js';
import { principalKey, type Principals } from '../compile/principals.js';

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
  { key, groups }: Pick<Principals, 'key' | 'groups'>,
  now: number,
): Reach[] {
  const named = new Set(to.map(principalKey));
  const reaches: Reach[] = [];
  if (named.has('any')) reaches.push({ by: 'any' });
  if (named.has(key)) reaches.push({ by: 'subject' });
  for (const group of [...(groups ?? [])].sort()) if (named.has(`group:${group}`)) reaches.push({ by: 'group', group });
  const roles = [...named].filter((name) => name.startsWith('role:')).map((name) => name.slice('role:'.length));
  const ways = memberships.waysTo(new Set(roles), { key, groups }, now, MAX_REACHES);
  for (const role of roles.sort()) {
    for (const { binding, group, through } of ways.get(role) ?? [])
      reaches.push({ by: 'role', role, binding, group, chain: through });
  }
  return reaches.slice(0, MAX_REACHES);
}
