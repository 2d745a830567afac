import {
  denied,
  type Decision,
  type Denied,
  type NamedApproval,
  type Obligation,
  type Reason,
  type Requirement,
  type RuleRef,
} from './decision.js';
import type { Reply } from './exchange.js';
import { isJsonObject, own, type Json, type JsonObject } from './json.js';

/**
 * A reply of `/mcp/v1/decisions` as a decision. Nothing is taken for granted: what is not a whole and consistent answer
 * is a deny. Members that we do not know are ignored, so that answers may grow.
 */
export function readDecision(reply: Reply): Decision {
  if ('failure' in reply) return denied(reply.failure.code, reply.failure.message);
  const decision = isJsonObject(reply.body) ? decisionOf(reply.body, reply.sentAt) : 'it is no object';
  return typeof decision === 'string' ? invalid(decision) : decision;
}

/** The deny that stands for an answer that is none. */
export const invalid = (why: string): Denied =>
  denied('pdp_answer_invalid', `the answer of Placet cannot be relied on: ${why}`);

/** The decision, or what is wrong with the answer. */
function decisionOf(answer: JsonObject, sentAt: number): Decision | string {
  const effect = own(answer, 'effect');
  const evaluationId = own(answer, 'evaluation_id');
  const revision = own(answer, 'revision');
  const reason = reasonOf(own(answer, 'reason'));
  const rules = listOf(own(answer, 'rules'), ruleOf);
  if (typeof evaluationId !== 'string' || evaluationId === '') return 'it has no evaluation_id';
  if (!isCount(revision)) return 'it has no revision';
  if (!reason || !rules) return 'its reason or rules are not readable';
  const approval = approvalOf(own(answer, 'approval'));
  const decided = { reason, rules, evaluationId, revision, ...(approval ? { approval } : {}) };
  if (effect === 'deny') return { effect, ...decided };
  if (effect === 'ask') {
    const ask = own(answer, 'ask');
    const requirements = isJsonObject(ask) ? listOf(own(ask, 'requirements'), requirementOf) : undefined;
    if (!requirements) return 'it asks, and does not say for what';
    return { effect, ...decided, requirements, requestable: isJsonObject(own(ask as JsonObject, 'access_request')) };
  }
  if (effect !== 'allow') return 'its effect is none of allow, deny and ask';

  const obligations = listOf(own(answer, 'obligations'), obligationOf);
  if (!obligations) return 'its obligations are not readable';
  const validFor = own(answer, 'valid_for');
  if (!isCount(validFor)) return 'it has no valid_for';
  if (!allAllowed(own(answer, 'operations'))) return 'it allows the whole and not each of its operations';
  return { effect, ...decided, obligations, validUntil: sentAt + validFor * 1000 };
}

const isCount = (value: Json | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** All elements read, or undefined where it is no list or one of them is not readable. */
export function listOf<T>(value: Json | undefined, read: (item: Json) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = (value as readonly Json[]).map(read);
  return items.every((item): item is T & {} => item !== undefined) ? items : undefined;
}

function reasonOf(value: Json | undefined): Reason | undefined {
  if (!isJsonObject(value)) return undefined;
  const [code, message, detail] = [own(value, 'code'), own(value, 'message'), own(value, 'detail')];
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  return { code, message, ...(typeof detail === 'string' ? { detail } : {}) };
}

function ruleOf(value: Json): RuleRef | undefined {
  if (!isJsonObject(value)) return undefined;
  const [policy, version, rule] = [own(value, 'policy'), own(value, 'version'), own(value, 'rule')];
  if (typeof policy !== 'string' || typeof rule !== 'string' || !isCount(version)) return undefined;
  return { policy, version, rule };
}

/** An obligation, which is named by its type. */
export function obligationOf(value: Json): Obligation | undefined {
  return isJsonObject(value) && typeof own(value, 'type') === 'string' ? (value as Obligation) : undefined;
}

/** For the eye only: nothing rests on it. */
function approvalOf(value: Json | undefined): NamedApproval | undefined {
  if (!isJsonObject(value)) return undefined;
  const [state, reason, nextAction] = ['state', 'reason', 'next_action'].map((name) => textOf(own(value, name)));
  if (reason === undefined || nextAction === undefined) return undefined;
  return { ...(state === undefined ? {} : { state }), reason, nextAction };
}

function requirementOf(value: Json): Requirement | undefined {
  if (!isJsonObject(value)) return undefined;
  const [policy, rule] = [textOf(own(value, 'policy')), textOf(own(value, 'rule'))];
  const [bound, approvals, uses] = [textOf(own(value, 'bound')), own(value, 'approvals'), own(value, 'uses')];
  const by = listOf(own(value, 'by'), textOf);
  const bind = own(value, 'bind') === 'all' ? 'all' : listOf(own(value, 'bind'), textOf);
  if (!by || !bind || !isCount(approvals) || bound === undefined) return undefined;
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(rule === undefined ? {} : { rule }),
    by,
    approvals,
    notSelf: own(value, 'not_self') !== false,
    uses: isCount(uses) ? uses : undefined,
    until: textOf(own(value, 'until')),
    bind,
    show: listOf(own(value, 'show'), textOf),
    assurance: textOf(own(value, 'assurance')),
    bound,
  };
}

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

/** Where the answer lists the operations that the message comes to, an allow of the whole is an allow of each. */
function allAllowed(operations: Json | undefined): boolean {
  if (operations === undefined) return true;
  const effects = listOf(operations, (operation) => (isJsonObject(operation) ? own(operation, 'effect') : undefined));
  return effects?.every((effect) => effect === 'allow') ?? false;
}
