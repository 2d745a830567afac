import { isDeepStrictEqual } from 'node:util';
import type { DemoOptions, DemoVerdict } from '../demo.js';
import { openStage } from './stage.js';
import type { Came, Step } from './step.js';
import { STEPS } from './steps.js';
import { block, closing, opening } from './transcript.js';

export interface SsoReport extends DemoVerdict {
  /** What came of each step, by its title. */
  readonly came: ReadonlyMap<string, Came>;
}

/** Runs the demo of single sign-on; nothing is there before and after. Rejects if it cannot be carried through. */
export async function runSsoDemo(options: DemoOptions): Promise<SsoReport> {
  options.signal?.throwIfAborted();
  const stage = await openStage(options);
  return runSteps(stage, STEPS, opening(stage), options);
}

/** Makes every step on a stage, and closes it. Rejects if one cannot be made. */
export async function runSteps<S extends { close(): Promise<void> }>(
  stage: S,
  steps: readonly Step<S>[],
  opening: string,
  { write, colours, signal }: DemoOptions,
): Promise<SsoReport> {
  const came = new Map<string, Came>();
  try {
    write(opening);
    for (const [at, step] of steps.entries()) {
      signal?.throwIfAborted();
      const seen = await step.act(stage);
      came.set(step.title, seen.came);
      write(block(at + 1, step.title, seen, colours));
    }
  } finally {
    await stage.close();
  }
  write(closing(steps.length));
  return { came, surprises: steps.flatMap((step) => surprisesOf(step, came.get(step.title)!)) };
}

/** Where something came out otherwise than a step says. */
function surprisesOf({ title, expected }: Pick<Step, 'title' | 'expected'>, came: Came): string[] {
  return [...new Set([...Object.keys(expected), ...Object.keys(came)])]
    .filter((name) => !isDeepStrictEqual(came[name], expected[name]))
    .map((name) => `'${title}': ${name} is ${shown(came[name])}, and not ${shown(expected[name])}.`);
}

const shown = (value: unknown): string => JSON.stringify(value) ?? 'not there';
