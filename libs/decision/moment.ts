import type { HostPrincipal } from '#identity';
import { Refusal } from '#http';
import type { Proposed } from '#ledger';
import { decide, explain, type Decision } from '#policy';
import type { TenantSnapshot } from '#snapshot';
import type { Evaluated } from './answers.js';
import { permitted, proven } from './assertions.js';
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

/** One question, decided at a moment, and what the ledger is to keep of it. */
export function decideAt(
  moment: Moment,
  call: Call,
  question: Question,
  explained: number,
): { evaluated: Evaluated; proposed: Proposed } {
  const { snapshot, principal, revision, now } = moment;
  const input = inputAt(moment, question);
  const decision = decide(snapshot.policies, input, [], now);
  const decided = { set: snapshot.policies, input, consents: [], now, decision };
  const explanation = question.explain ? explain(decided, 1 / explained) : undefined;
  const content = decisionRecord(call, principal, { ...input, proof: question.proof }, decision, moment);
  return {
    evaluated: { decision, revision, now, explain: principal.rights.explain, explanation },
    proposed: propose('decision', moment, decision.keys, endOf(question, decision.validUntil), content),
  };
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
  const { epoch, principal, now } = moment;
  const ends = [validUntil, principal.validUntil].filter((end) => end !== null);
  return {
    kind,
    epoch,
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
