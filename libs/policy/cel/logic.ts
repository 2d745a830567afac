import { exhausted, type Compiled } from './evaluation.js';
import { Fault, type Result } from './values.js';

/**
 * `&&` (decisive: false) and `||` (decisive: true): the decisive value on either side absorbs an error or an unknown on
 * the other. An exhausted budget is absorbed by nothing.
 */
export function junction(left: Compiled, right: Compiled, decisive: boolean): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const first = left(run);
    if (first === decisive || first === Fault.ABORT) return first;
    const second = right(run);
    if (second === decisive || second === Fault.ABORT) return second;
    return undecided(first, second, !decisive);
  };
}

/** Two results of which neither is decisive, and both are not neutral: what it is that leaves the whole open. */
export function undecided(first: Result, second: Result, neutral: boolean): Result {
  if (first === neutral && second === neutral) return neutral;
  if (first === Fault.UNKNOWN || second === Fault.UNKNOWN) return Fault.UNKNOWN;
  if (first instanceof Fault) return first;
  if (second instanceof Fault) return second;
  return Fault.WRONG_TYPE;
}

/** `!a`. */
export function not(operand: Compiled): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = operand(run);
    if (value instanceof Fault) return value;
    return typeof value === 'boolean' ? !value : Fault.WRONG_TYPE;
  };
}

/** `a ? b : c`: of the branches only the one that it comes to is looked at. */
export function choose(condition: Compiled, yes: Compiled, no: Compiled): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = condition(run);
    if (value instanceof Fault) return value;
    if (typeof value !== 'boolean') return Fault.WRONG_TYPE;
    return value ? yes(run) : no(run);
  };
}
