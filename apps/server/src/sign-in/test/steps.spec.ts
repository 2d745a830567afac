import { describe, expect, it } from 'vitest';
import { stepOf, Steps } from './steps.js';

const told = (work: (steps: Steps) => void): string[] => {
  const steps = new Steps();
  work(steps);
  return steps.all.map(({ step, outcome, found }) => `${outcome} ${step}: ${found}`);
};

describe('what was looked at', () => {
  it('was good where something else was looked at afterwards', () => {
    expect(
      told((steps) => {
        steps.look('server', 'a');
        steps.missed('away');
        steps.look('server', 'b');
        steps.look('password', 'c');
        steps.failed('wrong');
      }),
    ).toEqual(['failed server: a: away', 'ok server: b', 'failed password: c: wrong']);
  });

  it('is not told as good before anybody says so', () => {
    expect(told((steps) => steps.look('password', 'c'))).toEqual([]);
  });

  it('is called what it was after all', () => {
    expect(
      told((steps) => {
        steps.look('reading_account', 'a');
        steps.missed('expired', 'tls');
        steps.failed('expired');
      }),
    ).toEqual(['failed tls: a: expired']);
  });

  it('has failed at what came back, where nothing was looked at yet', () => {
    expect(told((steps) => steps.failed('none'))).toEqual(['failed response: none']);
  });

  it('is bounded, and fit for a terminal', () => {
    expect(
      told((steps) => {
        for (let count = 0; count < 1000; count++) steps.note('claims', 'ok', 'x');
      }),
    ).toHaveLength(200);
    expect(stepOf('claims', 'ok', `a\u001b[2J\u0000\ud800${'x'.repeat(2000)}`).found).toMatch(/^a\?\[2J\?\ufffdx+$/);
    expect(stepOf('claims', 'ok', 'x'.repeat(2000)).found).toHaveLength(1000);
  });

  it('comes with what to do about it, unless it was good', () => {
    expect(stepOf('tls', 'ok', '')).not.toHaveProperty('mend');
    expect(stepOf('tls', 'failed', '').mend).toContain('certificate');
  });
});
