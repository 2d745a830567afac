import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject, Outcome } from '../model.js';
import { Condition } from './condition.js';
import { checkCondition, VARIABLES, type Variable } from './language.js';
import { CelTimestamp, Fault, type Result } from './values.js';

// Our evaluator against the library's, over the same conditions (docs/adr/0003-conditions.md).

const NOW = Date.parse('2026-11-20T15:30:00Z');

function ours(text: string, given: JsonObject | Fault): Outcome {
  const values: Partial<Record<Variable, Result>> = { arguments: given, now: new CelTimestamp(NOW) };
  const bindings = VARIABLES.map((name) => values[name] ?? Fault.NO_SUCH_KEY);
  return new Condition(text).evaluate(bindings, given instanceof Fault).outcome;
}

const library = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  .registerVariable('arguments', 'map<string, dyn>')
  .registerVariable('now', 'google.protobuf.Timestamp');

function theirs(text: string, given: JsonObject): Outcome {
  try {
    const value: unknown = library.evaluate(text, { arguments: withInts(given), now: new Date(NOW) });
    return typeof value === 'boolean' ? `${value}` : 'error';
  } catch {
    return 'error';
  }
}

/** The library takes every JavaScript number for a double; to us a whole one is an int. */
function withInts(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(withInts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withInts(member)]));
}

type Type = 'bool' | 'int' | 'double' | 'string' | 'ints' | 'strings' | 'timestamp' | 'duration';
type Text = fc.Arbitrary<string>;

const texts = ['', 'a', 'ab', 'B', '/work/a', 'é😀', '12'];
const ints = [-3, 0, 1, 2, 7];
const doubles = [-1.5, 0.5, 2.25];

/** The members of `arguments` that conditions read, each with values of the one type that the conditions take it for. */
const MEMBERS = {
  b: fc.boolean(),
  i: fc.constantFrom(...ints),
  j: fc.constantFrom(...ints),
  d: fc.constantFrom(...doubles),
  s: fc.constantFrom(...texts),
  t: fc.constantFrom(...texts),
  li: fc.array(fc.constantFrom(...ints), { maxLength: 3 }),
  ls: fc.array(fc.constantFrom(...texts), { maxLength: 3 }),
  m: fc.dictionary(fc.constantFrom('i', 'a', 'x'), fc.constantFrom(...ints), { maxKeys: 2, noNullPrototype: true }),
} satisfies Record<string, fc.Arbitrary<Json>>;

const wellTyped = fc.record(MEMBERS, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<JsonObject>;

const anything = fc.oneof(fc.constantFrom<Json[]>(null, true, 1, 0.5, 'a', [], ['a'], [1, 'a'], { a: 1 }));
const illTyped = fc.record(
  Object.fromEntries(Object.entries(MEMBERS).map(([name, typed]) => [name, fc.oneof(typed, anything)])),
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<JsonObject>;

const join = (...parts: readonly (string | Text)[]): Text =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''));
const quoted = fc.constantFrom(...texts).map((text) => JSON.stringify(text));
const oneOf = (...choices: readonly string[]): Text => fc.constantFrom(...choices);
const COMPARISONS = oneOf('==', '!=', '<', '<=', '>', '>=');

/** What stands for a value of a type by itself; in a comprehension also its element, which is called `e`. */
const LEAVES: Readonly<Record<Type, Text>> = {
  bool: oneOf('true', 'false', 'arguments.b'),
  int: oneOf(
    '0',
    '2',
    '7',
    '(-3)',
    'arguments.i',
    'arguments.j',
    'arguments["i"]',
    'arguments.m.i',
    'arguments.m["x"]',
  ),
  double: oneOf('0.5', '2.0', 'arguments.d'),
  string: fc.oneof(quoted, oneOf('arguments.s', 'arguments.t')),
  ints: oneOf('[1, 2]', 'arguments.li'),
  strings: oneOf('["a", "/work/a"]', 'arguments.ls'),
  timestamp: oneOf('now', 'timestamp("2026-02-28T23:59:59Z")', 'timestamp(0)', 'timestamp(arguments.s)'),
  duration: oneOf('duration("90m")', 'duration("1h30m")', 'duration("-15m")', 'duration(arguments.s)'),
};

const made = new Map<string, Text>();

/** Expressions of a type, up to a depth; `element` is the type of `e` within a comprehension. */
function expression(type: Type, depth: number, element?: Type): Text {
  const key = `${type} ${depth} ${element}`;
  const known = made.get(key);
  if (known) return known;
  const leaf = element === type ? fc.oneof(LEAVES[type], fc.constant('e')) : LEAVES[type];
  const whole = depth === 0 ? leaf : fc.oneof(leaf, ...compound(type, depth - 1, element));
  made.set(key, whole);
  return whole;
}

function compound(type: Type, depth: number, element: Type | undefined): Text[] {
  const a = (of: Type) => expression(of, depth, element);
  const choice = join('(', a('bool'), ' ? ', a(type), ' : ', a(type), ')');
  // Comprehensions do not nest.
  const fold = (list: 'ints' | 'strings', name: string, body: Type = 'bool'): Text[] =>
    element === undefined
      ? [join(a(list), `.${name}(e, `, expression(body, depth, list === 'ints' ? 'int' : 'string'), ')')]
      : [];
  const more: Record<Type, Text[]> = {
    bool: [
      join('(', a('bool'), ' && ', a('bool'), ')'),
      join('(', a('bool'), ' || ', a('bool'), ')'),
      join('!', a('bool')),
      ...(['int', 'double', 'string', 'timestamp', 'duration', 'bool'] as const).map((of) =>
        join('(', a(of), ' ', COMPARISONS, ' ', a(of), ')'),
      ),
      join('(', a('ints'), ' ', oneOf('==', '!='), ' ', a('ints'), ')'),
      join('(', a('strings'), ' ', oneOf('==', '!='), ' ', a('strings'), ')'),
      join('(', a('int'), ' in ', a('ints'), ')'),
      join('(', a('string'), ' in ', fc.oneof(a('strings'), fc.constant('arguments.m')), ')'),
      join('has(arguments.', oneOf('i', 's', 'm.i', 'm.x', 'absent'), ')'),
      join('arguments.?', oneOf('b', 's', 'm.i', 'm.?i', 'absent'), '.hasValue()'),
      join(a('string'), oneOf('.startsWith(', '.endsWith(', '.contains('), a('string'), ')'),
      join(a('string'), '.matches("', oneOf('^a', '[0-9]+', '^/work/.*$', '(a|é)b?'), '")'),
      ...['all', 'exists', 'exists_one'].flatMap((name) => [...fold('ints', name), ...fold('strings', name)]),
    ],
    int: [
      join('(', a('int'), ' ', oneOf('+', '-', '*', '/', '%'), ' ', a('int'), ')'),
      join('(-', a('int'), ')'),
      join('size(', fc.oneof(a('string'), a('ints'), a('strings')), ')'),
      join('int(', fc.oneof(a('double'), oneOf('"12"', '"-3"', '"x"', '"1.5"')), ')'),
      join(a('ints'), '[', a('int'), ']'),
      join('arguments.', oneOf('?m.x', 'm.?x', 'm[?"a"]', '?absent'), '.orValue(', oneOf('0', '7'), ')'),
      join(a('timestamp'), oneOf('.getFullYear()', '.getMonth()', '.getDayOfWeek()', '.getHours("Asia/Tokyo")')),
      join(a('duration'), oneOf('.getHours()', '.getMinutes()', '.getSeconds()')),
    ],
    double: [
      join('(', a('double'), ' ', oneOf('+', '-', '*'), ' ', a('double'), ')'),
      join('(-', a('double'), ')'),
      join('double(', a('int'), ')'),
    ],
    string: [
      join('(', a('string'), ' + ', a('string'), ')'),
      join('string(', a('int'), ')'),
      join(oneOf('"aB/"', 'string(arguments.i)'), oneOf('.lowerAscii()', '.upperAscii()', '.trim()')),
      join(a('strings'), '[', a('int'), ']'),
      join('arguments.', oneOf('?ls[?0]', 'ls[?1]', '?absent'), '.orValue(', quoted, ')'),
    ],
    ints: [
      join('(', a('ints'), ' + ', a('ints'), ')'),
      join('[', a('int'), ', ', a('int'), ']'),
      ...fold('ints', 'filter'),
      ...fold('ints', 'map', 'int'),
      ...fold('strings', 'map', 'int'),
    ],
    strings: [
      join('(', a('strings'), ' + ', a('strings'), ')'),
      ...fold('strings', 'filter'),
      ...fold('strings', 'map', 'string'),
      ...fold('ints', 'map', 'string'),
    ],
    timestamp: [join('(', a('timestamp'), ' ', oneOf('+', '-'), ' ', a('duration'), ')')],
    duration: [
      join('(', a('timestamp'), ' - ', a('timestamp'), ')'),
      join('(', a('duration'), ' ', oneOf('+', '-'), ' ', a('duration'), ')'),
    ],
  };
  return [choice, ...more[type]];
}

const condition = expression('bool', 4);

/** How often each outcome came up: a law about conditions that are all in error would prove nothing. */
function tally() {
  const seen: Record<Outcome, number> = { true: 0, false: 0, error: 0, unknown: 0 };
  return { seen, count: (outcome: Outcome) => void seen[outcome]++ };
}

describe('our evaluator and that of cel-js', () => {
  it('agree on every condition over arguments of the types that it takes them for, also on errors', () => {
    const { seen, count } = tally();
    fc.assert(
      fc.property(condition, wellTyped, (text, given) => {
        expect(checkCondition(text)).toEqual([]);
        const outcome = ours(text, given);
        count(outcome);
        expect(outcome).toBe(theirs(text, given));
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.true, seen.false, seen.error)).toBeGreaterThan(200);
    expect(seen.unknown).toBe(0);
  });

  it('never contradict each other over arguments of other types: one of them may be in error', () => {
    const { seen, count } = tally();
    fc.assert(
      fc.property(condition, illTyped, (text, given) => {
        const [outcome, other] = [ours(text, given), theirs(text, given)];
        count(outcome);
        if (outcome !== 'error' && other !== 'error') expect(outcome).toBe(other);
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.true, seen.false, seen.error)).toBeGreaterThan(200);
  });

  it('agree on what is decided before the arguments are known, whatever they turn out to be', () => {
    const { seen, count } = tally();
    fc.assert(
      fc.property(condition, wellTyped, (text, given) => {
        const outcome = ours(text, Fault.UNKNOWN);
        count(outcome);
        if (outcome !== 'unknown') expect(outcome).toBe(theirs(text, given));
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.true, seen.false, seen.unknown)).toBeGreaterThan(30);
  });

  it.each<[string, JsonObject]>([
    ['(arguments.i / 2 == -3) && (arguments.i % 2 == -1) && (7 / -2 == -3) && (7 % -2 == 1)', { i: -7 }],
    ['arguments.s.size() == 2 && size(arguments.s + arguments.s) == 4', { s: 'é😀' }],
    ['arguments.d == 2.0 && arguments.i == 2.0 && arguments.i < 2.5 && 2.0 in [arguments.i]', { i: 2, d: 2 }],
    ['arguments.l == [1.0, 2.0] && arguments.m == arguments.m', { l: [1, 2], m: { k: 'a', l: [1] } }],
    ['"__proto__" in arguments.m == false && has(arguments.m.toString) == false', { m: {} }],
    ['arguments.n == null && null in [arguments.n] && !(arguments.s == null)', { n: null, s: 'a' }],
    ['arguments.l.map(x, x > 1, x * 2) == [4, 6] && arguments.m.all(k, k != "l")', { l: [1, 2, 3], m: { k: 1 } }],
    ['now.getDayOfMonth() == 19 && now.getDate() == 20 && now.getHours("Asia/Tokyo") == 0', {}],
    ['timestamp("2026-11-20T16:30:00.000+01:00") == now && now - timestamp(0) > duration("400000h")', {}],
  ])('agree that %s is true', (text, given) => {
    expect(checkCondition(text)).toEqual([]);
    expect([ours(text, given), theirs(text, given)]).toEqual(['true', 'true']);
  });

  it.each<[string, JsonObject, Outcome]>([
    ['arguments.b', { b: true }, 'true'],
    ['1 / 0 == 1 || arguments.b', { b: true }, 'true'],
    ['arguments.b || 1 / 0 == 1', { b: false }, 'error'],
    ['1 / 0 == 1 && arguments.b', { b: false }, 'false'],
    ['[1, 2].exists(x, x == 3 || arguments.b)', { b: false }, 'false'],
    ['[0, 1].all(x, 1 / x == 1 && arguments.b)', { b: false }, 'false'],
    ['arguments.b ? 1 / 0 == 1 : true', { b: false }, 'true'],
    ['1 / arguments.i == 1', { i: 0 }, 'error'],
  ])('%s is unknown to us before the arguments are known, and the same to both after', (text, given, outcome) => {
    expect(checkCondition(text)).toEqual([]);
    expect([ours(text, Fault.UNKNOWN), ours(text, given), theirs(text, given)]).toEqual(['unknown', outcome, outcome]);
  });

  const PASSWD = '/etc/passwd';

  it.each<[string, string, JsonObject, Outcome, Outcome]>([
    // Two types, or null, compared: an error, so that nothing slips past a deny rule as "not equal".
    ['another type', `arguments.p == "${PASSWD}"`, { p: [PASSWD] }, 'error', 'false'],
    ['another type, negated', `!(arguments.p == "${PASSWD}")`, { p: [PASSWD] }, 'error', 'true'],
    ['another type, unequal', `arguments.p != "${PASSWD}"`, { p: { '0': PASSWD } }, 'error', 'true'],
    ['a number and its text', 'arguments.a == arguments.b', { a: 1, b: '1' }, 'error', 'false'],
    ['true and 1', 'arguments.a == arguments.b', { a: true, b: 1 }, 'error', 'false'],
    ['null and a value', `arguments.p != "${PASSWD}"`, { p: null }, 'error', 'true'],
    ['null and null, neither written as such', 'arguments.a == arguments.b', { a: null, b: null }, 'error', 'true'],
    ['members of two types', 'arguments.a == arguments.b', { a: { k: 1 }, b: { k: '1' } }, 'error', 'false'],
    ['elements of two types', 'arguments.a == arguments.b', { a: [1], b: ['1'] }, 'error', 'false'],
    ['a value in a list of another type', 'arguments.p in ["a", "b"]', { p: ['a'] }, 'error', 'false'],
    ['null in a list', 'arguments.p in ["a", "b"]', { p: null }, 'error', 'false'],
    ['a list of another type', '"a" in arguments.l', { l: [1] }, 'error', 'false'],
    ['a list with one element of another type', '"a" in arguments.l', { l: ['b', null] }, 'error', 'false'],
    ['another type in exists()', 'arguments.l.exists(x, x == "a")', { l: [1] }, 'error', 'false'],
    ['another type in all()', 'arguments.l.all(x, x != "a")', { l: [['a']] }, 'error', 'true'],
    ['another type in exists_one()', 'arguments.l.exists_one(x, x == 1)', { l: [1, 'a'] }, 'error', 'true'],
    ['another type in filter()', 'arguments.l.filter(x, x == 1).size() == 1', { l: [1, 'a'] }, 'error', 'true'],

    // What has no members is not the same as what lacks one.
    ['has() of a text', 'has(arguments.a.b)', { a: 'text' }, 'error', 'false'],
    ['an optional member of a text', 'arguments.?a.b.hasValue()', { a: 'text' }, 'error', 'false'],
    ['an index into what may be absent', 'arguments.?l[0].hasValue()', { l: [1] }, 'error', 'true'],
    ['a default that cannot be read', 'arguments.?a.orValue(arguments.b) == 1', { a: 1 }, 'error', 'true'],
    ['a default in the place of null', 'arguments.?p.orValue("x") == "y"', { p: null }, 'error', 'false'],
    [
      'a default in the place of null, of the same value',
      'arguments.?p.orValue("x") == "x"',
      { p: null },
      'error',
      'false',
    ],

    // Numbers: what JSON can hold, and nothing that compares strangely.
    ['an int beyond 2^53', 'arguments.n + 1 > 0', { n: Number.MAX_SAFE_INTEGER }, 'error', 'true'],
    ['a division of doubles by zero', 'arguments.d / 0.0 > 1.0', { d: 0.5 }, 'error', 'true'],
    ['a product beyond all doubles', 'arguments.d * 1e308 > 1.0', { d: 10.5 }, 'error', 'true'],
    ['infinity as a text', 'double(arguments.s) > 1.0', { s: 'Infinity' }, 'error', 'true'],
    ['an empty numeral', 'int(arguments.s) == 0', { s: '' }, 'error', 'true'],
    ['a binary numeral', 'int(arguments.s) == 1', { s: '0b1' }, 'error', 'true'],
    ['a hexadecimal double', 'double(arguments.s) == 16.0', { s: '0x10' }, 'error', 'true'],
    ['a double as an index', 'arguments.l[1.0] == 2', { l: [1, 2] }, 'error', 'true'],

    // Texts: by code points, and ASCII where the name says so.
    ['the order above U+FFFF', 'arguments.s < "😀"', { s: '\uffee' }, 'true', 'false'],
    ['lowerAscii() of other letters', 'arguments.s.lowerAscii() == "Àb"', { s: 'ÀB' }, 'true', 'false'],
    ['one character above U+FFFF', 'arguments.s.matches("^.$")', { s: '😀' }, 'true', 'false'],
    ['flags of RE2 in a pattern', 'arguments.s.matches("(?i)^abc$")', { s: 'ABC' }, 'true', 'error'],

    // Time.
    ['a day that does not exist', 'timestamp(arguments.t) < now', { t: '2026-02-30T00:00:00Z' }, 'error', 'true'],
    ['after the year 9999', 'now + duration(arguments.d) > now', { d: '99999999h' }, 'error', 'true'],
    ['less than a millisecond', 'duration(arguments.d) > duration("0s")', { d: '1us' }, 'error', 'true'],
    ['a sum below zero', 'duration(arguments.d) + duration("0s") == duration("-1ms")', { d: '-1ms' }, 'true', 'false'],

    // A budget that nothing absorbs.
    [
      'very many steps',
      'arguments.l.all(x, x * 1 + x * 2 + x * 3 >= 0) || true',
      { l: Array.from({ length: 10_000 }, (_, index) => index) },
      'error',
      'true',
    ],
  ])('differ on purpose about %s: %s', (_what, text, given, outcome, other) => {
    expect(checkCondition(text)).toEqual([]);
    expect([ours(text, given), theirs(text, given)]).toEqual([outcome, other]);
  });
});
