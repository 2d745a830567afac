/**
 * Whether a numeral of JSON or YAML would be another number after passing through a double: too many digits, too
 * large, too small. Such a number is refused rather than decided upon, because the host may run it as written.
 */
export function losesPrecision(numeral: string): boolean {
  const parsed = Number(numeral);
  const written = decimal(numeral);
  return written === undefined ? !Number.isSafeInteger(parsed) : written !== decimal(String(parsed));
}

/**
 * A decimal numeral as its digits and exponent without superfluous zeros: equal texts mean equal numbers. Undefined for
 * any other notation. Takes time in proportion to the length, whatever the digits.
 */
function decimal(numeral: string): string | undefined {
  const parts = /^[-+]?(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$/.exec(numeral);
  if (!parts) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = parts;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/(?<!0)0+$/, '');
  if (significant === '') return '0';
  return `${significant}e${Number(exponent) - fraction.length + (digits.length - significant.length)}`;
}
