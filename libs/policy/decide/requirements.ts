import type { CompiledConsent } from '../compile/rules.js';
import type { ConsentBlock } from '../documents/schema.js';
import { digest, own } from '../json.js';
import type { JsonObject, RuleRef } from '../model.js';
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
  /**
   * The digest of everything that an agreement is bound to. Null: none can apply, because the host does not say which
   * definition of the tool it means, or means another than the registered one.
   */
  readonly binding: string | null;
}

/** An agreement that somebody has given: what it is bound to, and how far it still reaches. */
export interface Consent {
  readonly id: string;
  /** As in `Requirement`. */
  readonly binding: string;
  /** Milliseconds since 1970; null: no end. */
  readonly expires: number | null;
  /** Null: any number. */
  readonly usesLeft: number | null;
  /** Whether the request names the approval that it came of: only such a request takes a use. */
  readonly named: boolean;
  /** The session that it is for; null: any. */
  readonly session: string | null;
}

export function requirementOf(
  rule: RuleRef | null,
  consent: CompiledConsent,
  given: BoundArguments,
  inError: boolean,
  request: ResolvedRequest,
): Requirement {
  const bind = inError ? 'all' : consent.block.bind;
  const bound = given.digest(bind);
  return {
    rule,
    consent: consent.block,
    consentDigest: consent.digest,
    bound,
    inError,
    binding: bindingOf(rule, consent.digest, bound, bind === 'all', request),
  };
}

/**
 * INVARIANT: whatever an agreement must not outlive a change of enters here: the policy, the rule and its consent block, the
 * person, the application, the server and its identity, the action, the resource, the definition of the tool, the purpose,
 * and the arguments that are bound. With all of them comes what else is given (`attributesOf`). The tenant is that of the row.
 */
function bindingOf(
  rule: RuleRef | null,
  consentDigest: string,
  bound: string,
  isWhole: boolean,
  request: ResolvedRequest,
): string | null {
  const { subject, agent, server, action, resource, definition, context } = request;
  if (definition === null) return null;
  return digest({
    rule: rule && { policy: rule.policy, rule: rule.rule },
    consent: consentDigest,
    arguments: bound,
    attributes: isWhole ? attributesOf(request) : null,
    subject: subject.key,
    agent: agent.id,
    server: server && { name: server.id, identity: server.identity },
    action,
    resource: { type: resource.type, id: resource.id },
    definition: definition ?? null,
    purpose: own(context, 'purpose') ?? null,
  });
}

/**
 * What a request gives besides its arguments, of which people are shown all and to which an agreement to everything is bound:
 * the attributes of the resource and of the action, in which other protocols than MCP have their arguments, and what is
 * answered, where the request is an answer (`result` or `error`).
 */
export function attributesOf({ action, resource, context }: ResolvedRequest): JsonObject {
  const attributes = { resource: resource.properties, action: own(context, 'action') ?? null };
  if (!action.endsWith(RESULT)) return attributes;
  return { ...attributes, result: own(context, 'result') ?? null, error: own(context, 'error') ?? null };
}

/** What stands behind the method in the name of the action that is an answer to it. */
const RESULT = ':result';

/** What would meet requirements as they are, as if everybody who is asked had said yes. Nothing meets one without a binding. */
export const agreementsTo = (requirements: readonly Requirement[]): Consent[] =>
  requirements.flatMap(({ binding }, index) =>
    binding === null
      ? []
      : [{ id: `assumed:${index}`, binding, expires: null, usesLeft: null, named: false, session: null }],
  );

/** Whether a consent meets a requirement in full: everything that it is bound to is as it was, and it is still live. */
export function meets(consent: Consent, requirement: Requirement, request: ResolvedRequest, now: number): boolean {
  return (
    requirement.binding !== null &&
    consent.binding === requirement.binding &&
    (consent.session === null || (request.session !== null && consent.session === request.session.id)) &&
    (consent.expires === null || consent.expires > now) &&
    (consent.usesLeft === null || (consent.usesLeft > 0 && consent.named))
  );
}
