import { describe, expect, it } from 'vitest';
import { Condition } from './condition.js';
import { VARIABLES } from './language.js';
import { ShapePool } from './shape.js';
import { Fault, type CelValue } from './values.js';

const given = (values: { readonly [name: string]: CelValue }) =>
  VARIABLES.map((name) => (name === 'arguments' ? values : Fault.NO_SUCH_KEY));

describe('conditions of one shape', () => {
  it.each([
    ['arguments.n < 3', 'arguments.n < 4'],
    ['arguments.s == "a"', "arguments.s == 'b'"],
    ['arguments.s in ["a", "b"]', 'arguments.s in ["b", "c"]'],
    ['arguments.s == "a" || arguments.n == 1', 'arguments.s == "b" || arguments.n == 2'],
    ['arguments.list.exists(x, x == "a")', 'arguments.list.exists(x, x == "b")'],
    ['arguments.n == 1', 'arguments.n == 1.0'],
    ['arguments.s.startsWith("a")', 'arguments.s.startsWith("b")'],
    ['arguments["s"] == "a"', 'arguments["n"] == "a"'],
    ['true', 'false'],
  ])('share what runs them and keep their constants: %s, %s', (one, other) => {
    const shapes = new ShapePool();
    const [first, second] = [new Condition(one, shapes), new Condition(other, shapes)];
    expect(first.shape).toBe(second.shape);
    for (const values of [{ n: 1 }, { n: 3, s: 'a' }, { n: 2, s: 'b' }, { s: 'c', list: ['b'] }, { list: ['a'] }, {}]) {
      const variables = given(values);
      expect(first.evaluate(variables)).toEqual(new Condition(one).evaluate(variables));
      expect(second.evaluate(variables)).toEqual(new Condition(other).evaluate(variables));
      expect(first.trace(variables).outcome).toBe(first.evaluate(variables).outcome);
      expect(second.trace(variables).outcome).toBe(second.evaluate(variables).outcome);
    }
  });

  it.each([
    ['arguments.a == 1', 'arguments.b == 1'],
    ['arguments.s == null', 'arguments.s == "null"'],
    ['arguments.s.matches("a")', 'arguments.s.matches("b")'],
    ['arguments.?a.hasValue()', 'arguments.?b.hasValue()'],
    ['arguments.s in ["a"]', 'arguments.s in ["a", "b"]'],
    ['arguments.a == 1 && arguments.b == 1', 'arguments.a == 1 || arguments.b == 1'],
    ['has(arguments.a)', 'has(arguments.b)'],
    ['arguments.l.all(x, x == 1)', 'arguments.l.exists(x, x == 1)'],
    ['arguments.n < 1', 'arguments.n <= 1'],
    ['"arguments" == "a"', 'arguments == "a"'],
  ])('are not these: %s, %s', (one, other) => {
    expect(new Condition(one).shape).not.toBe(new Condition(other).shape);
  });

  it('are forgotten with the last of them', () => {
    const shapes = new ShapePool();
    const [first, second] = ['arguments.n < 3', 'arguments.n < 4'].map((text) => new Condition(text, shapes));
    shapes.giveBack(first!.shape);
    shapes.giveBack(second!.shape);
    shapes.giveBack(second!.shape);
    expect(new Condition('arguments.n < 5', shapes).evaluate(given({ n: 4 })).outcome).toBe('true');
  });
});
