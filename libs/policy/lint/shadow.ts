import type { PolicyDocument } from '../documents/schema.js';
import type { Facts } from './facts.js';
import type { Report } from './finding.js';
import { targetOf } from './patterns.js';

/** Rules that allow or ask where another one denies everything to anybody, so that they can never come to bear. */
export function lintShadowed(facts: Facts, policy: PolicyDocument, report: Report): void {
  if (policy.rules.every(({ effect }) => effect === 'deny')) return;
  const deny = facts.denyOfAll(targetOf(policy));
  if (!deny) return;
  policy.rules.forEach(({ name, effect }, index) => {
    if (effect === 'deny') return;
    const message = `the rule '${deny.rule}' of the policy '${deny.policy}' denies to anybody all that this one is for`;
    report('shadowed_by_deny', message, ['rules', index], { rule: name });
  });
}
