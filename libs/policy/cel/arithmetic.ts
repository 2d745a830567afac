import { exhausted, type Compiled } from './evaluation.js';
import { finite, instant, int } from './functions.js';
import {
  CelDouble,
  CelDuration,
  CelTimestamp,
  double,
  Fault,
  numberOf,
  typeOf,
  type CelValue,
  type Meter,
  type Result,
} from './values.js';

/** `a + b`, of numbers, texts, lists and times. */
export function add(left: CelValue, right: CelValue, run: Meter): Result {
  if (typeof left === 'string' && typeof right === 'string') {
    run.steps += (left.length + right.length) >> 4;
    return run.steps > run.limit ? Fault.ABORT : left + right;
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    run.steps += left.length + right.length;
    return run.steps > run.limit ? Fault.ABORT : [...(left as readonly CelValue[]), ...(right as readonly CelValue[])];
  }
  if (left instanceof CelTimestamp && right instanceof CelDuration) return instant(left.ms + right.ms);
  if (left instanceof CelDuration && right instanceof CelTimestamp) return instant(left.ms + right.ms);
  if (left instanceof CelDuration && right instanceof CelDuration) return new CelDuration(left.ms + right.ms);
  return numeric(left, right, (a, b) => a + b);
}

/** `a - b`, of numbers and times. */
export function subtract(left: CelValue, right: CelValue): Result {
  if (left instanceof CelTimestamp && right instanceof CelTimestamp) return new CelDuration(left.ms - right.ms);
  if (left instanceof CelTimestamp && right instanceof CelDuration) return instant(left.ms - right.ms);
  if (left instanceof CelDuration && right instanceof CelDuration) return new CelDuration(left.ms - right.ms);
  return numeric(left, right, (a, b) => a - b);
}

/** What there is of numbers only. */
export const arithmetic = {
  '*': (left: CelValue, right: CelValue) => numeric(left, right, (a, b) => a * b),
  '/': (left: CelValue, right: CelValue) =>
    numberOf(right) === 0
      ? Fault.DIVISION_BY_ZERO
      : numeric(left, right, (a, b, whole) => (whole ? Math.trunc(a / b) : a / b)),
  '%': (left: CelValue, right: CelValue) => {
    if (typeOf(left) === 'double' || typeOf(right) === 'double') return Fault.WRONG_TYPE;
    return numberOf(right) === 0 ? Fault.DIVISION_BY_ZERO : numeric(left, right, (a, b) => a % b);
  },
} as const;

/** `-a`. */
export function negate(operand: Compiled): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = operand(run);
    if (value instanceof Fault) return value;
    if (value instanceof CelDouble) return double(-value.value);
    if (typeof value !== 'number') return Fault.WRONG_TYPE;
    return Number.isSafeInteger(value) ? int(-value) : -value;
  };
}

/** Ints with ints, doubles with doubles; CEL does not mix them in arithmetic, and neither do we. */
function numeric(left: CelValue, right: CelValue, apply: (a: number, b: number, whole: boolean) => number): Result {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === undefined || b === undefined) return Fault.WRONG_TYPE;
  const whole = typeOf(left) === 'int';
  if (whole !== (typeOf(right) === 'int')) return Fault.MIXED_TYPES;
  return whole ? int(apply(a, b, true)) : finite(apply(a, b, false));
}
