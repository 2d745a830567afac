import type { Decision, DecisionRequest, Unanswered } from '#client';
import type { DemoAsk } from './asking.js';
import type { DemoOperation } from './operations.js';

/** One operation and what came of it. */
export interface DemoOutcome {
  readonly operation: DemoOperation;
  readonly request: DecisionRequest;
  readonly decision: Decision;
  /** Where people were asked. */
  readonly ask?: DemoAsk;
  /** Why nobody has agreed. */
  readonly unanswered?: Unanswered;
  /** What the server answered; undefined: it was not asked. */
  readonly came: string | undefined;
  /** What the obligation to log has written. */
  readonly logged: readonly string[];
  /** Where the operation was a list: the names that were shown, and those that were left out. */
  readonly shownItems?: readonly string[];
  readonly hidden?: readonly string[];
}
