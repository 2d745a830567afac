import type { ASTNode } from '@marcbachmann/cel-js';
import { compile } from '../cel/compile.js';
import { CONDITION_BUDGET, type Bindings } from '../cel/condition.js';
import type { Compiled } from '../cel/evaluation.js';
import { shapeOf, type Shaped } from '../cel/shape.js';
import { Fault, type CelValue, type Meter, type Result } from '../cel/values.js';
import { Inexpressible, type KnownRow, type Rows } from './rows.js';

/** What is the same for all conditions of one question: the variables, and what is known of the rows. */
export interface Scope {
  readonly variables: Bindings;
  readonly rows: Rows;
  readonly row: KnownRow;
}

/** A condition that is gone through. */
export interface Run extends Scope {
  readonly meter: Meter;
  /** The element that an unrolled comprehension is at. */
  readonly item: { readonly name: string; readonly value: CelValue } | null;
}

/** Why there is no filter where the steps are up. */
export const TOO_MANY_STEPS = 'with some rows it could take more steps than a condition may';

/** The value of an expression that does not read the row, by the evaluator that conditions have. */
export function valueOf(node: ASTNode, { variables, item, meter }: Run): Result {
  const { compiled, constants } = compiledOf(node, item?.name);
  const evaluation = { variables, constants, item: item?.value ?? null, steps: 0, limit: CONDITION_BUDGET };
  const value = compiled(evaluation);
  meter.steps += evaluation.steps;
  if (value === Fault.ABORT) throw new Inexpressible(TOO_MANY_STEPS);
  return value;
}

type CompiledPart = Pick<Shaped, 'constants'> & { readonly compiled: Compiled };

/** By the node: one that reads an element stands in one comprehension, and so has one name for it. */
const parts = new WeakMap<ASTNode, CompiledPart>();

function compiledOf(node: ASTNode, item: string | undefined): CompiledPart {
  let part = parts.get(node);
  if (!part) {
    const { slots, constants } = shapeOf(node);
    parts.set(node, (part = { compiled: compile(node, slots, false, item), constants }));
  }
  return part;
}
