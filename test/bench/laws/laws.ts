import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { atLeast, conclude, exactly, printTable } from '../report.js';
import type { Agreed } from './agree.js';

const CASES = 1_000_000;
/** Two at a time: the machine of the figures has two cores. */
const WORKERS = 2;

/** A million random requests of random tenants, each decided by the engine and by the reference interpreter. */
export async function laws(): Promise<boolean> {
  const seed = Date.now() & 0x7fffffff;
  const began = performance.now();
  const results = await Promise.all(
    Array.from({ length: WORKERS }, async (_, at) => {
      const workerData = { seed: seed + at, cases: CASES / WORKERS };
      const worker = new Worker(new URL('./agree.js', import.meta.url), { workerData });
      return ((await once(worker, 'message')) as [Agreed])[0];
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const { failure } of results) if (failure !== undefined) console.log(failure);

  const total = (of: keyof Omit<Agreed, 'failure'>) => results.reduce((sum, result) => sum + result[of], 0);
  const figures = {
    seed,
    seconds,
    cases: total('cases'),
    allow: total('allow'),
    deny: total('deny'),
    ask: total('ask'),
    withRules: total('withRules'),
  };
  printTable(
    ['cases', 'allow', 'deny', 'ask', 'with rules that are not false', 'seconds'],
    [[...[figures.cases, figures.allow, figures.deny, figures.ask, figures.withRules].map(String), seconds]],
  );
  return conclude('laws', figures, [
    exactly('workers with a disagreement', results.filter(({ failure }) => failure !== undefined).length, 0),
    atLeast('cases', figures.cases, CASES),
    // Or the million would say little.
    atLeast('share of the rarest effect', Math.min(figures.allow, figures.deny, figures.ask) / figures.cases, 0.01),
  ]);
}
