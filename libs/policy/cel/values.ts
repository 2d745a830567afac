import type { Json } from '../model.js';

/**
 * A double that happens to be a whole number, such as the literal `2.0`.
 * A whole JSON number is an int; every other JSON number is a double and needs no mark.
 */
export class CelDouble {
  constructor(readonly value: number) {}
}

/** An instant, in milliseconds since 1970-01-01T00:00:00Z. */
export class CelTimestamp {
  constructor(readonly ms: number) {}
}

/** A length of time in milliseconds. */
export class CelDuration {
  constructor(readonly ms: number) {}
}

/** What `.?` gives: a value or nothing. */
export class CelOptional {
  constructor(readonly value: CelValue | undefined) {}
}

/** What is known in part. Few operators work on it; to all others it is of no type that they take. */
abstract class CelPartial {}

/** A list of which some elements are known. What is not among them may be there all the same. */
export class CelSeenList extends CelPartial {
  constructor(readonly seen: readonly CelValue[]) {
    super();
  }
}

/** An object of which nobody knows whether it has some members, and with which values. */
export class CelOpenMap extends CelPartial {
  constructor(
    readonly known: CelMap,
    readonly open: ReadonlySet<string>,
  ) {
    super();
  }
}

export type CelValue =
  | null
  | boolean
  | number
  | string
  | CelDouble
  | CelTimestamp
  | CelDuration
  | CelOptional
  | CelSeenList
  | CelOpenMap
  | readonly CelValue[]
  | CelMap;

export interface CelMap {
  readonly [key: string]: CelValue;
}

/** Why an evaluation gave no value. */
export type FaultCode =
  | 'no_such_key'
  | 'not_known'
  | 'wrong_type'
  | 'mixed_types'
  | 'compared_with_null'
  | 'out_of_range'
  | 'overflow'
  | 'division_by_zero'
  | 'invalid_value'
  | 'budget_exceeded'
  | 'unknown';

/**
 * In place of a value. Faults are values and not exceptions, because a missing attribute is an everyday outcome.
 * An `error` can be absorbed by `&&`, `||`, `all` and `exists`; an `abort` (the step budget) cannot.
 */
export class Fault {
  private constructor(
    readonly kind: 'error' | 'unknown' | 'abort',
    readonly code: FaultCode,
  ) {}

  static readonly NO_SUCH_KEY = new Fault('error', 'no_such_key');
  static readonly NOT_KNOWN = new Fault('error', 'not_known');
  static readonly WRONG_TYPE = new Fault('error', 'wrong_type');
  static readonly MIXED_TYPES = new Fault('error', 'mixed_types');
  static readonly COMPARED_WITH_NULL = new Fault('error', 'compared_with_null');
  static readonly OUT_OF_RANGE = new Fault('error', 'out_of_range');
  static readonly OVERFLOW = new Fault('error', 'overflow');
  static readonly DIVISION_BY_ZERO = new Fault('error', 'division_by_zero');
  static readonly INVALID_VALUE = new Fault('error', 'invalid_value');
  static readonly UNKNOWN = new Fault('unknown', 'unknown');
  static readonly ABORT = new Fault('abort', 'budget_exceeded');
}

export type Result = CelValue | Fault;

/** The type of a value, as the language names it; `partial` for what is known in part, on which few operators work. */
export type CelType =
  'null' | 'bool' | 'int' | 'double' | 'string' | 'timestamp' | 'duration' | 'optional' | 'partial' | 'list' | 'map';

export function typeOf(value: CelValue): CelType {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isSafeInteger(value) ? 'int' : 'double';
    default:
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'list';
      if (value instanceof CelDouble) return 'double';
      if (value instanceof CelTimestamp) return 'timestamp';
      if (value instanceof CelDuration) return 'duration';
      if (value instanceof CelOptional) return 'optional';
      if (value instanceof CelPartial) return 'partial';
      return 'map';
  }
}

/** The number that an int or a double stands for, else undefined. */
export function numberOf(value: CelValue): number | undefined {
  if (typeof value === 'number') return value;
  return value instanceof CelDouble ? value.value : undefined;
}

/** A double as a value: marked when it could be taken for an int. */
export function double(value: number): CelValue {
  return Number.isSafeInteger(value) ? new CelDouble(value) : value;
}

/** Counts the steps of one evaluation. */
export interface Meter {
  steps: number;
  readonly limit: number;
}

/**
 * Equality without surprises: ints and doubles compare by value; anything else of two different types, and null, is an
 * error. So `path == "/etc/passwd"` on `["/etc/passwd"]` is an error and cannot slip past a deny rule as false.
 * Costs a step per element compared.
 */
export function equals(left: CelValue, right: CelValue, meter: Meter): boolean | Fault {
  if (++meter.steps > meter.limit) return Fault.ABORT;
  if (typeof left === 'string' && typeof right === 'string') {
    meter.steps += Math.min(left.length, right.length) >> 6;
    return left === right;
  }
  if (typeof left === 'boolean' && typeof right === 'boolean') return left === right;
  const leftNumber = numberOf(left);
  if (leftNumber !== undefined) {
    const rightNumber = numberOf(right);
    if (rightNumber !== undefined) return leftNumber === rightNumber;
  }
  if (left === null || right === null) return Fault.COMPARED_WITH_NULL;
  const type = typeOf(left);
  if (type !== typeOf(right)) return Fault.MIXED_TYPES;
  if (type === 'list') return listsEqual(left as readonly CelValue[], right as readonly CelValue[], meter);
  if (type === 'map') return mapsEqual(left as CelMap, right as CelMap, meter);
  if (left instanceof CelTimestamp) return left.ms === (right as CelTimestamp).ms;
  if (left instanceof CelDuration) return left.ms === (right as CelDuration).ms;
  return Fault.WRONG_TYPE;
}

function listsEqual(left: readonly CelValue[], right: readonly CelValue[], meter: Meter): boolean | Fault {
  if (left.length !== right.length) return false;
  return everyEqual(
    left.map((item, index) => [item, right[index]!] as const),
    meter,
  );
}

function mapsEqual(left: CelMap, right: CelMap, meter: Meter): boolean | Fault {
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  if (!keys.every((key) => Object.hasOwn(right, key))) return false;
  return everyEqual(
    keys.map((key) => [left[key]!, right[key]!] as const),
    meter,
  );
}

/** Like `&&` over the pairs: one false pair decides, an error counts only where none is false. */
function everyEqual(pairs: readonly (readonly [CelValue, CelValue])[], meter: Meter): boolean | Fault {
  let fault: Fault | undefined;
  for (const [left, right] of pairs) {
    const equal = equals(left, right, meter);
    if (equal === false || equal === Fault.ABORT) return equal;
    if (equal !== true) fault ??= equal;
  }
  return fault ?? true;
}

/** The order of two values: negative, zero or positive; a fault for types that have none. */
export function compare(left: CelValue, right: CelValue, meter: Meter): number | Fault {
  if (++meter.steps > meter.limit) return Fault.ABORT;
  const leftNumber = numberOf(left);
  if (leftNumber !== undefined) {
    const rightNumber = numberOf(right);
    return rightNumber === undefined ? mismatch(right) : leftNumber - rightNumber;
  }
  if (typeof left === 'string') {
    if (typeof right !== 'string') return mismatch(right);
    meter.steps += Math.min(left.length, right.length) >> 6;
    return compareStrings(left, right);
  }
  if (typeof left === 'boolean') return typeof right === 'boolean' ? Number(left) - Number(right) : mismatch(right);
  if (left instanceof CelTimestamp) return right instanceof CelTimestamp ? left.ms - right.ms : mismatch(right);
  if (left instanceof CelDuration) return right instanceof CelDuration ? left.ms - right.ms : mismatch(right);
  return left === null ? Fault.COMPARED_WITH_NULL : Fault.WRONG_TYPE;
}

const mismatch = (right: CelValue): Fault => (right === null ? Fault.COMPARED_WITH_NULL : Fault.MIXED_TYPES);

/** By code points, as CEL says; JavaScript's own order is by UTF-16 units and differs above U+FFFF. */
function compareStrings(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  for (let index = 0; index < shorter; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a === b) continue;
    const aSurrogate = a >= 0xd800 && a <= 0xdfff;
    const bSurrogate = b >= 0xd800 && b <= 0xdfff;
    if (aSurrogate !== bSurrogate) return aSurrogate ? 1 : -1;
    return a - b;
  }
  return left.length - right.length;
}

/** A value as JSON, for traces and explanations. */
export function toJson(value: CelValue): Json {
  if (value instanceof CelDouble) return value.value;
  if (value instanceof CelTimestamp) return new Date(value.ms).toISOString();
  if (value instanceof CelDuration) return `${value.ms / 1000}s`;
  if (value instanceof CelOptional) return value.value === undefined ? null : toJson(value.value);
  if (Array.isArray(value)) return (value as readonly CelValue[]).map(toJson);
  if (value instanceof CelSeenList) return value.seen.map(toJson);
  if (value instanceof CelOpenMap) return value.known as Json;
  return value as Json;
}
