import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine } from './csv.js';

/** What stands in the cells of a line, whatever the separator is taken to be. */
const cellsBy = (separator: string, line: string): string[] => {
  const cells = [''];
  let isQuoted = false;
  for (const sign of line) {
    if (sign === '"') isQuoted = !isQuoted;
    else if (sign === separator) cells.push('');
    else cells[cells.length - 1] += sign;
  }
  return cells;
};

describe('a line of CSV', () => {
  it.each([
    ['plain', '"plain"'],
    ['say "hi"', '"say ""hi"""'],
    ['=1+1', `"'=1+1"`],
    ['+1', `"'+1"`],
    ['-1', `"'-1"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['  =1', `"'  =1"`],
    ['\t=1', `"' =1"`],
    ['\r\n=1', `"'  =1"`],
    ['＝1', `"'＝1"`],
    ['a;=1', `"a;'=1"`],
    ['a,"=1', `"a,'""=1"`],
    ['user:entra/a-b', '"user:entra/a-b"'],
  ])('writes %j as %s', (text, written) => {
    expect(csvLine([text])).toBe(`${written}\r\n`);
  });

  it('has as many cells as there are texts, and no formula in any, by whatever separator it is read', () => {
    const text = fc.string({
      unit: fc.constantFrom('=', '+', '-', '@', ';', ',', '|', '\t', '\r', '\n', '"', "'", ' ', 'a', '＝'),
    });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (texts) => {
        const line = csvLine(texts);
        expect(line.slice(0, -2)).not.toMatch(/[\r\n\t]/);
        expect(line.slice(1, -3).split('","').length).toBeGreaterThanOrEqual(texts.length);
        for (const separator of [';', ',', '|'])
          for (const cell of cellsBy(separator, line)) expect(cell).not.toMatch(/^["\s]*[=+\-@＝]/);
        // Read without regard to quotes, as by a separator that is not ours.
        for (const part of line.slice(0, -2).split(/[;|]/)) expect(part).not.toMatch(/^["\s]*[=+\-@＝]/);
      }),
      { numRuns: 5000 },
    );
  });
});
