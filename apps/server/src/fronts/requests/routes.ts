import { isDeepStrictEqual } from 'node:util';
import { askedOf, type ConsentRequests } from '#consent';
import type { Answer, Call, Decisions, Question } from '#decision';
import { Refusal } from '#http';
import type { Snapshots } from '#snapshot';
import { RecordReader, type Store } from '#store';
import type { PublicAddress } from '../../http/public-address.js';
import { elicitationOf, profileProblem, REQUESTS_PATH, taskBody } from '../authzen/access-request.js';
import { proofOf, questionOf } from '../authzen/questions.js';
import { frontRoute, type FrontRequest, type FrontRoute } from '../front-door.js';
import { askedMessage } from '../mcp/asked.js';
import { askedText, hintsOf, type AskedQuestion } from './asked-text.js';
import { deniedBy, otherDenial } from './denied.js';
import type { ReviewLinks } from './review-links.js';
import { requestBodySchema, type RequestBody } from './wire.js';

/** What the route needs of the service. */
export interface RequestParts {
  readonly decisions: Decisions;
  readonly requests: ConsentRequests;
  readonly links: ReviewLinks;
  readonly snapshots: Snapshots;
  readonly store: Store;
  readonly address: PublicAddress;
}

/** Operations of one message that people are asked for together: they have to read all of them. */
const MOST_AT_ONCE = 10;

/** Where hosts ask people for what a decision asked. */
export function requestRoutes(parts: RequestParts): FrontRoute[] {
  return [
    frontRoute({
      path: REQUESTS_PATH,
      body: requestBodySchema,
      status: 201,
      adapt: profileProblem,
      answer: (body, request) => openRequest(parts, body, request),
    }),
  ];
}

/**
 * Decides once more what was denied, and asks people for what that asks.
 *
 * INVARIANT: what people are asked for is what was worked out from what the host sends, and is what the denial asked: a host
 * cannot have one thing denied and another one agreed to.
 */
async function openRequest(parts: RequestParts, body: RequestBody, request: FrontRequest): Promise<object> {
  const { decisions, requests, snapshots, store, address } = parts;
  const { call, questions, tool } = await askedAgain(decisions, body, request);
  const denied = await deniedBy(new RecordReader(store), call.tenant, body.denial.evaluation_id, store.clock.now());
  const answers = await decisions.decide(call, questions, 'as_one');
  const asking = answers.flatMap((answer, index) =>
    answer.decision.effect === 'ask' ? [{ answer, question: questions[index]! }] : [],
  );
  refuseOthers(answers);
  if (!asking.some(({ answer }) => isDeepStrictEqual(bindingsOf(answer), denied.bindings))) throw otherDenial();
  if (asking.length > MOST_AT_ONCE) {
    throw new Refusal(
      'not_requestable',
      `the message asks for ${asking.length} things at once, more than people can be asked`,
    );
  }
  const asked = asking.map(({ answer: { decision }, question }) => {
    const requirements = askedOf(decision.requirements);
    if (!requirements) throw new Refusal('not_requestable', decision.detail!);
    const { resource, attributes } = decision.found!;
    return { question, resource: resource!, attributes, requirements };
  }) as [AskedQuestion, ...AskedQuestion[]];

  const [{ answer, question }] = asking as [(typeof asking)[number]];
  const { decision, evaluationId, agent, host, credential } = answer;
  if (host !== denied.host) throw otherDenial();
  const { subject, server, resource } = decision.found!;
  const { policies } = await snapshots.of(call.tenant);
  // All of it is agreed to at once, so all of it is shown.
  const shown = askedText(policies, { subject, agent, server, asked }, hintsOf(tool));
  const id = await requests.open(call.tenant, {
    evaluation: evaluationId,
    credential,
    host,
    agent,
    subject,
    server,
    action: question.action,
    resource: { type: question.resource.type, id: resource! },
    session: question.session?.id ?? null,
    requirements: asked.flatMap(({ requirements }) => requirements),
    shown,
    idempotencyKey: request.idempotencyKey ?? null,
    bodyDigest: request.requestDigest,
  });
  const standing = (await requests.find(call.tenant, id, { host, agent }))!;
  const review = await parts.links.to(call.tenant, id);
  const task = taskBody(standing, address.url, review);
  return standing.status === 'pending' ? { ...task, elicitation: elicitationOf(id, review, shown.title) } : task;
}

/** What is asked once more, by the members of either protocol. Naming an approval with it would be of no use. */
async function askedAgain(
  decisions: Decisions,
  body: RequestBody,
  request: FrontRequest,
): Promise<{ call: Call; questions: readonly Question[]; tool: unknown }> {
  if ('mcp' in body) {
    const { call, questions } = await askedMessage(decisions, body.mcp, request);
    return { call, questions: questions.map(withoutApproval), tool: body.mcp.tool };
  }
  const call: Call = { ...request, front: 'authzen', atLeast: undefined, noted: {} };
  const question = questionOf(body, await proofOf(decisions, body, call));
  return { call, questions: [withoutApproval(question)], tool: body.context?.tool };
}

const withoutApproval = ({ approval: _approval, continues: _continues, ...question }: Question): Question => question;

const bindingsOf = ({ decision }: Answer): string[] =>
  decision.requirements.flatMap(({ binding }) => binding ?? []).toSorted();

/** Throws Refusal unless what is asked would be an ask as a whole. */
function refuseOthers(answers: readonly Answer[]): void {
  const denial = answers.find(({ decision }) => decision.effect === 'deny');
  if (denial)
    throw new Refusal('not_requestable', `nobody can lift this: it is denied now (${denial.decision.reason})`);
  if (answers.every(({ decision }) => decision.effect === 'allow')) {
    throw new Refusal('not_requestable', 'it is allowed now: ask for the decision again');
  }
}
