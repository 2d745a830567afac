import { crowds, decide, MAX_CANDIDATES, type PolicySet } from '#policy';
import { installPeers } from '../peers.js';
import { atLeast, atMost, conclude, exactly, printTable } from '../report.js';
import { median, quantile, timeEach } from '../stats.js';
import { casbin, cedar } from './peers.js';
import { compiled, plain, skewed, wild, type Workload } from './workload.js';

const SIZES = [100, 1_000, 10_000, 100_000];
const ROUNDS = 9;
const NOW = Date.parse('2026-11-20T12:00:00Z');

interface Row {
  readonly rules: number;
  readonly compileMs: number;
  readonly heapMb: number;
  readonly p50: number;
  readonly p99: number;
}

/** Time per decision as the number of rules grows, and against peers on the same rules in the same process. */
export async function engine(): Promise<boolean> {
  installPeers();
  const sets = SIZES.map((rules) => ({ rules, ...prepare(rules) }));
  // Rounds go over all sizes in turn, so that a noisy moment of the machine meets all of them.
  const rounds = Array.from({ length: ROUNDS }, () => sets.map(({ set, workload }) => measure(set, workload)));
  const rows = sets.map(({ rules, compileMs, heapMb }, at): Row => ({
    rules,
    compileMs,
    heapMb,
    p50: median(rounds.map((round) => round[at]!.p50)),
    p99: median(rounds.map((round) => round[at]!.p99)),
  }));
  printTable(
    ['rules', 'compile ms', 'heap MB', 'p50 us', 'p99 us'],
    rows.map((row) => [String(row.rules), row.compileMs, row.heapMb, row.p50, row.p99]),
  );

  const worst = [100, 1_000, MAX_CANDIDATES].map((rules) => {
    const { set, workload } = prepare(rules, wild);
    return { rules, ...measure(set, { ...workload, requests: workload.requests.slice(0, 200) }) };
  });
  printTable(
    ['all wildcards', 'p50 us', 'p99 us'],
    worst.map((row) => [String(row.rules), row.p50, row.p99]),
  );

  const peers = await againstPeers(10_000);
  printTable(
    ['10,000 plain rules', 'p50 us', 'times ours'],
    peers.map(({ name, p50 }) => [name, p50, p50 / peers[0]!.p50]),
  );

  const growth = rows.at(-1)!.p99 / rows[0]!.p99;
  const slowest = (name: string) => peers.find((peer) => peer.name === name)!.p50 / peers[0]!.p50;
  return conclude('engine', { rows, worst, peers }, [
    atMost('p99 at 100,000 rules / p99 at 100', growth, 2),
    atLeast('cedar-wasm / placet at 10,000 rules', slowest('cedar-wasm'), 100),
    atLeast('casbin / placet at 10,000 rules', slowest('casbin'), 100),
    atMost('heap MB at 100,000 rules', rows.at(-1)!.heapMb, 500),
    exactly('all wildcards: refused at publish with one rule more', isRefused(MAX_CANDIDATES + 1) ? 1 : 0, 1),
    exactly('all wildcards: refused at publish', isRefused(MAX_CANDIDATES) ? 1 : 0, 0),
  ]);
}

/** Whether the last policy of so many wild rules would be refused. */
function isRefused(rules: number): boolean {
  const workload = wild(rules);
  const last = workload.documents.at(-1)!;
  const found = [...crowds(compiled(workload), new Set([(last as { name: string }).name]))];
  return found.some((crowd) => crowd !== undefined);
}

function prepare(
  rules: number,
  make = skewed,
): { workload: Workload; set: PolicySet; compileMs: number; heapMb: number } {
  const workload = make(rules);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const began = performance.now();
  const set = compiled(workload);
  const compileMs = performance.now() - began;
  globalThis.gc?.();
  const heapMb = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  measure(set, workload);
  return { workload, set, compileMs, heapMb };
}

function measure(set: PolicySet, { requests }: Workload): { p50: number; p99: number } {
  const samples = timeEach(requests.length * 3, (index) => decide(set, requests[index % requests.length]!, [], NOW));
  return { p50: quantile(samples, 0.5), p99: quantile(samples, 0.99) };
}

/** Each engine on the same rules; the answers must agree before the times count. */
async function againstPeers(rules: number): Promise<{ name: string; p50: number }[]> {
  const workload = plain(rules);
  const set = compiled(workload);
  const ours = (index: number) =>
    decide(set, workload.requests[index % workload.requests.length]!, [], NOW).effect === 'allow';
  const engines = [
    { name: 'placet', call: ours, calls: 4000 },
    { name: 'cedar-wasm', call: cedar(rules), calls: 60 },
    { name: 'casbin', call: await casbin(rules), calls: 60 },
  ];
  for (let index = 0; index < 40; index++) {
    const answers = new Set(engines.map(({ call }) => call(index)));
    if (answers.size !== 1) throw new Error(`the engines disagree on request ${index}`);
  }
  const rounds = Array.from({ length: 3 }, () => engines.map(({ call, calls }) => median(timeEach(calls, call))));
  return engines.map(({ name }, at) => ({ name, p50: median(rounds.map((round) => round[at]!)) }));
}
