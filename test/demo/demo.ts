/** How a demo is run. */
export interface DemoOptions {
  /** Takes the transcript. */
  readonly write: (text: string) => void;
  /** Told what takes time. */
  readonly progress: (text: string) => void;
  readonly colours: boolean;
  /** Who answers what people are asked: the demo, as the person (the default), or somebody at a second terminal. */
  readonly answers?: 'demo' | 'elsewhere';
  /** Ends the demo early; what it has started is given back all the same. */
  readonly signal?: AbortSignal;
}

/** What every demo says in the end. */
export interface DemoVerdict {
  /** What came out otherwise than expected, one sentence each. */
  readonly surprises: readonly string[];
}

/** Gives back everything, the last first, also after something could not be given back. Rejects with the first failure. */
export async function endAll(ending: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of ending.toReversed()) await end().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
