import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, exactly, printTable, type Bar } from '../report.js';
import { quantile } from '../stats.js';
import type { Cluster } from './cluster.js';
import { History } from './history.js';
import { allowsAfterTheirRevocation, plant, type Variant } from './variants.js';

export const CALLERS = 24;

/** Somebody whose right will be taken away: what decisions are asked with, and the call that ends it. */
export interface Holder {
  /** Whose right it is, once only. */
  readonly who: string;
  /** How it ends, where there are several ways. */
  readonly way?: string;
  /** The credential of the host that asks. */
  readonly key: string;
  /** As a host sends it: by name, or with a token. */
  readonly subject: object;
  /** Further members of the question. */
  readonly body?: object;
  /** From where it is asked for; left out: from here. Who fails often at one address must not stand in the way of others. */
  readonly address?: string;
  revoke(): Promise<void>;
}

/** Makes holders with rights that all replicas know of. */
export type MakeHolders = (cluster: Cluster, count: number) => Promise<readonly Holder[]>;

interface End {
  readonly way: string;
  readonly ms: number;
  readonly allows: number;
  readonly askedAfterwards: number;
}

/** What came of a phase. Times in ms. */
export interface Phase {
  readonly name: string;
  readonly revocations: number;
  readonly decisions: number;
  readonly allows: number;
  readonly askedAfterwards: number;
  readonly violations: number;
  readonly p50: number;
  readonly p99: number;
  /** Of each: how it ended, how long the call took, what was allowed and what was asked for after it. */
  readonly ends: readonly End[];
}

/** Takes rights away one after the other while everybody asks, mostly about those that have just lost theirs. */
async function phase(
  cluster: Cluster,
  name: string,
  all: readonly Holder[],
  disturb: () => Promise<unknown> = async () => undefined,
): Promise<Phase> {
  console.log(`${name} ...`);
  const history = new History();
  const latencies: number[] = [];
  let at = 0;
  let over = false;
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    while (!over) {
      const nearby = Math.min(all.length - 1, Math.max(0, at - 4 + Math.floor(Math.random() * 8)));
      await decide(replicaOf(cluster, caller), all[nearby]!, history);
    }
  });
  const disturbed = disturb();
  for (; at < all.length; at++) {
    const began = performance.now();
    await all[at]!.revoke();
    history.revoked(all[at]!.who);
    latencies.push(performance.now() - began);
  }
  await disturbed;
  await sleep(200);
  over = true;
  await Promise.all(callers);
  return {
    name,
    revocations: history.revocations,
    decisions: history.decisions,
    allows: history.allows,
    askedAfterwards: history.askedAfterwards(),
    violations: history.violations(),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    ends: all.map(({ who, way = '' }, index) => ({ way, ms: latencies[index]!, ...history.about(who) })),
  };
}

/** Which replica a caller asks. */
export const replicaOf = ({ replicas }: Cluster, caller: number): string => replicas[caller % replicas.length]!.url;

/** Asks for one decision and notes what came of it: everything but an allow is none. */
export async function decide(
  url: string,
  { who, subject, key, address, body = {} }: Holder,
  history: History,
): Promise<void> {
  const sentAt = performance.now();
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
  const allowed = await fetch(`${url}/mcp/v1/decisions`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      ...(address === undefined ? {} : { 'X-Forwarded-For': address }),
    },
    body: JSON.stringify({ subject, server: 'files', direction: 'client_to_server', message, ...body }),
    signal: AbortSignal.timeout(10_000),
  }).then(
    async (response) => response.ok && ((await response.json()) as { effect: string }).effect === 'allow',
    () => false,
  );
  history.decided(who, sentAt, allowed);
}

async function freeze(cluster: Cluster): Promise<void> {
  const { process: child } = cluster.replicas[1]!;
  await sleep(200);
  child.kill('SIGSTOP');
  await sleep(3000);
  child.kill('SIGCONT');
}

async function cutOff(cluster: Cluster): Promise<void> {
  await sleep(200);
  cluster.proxy.cut(true);
  await sleep(3000);
  cluster.proxy.cut(false);
}

/** The three of 1,000 revocations in all: undisturbed, one replica frozen, one cut off. */
export async function threePhases(cluster: Cluster, holders: MakeHolders): Promise<[Phase, Phase, Phase]> {
  return [
    await phase(cluster, 'under load', await holders(cluster, 500)),
    await phase(cluster, 'one replica frozen for 3 s', await holders(cluster, 250), () => freeze(cluster)),
    await phase(cluster, 'one replica cut off from Postgres', await holders(cluster, 250), () => cutOff(cluster)),
  ];
}

/** What the ledger and the callers have of a planted mistake. */
export interface Caught {
  readonly name: string;
  readonly inLedger: number;
  readonly byCallers: number;
}

const isCaught = ({ inLedger, byCallers }: Caught): boolean => inLedger + byCallers > 0;

/** The same load on a fence with a mistake in it: the ledger or the callers must show it. */
export async function tryVariants(
  cluster: Cluster,
  variants: readonly Variant[],
  holders: MakeHolders,
  late: (databaseUrl: string) => Promise<number> = allowsAfterTheirRevocation,
): Promise<Caught[]> {
  const results = [];
  for (const variant of variants) {
    const all = await holders(cluster, 200);
    const before = await late(cluster.databaseUrl);
    const undo = await plant(cluster.databaseUrl, variant);
    const { violations } = await phase(cluster, variant.name, all);
    await undo();
    const inLedger = (await late(cluster.databaseUrl)) - before;
    results.push({ name: variant.name, inLedger, byCallers: violations });
  }
  return results;
}

/** Prints what came of the phases, and of planted variants. */
export function printPhases(phases: readonly Phase[], caught: readonly Caught[]): void {
  printTable(
    ['', 'revocations', 'decisions', 'asked afterwards', 'allowed afterwards', 'revoke p50 ms', 'revoke p99 ms'],
    phases.map((row) => [
      row.name,
      row.revocations,
      row.decisions,
      row.askedAfterwards,
      row.violations,
      row.p50,
      row.p99,
    ]),
  );
  printTable(
    ['planted variant', 'allows after their revocation, in the ledger', 'seen by callers', 'caught'],
    caught.map((row) => [row.name, row.inLedger, row.byCallers, isCaught(row) ? 'yes' : 'NO']),
  );
}

/** What every mode promises: nothing is allowed that was asked for after the call that ended it had returned. */
export function commonBars(phases: readonly [Phase, ...Phase[]], afterwards: number, caught: readonly Caught[]): Bar[] {
  const sum = (figure: (row: Phase) => number) => phases.reduce((total, row) => total + figure(row), 0);
  return [
    exactly(
      'revocations',
      sum((row) => row.revocations),
      1000,
    ),
    exactly(
      'allows that were asked for after the call returned',
      sum((row) => row.violations),
      0,
    ),
    exactly('allows in the ledger after their revocation', afterwards, 0),
    atMost('p99 of the revoking call under load, ms', phases[0].p99, 100),
    exactly('planted variants caught', caught.filter(isCaught).length, caught.length),
  ];
}
