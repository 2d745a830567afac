import type { CompiledConsent } from '../compile/rules.js';
import type { ConsentBlock } from '../documents/schema.js';
import type { RuleRef } from '../model.js';
import type { BoundArguments } from './bound.js';
import type { ResolvedRequest } from './request.js';

/** Something that a person must agree to before the answer can be allow. */
export interface Requirement {
  /** The rule that asks; null: the tenant's default effect. */
  readonly rule: RuleRef | null;
  readonly consent: ConsentBlock;
  readonly consentDigest: string;
  /** The digest of the arguments that an agreement is bound to: all of them, or those that the block names. */
  readonly bound: string;
  /** Whether the rule was in error; then an agreement must be bound to all arguments. */
  readonly inError: boolean;
}

/** An agreement that somebody has given: what it is bound to, and how far it still reaches. */
export interface Consent {
  readonly id: string;
  readonly subject: string;
  readonly agent: string;
  readonly server: string | null;
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  /** The policy and rule it answers; null: the tenant's default effect. */
  readonly rule: Pick<RuleRef, 'policy' | 'rule'> | null;
  readonly consentDigest: string;
  readonly bound: string;
  /** Milliseconds since 1970; null: no end. */
  readonly expires: number | null;
  /** Null: any number. */
  readonly usesLeft: number | null;
}

export function requirementOf(
  rule: RuleRef | null,
  consent: CompiledConsent,
  given: BoundArguments,
  inError: boolean,
): Requirement {
  const bind = inError ? 'all' : consent.block.bind;
  return {
    rule,
    consent: consent.block,
    consentDigest: consent.digest,
    bound: given.digest(bind),
    inError,
  };
}

/** Whether a consent meets a requirement in full: everything that it is bound to is as it was, and it is still live. */
export function meets(consent: Consent, requirement: Requirement, request: ResolvedRequest, now: number): boolean {
  const sameRule =
    consent.rule === null || requirement.rule === null
      ? consent.rule === requirement.rule
      : consent.rule.policy === requirement.rule.policy && consent.rule.rule === requirement.rule.rule;
  return (
    sameRule &&
    consent.consentDigest === requirement.consentDigest &&
    consent.bound === requirement.bound &&
    consent.subject === request.subject.key &&
    consent.agent === request.agent.id &&
    consent.server === (request.server?.id ?? null) &&
    consent.action === request.action &&
    consent.resource.type === request.resource.type &&
    consent.resource.id === request.resource.id &&
    (consent.expires === null || consent.expires > now) &&
    consent.usesLeft !== 0
  );
}
