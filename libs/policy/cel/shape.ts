import type { ASTNode } from '@marcbachmann/cel-js';
import { compile } from './compile.js';
import type { Compiled } from './evaluation.js';
import { isNode } from './nodes.js';
import { double, type CelValue } from './values.js';

/** A condition as its shape, which many share, and the constants that are its own. */
export interface Shaped {
  readonly key: string;
  readonly constants: readonly CelValue[];
  /** The place of each constant, by its node in the tree. */
  readonly slots: ReadonlyMap<ASTNode, number>;
}

/**
 * Takes the constants out of a tree. Two trees with the same key differ in their constants alone.
 *
 * Left in the shape are a literal `null`, which has a meaning of its own, and the pattern of `matches`, which is compiled.
 */
export function shapeOf(tree: ASTNode): Shaped {
  const constants: CelValue[] = [];
  const slots = new Map<ASTNode, number>();
  const keyOf = (part: unknown): string => {
    if (Array.isArray(part)) return `[${part.map(keyOf).join()}]`;
    if (!isNode(part)) return JSON.stringify(part);
    if (part.op === 'rcall' && part.args[0] === 'matches') {
      const [, receiver, [pattern]] = part.args;
      return `(matches ${keyOf(receiver)} ${JSON.stringify((pattern as ASTNode & { op: 'value' }).args)})`;
    }
    if (part.op !== 'value' || part.args === null) return `(${part.op} ${keyOf(part.args)})`;
    slots.set(part, constants.push(literal(part.args)) - 1);
    return '?';
  };
  const key = keyOf(tree);
  // A copy of just the length that is needed: a list that has grown has room to grow on.
  return { key, constants: constants.slice(), slots };
}

function literal(value: unknown): CelValue {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return double(value);
  return value as CelValue;
}

/**
 * Compiled shapes, each once however many conditions share it: a hundred thousand conditions of a few shapes run the same
 * few functions, which the processor has at hand, over constants of their own.
 */
export class ShapePool {
  readonly #shapes = new Map<string, { readonly compiled: Compiled; uses: number }>();

  take(tree: ASTNode, { key, slots }: Shaped): Compiled {
    const known = this.#shapes.get(key);
    if (known) {
      known.uses++;
      return known.compiled;
    }
    const compiled = compile(tree, slots);
    this.#shapes.set(key, { compiled, uses: 1 });
    return compiled;
  }

  giveBack(key: string): void {
    const known = this.#shapes.get(key);
    if (known && --known.uses === 0) this.#shapes.delete(key);
  }
}
