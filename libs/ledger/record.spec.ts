import { describe, expect, it } from 'vitest';
import { evaluationId, placeOfEvaluation } from './record.js';

describe('the id of an evaluation', () => {
  it.each([
    [1, 1],
    [35, 36],
    [7, 2 ** 40],
  ])('leads back to the place %i, %i of its record', (writer, seq) => {
    expect(placeOfEvaluation(evaluationId(writer, seq, 'NvIley-_'))).toEqual({ writer, seq });
  });

  it.each([
    '',
    'ev_1_2',
    'ev_1_2_short',
    'ev_1_2_NvIleyIPx',
    'ev__2_NvIleyIP',
    'ev_1_-2_NvIleyIP',
    'ev_A_2_NvIleyIP',
    'ev_1_zzzzzzzzzzz_NvIleyIP',
    'ev_1_2_NvIleyIP\n',
    ' ev_1_2_NvIleyIP',
    "ev_1_2'_NvIleyIP",
  ])('is not %j', (id) => {
    expect(placeOfEvaluation(id)).toBeUndefined();
  });
});
