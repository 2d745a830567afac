import { denied, type Allowed, type Decision, type Obligation } from './decision.js';
import type { DecisionRequest, EvaluationRequest } from './request.js';

/** What an obligation stands for, so that a handler can say so. */
export interface ObligationContext {
  readonly request: DecisionRequest | EvaluationRequest;
  readonly evaluationId: string;
}

/**
 * Carries one obligation out, before the operation. `undefined` or `true`: done. Anything else, and an error, means that
 * the operation does not happen.
 */
export type ObligationHandler = (
  obligation: Obligation,
  context: ObligationContext,
) => Promise<boolean | void> | boolean | void;

/** By the type of the obligation. */
export type ObligationHandlers = Readonly<Record<string, ObligationHandler>>;

/**
 * Carries out what an allow obliges to, in the order of the answer. An obligation that nobody here knows makes it a deny
 * before any other is begun.
 */
export async function carryOut(
  decision: Decision,
  handlers: ObligationHandlers,
  request: DecisionRequest | EvaluationRequest,
): Promise<Decision> {
  if (decision.effect !== 'allow') return decision;
  const { obligations, evaluationId } = decision;
  const unknown = obligations.find(({ type }) => !handlerOf(handlers, type));
  if (unknown) {
    return denied(
      'obligation_unsupported',
      `Allowed only with the obligation '${unknown.type}', which this application cannot fulfil.`,
      decision,
    );
  }
  for (const obligation of obligations) {
    const failed = await failureOf(handlerOf(handlers, obligation.type)!, obligation, { request, evaluationId });
    if (failed !== undefined) return unfulfilled(decision, obligation, failed);
  }
  return decision;
}

/** The types of obligations that there are handlers for: what a host that has these can carry out. */
export const supportedBy = (handlers: ObligationHandlers): readonly string[] =>
  Object.keys(handlers).filter((type) => handlerOf(handlers, type) !== undefined);

function unfulfilled(decision: Allowed, { type }: Obligation, why: string): Decision {
  return denied('obligation_failed', `Allowed only with the obligation '${type}': ${why}.`, decision);
}

function handlerOf(handlers: ObligationHandlers, type: string): ObligationHandler | undefined {
  const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
  return typeof handler === 'function' ? handler : undefined;
}

/** Why an obligation is not fulfilled, or undefined if it is. */
async function failureOf(
  handler: ObligationHandler,
  obligation: Obligation,
  context: ObligationContext,
): Promise<string | undefined> {
  try {
    const done: unknown = await handler(obligation, context);
    return done === undefined || done === true ? undefined : 'that is not so';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
