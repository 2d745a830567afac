import type { Json, Outcome } from '../model.js';
import { compile } from './compile.js';
import type { Compiled, Evaluation } from './evaluation.js';
import { parse } from './language.js';
import { shapeOf, ShapePool } from './shape.js';
import { Fault, toJson, type CelValue, type FaultCode, type Result } from './values.js';

/** Steps that one condition may take; about a millisecond's work. A condition that needs more is in error. */
export const CONDITION_BUDGET = 50_000;

/** The variables of a condition by slot, in the order of `VARIABLES`. */
export type Bindings = readonly Result[];

export interface ConditionOutcome {
  readonly outcome: Outcome;
  readonly steps: number;
}

/** One part of a condition and what it came to, for explanations. Positions are characters of the condition's text. */
export interface TraceStep {
  readonly start: number;
  readonly end: number;
  readonly value?: Json;
  readonly fault?: FaultCode;
}

/** A condition, ready to be asked. Conditions with the same text can share one. */
export class Condition {
  readonly #compiled: Compiled;
  readonly #constants: readonly CelValue[];
  /** What it has in common with conditions that differ in their constants alone. */
  readonly shape: string;

  /** Compiles a text that `checkCondition` has accepted; throws for any other. */
  constructor(
    readonly text: string,
    shapes: ShapePool = new ShapePool(),
  ) {
    const tree = treeOf(text);
    const shaped = shapeOf(tree);
    this.shape = shaped.key;
    this.#constants = shaped.constants;
    this.#compiled = shapes.take(tree, shaped);
  }

  /**
   * What the condition comes to. Total: every input gives an outcome, and the budget bounds the work. Where something is
   * unknown, an exhausted budget is unknown as well: with everything known, fewer steps may be enough.
   */
  evaluate(variables: Bindings, partial = false): ConditionOutcome {
    const constants = this.#constants;
    const run: Evaluation = { variables, constants, item: null, steps: 0, limit: CONDITION_BUDGET };
    const result = this.#compiled(run);
    const outcome = partial && result === Fault.ABORT ? 'unknown' : outcomeOf(result);
    return { outcome, steps: Math.ceil(run.steps) };
  }

  /** The same evaluation with the result of every part, in the order in which the parts were finished. */
  trace(variables: Bindings): { outcome: Outcome; steps: readonly TraceStep[] } {
    const steps: TraceStep[] = [];
    const trace = (start: number, end: number, result: Result) => {
      steps.push(result instanceof Fault ? { start, end, fault: result.code } : { start, end, value: toJson(result) });
    };
    const tree = treeOf(this.text);
    const { slots, constants } = shapeOf(tree);
    const traced = compile(tree, slots, true);
    const outcome = outcomeOf(traced({ variables, constants, item: null, steps: 0, limit: CONDITION_BUDGET, trace }));
    return { outcome, steps };
  }
}

/** The tree of a text that `checkCondition` has accepted; throws for any other. */
export function treeOf(text: string) {
  const parsed = parse(text);
  if ('problems' in parsed) throw new Error(`condition '${text}': ${parsed.problems[0]!.message}`);
  return parsed.tree;
}

function outcomeOf(result: Result): Outcome {
  if (result === true) return 'true';
  if (result === false) return 'false';
  return result === Fault.UNKNOWN ? 'unknown' : 'error';
}
