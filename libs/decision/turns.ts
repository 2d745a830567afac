import type { HostScope } from '#identity';
import { Refusal } from '#http';
import type { Proposed } from '#ledger';
import { AgreementsWanted } from './agreements.js';
import type { Moment } from './moment.js';
import { pace, type Pace } from './pages.js';
import type { Present } from './present.js';
import type { Call } from './question.js';

/**
 * For how long, in ms, a call may be worked out: a decision is for one moment, and the ledger takes none that is for one
 * more than a second ago.
 */
const LONGEST_MS = 800;

/** How often a call is worked out, where the tenant's state moves on in between. */
export const MAX_ATTEMPTS = 5;

/** What has been committed, and the ids by which the ledger knows it. */
export interface Committed<T> {
  readonly answer: T;
  readonly ids: readonly string[];
}

/** What a call comes to at a moment; undefined if the state moves on meanwhile. */
type Work<T> = (
  moment: Moment,
  turn: Pace,
) => Promise<{ readonly answer: T; readonly proposed: readonly Proposed[] } | undefined>;

/**
 * Works on one state with turns for others in between, and commits what comes of it. Where the state moves on meanwhile,
 * or the ledger refuses it, all is done anew.
 *
 * INVARIANT: what is committed was worked out on one revision, and is committed under its epoch and its moment.
 */
export async function inTurns<T>(present: Present, call: Call, scope: HostScope, work: Work<T>): Promise<Committed<T>> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const moment = present.moment(call, scope);
    const began = performance.now();
    const holds = () => {
      if (performance.now() - began > LONGEST_MS) throw tooMuch();
      return present.isHeld(call.tenant, moment);
    };
    const done = await work(moment, pace(holds));
    if (!done) continue;
    let proposals = 0;
    const evaluate = () => {
      if (proposals++ > 0) throw done.proposed.some(isAgreedTo) ? new AgreementsWanted([]) : new Overtaken();
      return done.proposed;
    };
    try {
      return { answer: done.answer, ids: await present.ledger(call.tenant).submit({ evaluate }) };
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
    }
  }
  throw changing();
}

/** The state never held still for as long as the call takes. */
export const changing = (): Refusal =>
  new Refusal('too_many_changes', 'the state of the tenant keeps changing: ask again');

const tooMuch = (): Refusal =>
  new Refusal('too_much_at_once', 'the call takes too long to be decided at one moment: ask for less at once');

/** Whether a decision relies on what people have agreed to: then that is looked up anew as well. */
const isAgreedTo = ({ consents = [] }: Proposed): boolean => consents.length > 0;

/** What took its time was refused by the ledger, and is not done anew while others wait. */
class Overtaken extends Error {}
