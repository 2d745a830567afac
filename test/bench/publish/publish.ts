import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyDocument } from '#policy';
import { skewed } from '../engine/workload.js';
import { atMost, conclude, exactly, printTable } from '../report.js';
import { load, postRequest, type LoadResult } from '../service/load.js';
import { startPlacet, type RunningPlacet } from '../service/placet.js';
import { median, quantile } from '../stats.js';

const RULES = 100_000;
const SECONDS = 8;
const ROUNDS = 3;
/** Decisions a second, on schedule: few, so that a pause is seen as such and not as a queue. */
const RATE = 250;
const PAUSE_MS = 100;

/** Publishing one document among many while decisions go on: how long the call takes, and what answers feel of it. */
export async function publish(): Promise<boolean> {
  const { documents } = skewed(RULES);
  const policies = documents.filter((document) => document.kind === 'Policy');
  const placet = await startPlacet(documents);
  try {
    const requests = policies.slice(0, 500).map((policy) => question(policy, placet.key));
    const decisions = () => load({ port: placet.port, requests, connections: 16, seconds: SECONDS, rate: RATE });
    await decisions();
    await publishing(placet, policies, decisions());

    const undisturbed: LoadResult[] = [];
    const disturbed: LoadResult[] = [];
    const calls: number[] = [];
    let overtaken = 0;
    for (let round = 0; round < ROUNDS; round++) {
      undisturbed.push(await decisions());
      const seen = await publishing(placet, policies, decisions());
      disturbed.push(seen.decisions);
      calls.push(...seen.calls);
      overtaken += seen.old;
    }
    const rows = [
      { name: 'undisturbed', ...answers(undisturbed) },
      { name: 'while publishing', ...answers(disturbed) },
    ];
    printTable(
      [`decisions, ${RATE}/s, ${RULES} rules`, 'p50 ms', 'p99 ms', 'worst ms', 'failures'],
      rows.map((row) => [row.name, row.p50, row.p99, row.worst, row.failures]),
    );
    const publishes = {
      count: calls.length,
      p50: median(calls),
      p99: quantile(calls, 0.99),
      worst: Math.max(...calls),
    };
    printTable(
      ['publishing one document', 'p50 ms', 'p99 ms', 'worst ms'],
      [[`${publishes.count} times`, publishes.p50, publishes.p99, publishes.worst]],
    );
    return conclude('publish', { rules: RULES, rate: RATE, rows, publishes }, [
      atMost('p99 ms of publishing one document', publishes.p99, 200),
      atMost('p99 ms that publishing adds to an answer', rows[1]!.p99 - rows[0]!.p99, 20),
      exactly('answers by the old document, asked for after the call', overtaken, 0),
      exactly('failures', rows[0]!.failures + rows[1]!.failures, 0),
    ]);
  } finally {
    await placet.stop();
  }
}

function answers(results: readonly LoadResult[]) {
  const of = (share: number) => median(results.map(({ latencies }) => quantile(latencies, share)));
  return {
    p50: of(0.5),
    p99: of(0.99),
    worst: Math.max(...results.map(({ latencies }) => quantile(latencies, 1))),
    failures: results.reduce((sum, { failures }) => sum + failures, 0),
  };
}

interface Publishing {
  readonly decisions: LoadResult;
  /** How long each call took, in ms. */
  readonly calls: readonly number[];
  /** Answers that did not know of what was published before they were asked for. */
  readonly old: number;
}

/** Publishes one document after the other until the decisions that go on meanwhile are through. */
async function publishing(
  placet: RunningPlacet,
  policies: readonly PolicyDocument[],
  decisions: Promise<LoadResult>,
): Promise<Publishing> {
  let goesOn = true;
  const done = decisions.finally(() => (goesOn = false));
  const calls: number[] = [];
  let old = 0;
  for (let at = 0; goesOn; at = (at + 7919) % policies.length) {
    const policy = policies[at]!;
    const description = `changed ${calls.length}`;
    const path = `/api/v1/documents/Policy/${policy.name}`;
    const { version } = (await exchange(placet, 'GET', path)) as { version: number };
    const began = performance.now();
    const { revision } = (await exchange(placet, 'PUT', path, { ...policy, description }, version)) as Revision;
    calls.push(performance.now() - began);
    const answer = (await ask(placet, question(policy, placet.key))) as Revision;
    if (answer.revision < revision) old++;
    await sleep(PAUSE_MS);
  }
  return { decisions: await done, calls, old };
}

type PolicyDocument = Extract<AnyDocument, { kind: 'Policy' }>;

interface Revision {
  readonly revision: number;
}

async function exchange(
  { port, owner }: RunningPlacet,
  method: string,
  path: string,
  body?: object,
  version?: number,
): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${owner}`,
      'Content-Type': 'application/json',
      ...(version === undefined ? {} : { 'If-Match': `"${version}"` }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

async function ask({ port, key }: RunningPlacet, request: Buffer): Promise<unknown> {
  const body = request.toString().split('\r\n\r\n')[1]!;
  const response = await fetch(`http://127.0.0.1:${port}/mcp/v1/decisions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body,
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

function question({ target }: PolicyDocument, key: string): Buffer {
  const [name] = target.resources as [string];
  return postRequest(
    '/mcp/v1/decisions',
    {
      subject: { type: 'user', id: 'u1' },
      server: target.servers![0],
      direction: 'client_to_server',
      message: {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: name.replace('*', 'tool'), arguments: { region: 'r1', amount: 7 } },
      },
    },
    { Authorization: `Bearer ${key}` },
  );
}
