import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { PolicySet } from '#policy';
import { call, compare, documents } from '#policy/testing';

/** What a worker has seen. */
export interface Agreed {
  cases: number;
  allow: number;
  deny: number;
  ask: number;
  /** Cases in which some rule was not false. */
  withRules: number;
  /** The smallest case found in which the two differ. */
  failure?: string;
}

/** Requests of one random tenant: to make the tenant takes longer than to decide. */
const CALLS = 25;

const { seed, cases } = workerData as { seed: number; cases: number };
const agreed: Agreed = { cases: 0, allow: 0, deny: 0, ask: 0, withRules: 0 };
const kept = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 });
const calls = fc.array(fc.tuple(call, kept), { minLength: CALLS, maxLength: CALLS });
const property = fc.property(documents, calls, (all, asked) => {
  const set = PolicySet.of(all.map((document) => ({ document, version: 1 })));
  for (const [input, agreements] of asked) {
    const comparison = compare(all, set, input, agreements);
    if (!('decision' in comparison)) throw new Error(JSON.stringify({ input, agreements, ...comparison }, null, 2));
    agreed.cases++;
    agreed[comparison.decision.effect]++;
    if (comparison.decision.outcomes.rules.length > 0) agreed.withRules++;
  }
});
const result = fc.check(property, { seed, numRuns: Math.ceil(cases / CALLS) });
if (result.failed) agreed.failure = fc.defaultReportMessage(result) ?? 'failed';
parentPort!.postMessage(agreed);
