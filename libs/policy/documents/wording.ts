import type { z } from 'zod';

type Issue = z.core.$ZodIssue;
type Way = readonly Issue[];

/** One mistake in a value that did not fit its schema. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Whether it is about what the member has, that nobody knows it, how it is called, or that it is not there. */
  readonly about: 'value' | 'unknown' | 'name' | 'missing';
}

/** What `safeParse` takes, so that mistakes are told in plain words where the schema has none of its own. */
export const PLAIN_WORDS: z.core.ParseContext<Issue> = { error: plainWords };

/** Everything that a schema has found wrong with a value, a finding for each member. */
export function findings({ issues }: { readonly issues: Way }, value: unknown): Finding[] {
  return issues.flatMap((issue): Finding[] => {
    const { path, message } = issue;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `there is no member '${shown(key)}' here`,
        about: 'unknown',
      }));
    }
    if (issue.code === 'invalid_key') return [{ path, message: issue.issues[0]!.message, about: 'name' }];
    const given = memberAt(value, path);
    if (given === undefined) return [{ path, message: missing(issue), about: 'missing' }];
    if (issue.code !== 'invalid_union') return [{ path, message, about: 'value' }];
    const way = nearest(issue.errors, given);
    if (!way) return [{ path, message, about: 'value' }];
    return findings({ issues: way.map((inner) => ({ ...inner, path: [...path, ...inner.path] })) }, value);
  });
}

/** Where something stands, as in `rules.0.when`. */
export const placeOf = (path: readonly PropertyKey[]): string => path.map((part) => shown(String(part))).join('.');

/** A piece of what somebody has sent: short, and with nothing in it on which a terminal or a log would act. */
export function shown(text: string, length = 40): string {
  const piece = text
    .slice(0, length)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`);
  return text.length > length ? `${piece}…` : piece;
}

function missing({ code, path, message }: Issue): string {
  if (path.length === 0) return 'there is nothing here';
  const name = `'${shown(String(path.at(-1)))}' is missing`;
  return code === 'custom' || code === 'invalid_union' ? `${name}: ${message}` : name;
}

function memberAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((member, key) => (member as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

/** Of the ways in which a choice was not met, the one that came furthest, with the fewest mistakes; undefined if none did. */
function nearest(ways: readonly Way[], given: unknown): Way | undefined {
  const reached = (way: Way) => Math.max(...way.map((issue) => depthOf(issue, given)));
  const best = [...ways].sort((one, other) => reached(other) - reached(one) || countOf(one) - countOf(other))[0];
  return best && reached(best) > 0 ? best : undefined;
}

/** 0 for a value of another type than was wanted. */
function depthOf({ code, path }: Issue, given: unknown): number {
  const isOtherType = code === 'invalid_type' || (code === 'invalid_value' && typeof given !== 'string');
  return path.length === 0 && isOtherType ? 0 : path.length + 1;
}

const countOf = (way: Way): number =>
  way.reduce((count, issue) => count + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

const UNITS: Readonly<Record<string, string>> = { string: 'character', array: 'entry' };

/** Only what our schemas can say; a word for the rest. */
function plainWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? 'something else'}`;
    case 'invalid_value':
      return oneOf(issue.values);
    case 'too_small':
      return issue.origin === 'string' && issue.minimum === 1
        ? 'must not be empty'
        : limit('least', issue.minimum, issue);
    case 'too_big':
      return limit('most', issue.maximum, issue);
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'a time is written as in 2026-12-31T23:59:59Z'
        : 'is not written as it must be';
    case 'invalid_union':
      return isTagged(issue)
        ? oneOf(issue.options)
        : [...new Set(issue.errors.map((way) => way[0]!.message))].join(', or ');
    default:
      return 'is not as it must be';
  }
}

const isTagged = (issue: object): issue is { readonly options: readonly unknown[] } => 'options' in issue;

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${String(values[0])}` : `is one of ${values.join(', ')}`;

function limit(which: 'least' | 'most', count: number | bigint, { origin }: { readonly origin: string }): string {
  const unit = UNITS[origin];
  if (unit === undefined) return `must be at ${which} ${count}`;
  const units = unit === 'entry' ? 'entries' : `${unit}s`;
  return `has at ${which} ${count} ${Number(count) === 1 ? unit : units}`;
}
