import type { HostPrincipal } from '#identity';
import { decide, type Candidate, type Decision, type Effect, type PolicySet } from '#policy';
import { maySpeakFor, permitted } from './assertions.js';
import { firstOf, type Pace } from './pages.js';
import type { Question } from './question.js';

/** What a search looks for, and what it holds fixed; nothing in it is believed yet. */
export interface Search {
  readonly searched: 'subject' | 'resource' | 'action';
  /** The question whose one part is searched for; that part is filled in by `questionOn`. */
  readonly fixed: Question;
  /** Whether the request has arguments. If not, what is found is allowed whatever they are. */
  readonly argumentsKnown: boolean;
  /** What could be found, in any order; the same one may come twice, and null for what was looked at and is none. */
  readonly candidates: (policies: PolicySet) => Iterable<Candidate | null>;
  readonly questionOn: (candidate: Candidate) => Question;
  /** The page begins after this candidate; null: at the first one. */
  readonly after: Candidate | null;
  /** Most results that the page may have. */
  readonly limit: number;
}

/** One page, as it was found on one state of a tenant. */
export interface FoundPage {
  readonly found: readonly Candidate[];
  /** The last candidate that the page has dealt with, if others are left. */
  readonly next: { readonly after: Candidate | null } | null;
  /** Each candidate that was decided, in order. */
  readonly decided: readonly { readonly candidate: Candidate; readonly effect: Effect }[];
  readonly decisions: readonly Pick<Decision, 'keys' | 'validUntil'>[];
}

/** Most results of a page, and most candidates that are decided for one. */
export const MAX_PAGE = 500;

/**
 * Decides candidates one after the other, in the order of their ids, until the page is full, no candidate is left, or as
 * many were decided as one page may cost. Undefined if the state moved on in between.
 *
 * INVARIANT: everything in a page was decided on one revision, and each result by an allow; an ask is none.
 */
export async function findPage(
  search: Search,
  policies: PolicySet,
  principal: HostPrincipal,
  now: number,
  turn: Pace,
): Promise<FoundPage | undefined> {
  const candidates = await firstAfter(search, policies, principal, turn);
  if (!candidates) return undefined;
  const found: Candidate[] = [];
  const decided: FoundPage['decided'][number][] = [];
  const decisions: Decision[] = [];
  let after = search.after;
  for (const candidate of candidates) {
    if (decided.length >= MAX_PAGE) return { found, next: { after }, decided, decisions };
    if (!(await turn())) return undefined;
    const input = permitted(search.questionOn(candidate), principal);
    const decision = decide(policies, search.argumentsKnown ? input : { ...input, arguments: 'unknown' }, [], now);
    decisions.push(decision);
    const { effect } = decision;
    // The page is full, and here is one that would belong to it: so there is another page.
    if (effect === 'allow' && found.length >= search.limit) return { found, next: { after }, decided, decisions };
    if (effect === 'allow') found.push(candidate);
    decided.push({ candidate, effect });
    after = candidate;
  }
  return { found, next: null, decided, decisions };
}

/** The candidates that one page could come to, and one more: in order, each once, and only those the caller may know. */
async function firstAfter(
  { searched, candidates, fixed, after }: Search,
  policies: PolicySet,
  { rights }: HostPrincipal,
  turn: Pace,
): Promise<readonly Candidate[] | undefined> {
  const { type } = fixed.subject;
  const skip = (candidate: Candidate): boolean =>
    (after !== null && compare(candidate, after) <= 0) ||
    (searched === 'subject' && !maySpeakFor({ type, id: candidate.id }, rights));
  return firstOf({ items: candidates(policies), compare, skip, count: MAX_PAGE + 1 }, turn);
}

/** By id, then by server: tools of two servers may have the same name. */
function compare(left: Candidate, right: Candidate): number {
  if (left.id !== right.id) return left.id < right.id ? -1 : 1;
  const [a, b] = [left.server ?? '', right.server ?? ''];
  return a < b ? -1 : Number(a > b);
}
