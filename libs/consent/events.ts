import type { ConsentChoice } from '#policy';
import type { OpenedRequest } from '#store';

/** What is counted of how people are asked and how they answer. Times in ms. */
export interface ConsentEvents {
  readonly opened: (outcome: OpenedRequest['outcome']) => void;
  readonly answered: (answer: AnsweredEvent) => void;
}

/** An answer, as it is counted. */
interface AnsweredEvent {
  readonly answer: 'agreed' | 'refused';
  /** Null: it was refused. */
  readonly choice: ConsentChoice['for'] | null;
  readonly brokeGlass: boolean;
  /** How long ago this replica had first shown them the request; null: it has not. */
  readonly lookedAtMs: number | null;
  /** How long ago the request was made. */
  readonly waitedMs: number;
}
