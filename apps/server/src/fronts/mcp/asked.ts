import type { Call, Decisions, Question } from '#decision';
import { mapMessage } from '#mcp';
import type { Json } from '#policy';
import type { FrontRequest } from '../front-door.js';
import { callOf, questionOf, questionWithoutOperation, withSubject } from './questions.js';
import type { DecisionRequestBody } from './wire.js';

/** What a message that is about to be sent asks: one question for each operation that it comes to. */
export async function askedMessage(
  decisions: Decisions,
  body: DecisionRequestBody,
  request: FrontRequest,
): Promise<{ readonly call: Call; readonly questions: readonly Question[] }> {
  const { direction, protocolVersion, answers } = body;
  const mapped = mapMessage({ direction, message: body.message as Json, protocolVersion, answers });
  const call = callOf(body, request);
  const known = await withSubject(decisions, body, call, 'decisions');
  const questions =
    mapped.kind === 'operations'
      ? mapped.operations.map((operation) => questionOf(operation, known, direction))
      : [questionWithoutOperation(mapped.method, mapped.kind === 'none' ? 'none' : 'unknown-method', known, direction)];
  return { call, questions };
}
