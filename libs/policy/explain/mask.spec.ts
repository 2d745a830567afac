import { describe, expect, it } from 'vitest';
import { VARIABLES, type Variable } from '../cel/language.js';
import { CelTimestamp, Fault, type Result } from '../cel/values.js';
import { masked, type MaskedValue } from './mask.js';

const values: Partial<Record<Variable, Result>> = {
  subject: { type: 'user', id: 'ann@example.com', properties: { salary: 90_000, rate: 1.5, vip: true } },
  resource: { type: 'resource', id: `file:///${'x'.repeat(300)}`, properties: {} },
  tool: { name: 'send', registered: true, operation: 'write' },
  arguments: { text: 'secret', list: ['a', 'b'], map: { a: 1 }, nothing: null, name: 'send', constructor: 'x' },
  now: new CelTimestamp(0),
};
const variables = VARIABLES.map((name) => values[name] ?? Fault.NO_SUCH_KEY);

describe('what a condition saw', () => {
  it.each<[[string, ...string[]], Omit<MaskedValue, 'attribute'>]>([
    [['arguments', 'text'], { type: 'string', size: 6 }],
    [['arguments', 'list'], { type: 'list', size: 2 }],
    [['arguments', 'map'], { type: 'map', size: 1 }],
    [['arguments', 'nothing'], { type: 'null' }],
    [['arguments', 'name'], { type: 'string', size: 4 }],
    [['arguments', 'absent'], { type: 'missing' }],
    [['arguments', 'toString'], { type: 'missing' }],
    [['arguments', 'text', 'length'], { type: 'missing' }],
    [['arguments'], { type: 'map', size: 6 }],
    [['session', 'id'], { type: 'missing' }],
    [['subject', 'properties', 'salary'], { type: 'int' }],
    [['subject', 'properties', 'rate'], { type: 'double' }],
    [['subject', 'properties', 'vip'], { type: 'bool' }],
    [['subject', 'id'], { type: 'string', size: 15 }],
    [['subject', 'type'], { type: 'string', value: 'user' }],
    [['tool'], { type: 'map', size: 3 }],
    [['tool', 'operation'], { type: 'string', value: 'write' }],
    [['tool', 'registered'], { type: 'bool', value: true }],
    [['now'], { type: 'timestamp', value: '1970-01-01T00:00:00.000Z' }],
    // A name that is too long to be one.
    [['resource', 'id'], { type: 'string', size: 308 }],
  ])('at %j is told as %j', (place, told) => {
    const { attribute, ...rest } = masked(variables, place);
    expect(rest).toEqual(told);
    expect(attribute).toBe(place.join('.'));
  });
});
