import type { ASTNode } from '@marcbachmann/cel-js';
import { childrenOf } from '../cel/nodes.js';

/** Whether the value of an expression can depend on the row: on its id, its attributes, or what is said about them. */
export function readsRow(node: ASTNode): boolean {
  let known = reading.get(node);
  if (known === undefined) reading.set(node, (known = findsRow(node)));
  return known;
}

const reading = new WeakMap<ASTNode, boolean>();

function findsRow(node: ASTNode): boolean {
  if (node.op === 'id') return node.args === 'resource' || node.args === 'context';
  if (node.op === '.' || node.op === '.?') {
    const [target, name] = node.args;
    if (isVariable(target, 'resource')) return name !== 'type';
    if (isVariable(target, 'context')) return name === 'asserted';
    if (isMember(target, 'context', 'asserted')) return name !== 'subject';
  }
  return childrenOf(node).some(readsRow);
}

/** Whether it is a variable of that name. */
export const isVariable = (node: ASTNode, name: string): boolean => node.op === 'id' && node.args === name;

/** Whether it is a member, of that name, of a variable. */
export const isMember = (node: ASTNode, of: string, name: string): boolean =>
  node.op === '.' && isVariable(node.args[0], of) && node.args[1] === name;

/** Whether it is the attributes of the row as a whole. */
export const isAttributes = (node: ASTNode): boolean => isMember(node, 'resource', 'properties');
