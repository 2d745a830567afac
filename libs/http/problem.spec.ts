import { describe, expect, it } from 'vitest';
import { Refusal, toProblem } from './problem.js';

describe('a problem', () => {
  it('has more members, and none of them takes the place of what every problem has', () => {
    const members = { state: 'approved', status: 'approved', code: 'x', type: 'x', title: 'x', detail: 'x' };
    expect(toProblem(new Refusal('already_answered', 'it is over', members))).toEqual({
      type: 'urn:placet:problem:already_answered',
      title: 'already answered',
      status: 409,
      code: 'already_answered',
      detail: 'it is over',
      state: 'approved',
    });
  });
});
