import type { ASTNode } from '@marcbachmann/cel-js';
import { binary, exhausted, type Compiled, type CompileChild } from './evaluation.js';
import {
  CelOpenMap,
  CelSeenList,
  compare,
  equals,
  Fault,
  typeOf,
  type CelMap,
  type CelValue,
  type Meter,
  type Result,
} from './values.js';

/** `a == b`, and (wanted: false) `a != b`. */
export function equality([left, right]: readonly [ASTNode, ASTNode], child: CompileChild, wanted: boolean): Compiled {
  if (isNullLiteral(left) || isNullLiteral(right)) {
    const operand = child(isNullLiteral(left) ? right : left);
    return (run) => {
      if (exhausted(run)) return Fault.ABORT;
      const value = operand(run);
      return value instanceof Fault ? value : (value === null) === wanted;
    };
  }
  return binary(child(left), child(right), (first, second, run) => {
    const equal = equals(first, second, run);
    return equal instanceof Fault ? equal : equal === wanted;
  });
}

/** `x in list`: like `||` over the elements. `x in map`: whether it has the member. */
export function membership([left, right]: readonly [ASTNode, ASTNode], child: CompileChild): Compiled {
  const nullWanted = isNullLiteral(left);
  return binary(child(left), child(right), (wanted, collection, run) => {
    if (!Array.isArray(collection)) {
      if (collection instanceof CelSeenList) return isSeen(collection, wanted, run);
      if (collection instanceof CelOpenMap) return isMember(collection, wanted);
      if (typeOf(collection) !== 'map' || typeof wanted !== 'string') return Fault.WRONG_TYPE;
      return Object.hasOwn(collection as CelMap, wanted);
    }
    if (nullWanted) return (collection as readonly CelValue[]).includes(null);
    let fault: Fault | undefined;
    for (const element of collection as readonly CelValue[]) {
      const equal = equals(element, wanted, run);
      if (equal === true || equal === Fault.ABORT) return equal;
      if (equal instanceof Fault) fault ??= equal;
    }
    return fault ?? false;
  });
}

/** `a < b` and the like. */
export function ordering(
  [left, right]: readonly [ASTNode, ASTNode],
  child: CompileChild,
  holds: (order: number) => boolean,
): Compiled {
  return binary(child(left), child(right), (first, second, run) => {
    const order = compare(first, second, run);
    return order instanceof Fault ? order : holds(order);
  });
}

const isNullLiteral = (node: ASTNode): boolean => node.op === 'value' && node.args === null;

/** Like `||` over the elements that are known and one more that is not. */
function isSeen({ seen }: CelSeenList, wanted: CelValue, run: Meter): Result {
  for (const element of seen) {
    const equal = equals(element, wanted, run);
    if (equal === true || equal === Fault.ABORT) return equal;
  }
  return Fault.NOT_KNOWN;
}

function isMember({ known, open }: CelOpenMap, wanted: CelValue): Result {
  if (typeof wanted !== 'string') return Fault.WRONG_TYPE;
  return open.has(wanted) ? Fault.NOT_KNOWN : Object.hasOwn(known, wanted);
}
