import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pg from 'pg';
import { startEmbeddedPostgres } from '#embedded-postgres';
import { documentName, type AnyDocument } from '#policy';
import { Snapshots } from '#snapshot';
import { commitChange, ensureTenant, prepareDatabase, Store } from '#store';
import { skewed } from '../engine/workload.js';
import { atMost, conclude, printTable } from '../report.js';
import { median, quantile } from '../stats.js';

const LARGE = { tenants: 20, policies: 1000, rounds: 5 };
const SMALL = { tenants: 200, policies: 20 };
const COLD_MS = 1000;

/** Tenants that nobody has used for long: how long the next call waits for one, and what one costs that is in memory. */
export async function tenants(): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'placet-bench-'));
  const postgres = await startEmbeddedPostgres({ directory, volatile: true });
  try {
    return await measured({ url: postgres.url });
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measured(address: { readonly url: string }): Promise<boolean> {
  const store = await Store.open(await prepareDatabase(address));
  try {
    const large = await copies(address, store, LARGE);
    const small = await copies(address, store, SMALL);

    const loads: number[] = [];
    for (let round = 0; round < LARGE.rounds; round++) {
      const snapshots = new Snapshots(store);
      for (const tenant of large) {
        const began = performance.now();
        await snapshots.of(tenant);
        loads.push(performance.now() - began);
      }
    }
    const cold = { count: loads.length, p50: median(loads), p99: quantile(loads, 0.99), worst: Math.max(...loads) };
    printTable(
      [`loading a tenant of ${LARGE.policies} policies`, 'p50 ms', 'p99 ms', 'worst ms'],
      [[`${cold.count} times`, cold.p50, cold.p99, cold.worst]],
    );

    const snapshots = new Snapshots(store, undefined, { idleMs: 0, home: undefined });
    const empty = heapKiB();
    for (const tenant of small) await snapshots.of(tenant);
    const loaded = heapKiB();
    snapshots.sweep();
    const evicted = heapKiB();
    const memory = { held: (loaded - empty) / SMALL.tenants, evicted: (evicted - empty) / SMALL.tenants };
    printTable(
      [`memory of each of ${SMALL.tenants} idle tenants, ${SMALL.policies} policies`, 'KiB'],
      [
        ['in memory', memory.held],
        ['given up', memory.evicted],
      ],
    );
    return conclude('tenants', { large: LARGE, small: SMALL, cold, memory }, [
      atMost(`p99 ms of loading a tenant of ${LARGE.policies} policies`, cold.p99, COLD_MS),
      atMost('KiB that a tenant leaves behind that was given up', memory.evicted, 10),
    ]);
  } finally {
    await store.close();
  }
}

/** Tenants with the same documents: one is made as tenants are made, the others are copies of its rows. */
async function copies(
  address: { readonly url: string },
  store: Store,
  { tenants: count, policies }: { readonly tenants: number; readonly policies: number },
): Promise<string[]> {
  const documents = skewed(policies * 10).documents;
  const first = await ensureTenant(address, `first-of-${policies}`);
  for (let at = 0; at < documents.length; at += 500) {
    const { outcome } = await commitChange(store, {
      tenant: first,
      principal: 'system:bench',
      keys: ['*'],
      operations: documents.slice(at, at + 500).map((document: AnyDocument) => ({
        op: 'put_document',
        kind: document.kind,
        name: documentName(document),
        body: document,
      })),
    });
    if (outcome !== 'committed') throw new Error(outcome);
  }
  const ids = Array.from({ length: count - 1 }, () => randomUUID());
  const client = new pg.Client(address.url);
  await client.connect();
  // Without triggers: what they would count and guard does not matter here.
  await client.query('set session_replication_role = replica');
  for (const id of ids) {
    await client.query('insert into placet.tenant (id, name) values ($1, $2)', [id, `copy-${id}`]);
    await client.query(
      'insert into placet.tenant_state (tenant, revision, epoch) select $1, revision, epoch from placet.tenant_state where tenant = $2',
      [id, first],
    );
    await client.query(
      `insert into placet.document (tenant, kind, name, version, revision, body)
       select $1, kind, name, version, revision, body from placet.document where tenant = $2`,
      [id, first],
    );
  }
  await client.query('analyze placet.document');
  await client.end();
  return [first, ...ids];
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapKiB(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed / 1024;
}
