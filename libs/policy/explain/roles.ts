import type { PolicySet } from '../compile/policy-set.js';
import type { CompiledRule } from '../compile/rules.js';
import type { ExplainedRole, ExplainedWay } from './explanation.js';
import type { View } from './rule-parts.js';

/** Roles, and ways to one role, that are shown at most. */
const MAX_ROLES = 30;
const MAX_WAYS = 3;

/** How the subject comes by the roles that rules name. */
export function rolesNamed(
  set: PolicySet,
  { principals, request }: View,
  rules: readonly CompiledRule[],
  now: number,
): { roles: ExplainedRole[]; isComplete: boolean } {
  const named = new Set(rules.flatMap(({ principalKeys }) => principalKeys.filter((key) => key.startsWith('role:'))));
  const roles = [...named].map((key) => key.slice('role:'.length)).slice(0, MAX_ROLES);
  const ways = set.memberships.waysTo(new Set(roles), principals, now, MAX_WAYS + 1);
  const { mapped } = request.subject;
  const mappedWays = mapped && set.memberships.mappedWaysTo(new Set(roles), mapped, MAX_WAYS + 1);
  let isComplete = named.size <= MAX_ROLES;
  const explained = roles.map((role): ExplainedRole => {
    const found: ExplainedWay[] = (ways.get(role) ?? []).map(({ binding, group, through, expires }) => ({
      binding,
      by: group === null ? principals.key : `group:${group}`,
      through,
      ...(expires === null ? {} : { expires: new Date(expires).toISOString() }),
    }));
    for (const { by, through } of mappedWays?.get(role) ?? []) {
      const { mapping, rule, possible } = by;
      found.push({ mapping, rule, by: principals.key, through, ...(possible ? { possible } : {}) });
    }
    if (found.length > MAX_WAYS) isComplete = false;
    return {
      role,
      held: principals.roles.has(role) ? 'true' : principals.possibleRoles.has(role) ? 'error' : 'false',
      ways: found.slice(0, MAX_WAYS),
    };
  });
  return { roles: explained, isComplete };
}
