import { losesPrecision } from '#policy';

/** Why a body is not let in. */
export type DoorCode =
  'malformed_json' | 'duplicate_key' | 'too_deep' | 'too_many_entries' | 'imprecise_number' | 'lone_surrogate';

/** A body that is JSON at best in name. The message says what is wrong and where, as a character of the text. */
class DoorError extends Error {
  override readonly name = 'DoorError';

  constructor(
    readonly code: DoorCode,
    message: string,
  ) {
    super(message);
  }
}

const MAX_DEPTH = 64;
const MAX_ENTRIES = 10_000;

/**
 * Parses JSON as strictly as a decision needs it: what two parsers could read differently is refused. Duplicate keys,
 * depth, sizes, numbers that a double cannot hold and lone surrogates are found on the way; `__proto__` and its like are
 * ordinary keys. Throws DoorError.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  const colons = scan(text);
  const value = parse(text);
  // Every key stands before one colon, and a duplicate leaves fewer keys than colons.
  if (countKeys(value) !== colons) throw new DoorError('duplicate_key', 'an object has the same key twice');
  return value;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new DoorError('malformed_json', 'the body is not UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DoorError('malformed_json', `the body is not JSON: ${(error as Error).message}`);
  }
}

/** Looks at what a parsed value no longer shows: depth before it is built, and numbers as they are written. */
function scan(text: string): number {
  let depth = 0;
  let colons = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = endOfString(text, at);
    else if (unit === COLON) colons++;
    else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH)
        throw new DoorError('too_deep', `nested deeper than ${MAX_DEPTH} levels, at character ${at}`);
    } else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) depth--;
    else if (unit === MINUS || (unit >= DIGIT_0 && unit <= DIGIT_9)) at = endOfNumber(text, at) - 1;
  }
  return colons;
}

const [QUOTE, BACKSLASH, COLON, MINUS, DIGIT_0, DIGIT_9] = [0x22, 0x5c, 0x3a, 0x2d, 0x30, 0x39];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/** The place of the closing quote; the end of the text where there is none (then it is no JSON). */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
}

/** Digits that a double always gives back. */
const SAFE_DIGITS = 15;

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  let plain = true;
  for (; end < text.length; end++) {
    const unit = text.charCodeAt(end);
    if (unit >= DIGIT_0 && unit <= DIGIT_9) continue;
    if (unit !== 0x2e && unit !== 0x2b && unit !== MINUS && unit !== 0x65 && unit !== 0x45) break;
    plain = false;
  }
  if (plain && end - start <= SAFE_DIGITS) return end;
  const numeral = text.slice(start, end);
  if (losesPrecision(numeral)) {
    throw new DoorError(
      'imprecise_number',
      `the number ${numeral.slice(0, 40)} at character ${start} cannot be kept exactly: send it as a text`,
    );
  }
  return end;
}

/** Counts all keys, and looks at sizes and strings on the way. */
function countKeys(value: unknown): number {
  if (typeof value === 'string') return checkText(value);
  if (typeof value !== 'object' || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    checkSize(value.length);
    for (const item of value) keys += countKeys(item);
    return keys;
  }
  const names = Object.keys(value);
  checkSize(names.length);
  for (const name of names) {
    checkText(name);
    keys += 1 + countKeys((value as Record<string, unknown>)[name]);
  }
  return keys;
}

function checkSize(entries: number): void {
  if (entries > MAX_ENTRIES)
    throw new DoorError('too_many_entries', `a list or object has more than ${MAX_ENTRIES} entries`);
}

function checkText(text: string): 0 {
  if (!text.isWellFormed()) throw new DoorError('lone_surrogate', 'a text has half of a surrogate pair');
  return 0;
}
