import { describe, expect, it } from 'vitest';
import type { Json } from '../model.js';
import { Condition } from './condition.js';
import { checkCondition, VARIABLES, type Variable } from './language.js';
import { CelTimestamp, Fault, type Result } from './values.js';

const NOW = Date.parse('2026-11-20T15:30:00Z');

/** Evaluates a condition over some arguments; the other variables hold one example each. */
function outcome(text: string, given: Json | Fault = {}, partial = false): string {
  expect(checkCondition(text)).toEqual([]);
  const values: Partial<Record<Variable, Result>> = {
    subject: { type: 'user', id: 'ann', properties: { region: 'emea', level: 3 }, groups: ['sales'] },
    resource: { type: 'tool', id: 'query', properties: {} },
    arguments: given,
    now: new CelTimestamp(NOW),
  };
  return new Condition(text).evaluate(
    VARIABLES.map((name) => values[name] ?? Fault.NO_SUCH_KEY),
    partial,
  ).outcome;
}

describe('a condition', () => {
  it.each<[string, Json, string]>([
    // plain selection and comparison
    ['arguments.region == subject.properties.region', { region: 'emea' }, 'true'],
    ['arguments.region == subject.properties.region', { region: 'apac' }, 'false'],
    ['arguments.region == subject.properties.region', {}, 'error'],
    ['arguments["a b"] == 1', { 'a b': 1 }, 'true'],
    ['arguments.a.b.c == 1', { a: { b: { c: 1 } } }, 'true'],
    ['arguments.a.b.c == 1', { a: 1 }, 'error'],
    ['arguments.constructor == 1', {}, 'error'],
    ['arguments.constructor == 1', { constructor: 1 }, 'true'],
    ['arguments.toString == 1', {}, 'error'],

    // strict equality: no slipping past a deny rule
    ['arguments.path == "/etc/passwd"', { path: ['/etc/passwd'] }, 'error'],
    ['arguments.path == "/etc/passwd"', { path: { '0': '/etc/passwd' } }, 'error'],
    ['arguments.path == "/etc/passwd"', { path: null }, 'error'],
    ['arguments.path != "/etc/passwd"', { path: null }, 'error'],
    ['arguments.path == null', { path: null }, 'true'],
    ['arguments.path != null', { path: 'x' }, 'true'],
    ['arguments.path == null', {}, 'error'],
    ['arguments.a == arguments.b', { a: null, b: null }, 'error'],
    ['arguments.a == 1', { a: '1' }, 'error'],
    ['arguments.a == 1', { a: true }, 'error'],
    ['arguments.a == 1', { a: 1.0 }, 'true'],
    ['arguments.a == 1.0', { a: 1 }, 'true'],
    ['arguments.a == arguments.b', { a: [1, [2]], b: [1, [2]] }, 'true'],
    ['arguments.a == arguments.b', { a: [1, 'x'], b: [1, 2] }, 'error'],
    ['arguments.a == arguments.b', { a: [2, 'x'], b: [1, 2] }, 'false'],
    ['arguments.a == arguments.b', { a: [1], b: [1, 2] }, 'false'],
    ['arguments.a == arguments.b', { a: { x: 1 }, b: { x: 1 } }, 'true'],
    ['arguments.a == arguments.b', { a: { x: 1 }, b: { y: 1 } }, 'false'],

    // membership
    ['arguments.x in ["a", "b"]', { x: 'b' }, 'true'],
    ['arguments.x in ["a", "b"]', { x: 'c' }, 'false'],
    ['arguments.x in ["a", "b"]', { x: ['a'] }, 'error'],
    ['arguments.x in ["a", "b"]', { x: null }, 'error'],
    ['"a" in arguments.l', { l: [1, 'a'] }, 'true'],
    ['"a" in arguments.l', { l: [1, 'b'] }, 'error'],
    ['"a" in arguments.l', { l: 'abc' }, 'error'],
    ['null in arguments.l', { l: [1, null] }, 'true'],
    ['"k" in arguments.m', { m: { k: 0 } }, 'true'],
    ['"__proto__" in arguments.m', { m: {} }, 'false'],
    ['"sales" in subject.groups', {}, 'true'],

    // errors are absorbed by the deciding side only
    ['arguments.x == 1 || true', {}, 'true'],
    ['true || arguments.x == 1', {}, 'true'],
    ['arguments.x == 1 || false', {}, 'error'],
    ['arguments.x == 1 && false', {}, 'false'],
    ['arguments.x == 1 && true', {}, 'error'],
    ['arguments.x || true', { x: 'text' }, 'true'],
    ['arguments.x && true', { x: 'text' }, 'error'],
    ['!arguments.x', { x: 1 }, 'error'],
    ['!(arguments.x == 1)', {}, 'error'],
    ['arguments.x', { x: 'true' }, 'error'],

    // has and optionals
    ['has(arguments.x)', {}, 'false'],
    ['has(arguments.x)', { x: null }, 'true'],
    ['has(arguments.a.b)', {}, 'error'],
    ['has(arguments.a.b)', { a: 'text' }, 'error'],
    ['arguments.?x.orValue("d") == "d"', {}, 'true'],
    ['arguments.?x.orValue("d") == "v"', { x: 'v' }, 'true'],
    ['arguments.?a.b.orValue(0) == 0', {}, 'true'],
    ['arguments.?a.b.orValue(0) == 0', { a: 'text' }, 'error'],
    ['arguments.?a.hasValue()', { a: 1 }, 'true'],

    // strings
    ['arguments.s.startsWith("/work/")', { s: '/work/a' }, 'true'],
    ['arguments.s.endsWith(".pdf")', { s: 'a.PDF'.toLowerCase() }, 'true'],
    ['arguments.s.contains("..")', { s: 'a/../b' }, 'true'],
    ['arguments.s.contains("..")', { s: ['..'] }, 'error'],
    ['arguments.s.matches("^[a-z]+$")', { s: 'abc' }, 'true'],
    ['arguments.s.matches("b")', { s: 'abc' }, 'true'],
    ['arguments.s.lowerAscii() == "straße"', { s: 'STRAßE' }, 'true'],
    ['arguments.s.size() == 2', { s: 'a😀' }, 'true'],
    ['arguments.s < "\\U0001F600"', { s: '\uffee' }, 'true'],
    ['arguments.s + "b" == "ab"', { s: 'a' }, 'true'],

    // lists
    ['arguments.l.size() > 2', { l: [1, 2, 3] }, 'true'],
    ['arguments.l.all(x, x > 0)', { l: [1, 2] }, 'true'],
    ['arguments.l.all(x, x > 0)', { l: ['a', -1] }, 'false'],
    ['arguments.l.all(x, x > 0)', { l: ['a', 1] }, 'error'],
    ['arguments.l.all(x, x > 0)', { l: [] }, 'true'],
    ['arguments.l.exists(x, x == 2)', { l: ['a', 2] }, 'true'],
    ['arguments.l.exists(x, x == 2)', { l: ['a', 1] }, 'error'],
    ['arguments.l.exists(x, x == 2)', { l: [] }, 'false'],
    ['arguments.l.exists_one(x, x == 2)', { l: [2, 1] }, 'true'],
    ['arguments.l.filter(x, x > 1).size() == 1', { l: [1, 2] }, 'true'],
    ['arguments.l.map(x, x * 2) == [2, 4]', { l: [1, 2] }, 'true'],
    ['arguments.l.map(x, x > 1, x * 2) == [4]', { l: [1, 2] }, 'true'],
    ['arguments.m.all(k, k != "bad")', { m: { good: 1 } }, 'true'],
    ['arguments.l[0] == 1', { l: [1] }, 'true'],
    ['arguments.l[1] == 1', { l: [1] }, 'error'],
    ['arguments.l["0"] == 1', { l: [1] }, 'error'],
    ['arguments.l.length == 1', { l: [1] }, 'error'],

    // numbers
    ['arguments.n > 10', { n: 10.5 }, 'true'],
    ['arguments.n > 10', { n: '11' }, 'error'],
    ['arguments.n / 2 == 2', { n: 5 }, 'true'],
    ['arguments.n / 0 == 1', { n: 5 }, 'error'],
    ['arguments.n % 3 == 2', { n: 5 }, 'true'],
    ['arguments.n * 2 == 11', { n: 5.5 }, 'error'],
    ['arguments.n * 2.0 == 11.0', { n: 5.5 }, 'true'],
    ['double(arguments.n) * 2.0 == 10.0', { n: 5 }, 'true'],
    ['int(arguments.n) == 12', { n: '12' }, 'true'],
    ['int(arguments.n) == 12', { n: '0x0c' }, 'error'],
    ['int(arguments.n) == 1000', { n: '1e3' }, 'error'],
    ['arguments.n + 9007199254740991 > 0', { n: 1 }, 'error'],
    ['-arguments.n < 0', { n: 1 }, 'true'],

    // time
    ['now > timestamp("2026-01-01T00:00:00Z")', {}, 'true'],
    ['now - timestamp("2026-11-20T15:00:00Z") == duration("30m")', {}, 'true'],
    ['now.getHours() == 15 && now.getDayOfWeek() == 5', {}, 'true'],
    ['now.getHours("Asia/Tokyo") == 0', {}, 'true'],
    ['timestamp(arguments.t) < now', { t: '2026-02-30T00:00:00Z' }, 'error'],
    ['timestamp(arguments.t) < now', { t: '2025-02-28T00:00:00+02:00' }, 'true'],
    ['duration(arguments.d) > duration("1h")', { d: '1h30m' }, 'true'],
    ['duration(arguments.d) > duration("1h")', { d: '90' }, 'error'],

    // choice
    ['arguments.b ? arguments.x == 1 : true', { b: false }, 'true'],
    ['arguments.b ? arguments.x == 1 : true', { b: 'false' }, 'error'],
  ])('%s on %j is %s', (text, given, expected) => {
    expect(outcome(text, given)).toBe(expected);
  });

  it.each<[string, string]>([
    ['arguments.x == 1', 'unknown'],
    ['arguments.x == 1 && resource.id == "other"', 'false'],
    ['resource.id == "query" || arguments.x == 1', 'true'],
    ['arguments.l.all(x, x > 1)', 'unknown'],
    ['arguments.x == subject.properties.missing', 'unknown'],
    ['resource.properties.missing == 1', 'error'],
    ['has(arguments.x)', 'unknown'],
    ['[1, 2].exists(x, x == arguments.y)', 'unknown'],
    ['[1, 2].all(x, x == arguments.y && x > 5)', 'false'],
  ])('with unknown arguments, %s is %s', (text, expected) => {
    expect(outcome(text, Fault.UNKNOWN, true)).toBe(expected);
  });

  describe('that exceeds its budget', () => {
    const many = { l: Array.from({ length: 10_000 }, (_, index) => index), big: 'a'.repeat(400_000) };

    it.each([
      'arguments.l.all(x, x * 1 + x * 2 + x * 3 >= 0)',
      'arguments.l.all(x, x * 1 + x * 2 + x * 3 >= 0) || true',
      'true && arguments.l.all(x, x * 1 + x * 2 + x * 3 >= 0)',
      '[1].exists(y, arguments.big.contains(arguments.big)) || true',
      'arguments.big.contains(arguments.big) || true',
      'arguments.big.matches("a{0,50}b") || true',
      'arguments.l.map(x, arguments.l) == arguments.l.map(x, arguments.l) || true',
    ])('is an error that nothing absorbs: %s', (text) => {
      expect(outcome(text, many)).toBe('error');
    });

    it('is unknown where arguments are unknown, for a call may need fewer steps', () => {
      const list = `[${Array.from({ length: 800 }, (_, index) => index).join(',')}]`;
      const sums = Array.from({ length: 40 }, (_, index) => `x * ${index}`).join(' + ');
      expect(outcome(`arguments.y == 1 && ${list}.all(x, ${sums} >= 0)`, Fault.UNKNOWN, true)).toBe('unknown');
    });
  });

  it('traces what each part came to', () => {
    const condition = new Condition('arguments.n > 1 && arguments.s == "x"');
    const values: Partial<Record<Variable, Result>> = { arguments: { n: 2, s: null } };
    const { outcome: result, steps } = condition.trace(VARIABLES.map((name) => values[name] ?? Fault.NO_SUCH_KEY));
    const shown = steps.map(({ start, end, ...rest }) => [condition.text.slice(start, end), rest.fault ?? rest.value]);
    expect(result).toBe('error');
    expect(shown).toContainEqual(['arguments.n > 1', true]);
    expect(shown).toContainEqual(['arguments.s == "x"', 'compared_with_null']);
  });
});

describe('checkCondition', () => {
  it.each([
    ['nope.x == 1', 'Unknown variable: nope', 0],
    ['subject.nme == "x"', 'No such key: nme', 8],
    ['subject.id == 1', 'no such overload: string == int', 0],
    ['arguments.x', undefined, 0],
    ['"text"', 'a condition must be true or false', 0],
    ['arguments.x.matches(arguments.y)', 'matches() takes a pattern written as a text literal', 0],
    ['arguments.x.matches("(")', 'the pattern is not valid', 0],
    ['arguments.x.matches("(?=a)")', 'the pattern is not valid', 0],
    ['arguments.l.all(x, arguments.m.exists(y, y == x))', 'may not stand inside another', 19],
    ['arguments.l.all(now, true)', "'now' is taken", 0],
    ['now.getHours("Nowhere/City") == 1', 'a time zone is written as a text literal', 0],
    ['{"a": 1}["a"] == 1', 'map literals are not part of the language', 0],
    ['b"x" == b"x"', 'bytes and unsigned ints', 0],
    ['arguments.x == 9007199254740993', 'an int must lie between', 15],
    ['arguments.x.reverse() == "x"', 'there is no function reverse()', 0],
    ['cel.bind(x, 1, x == 1)', 'there is no function bind()', 0],
    ['arguments.x ==', 'Unexpected', 14],
    [`${'('.repeat(100)}true${')'.repeat(100)}`, 'maxDepth', 0],
    [`arguments.x == "${'x'.repeat(5000)}"`, 'longer than 4096 characters', 0],
    ['now.constructor("x") == 1', 'there is no function constructor()', 0],
  ])('%.60s: %s', (text, message, start) => {
    const problems = checkCondition(text);
    if (message === undefined) expect(problems).toEqual([]);
    else {
      expect(problems[0]?.message).toContain(message);
      if (start > 0) expect(problems[0]?.start).toBe(start);
    }
  });

  it('checks against the types of a tool', () => {
    expect(checkCondition('arguments.n > 10', { n: 'string' })[0]?.message).toContain('string > int');
    expect(checkCondition('arguments.n > 10', { n: 'int' })).toEqual([]);
    expect(checkCondition('arguments.l.size() > 10', { l: 'list<string>' })).toEqual([]);
  });
});
