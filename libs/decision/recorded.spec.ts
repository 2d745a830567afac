import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, PolicySet, type AnyDocument, type Decision, type DecisionInput } from '#policy';
import { call, documents, NOW } from '#policy/testing';
import { explainRecord } from './recorded.js';
import { decisionRecord } from './records.js';

const RUNS = Number(process.env.PLACET_LAW_RUNS ?? 2000);

/** A decision, and its record as it comes out of the database. */
function recorded(all: readonly AnyDocument[], input: DecisionInput): { decision: Decision; record: object } {
  const decision = decide(PolicySet.of(all.map((document) => ({ document, version: 1 }))), input, [], NOW);
  const asked = {
    tenant: 't',
    key: { id: 'k', secret: Buffer.alloc(0), environment: 'test' } as never,
    front: 'mcp' as const,
    address: '127.0.0.1',
    requestDigest: '',
    trace: undefined,
    atLeast: undefined,
    noted: {},
  };
  const principal = {
    kind: 'host' as const,
    tenant: 't',
    credential: 'k',
    via: 'key' as const,
    host: input.agent,
    rights: { subjects: [], subjectProperties: [], resourceProperties: [], explain: false, scopes: [], agents: [] },
    validUntil: null,
  };
  const content = decisionRecord(asked, principal, input, decision, { revision: 1, epoch: 1, guardrails: 0, now: NOW });
  return { decision, record: JSON.parse(`{${content}}`) as object };
}

const id = ({ policy, rule }: { policy: string; rule: string }) => `${policy}/${rule}`;

describe('the record of a decision', () => {
  it('recomputes it, from the recorded outcomes alone', () => {
    let compared = 0;
    fc.assert(
      fc.property(documents, call, (all, input) => {
        const { decision, record } = recorded(all, input);
        const explanation = explainRecord(record)!;
        expect(explanation.reason.code).toBe(decision.reason);
        const early = decision.boundary === null || decision.reason === 'obligations_conflict';
        expect(explanation.consistent).toBe(early ? null : true);
        if (early) return;
        compared++;
        expect(explanation.recomputed!.effect).toBe(decision.effect);
        const decided = explanation.rules.filter((rule) => rule.decided);
        expect(decided.map(id).sort()).toEqual(decision.rules.map(id).sort());
      }),
      { numRuns: RUNS },
    );
    expect(compared).toBeGreaterThan(RUNS / 4);
  });

  it('that does not follow from its outcomes is told', () => {
    const outcomes = {
      kind: 'decision',
      rules: [{ policy: 'p', version: 1, rule: 'r', effect: 'deny', outcome: 'true' }],
      boundary: 'true',
      default: { effect: 'deny', met: false },
    };
    expect(explainRecord({ ...outcomes, effect: 'allow', reason: 'allowed' })).toMatchObject({
      recomputed: { effect: 'deny', reason: 'denied_by_rule' },
      consistent: false,
    });
    expect(explainRecord({ ...outcomes, effect: 'allow', reason: 'denied_by_rule' })).toMatchObject({
      consistent: false,
    });
    expect(explainRecord({ ...outcomes, effect: 'deny', reason: 'rule_in_error' })).toMatchObject({
      consistent: false,
    });
    expect(explainRecord({ ...outcomes, effect: 'deny', reason: 'denied_by_rule' })).toMatchObject({
      consistent: true,
    });
  });

  it.each([
    ['nothing', {}],
    ['a listing', { kind: 'listing', items: [] }],
    ['a reason that is not known', { kind: 'decision', effect: 'deny', reason: 'constructor', rules: [] }],
    ['no object', null],
  ])('is none where there is %s', (_name, record) => {
    expect(explainRecord(record)).toBeUndefined();
  });
});
