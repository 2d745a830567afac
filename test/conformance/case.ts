/** One case of a set of vectors, and what came of it. */
export interface CaseResult {
  readonly id: string;
  readonly outcome: 'passed' | 'failed' | 'not run';
  /** What was expected and what came, or why it was not run. */
  readonly detail?: string;
}

/** A set of vectors that was recognised in a folder. */
export interface VectorSet {
  readonly title: string;
  run(): AsyncIterable<CaseResult>;
}

/** A case that passes where what came is what was expected. */
export function compared(id: string, expected: unknown, came: unknown): CaseResult {
  const [wanted, got] = [JSON.stringify(expected), JSON.stringify(came)];
  return wanted === got
    ? { id, outcome: 'passed' }
    : { id, outcome: 'failed', detail: `expected ${wanted}, got ${got}` };
}
