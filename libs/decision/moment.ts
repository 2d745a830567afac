import type { HostPrincipal } from '#identity';
import { Refusal } from '#http';
import { subjectDigest, type Proposed } from '#ledger';
import { decide, explain, type Decision } from '#policy';
import type { TenantSnapshot } from '#snapshot';
import { AgreementsWanted, type Agreements } from './agreements.js';
import type { Evaluated } from './answers.js';
import { permitted, proven } from './assertions.js';
import type { BegunOperation } from './going-on.js';
import { checkStanding } from './proven-subject.js';
import type { Call, Question, Semantic } from './question.js';
import { decisionRecord } from './records.js';

/** Answers of one call that are explained at most: an explanation takes as long as many decisions. */
const MAX_EXPLAINED = 20;

/** What is known at one evaluation. */
export interface Moment {
  readonly snapshot: TenantSnapshot;
  /** The numbers of the snapshot, which moves on. */
  readonly revision: number;
  readonly epoch: number;
  /** The epoch of the guardrails that stand above it. */
  readonly guardrails: number;
  readonly principal: HostPrincipal;
  readonly now: number;
}

/** How many of the questions want an explanation. Throws Refusal where the key may not have one, or there are too many. */
export function explainable(questions: readonly Question[], { host, rights }: HostPrincipal): number {
  const count = questions.reduce((sum, question) => sum + Number(question.explain === true), 0);
  if (count > 0 && !rights.explain) {
    throw new Refusal(
      'forbidden',
      `explain: the key of the host '${host}' may not have answers explained: an administrator can give it the right 'explain'`,
    );
  }
  if (count > MAX_EXPLAINED) {
    throw new Refusal('invalid_request', `explain: at most ${MAX_EXPLAINED} answers of a call, and not ${count}`);
  }
  return count;
}

/** What the questions of one call share: how many are explained, what is agreed to, and which uses were taken so far. */
export interface Shared {
  readonly explained: number;
  readonly agreements: Agreements;
  readonly taken: Map<string, number>;
}

/**
 * One question, decided at a moment, and what the ledger is to keep of it. Throws AgreementsWanted where what people have
 * agreed to could make it an allow, and was not loaded.
 */
export function decideAt(
  moment: Moment,
  call: Call,
  question: Question,
  { explained, agreements, taken }: Shared,
): { evaluated: Evaluated; proposed: Proposed } {
  const { snapshot, principal, revision, now } = moment;
  const set = snapshot.policies;
  if (!agreements.has(question)) throw new AgreementsWanted([]);
  const input = { ...inputAt(moment, question), approval: agreements.named(question) };
  const alone = decide(set, input, [], now);
  const goingOn = agreements.goingOn(question, principal.host, input, alone, now);
  const begun = goingOn?.begun;
  const standing = alone.effect === 'ask' ? standingAt(moment, question, alone, { agreements, taken, begun }) : NOTHING;
  const { consents } = standing;
  const decision = consents.length === 0 ? alone : decide(set, input, consents, now);
  const relied = decision.consents.map((id) => ({
    id,
    takesUse: consents.find((one) => one.id === id)!.usesLeft !== null,
    goesOn: begun?.consents.some((one) => one.id === id) ? begun.place : undefined,
  }));
  for (const { id, takesUse } of relied) if (takesUse) taken.set(id, (taken.get(id) ?? 0) + 1);
  const approval = agreements.stateOf(question, alone, decision.consents);
  const continues = relied.some(({ goesOn }) => goesOn) ? { id: begun!.id, state: 'met' as const } : goingOn?.standing;

  const explanation = question.explain ? explain({ set, input, consents, now, decision }, 1 / explained) : undefined;
  const recorded = { ...input, proof: question.proof, named: approval, continues };
  // INVARIANT: what is known of those who agreed may be older than the state that it was decided on: it is committed as of then.
  const epoch = relied.length > 0 ? Math.min(moment.epoch, agreements.epoch) : moment.epoch;
  const asOf = { ...moment, epoch };
  const content = decisionRecord(call, principal, recorded, decision, asOf);
  const ends = [endOf(question, decision.validUntil), standing.validUntil].filter((end) => end !== null);
  const keys = [...decision.keys, ...standing.keys];
  const proposed = propose('decision', asOf, keys, ends.length > 0 ? Math.min(...ends) : null, content);
  return {
    evaluated: {
      decision,
      revision,
      now,
      host: principal.host,
      agent: input.agent,
      credential: principal.credential,
      explain: principal.rights.explain,
      explanation,
      approval,
      continues,
    },
    proposed: {
      ...proposed,
      subject: subjectDigest(`${input.subject.type}:${input.subject.id}`),
      consents: relied,
    },
  };
}

const NOTHING: ReturnType<Agreements['standing']> = { consents: [], keys: [], validUntil: null };

function standingAt(
  { snapshot, now }: Moment,
  question: Question,
  decision: Decision,
  { agreements, taken, begun }: Pick<Shared, 'agreements' | 'taken'> & { begun: BegunOperation | undefined },
): ReturnType<Agreements['standing']> {
  agreements.demand(decision.requirements);
  return agreements.standing(snapshot.policies, decision, question, taken, begun, now);
}

/**
 * What of a question counts at a moment. Throws Refusal and TokenRefused, for a subject that the host may not speak for, or
 * whose proof does not hold any more.
 */
export function inputAt({ snapshot, principal, now }: Moment, question: Question): ReturnType<typeof permitted> {
  const { proof } = question;
  if (proof === undefined) return permitted(question, principal);
  checkStanding(proof, snapshot, now);
  return proven(question, proof, principal, snapshot.policies);
}

/** Until when an answer can hold: no longer than what proves its subject. */
export function endOf({ proof }: Question, validUntil: number | null): number | null {
  return proof === undefined ? validUntil : Math.min(proof.expiresAt, validUntil ?? Infinity);
}

/** Whether a call stops at a decision. */
export function cutsOff(semantic: Semantic, { effect }: Decision): boolean {
  if (semantic === 'deny_on_first_deny') return effect !== 'allow';
  return semantic === 'permit_on_first_permit' && effect === 'allow';
}

/** What is to be committed: under the epoch of its moment, and for no longer than all that it rests on is good. */
export function propose(
  kind: Proposed['kind'],
  moment: Moment,
  keys: readonly string[],
  validUntil: number | null,
  content: string,
): Proposed {
  const { epoch, guardrails, principal, now } = moment;
  const ends = [validUntil, principal.validUntil].filter((end) => end !== null);
  return {
    kind,
    epoch,
    guardrails,
    now,
    validUntil: ends.length > 0 ? Math.min(...ends) : null,
    keys: [...keys, ...keysOfPrincipal(principal)],
    content,
  };
}

function keysOfPrincipal({ credential, token }: HostPrincipal): string[] {
  const key = `credential:${credential}`;
  return token === undefined ? [key] : [key, `token:${token}`];
}
