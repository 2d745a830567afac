import { describe, expect, it } from 'vitest';
import type { Json } from '../model.js';
import { decisiveClause } from './clauses.js';
import { Condition } from './condition.js';
import { VARIABLES } from './language.js';
import { placeText } from './places.js';
import { Fault } from './values.js';

const variables = (given: Json) => VARIABLES.map((name) => (name === 'arguments' ? given : Fault.NO_SUCH_KEY));

const A = 'arguments.a == 1';
const B = 'arguments.b == 1';

describe('the clause that decided', () => {
  it.each<[string, boolean, Json, string, string, string[]]>([
    // of a condition that should be true
    [`${A} && ${B}`, true, { a: 1, b: 2 }, B, 'false', ['arguments.b']],
    [`${A} && ${B}`, true, { a: 2, b: 2 }, A, 'false', ['arguments.a']],
    [`${A} && ${B}`, true, { b: 2 }, B, 'false', ['arguments.b']],
    [`${A} && ${B}`, true, { b: 1 }, A, 'no_such_key', ['arguments.a']],
    [`${A} && ${B}`, true, {}, A, 'no_such_key', ['arguments.a']],
    [`${A} && (${B} || ${A})`, true, { a: '1', b: 2 }, A, 'mixed_types', ['arguments.a']],
    [
      `${A} && (${B} || arguments.c)`,
      true,
      { a: 1, b: 2, c: false },
      `${B} || arguments.c`,
      'false',
      ['arguments.b', 'arguments.c'],
    ],
    [`(${A} && ${B}) && arguments.c`, true, { a: 1, b: 2, c: false }, B, 'false', ['arguments.b']],
    [`!(${A}) && ${B}`, true, { a: 1, b: 1 }, `!(${A})`, 'false', ['arguments.a']],
    [`! ( (${A}) ) `, true, { a: 1 }, `! ( (${A}) )`, 'false', ['arguments.a']],
    ['(arguments.a + 1) == 3', true, { a: 1 }, '(arguments.a + 1) == 3', 'false', ['arguments.a']],
    ['!(arguments.a == ")(")', true, { a: ')(' }, '!(arguments.a == ")(")', 'false', ['arguments.a']],
    ['arguments["x y"].z', true, { 'x y': { z: false } }, 'arguments["x y"].z', 'false', ['arguments["x y"].z']],
    [
      'arguments.l.all(x, x > arguments.a)',
      true,
      { l: [1], a: 1 },
      'arguments.l.all(x, x > arguments.a)',
      'false',
      ['arguments.l', 'arguments.a'],
    ],
    ['arguments.a', true, { a: 'yes' }, 'arguments.a', 'wrong_type', ['arguments.a']],
    // of one that should be false
    [`${A} || ${B}`, false, { a: 2, b: 1 }, B, 'true', ['arguments.b']],
    [`${A} || ${B}`, false, { b: 1 }, B, 'true', ['arguments.b']],
    [`${A} || ${B}`, false, { b: 2 }, A, 'no_such_key', ['arguments.a']],
    [`${A} && ${B}`, false, { a: 1, b: 1 }, `${A} && ${B}`, 'true', ['arguments.a', 'arguments.b']],
  ])('of %s (to be %s) on %j is %s', (text, wanted, given, clause, outcome, places) => {
    const found = decisiveClause(text, variables(given), wanted);
    expect({ text: found.text, outcome: found.fault ?? found.outcome }).toEqual({ text: clause, outcome });
    expect(text.slice(found.start, found.end)).toBe(clause);
    expect(found.places.map(placeText)).toEqual(places);
  });

  it('that takes too many steps is the one that is told, though a later one is false', () => {
    const dear = 'arguments.l.exists(x, arguments.l.size() > 0 && x == "x" && x == "y")';
    const text = `${dear} && arguments.a`;
    const given = { a: false, l: Array.from({ length: 10_000 }, () => 'x') };
    expect(new Condition(text).evaluate(variables(given)).outcome).toBe('error');
    expect(decisiveClause(text, variables(given), true)).toMatchObject({ text: dear, fault: 'budget_exceeded' });
  });
});
