import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { installPeers } from '../peers.js';
import { atLeast, atMost, conclude, printTable, type Bar } from '../report.js';
import { median, quantile } from '../stats.js';
import { cerbosAllows, cerbosRequest, startCerbos } from './cerbos.js';
import { load, type LoadResult } from './load.js';
import { placetAllows, placetDocuments, placetRequest, startPlacet } from './placet.js';
import { asks, expected, type Ask } from './rules.js';

const CONNECTIONS = 64;
const SECONDS = 5;
const ROUNDS = 5;

/** Decisions a second over HTTP, against Cerbos with the same rules and a bare Node server, on cores that also run the load. */
export async function service(): Promise<boolean> {
  installPeers();
  const results = [];
  for (const policies of [1000, 40_000]) results.push(await compare(policies));
  return conclude(
    'service',
    { connections: CONNECTIONS, seconds: SECONDS, rounds: ROUNDS, results },
    results.flatMap(({ bars }) => bars),
  );
}

async function compare(
  policies: number,
): Promise<{ policies: number; savedInMs: number; rows: object[]; bars: Bar[] }> {
  const questions = asks(policies);
  const placet = await startPlacet(placetDocuments(policies));
  const cerbos = await startCerbos(policies);
  const floor = new Worker(new URL('./floor.js', import.meta.url));
  try {
    const [floorPort] = (await once(floor, 'message')) as [number];
    const placetRequests = questions.map((ask) => placetRequest(ask, placet.key));
    const cerbosRequests = questions.map(cerbosRequest);
    await agree('placet', placet.port, placetRequests, questions, placetAllows);
    await agree('cerbos', cerbos.port, cerbosRequests, questions, cerbosAllows);

    const contenders = [
      { name: 'placet', port: placet.port, requests: placetRequests },
      { name: 'cerbos', port: cerbos.port, requests: cerbosRequests },
      { name: 'bare node:http', port: floorPort, requests: placetRequests },
    ];
    const run = (at: number, more: { rate?: number } = {}) =>
      load({ ...contenders[at]!, connections: CONNECTIONS, seconds: SECONDS, ...more });
    for (const at of [0, 1, 2]) await run(at);
    const rounds: LoadResult[][] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push([await run(0), await run(1), await run(2)]);
    const ratios = (over: number) => median(rounds.map((round) => round[0]!.perSecond / round[over]!.perSecond));
    const rows = contenders.map(({ name }, at) =>
      summary(
        name,
        rounds.map((round) => round[at]!),
      ),
    );

    const rate = rows[1]!.perSecond;
    const atTheirMaximum: LoadResult[] = [];
    for (let round = 0; round < ROUNDS; round++) atTheirMaximum.push(await run(0, { rate }));
    rows.push(summary(`placet at ${Math.round(rate)}/s`, atTheirMaximum));
    console.log(`${policies} policies (saved in ${(placet.savedInMs / 1000).toFixed(1)} s)`);
    printTable(
      ['', 'per second', 'p50 ms', 'p99 ms', 'failures'],
      rows.map((row) => [row.name, Math.round(row.perSecond), row.p50, row.p99, row.failures]),
    );
    return {
      policies,
      savedInMs: placet.savedInMs,
      rows,
      bars: [
        atLeast(`${policies} policies: placet / cerbos`, ratios(1), 2),
        atLeast(`${policies} policies: placet / bare node:http`, ratios(2), 1 / 3),
        atMost(`${policies} policies: placet p99 / cerbos p50, at cerbos's maximum`, rows[3]!.p99 / rows[1]!.p50, 1),
        atMost(
          `${policies} policies: failures`,
          rows.reduce((sum, row) => sum + row.failures, 0),
          0,
        ),
      ],
    };
  } finally {
    await floor.terminate();
    await Promise.all([placet.stop(), cerbos.stop()]);
  }
}

function summary(name: string, results: readonly LoadResult[]) {
  return {
    name,
    perSecond: median(results.map(({ perSecond }) => perSecond)),
    p50: median(results.map(({ latencies }) => quantile(latencies, 0.5))),
    p99: median(results.map(({ latencies }) => quantile(latencies, 0.99))),
    failures: results.reduce((sum, { failures }) => sum + failures, 0),
  };
}

/** Before times count, the answers must be right. */
async function agree<T>(
  name: string,
  port: number,
  requests: readonly Buffer[],
  questions: readonly Ask[],
  allows: (body: T) => boolean,
): Promise<void> {
  for (const [at, request] of requests.slice(0, 60).entries()) {
    const [head, body] = request.toString().split('\r\n\r\n') as [string, string];
    const [first, ...headers] = head.split('\r\n');
    const response = await fetch(`http://127.0.0.1:${port}${first!.split(' ')[1]}`, {
      method: 'POST',
      headers: Object.fromEntries(
        headers
          .map((header) => header.split(': ') as [string, string])
          .filter(([key]) => !/^(host|content-length)$/i.test(key)),
      ),
      body,
    });
    if (allows((await response.json()) as T) !== expected(questions[at]!))
      throw new Error(`${name} answers question ${at} wrongly`);
  }
}
