import { describe, expect, it } from 'vitest';
import { ChangeRates } from './change-rates.js';

function at(savedUp: number) {
  const state = { now: 0 };
  const rates = new ChangeRates(savedUp, () => state.now);
  /** How many of some changes were let in. */
  const letIn = (credential: string, count: number, person?: string, tenant = 't'): number => {
    const subject = person === undefined ? null : { type: 'user', id: person };
    let done = 0;
    for (; done < count; done++) {
      try {
        rates.take({ tenant, subject, credential });
      } catch (error) {
        expect(error).toMatchObject({ code: 'quota_exceeded', members: { retry_after: 1 } });
        break;
      }
    }
    return done;
  };
  return { letIn, wait: (ms: number) => void (state.now += ms) };
}

describe('changes of one key', () => {
  it('are as many as it has saved up, and then five a second', () => {
    const { letIn, wait } = at(10);
    expect(letIn('k', 100)).toBe(10);
    wait(1000);
    expect(letIn('k', 100)).toBe(5);
    wait(3_600_000);
    expect(letIn('k', 100)).toBe(10);
  });

  it('take nothing from another key, nor from one of that name in another tenant', () => {
    const { letIn } = at(10);
    expect(letIn('k', 100)).toBe(10);
    expect(letIn('other', 5)).toBe(5);
    expect(letIn('k', 5, undefined, 'u')).toBe(5);
  });
});

it('changes of one person are counted together, however often they sign in', () => {
  const { letIn } = at(10);
  expect(letIn('s1', 6, 'ann')).toBe(6);
  expect(letIn('s2', 6, 'ann')).toBe(4);
  expect(letIn('s3', 6, 'bob')).toBe(6);
});
