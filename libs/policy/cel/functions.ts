import {
  CelDouble,
  CelDuration,
  CelOptional,
  CelTimestamp,
  double,
  Fault,
  numberOf,
  typeOf,
  type CelMap,
  type CelValue,
  type Meter,
  type Result,
} from './values.js';

/** A function of the language. `args[0]` is the receiver where the call has one. */
export type CelFunction = (args: readonly CelValue[], meter: Meter) => Result;

/**
 * Every function that a condition may call, by name and number of arguments (the receiver counts).
 * Macros (`has`, `all`, `exists`, `exists_one`, `map`, `filter`) and `matches` are compiled, not called.
 */
export const FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  'size/1': ([value], meter) => size(value!, meter),
  'contains/2': text2(contains),
  'startsWith/2': text2((text, part) => text.startsWith(part)),
  'endsWith/2': text2((text, part) => text.endsWith(part)),
  'lowerAscii/1': text1((text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())),
  'upperAscii/1': text1((text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase())),
  'trim/1': text1((text) => text.trim()),
  'int/1': ([value], meter) => toInt(value!, meter),
  'double/1': ([value], meter) => toDouble(value!, meter),
  'string/1': ([value]) => toText(value!),
  'timestamp/1': ([value]) => parseTimestamp(value!),
  'duration/1': ([value]) => parseDuration(value!),
  'hasValue/1': ([value]) => (value instanceof CelOptional ? value.value !== undefined : Fault.WRONG_TYPE),
  'orValue/2': ([value, other]) =>
    value instanceof CelOptional ? (value.value === undefined ? other! : value.value) : Fault.WRONG_TYPE,
  'or/2': ([value, other]) => {
    if (!(value instanceof CelOptional) || !(other instanceof CelOptional)) return Fault.WRONG_TYPE;
    return value.value === undefined ? other : value;
  },
  ...dateFields(),
};

/** Number of characters (code points) of a string, of elements of a list, of members of a map. */
function size(value: CelValue, meter: Meter): Result {
  if (typeof value === 'string') {
    meter.steps += value.length >> 4;
    let count = 0;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit < 0xdc00 || unit > 0xdfff) count++;
    }
    return count;
  }
  if (Array.isArray(value)) return value.length;
  return typeOf(value) === 'map' ? Object.keys(value as CelMap).length : Fault.WRONG_TYPE;
}

/** Costs by the product of both lengths, because the engine's search is quadratic on hostile input. */
function contains(text: string, part: string, meter: Meter): Result {
  meter.steps += (text.length * part.length) / 256;
  return meter.steps > meter.limit ? Fault.ABORT : text.includes(part);
}

function text1(apply: (text: string) => Result): CelFunction {
  return ([text], meter) => {
    if (typeof text !== 'string') return Fault.WRONG_TYPE;
    meter.steps += text.length >> 4;
    return meter.steps > meter.limit ? Fault.ABORT : apply(text);
  };
}

function text2(apply: (text: string, part: string, meter: Meter) => Result): CelFunction {
  return ([text, part], meter) => {
    if (typeof text !== 'string' || typeof part !== 'string') return Fault.WRONG_TYPE;
    meter.steps += part.length >> 6;
    return apply(text, part, meter);
  };
}

/** Longest text that is read as a number: no int or double of ours is written longer than this. */
const MAX_NUMERAL = 32;

function toInt(value: CelValue, meter: Meter): Result {
  if (typeof value === 'string') {
    meter.steps += 1;
    if (value.length > MAX_NUMERAL || !/^-?\d+$/.test(value)) return Fault.INVALID_VALUE;
    return int(Number(value));
  }
  const number = numberOf(value);
  if (number !== undefined) return int(Math.trunc(number));
  if (value instanceof CelTimestamp) return int(Math.floor(value.ms / 1000));
  return Fault.WRONG_TYPE;
}

function toDouble(value: CelValue, meter: Meter): Result {
  if (typeof value === 'string') {
    meter.steps += 1;
    if (value.length > MAX_NUMERAL || !/^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)) return Fault.INVALID_VALUE;
    return finite(Number(value));
  }
  const number = numberOf(value);
  return number === undefined ? Fault.WRONG_TYPE : double(number);
}

/** A whole number as an int, or the fault of leaving the range in which a double is exact (plus or minus 2^53 - 1). */
export function int(value: number): Result {
  if (!Number.isSafeInteger(value)) return Fault.OVERFLOW;
  return value === 0 ? 0 : value;
}

/** A double; infinities and NaN are faults, because no comparison with them is of use in a policy. */
export function finite(value: number): Result {
  return Number.isFinite(value) ? double(value) : Fault.OVERFLOW;
}

function toText(value: CelValue): Result {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (value instanceof CelDouble) return String(value.value);
  if (value instanceof CelTimestamp) return new Date(value.ms).toISOString();
  if (value instanceof CelDuration) return `${value.ms / 1000}s`;
  return Fault.WRONG_TYPE;
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** An RFC 3339 text, or seconds since 1970, as an instant. Precise to the millisecond. */
function parseTimestamp(value: CelValue): Result {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return instant(value * 1000);
  if (typeof value !== 'string') return Fault.WRONG_TYPE;
  const parts = value.length <= 40 ? RFC_3339.exec(value) : null;
  if (!parts) return Fault.INVALID_VALUE;
  const ms = Date.parse(value);
  if (Number.isNaN(ms)) return Fault.INVALID_VALUE;
  // Date.parse accepts 30 February and moves on to March; the parts must come back as they went in.
  const day = new Date(Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])));
  const rolledOver = day.getUTCMonth() !== Number(parts[2]) - 1;
  return rolledOver ? Fault.INVALID_VALUE : instant(ms);
}

const FIRST_INSTANT = Date.parse('0001-01-01T00:00:00Z');
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');

/** A timestamp within the years 1 to 9999. */
export function instant(ms: number): Result {
  return ms >= FIRST_INSTANT && ms <= LAST_INSTANT ? new CelTimestamp(ms) : Fault.OUT_OF_RANGE;
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A duration such as `90m`, `1h30m`, `-1.5h` or `250ms`. Precise to the millisecond. */
function parseDuration(value: CelValue): Result {
  if (typeof value !== 'string') return Fault.WRONG_TYPE;
  if (value.length > MAX_NUMERAL || !/^[+-]?(\d+(\.\d+)?(ms|h|m|s))+$/.test(value)) return Fault.INVALID_VALUE;
  let ms = 0;
  for (const [, amount, , unit] of value.matchAll(/(\d+(\.\d+)?)(ms|h|m|s)/g)) ms += Number(amount) * UNIT_MS[unit!]!;
  return new CelDuration(Math.round(value.startsWith('-') ? -ms : ms));
}

/** The fields of a timestamp, in UTC or in a time zone of the IANA database. */
function dateFields(): Record<string, CelFunction> {
  const fields: Record<string, (date: Date) => number> = {
    getFullYear: (date) => date.getUTCFullYear(),
    getMonth: (date) => date.getUTCMonth(),
    getDate: (date) => date.getUTCDate(),
    getDayOfMonth: (date) => date.getUTCDate() - 1,
    getDayOfWeek: (date) => date.getUTCDay(),
    getHours: (date) => date.getUTCHours(),
    getMinutes: (date) => date.getUTCMinutes(),
    getSeconds: (date) => date.getUTCSeconds(),
  };
  const functions: Record<string, CelFunction> = {};
  for (const [name, read] of Object.entries(fields)) {
    functions[`${name}/1`] = ([time]) =>
      time instanceof CelTimestamp ? read(new Date(time.ms)) : durationField(name, time!);
    functions[`${name}/2`] = ([time, zone], meter) => {
      if (!(time instanceof CelTimestamp) || typeof zone !== 'string') return Fault.WRONG_TYPE;
      meter.steps += 50;
      const local = inZone(time.ms, zone);
      return local === undefined ? Fault.INVALID_VALUE : read(local);
    };
  }
  return functions;
}

function durationField(name: string, value: CelValue): Result {
  if (!(value instanceof CelDuration)) return Fault.WRONG_TYPE;
  if (name === 'getHours') return Math.trunc(value.ms / UNIT_MS.h!);
  if (name === 'getMinutes') return Math.trunc(value.ms / UNIT_MS.m!);
  return name === 'getSeconds' ? Math.trunc(value.ms / UNIT_MS.s!) : Fault.WRONG_TYPE;
}

/** Formatters by time zone: making one costs far more than using it. There are some 600 zones, so it stays small. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** Whether the time zone database knows the name. */
export function isTimeZone(zone: string): boolean {
  return formatter(zone) !== undefined;
}

function formatter(zone: string): Intl.DateTimeFormat | undefined {
  const known = formatters.get(zone);
  if (known) return known;
  try {
    const made = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(zone, made);
    return made;
  } catch {
    return undefined;
  }
}

/** The wall clock of a zone as a Date whose UTC fields are the local ones. */
function inZone(ms: number, zone: string): Date | undefined {
  const parts = formatter(zone)?.formatToParts(ms);
  if (!parts) return undefined;
  const field = (type: string) => Number(parts.find((part) => part.type === type)!.value);
  return new Date(
    Date.UTC(field('year'), field('month') - 1, field('day'), field('hour'), field('minute'), field('second')),
  );
}
