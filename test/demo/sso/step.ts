import type { Stage } from './stage.js';

/** What came of a step, by the names that its expectation has. */
export type Came = Readonly<Record<string, unknown>>;

export interface Seen {
  /** With a label each, to be read. */
  readonly lines: readonly (readonly [label: string, text: string])[];
  readonly came: Came;
}

/** Something that happens, and what must come of it. */
export interface Step<S = Stage> {
  readonly title: string;
  readonly act: (stage: S) => Promise<Seen>;
  readonly expected: Came;
}
