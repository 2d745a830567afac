import type { Decision, Effect, Explanation, Filter } from '#policy';
import type { StandingApproval } from './agreements.js';
import type { GoingOn } from './going-on.js';
import type { Question } from './question.js';
import type { FoundPage } from './search.js';

/** A decision that is valid: it stands in the ledger. */
export interface Answer {
  readonly evaluationId: string;
  readonly revision: number;
  /** The moment that it was decided for, by the database's clock, in ms since 1970. */
  readonly now: number;
  readonly decision: Decision;
  /** The host that asked, the one that it asked for, and the credential that it asked with. */
  readonly host: string;
  readonly agent: string;
  readonly credential: string;
  /** Whether the caller may be told in detail what stood in the way. */
  readonly explain: boolean;
  /** Where one was asked for. */
  readonly explanation: Explanation | undefined;
  /** The approval that the question named, if there is one of that id. */
  readonly approval: StandingApproval | undefined;
  /** The evaluation that the question goes on with, if it names one. */
  readonly continues: GoingOn | undefined;
}

/** A decision, before it stands in the ledger. */
export type Evaluated = Omit<Answer, 'evaluationId'>;

/** One entry of a listing, as a question and by its name. */
export interface ListedQuestion {
  readonly name: string;
  readonly question: Question;
}

/** The listing that is valid: advisory, and recorded once. */
export interface ListingAnswer {
  readonly evaluationId: string;
  readonly revision: number;
  readonly items: readonly { readonly name: string; readonly effect: Effect; readonly conditional: boolean }[];
}

/** The page of a search that is valid: advisory, and recorded once. */
export interface SearchAnswer extends Pick<FoundPage, 'found' | 'next'> {
  readonly evaluationId: string;
  readonly revision: number;
  readonly now: number;
}

/** The filter that is valid: advisory, and recorded once. */
export interface FilterAnswer {
  readonly evaluationId: string;
  readonly revision: number;
  readonly now: number;
  readonly filter: Filter;
}
