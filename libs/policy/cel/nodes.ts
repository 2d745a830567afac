import type { ASTNode } from '@marcbachmann/cel-js';

/** The expressions that an expression is made of, in the order of the text. */
export const childrenOf = ({ args }: ASTNode): readonly ASTNode[] => nodesIn(args);

function nodesIn(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn);
  return isNode(args) ? [args] : [];
}

/** Whether a part of the syntax tree is an expression, and not a name or a constant. */
export const isNode = (part: unknown): part is ASTNode => typeof part === 'object' && part !== null && 'op' in part;
