import type { ASTNode } from '@marcbachmann/cel-js';
import { Fault, type CelValue, type Meter, type Result } from './values.js';

/** One evaluation: the values of variables and constants (by slot), the element a comprehension is at, the step count. */
export interface Evaluation extends Meter {
  readonly variables: readonly Result[];
  readonly constants: readonly CelValue[];
  item: CelValue;
  /** Called after every part of a traced condition. */
  readonly trace?: (start: number, end: number, result: Result) => void;
}

/** A compiled part of a condition. Never throws. */
export type Compiled = (run: Evaluation) => Result;

/** Compiles a part of the expression at hand; with the name of the element that a comprehension is at, if it has one. */
export type CompileChild = (child: ASTNode, item?: string) => Compiled;

/** Takes a step. True where the budget has no more of them: then the result is `Fault.ABORT`. */
export function exhausted(run: Meter): boolean {
  return ++run.steps > run.limit;
}

/** A function of two values, strict: a fault of either side is its result. An unknown side makes the whole unknown. */
export function binary(
  left: Compiled,
  right: Compiled,
  apply: (left: CelValue, right: CelValue, run: Evaluation) => Result,
): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const first = left(run);
    if (first instanceof Fault && first.kind !== 'error') return first;
    const second = right(run);
    if (second instanceof Fault) return first instanceof Fault && second.kind === 'error' ? first : second;
    return first instanceof Fault ? first : apply(first, second, run);
  };
}
