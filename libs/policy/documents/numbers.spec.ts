import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { losesPrecision } from './numbers.js';

describe('losesPrecision', () => {
  it.each([
    ['0', false],
    ['-0', false],
    ['7', false],
    ['007', false],
    ['+7', false],
    ['999999999999999', false],
    ['9007199254740991', false],
    ['9007199254740992', false],
    ['9007199254740993', true],
    ['-9007199254740993', true],
    ['9007199254740993.0', true],
    ['9007199254740994', false],
    ['1234567890123456789', true],
    ['0.1', false],
    ['0.10', false],
    ['.5', false],
    ['5.', false],
    ['0.1000000000000000055511151231257827', true],
    ['3.141592653589793', false],
    ['3.14159265358979312', true],
    ['1e3', false],
    ['1E+3', false],
    ['1.5e-7', false],
    ['1.5E-7', false],
    ['007.5', false],
    ['10010.0', false],
    ['10010.00', false],
    ['100e-2', false],
    ['1e21', false],
    ['123456789012345678e1', true],
    ['1e308', false],
    ['1e309', true],
    ['-1e309', true],
    ['5e-324', false],
    ['4e-324', true],
    ['1e-400', true],
    ['0e999', false],
    ['.inf', true],
    ['.nan', true],
    ['abc', true],
    ['0x1F', false],
    ['0x1FFFFFFFFFFFFF', false],
    ['0x20000000000001', true],
    ['0o17', false],
    ['0o777777777777777777777', true],
  ])('%s: %s', (numeral, expected) => {
    expect(losesPrecision(numeral)).toBe(expected);
  });

  it('is false for every number as ECMAScript writes it', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, (number) => {
        expect(losesPrecision(JSON.stringify(number))).toBe(false);
      }),
    );
  });

  it('is true for the whole numbers that no double can hold', () => {
    const odd = fc.bigInt({ min: 2n ** 53n, max: 2n ** 60n }).map((number) => number | 1n);
    fc.assert(
      fc.property(odd, (number) => {
        expect(losesPrecision(String(number))).toBe(true);
        expect(losesPrecision(`${number}.0`)).toBe(true);
        expect(losesPrecision(`0x${number.toString(16)}`)).toBe(true);
      }),
    );
  });

  it('comes to an end on a million digits', () => {
    const zeros = '0'.repeat(1_000_000);
    expect(losesPrecision(`0.1${zeros}1`)).toBe(true);
    expect(losesPrecision(`0.1${zeros}`)).toBe(false);
    expect(losesPrecision(`0.${zeros}`)).toBe(false);
    expect(losesPrecision(`1${zeros}1`)).toBe(true);
  });
});
