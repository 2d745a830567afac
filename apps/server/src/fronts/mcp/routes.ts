import { REASON_TEXT, type Answer, type Decisions, type Question } from '#decision';
import { listedItems } from '#mcp';
import type { Effect, Requirement } from '#policy';
import type { PublicAddress } from '../../http/public-address.js';
import { accessRequest, approvalBody } from '../authzen/access-request.js';
import { frontRoute, type FrontRoute } from '../front-door.js';
import { askedMessage } from './asked.js';
import { callOf, questionOfItem, questionWithoutOperation, withSubject } from './questions.js';
import { decisionRequestSchema, listingRequestSchema, type DecisionAnswerBody } from './wire.js';

/** The routes for hosts that send what they have: raw MCP messages, and results of list operations. */
export function mcpRoutes(decisions: Decisions, address: PublicAddress): FrontRoute[] {
  return [
    frontRoute({
      path: '/mcp/v1/decisions',
      body: decisionRequestSchema,
      async answer(body, request) {
        const { call, questions } = await askedMessage(decisions, body, request);
        const asked = questions.map((question): Question => ({ ...question, explain: body.explain }));
        const answered = await decisions.decide(call, asked, 'as_one');
        return decisionBody(
          address.url,
          answered,
          questions.map(({ action, resource }) => ({
            action,
            resource: { type: resource.type, id: resource.id ?? '' },
          })),
        );
      },
    }),
    frontRoute({
      path: '/mcp/v1/listings',
      body: listingRequestSchema,
      async answer(body, request) {
        const call = callOf(body, request);
        const known = await withSubject(decisions, body, call, 'listings');
        const list = questionWithoutOperation(body.method, 'none', known, 'client_to_server');
        const entries = listedItems(body.method, body.result).map((item) => ({
          name: item.name,
          question: questionOfItem(item, known),
        }));
        const { evaluationId, revision, items } = await decisions.list(call, list, entries);
        return { evaluation_id: evaluationId, revision, items };
      },
    }),
  ];
}

const STRICTNESS: Readonly<Record<Effect, number>> = { deny: 2, ask: 1, allow: 0 };

/** One answer for a message: the strictest of its operations, with what is asked and obliged by all of them. */
function decisionBody(
  url: string,
  answers: readonly Answer[],
  operations: readonly Pick<NonNullable<DecisionAnswerBody['operations']>[number], 'action' | 'resource'>[],
): DecisionAnswerBody {
  const decisive = answers.reduce((strictest, answer) =>
    STRICTNESS[answer.decision.effect] > STRICTNESS[strictest.decision.effect] ? answer : strictest,
  );
  const { decision, evaluationId, revision, now, explain, explanation } = decisive;
  const approval = approvalBody(decisive);
  const { continues } = answers[0]!;
  const asks = answers.flatMap((answer) => answer.decision.requirements);
  return {
    effect: decision.effect,
    evaluation_id: evaluationId,
    revision,
    reason: {
      code: decision.reason,
      message: REASON_TEXT[decision.reason],
      ...(explain && decision.detail !== null ? { detail: decision.detail } : {}),
    },
    rules: [...decision.rules],
    obligations: decision.effect === 'allow' ? answers.flatMap((answer) => answer.decision.obligations) : [],
    valid_for: 0,
    ...(explain && decision.wouldBe ? { would_be: { ...decision.wouldBe, rules: [...decision.wouldBe.rules] } } : {}),
    ...(explanation ? { explanation } : {}),
    ...(decision.effect === 'ask' ? { ask: askBody(asks, now, url) } : {}),
    ...(approval ? { approval } : {}),
    ...(continues ? { continues: { evaluation_id: continues.id, state: continues.state } } : {}),
    ...(answers.length > 1
      ? {
          operations: answers.map((answer, index) => ({
            ...operations[index]!,
            effect: answer.decision.effect,
            evaluation_id: answer.evaluationId,
          })),
        }
      : {}),
  };
}

/** What is asked, and where to ask people for it; nowhere, if nothing that they agree to could count. */
function askBody(asks: readonly Requirement[], now: number, url: string): NonNullable<DecisionAnswerBody['ask']> {
  const request = accessRequest(asks, now, url);
  return { requirements: asks.map(requirementBody), ...(request ? { access_request: request } : {}) };
}

/** A requirement on the wire; what the policy does not say is left out. */
function requirementBody({
  rule,
  consent,
  bound,
}: Requirement): NonNullable<DecisionAnswerBody['ask']>['requirements'][number] {
  const { by, approvals, notSelf, uses, until, bind, show, assurance } = consent;
  return {
    ...(rule ? { policy: rule.policy, rule: rule.rule } : {}),
    by,
    approvals,
    not_self: notSelf,
    ...(uses === undefined ? {} : { uses }),
    ...(until === undefined ? {} : { until }),
    bind,
    ...(show === undefined ? {} : { show }),
    ...(assurance === undefined ? {} : { assurance }),
    bound,
  };
}
