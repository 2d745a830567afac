import { invalid, listOf, obligationOf } from './answer.js';
import { denied, type Decision, type Denied, type Obligation, type Reason } from './decision.js';
import type { Reply } from './exchange.js';
import { isJsonObject, own, type Json, type JsonObject } from './json.js';

/** An AuthZEN answer. Whatever is not an allow in full is `decision: false`. */
export interface Evaluation {
  readonly decision: boolean;
  /** As Placet sent it; empty where Placet did not decide. */
  readonly context: JsonObject;
  readonly reason: Reason;
}

/** A reply of `/access/v1/evaluation`: the AuthZEN context, and the same as a decision, so that obligations can be carried out. */
export function readEvaluation(reply: Reply): { readonly decision: Decision; readonly context: JsonObject } {
  if ('failure' in reply) return { decision: denied(reply.failure.code, reply.failure.message), context: {} };
  const { body } = reply;
  const context = isJsonObject(body) ? own(body, 'context') : undefined;
  if (!isJsonObject(body) || !isJsonObject(context)) return { decision: invalid('it has no context'), context: {} };
  return { decision: decisionOf(body, context, reply.sentAt), context };
}

function decisionOf(body: JsonObject, context: JsonObject, sentAt: number): Decision {
  const decision = own(body, 'decision');
  const evaluationId = own(context, 'evaluation_id');
  const revision = own(context, 'revision');
  const code = own(context, 'reason');
  if (typeof decision !== 'boolean') return invalid('its decision is neither true nor false');
  if (typeof evaluationId !== 'string' || evaluationId === '') return invalid('it has no evaluation_id');
  const obligations = listOf(orAbsent(own(context, 'obligations'), []), fromProfile);
  if (typeof code !== 'string' || !obligations) return invalid('its reason or obligations are not readable');
  const decided = {
    reason: { code, message: textOf(own(context, 'reason_user')) ?? code },
    rules: [],
    evaluationId,
    revision: typeof revision === 'number' ? revision : undefined,
  };
  if (!decision) return { effect: 'deny', ...decided } satisfies Denied;
  return { effect: 'allow', ...decided, obligations, validUntil: sentAt };
}

/** What the AuthZEN profile has a type for. */
const OF_PROFILE: readonly string[] = ['notification', 'session_termination', 'step-up'];

/** How a request says that a type of obligation is supported. */
export const profileNameOf = (type: string): string => (OF_PROFILE.includes(type) ? type : `custom:${type}`);

/** An obligation of the AuthZEN profile by our names; `custom` carries ours. */
function fromProfile(value: Json): Obligation | undefined {
  const { type } = obligationOf(value) ?? {};
  const properties = isJsonObject(value) ? orAbsent(own(value, 'properties'), {}) : undefined;
  if (type === undefined || !isJsonObject(properties)) return undefined;
  if (type !== 'custom') return { ...properties, type };
  const { name, ...rest } = properties;
  return typeof name === 'string' ? { ...rest, type: name } : undefined;
}

/** A member that may be absent; null is not absent, and is no answer. */
const orAbsent = (value: Json | undefined, absent: Json): Json => (value === undefined ? absent : value);

/** The text for the person: by language, of which Placet sends English. */
function textOf(texts: Json | undefined): string | undefined {
  const text = isJsonObject(texts) ? own(texts, 'en') : undefined;
  return typeof text === 'string' ? text : undefined;
}
