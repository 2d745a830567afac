import { cutsOff, REASON_TEXT, type Answer, type Call, type Decisions, type Question, type Semantic } from '#decision';
import type { Problem } from '#http';
import { PLAIN_WORDS } from '#policy';
import { frontRoute, invalid, type FrontRequest, type FrontRoute } from '../front-door.js';
import type { PublicAddress } from '../../http/public-address.js';
import { accessRequest, approvalBody } from './access-request.js';
import { filterBody } from './filters.js';
import { profileObligations } from './obligations.js';
import type { PageTokens } from './page-tokens.js';
import { proofOf, questionOf } from './questions.js';
import { actionSearch, resourceSearch, subjectSearch, type PagedSearch } from './searches.js';
import {
  evaluationRequestSchema,
  evaluationsRequestSchema,
  filterRequestSchema,
  searchActionRequestSchema,
  searchResourceRequestSchema,
  searchSubjectRequestSchema,
  type EvaluationAnswerBody,
  type EvaluationRequestBody,
  type EvaluationsRequestBody,
} from './wire.js';

/** The AuthZEN Authorization API 1.0: access evaluation, access evaluations and the three searches; and filters, which are ours. */
export function authzenRoutes(decisions: Decisions, tokens: PageTokens, address: PublicAddress): FrontRoute[] {
  return [
    frontRoute({
      path: '/access/v1/evaluation',
      body: evaluationRequestSchema,
      adapt,
      answer: (body, request) => evaluateOne(decisions, body, request, address.url),
    }),
    frontRoute({
      path: '/access/v1/evaluations',
      body: evaluationsRequestSchema,
      adapt,
      async answer(body, request) {
        if (!body.evaluations || body.evaluations.length === 0) {
          const entities = entitiesOf(body);
          const single = evaluationRequestSchema.safeParse(entities, PLAIN_WORDS);
          if (!single.success) throw invalid(single.error, entities);
          return evaluateOne(decisions, single.data, request, address.url);
        }
        return { evaluations: await evaluateAll(decisions, body, request, address.url) };
      },
    }),
    frontRoute({
      path: '/access/v1/search/subject',
      body: searchSubjectRequestSchema,
      adapt,
      answer: (body, request) => searchBody(decisions, subjectSearch(body, request, tokens), request),
    }),
    frontRoute({
      path: '/access/v1/search/resource',
      body: searchResourceRequestSchema,
      adapt,
      answer: (body, request) => searchBody(decisions, resourceSearch(body, request, tokens), request),
    }),
    frontRoute({
      path: '/access/v1/search/action',
      body: searchActionRequestSchema,
      adapt,
      answer: (body, request) => searchBody(decisions, actionSearch(body, request, tokens), request),
    }),
    frontRoute({
      path: '/access/v1/filter',
      body: filterRequestSchema,
      adapt,
      answer: (body, request) => filterBody(decisions, body, callOf(request)),
    }),
  ];
}

async function searchBody(
  decisions: Decisions,
  { search, result, tokenAfter }: PagedSearch,
  request: FrontRequest,
): Promise<object> {
  const { evaluationId, revision, now, found, next } = await decisions.search(callOf(request), search);
  return {
    page: { next_token: next ? tokenAfter(next.after) : '', count: found.length },
    context: { evaluation_id: evaluationId, evaluated_at: new Date(now).toISOString(), revision },
    results: found.map(result),
  };
}

const callOf = (request: FrontRequest): Call => ({ ...request, front: 'authzen', atLeast: undefined, noted: {} });

/** The certification scenario wants 400 for a wrong content type, and clients read `message`. */
const adapt = (problem: Problem): Problem => ({
  ...problem,
  status: problem.status === 415 ? 400 : problem.status,
  message: problem.detail,
});

async function evaluateOne(
  decisions: Decisions,
  body: EvaluationRequestBody,
  request: FrontRequest,
  url: string,
): Promise<EvaluationAnswerBody> {
  const call = callOf(request);
  const [answer] = await decisions.decide(call, [questionOf(body, await proofOf(decisions, body, call))]);
  return evaluationBody(answer!, url);
}

/** An item of a batch: what it asks, or why it is none. */
type Item = { readonly body: EvaluationRequestBody } | { readonly error: EvaluationAnswerBody };

async function evaluateAll(
  decisions: Decisions,
  body: EvaluationsRequestBody,
  request: FrontRequest,
  url: string,
): Promise<EvaluationAnswerBody[]> {
  const semantic = body.options.evaluations_semantic;
  const items = reached(
    body.evaluations!.map((item) => itemOf({ ...entitiesOf(body), ...item })),
    semantic,
  );
  const call = callOf(request);
  const questions: Question[] = [];
  for (const item of items) {
    if ('body' in item) questions.push(questionOf(item.body, await proofOf(decisions, item.body, call)));
  }
  const answers = questions.length > 0 ? await decisions.decide(call, questions, semantic) : [];
  return inOrder(items, answers, semantic, url);
}

/** What the items share. Members that are not there stay away, so that an item's own are not hidden. */
function entitiesOf({ subject, action, resource, context, explain }: EvaluationsRequestBody): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ subject, action, resource, context, explain }).filter(([, value]) => value !== undefined),
  );
}

function itemOf(item: Record<string, unknown>): Item {
  const parsed = evaluationRequestSchema.safeParse(item, PLAIN_WORDS);
  if (parsed.success) return { body: parsed.data };
  const message = invalid(parsed.error, item).message;
  return { error: { decision: false, context: { error: { status: 400, message } } } };
}

/** A failed item counts as a deny: with `deny_on_first_deny` nothing after it is looked at. */
function reached(items: readonly Item[], semantic: Semantic): readonly Item[] {
  const firstError = items.findIndex((item) => 'error' in item);
  return semantic === 'deny_on_first_deny' && firstError >= 0 ? items.slice(0, firstError + 1) : items;
}

/** Answers and errors in the order of the request, up to the answer at which the semantic stops. */
function inOrder(
  items: readonly Item[],
  answers: readonly Answer[],
  semantic: Semantic,
  url: string,
): EvaluationAnswerBody[] {
  const bodies: EvaluationAnswerBody[] = [];
  let next = 0;
  for (const item of items) {
    if ('error' in item) {
      bodies.push(item.error);
      continue;
    }
    const answer = answers[next++]!;
    bodies.push(evaluationBody(answer, url));
    if (cutsOff(semantic, answer.decision)) break;
  }
  return bodies;
}

function evaluationBody(answer: Answer, url: string): EvaluationAnswerBody {
  const { decision, evaluationId, revision, now, explain, explanation } = answer;
  const { effect, reason, detail, obligations, requirements, wouldBe } = decision;
  const request = effect === 'ask' ? accessRequest(requirements, now, url) : undefined;
  const approval = approvalBody(answer);
  const context: Record<string, unknown> = {
    evaluation_id: evaluationId,
    evaluated_at: new Date(now).toISOString(),
    revision,
    reason,
    reason_user: { en: REASON_TEXT[reason] },
    ...(explain && detail !== null ? { reason_admin: { en: detail } } : {}),
    ...(explain && wouldBe ? { would_be: wouldBe } : {}),
    ...(explanation ? { explanation } : {}),
    ...(obligations.length > 0 ? { obligations: profileObligations(obligations) } : {}),
    ...(request ? { access_request: request } : {}),
    ...(approval ? { approval } : {}),
  };
  return { decision: effect === 'allow', context: context };
}
