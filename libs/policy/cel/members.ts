import type { ASTNode } from '@marcbachmann/cel-js';
import { exhausted, type Compiled, type CompileChild } from './evaluation.js';
import { CelOpenMap, CelOptional, Fault, typeOf, type CelMap, type CelValue, type Result } from './values.js';

/** `a.b`: of what may be there, what may be there of it. */
export function select(target: Compiled, name: string): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = target(run);
    if (value instanceof Fault) return value;
    return value instanceof CelOptional ? inOptional(value, name) : member(value, name);
  };
}

/** `a.?b` and `a[?b]`: a missing member is nothing; a target that has no members at all is still an error. */
export function selectOptional(target: Compiled, key: Compiled): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = target(run);
    if (value instanceof Fault) return value;
    const at = key(run);
    if (at instanceof Fault) return at;
    return inOptional(value instanceof CelOptional ? value : new CelOptional(value), at);
  };
}

/** `has(a.b)`: whether `a` has the member. An `a` that is absent itself, or no map, is an error; so is what is not known. */
export function has(node: ASTNode, child: CompileChild): Compiled {
  if (node.op !== '.') throw new Error('unreachable: cel-js refuses has() of anything but a member');
  const target = child(node.args[0]);
  const name = node.args[1];
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = target(run);
    if (value instanceof Fault) return value;
    const found = member(value, name);
    return found instanceof Fault && found !== Fault.NO_SUCH_KEY ? found : found !== Fault.NO_SUCH_KEY;
  };
}

/** `a[b]`: an element of a list, or a member of a map. */
export function index(value: CelValue, at: CelValue): Result {
  if (Array.isArray(value)) {
    if (typeof at !== 'number' || !Number.isSafeInteger(at)) return Fault.WRONG_TYPE;
    return at >= 0 && at < value.length ? (value as readonly CelValue[])[at]! : Fault.OUT_OF_RANGE;
  }
  return typeof at === 'string' ? member(value, at) : Fault.WRONG_TYPE;
}

/** A member of a map by its own name; anything else has no members. */
function member(value: CelValue, name: string): Result {
  if (typeof value !== 'object' || value === null) return Fault.WRONG_TYPE;
  if (typeOf(value) !== 'map') return value instanceof CelOpenMap ? memberOfOpen(value, name) : Fault.WRONG_TYPE;
  return Object.hasOwn(value, name) ? (value as CelMap)[name]! : Fault.NO_SUCH_KEY;
}

const memberOfOpen = ({ known, open }: CelOpenMap, name: string): Result =>
  open.has(name) ? Fault.NOT_KNOWN : member(known, name);

/** A member of what may be there: nothing stays nothing, and a missing member becomes nothing. */
function inOptional(optional: CelOptional, at: CelValue): Result {
  if (optional.value === undefined) return optional;
  const found = index(optional.value, at);
  if (found === Fault.NO_SUCH_KEY || found === Fault.OUT_OF_RANGE) return new CelOptional(undefined);
  return found instanceof Fault ? found : new CelOptional(found);
}
