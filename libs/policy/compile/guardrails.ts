import type { GuardrailDocument } from '../documents/schema.js';
import type { RuleRef } from '../model.js';
import { compilePolicy, type CompiledRule, type ConditionPool } from './rules.js';

/** What a guardrail is called where rules are named. No name of a policy has a colon. */
const PREFIX = 'guardrail:';

/** The name of the home tenant, in which a guardrail is a document like others and holds as well. */
export const HOME_TENANT = 'default';

/** The name of the guardrail that a rule is; undefined: it is a rule of a policy. */
export const guardrailOf = ({ policy }: Pick<RuleRef, 'policy'>): string | undefined =>
  policy.startsWith(PREFIX) ? policy.slice(PREFIX.length) : undefined;

/** The policy name under which a guardrail is recorded. */
export const guardrailPolicy = (name: string): string => `${PREFIX}${name}`;

/** Whether a guardrail is for a tenant. */
export const concernsTenant = ({ tenants }: GuardrailDocument, tenant: string): boolean =>
  tenants === undefined || tenants.includes(tenant);

/** A guardrail as the one rule that it is: for everybody, through every host. */
export function compileGuardrail(
  { name, effect, target, when, unless, consent, reason }: GuardrailDocument,
  version: number,
  conditions: ConditionPool,
): CompiledRule {
  const rule = { name: effect, effect, to: ['any'], when, unless, consent };
  const [compiled] = compilePolicy(
    { kind: 'Policy', name: guardrailPolicy(name), target, rules: [rule] },
    version,
    conditions,
  );
  return { ...compiled!, guardrail: { name, reason } };
}
