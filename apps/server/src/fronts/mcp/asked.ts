import type { Call, Decisions, Question } from '#decision';
import { Refusal } from '#http';
import { mapMessage } from '#mcp';
import { isJsonObject, own, type Json } from '#policy';
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
  const { continues } = body;
  if (continues === undefined) return { call, questions };
  checkRetry(body.message as Json);
  // What the server asked for is answered beside it, and is an operation of its own.
  const [first, ...responses] = questions;
  return { call, questions: [{ ...first!, continues: continues.evaluation_id }, ...responses] };
}

/** What a server may answer with `input_required` (MCP 2026-07-28, multi-round-trip requests). */
const WITH_ROUNDS: ReadonlySet<unknown> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Throws Refusal for a message that is no retry: nothing that was agreed to once is allowed twice. */
function checkRetry(message: Json): void {
  const params = isJsonObject(message) ? own(message, 'params') : undefined;
  const isRetry =
    isJsonObject(message) &&
    WITH_ROUNDS.has(own(message, 'method')) &&
    isJsonObject(params) &&
    (own(params, 'requestState') !== undefined || own(params, 'inputResponses') !== undefined);
  if (isRetry) return;
  throw new Refusal(
    'invalid_request',
    'continues: the message is no retry after input_required, which is a tools/call, prompts/get or resources/read with requestState or inputResponses: leave continues out',
  );
}
