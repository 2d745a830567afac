import type { ASTNode } from '@marcbachmann/cel-js';
import { compile } from './compile.js';
import { CONDITION_BUDGET, treeOf, type Bindings } from './condition.js';
import type { Evaluation } from './evaluation.js';
import { placesIn, type Place } from './places.js';
import { shapeOf } from './shape.js';
import { Fault, type FaultCode, type Result } from './values.js';

/** The part of a condition that kept it from being as a rule needs it. Positions are characters of the condition's text. */
export interface Clause {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly outcome: 'true' | 'false' | 'error';
  /** Why it has no value. */
  readonly fault?: FaultCode;
  /** What it reads. */
  readonly places: readonly Place[];
  readonly steps: number;
}

/**
 * The first clause that decided against a condition which is not as wanted. Of a condition that should be true these are
 * the operands of `&&`, of one that should be false (`unless`) those of `||`; one that decides comes before one in error.
 */
export function decisiveClause(text: string, variables: Bindings, wanted: boolean): Clause {
  const tree = treeOf(text);
  const { slots, constants } = shapeOf(tree);
  const run: Evaluation = { variables, constants, item: null, steps: 0, limit: CONDITION_BUDGET };
  let failed: { readonly node: ASTNode; readonly result: Result } | undefined;
  for (const node of operandsOf(tree, wanted ? '&&' : '||')) {
    const result = compile(node, slots)(run);
    if (result === wanted) continue;
    const decides = result === !wanted || result === Fault.ABORT;
    if (decides || !failed) failed = { node, result };
    if (decides) break;
  }
  // As wanted after all: the whole of it, as it is.
  const { node, result } = failed ?? { node: tree, result: wanted };
  const { start, end } = withBrackets(text, node);
  return {
    text: text.slice(start, end),
    start,
    end,
    outcome: typeof result === 'boolean' ? (result ? 'true' : 'false') : 'error',
    ...(typeof result === 'boolean' ? {} : { fault: result instanceof Fault ? result.code : 'wrong_type' }),
    places: placesIn(node),
    steps: Math.ceil(run.steps),
  };
}

function* operandsOf(node: ASTNode, join: '&&' | '||'): Iterable<ASTNode> {
  if (node.op !== join) {
    yield node;
    return;
  }
  yield* operandsOf(node.args[0], join);
  yield* operandsOf(node.args[1], join);
}

/** The range of an expression with the brackets that belong to it: the parser leaves out those at its ends. */
function withBrackets(text: string, { start, end }: { start: number; end: number }): { start: number; end: number } {
  let [open, missing] = [0, 0];
  let quote: string | undefined;
  for (let at = start; at < end; at++) {
    const character = text[at]!;
    if (quote !== undefined) {
      if (character === '\\') at++;
      else if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '(') open++;
    else if (character === ')' && open-- === 0) {
      open = 0;
      missing++;
    }
  }
  const next = (from: number, step: 1 | -1): number => {
    let at = from;
    while (/\s/.test(text[at] ?? '')) at += step;
    return at;
  };
  let [from, to] = [start, end];
  for (; missing > 0 && text[next(from - 1, -1)] === '('; missing--) from = next(from - 1, -1);
  for (; open > 0 && text[next(to, 1)] === ')'; open--) to = next(to, 1) + 1;
  return { start: from, end: to };
}
