import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, atMost, conclude, exactly, printTable } from '../report.js';
import { quantile } from '../stats.js';
import { startCluster, type Cluster } from './cluster.js';
import { History } from './history.js';
import { allowsAfterTheirRevocation, plant, VARIANTS } from './variants.js';

const REPLICAS = 3;
const CALLERS = 24;

/** Is a revocation true when its call returns, on every replica, whatever befalls them? */
export async function revocation(): Promise<boolean> {
  const cluster = await startCluster(REPLICAS);
  try {
    await cluster.administer('POST', '/api/v1/documents/apply', { files: [{ path: 'bench.yaml', text: COMPANY }] });
    const plain = await phase(cluster, 'under load', 500, async () => undefined);
    const frozen = await phase(cluster, 'one replica frozen for 3 s', 250, () => freeze(cluster));
    const cut = await phase(cluster, 'one replica cut off from Postgres', 250, () => cutOff(cluster));
    const afterwards = await allowsAfterTheirRevocation(cluster.databaseUrl);
    const pace = await paceUnderRevocations(cluster, 200);
    const caught = await tryVariants(cluster);

    const phases = [plain, frozen, cut];
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
      caught.map((row) => [row.name, row.inLedger, row.byCallers, row.inLedger + row.byCallers > 0 ? 'yes' : 'NO']),
    );
    return conclude('revocation', { phases, afterwards, pace, variants: caught }, [
      exactly(
        'revocations',
        phases.reduce((sum, row) => sum + row.revocations, 0),
        1000,
      ),
      exactly(
        'allows that were asked for after the call returned',
        phases.reduce((sum, row) => sum + row.violations, 0),
        0,
      ),
      exactly('allows in the ledger after their revocation', afterwards, 0),
      atMost('p99 of the revoking call under load, ms', plain.p99, 100),
      atLeast('decisions with 200 revocations a second / without', pace.ratio, 0.5),
      exactly(
        'planted variants caught',
        caught.filter((row) => row.inLedger + row.byCallers > 0).length,
        VARIANTS.length,
      ),
    ]);
  } finally {
    await cluster.stop();
  }
}

const COMPANY = `
kind: Tenant
name: default
defaults: { effect: deny, hostScope: {} }
---
kind: Role
name: reader
---
kind: Server
name: files
---
kind: Host
name: desk
---
kind: Policy
name: reading
target: { servers: [files], actions: [tools/call], resources: ["*"] }
rules: [{ name: readers, effect: allow, to: [role:reader] }]
`;

/** Somebody whose right will be taken away: a person by a binding, or a host's key. */
interface Holder {
  readonly who: string;
  readonly person: string;
  readonly key: string;
  revoke(): Promise<void>;
}

async function newKey(cluster: Cluster): Promise<{ id: string; key: string }> {
  return cluster.administer('POST', '/api/v1/keys', { host: 'desk', rights: { subjects: ['user:*'] } });
}

let numbered = 0;

async function holders(cluster: Cluster, count: number): Promise<Holder[]> {
  const shared = await newKey(cluster);
  const names = Array.from({ length: count + 1 }, () => `p${numbered++}`);
  const text = names
    .map((name) => `kind: Binding\nname: ${name}\nsubjects: ["user:${name}"]\nroles: [reader]\n`)
    .join('---\n');
  await cluster.administer('POST', '/api/v1/documents/apply', { files: [{ path: 'people.yaml', text }] });
  const someone = names.pop()!;
  return Promise.all(
    names.map(async (name, at): Promise<Holder> => {
      if (at % 2 === 0) {
        const revoke = () =>
          cluster.administer<void>('DELETE', `/api/v1/documents/Binding/${name}`, undefined, { 'If-Match': '"1"' });
        return { who: name, person: name, key: shared.key, revoke };
      }
      const { id, key } = await newKey(cluster);
      return { who: id, person: someone, key, revoke: () => cluster.administer('DELETE', `/api/v1/keys/${id}`) };
    }),
  );
}

interface Phase {
  readonly name: string;
  readonly revocations: number;
  readonly decisions: number;
  readonly allows: number;
  readonly askedAfterwards: number;
  readonly violations: number;
  readonly p50: number;
  readonly p99: number;
}

/** Takes rights away one after the other while everybody asks, mostly about those that have just lost theirs. */
async function phase(cluster: Cluster, name: string, count: number, disturb: () => Promise<unknown>): Promise<Phase> {
  console.log(`${name} ...`);
  const all = await holders(cluster, count);
  const history = new History();
  const latencies: number[] = [];
  let at = 0;
  let over = false;
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    while (!over) {
      const nearby = Math.min(all.length - 1, Math.max(0, at - 4 + Math.floor(Math.random() * 8)));
      await decide(cluster.replicas[caller % REPLICAS]!.url, all[nearby]!, history);
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
  };
}

async function decide(
  url: string,
  { who, person, key }: Pick<Holder, 'who' | 'person' | 'key'>,
  history: History,
): Promise<void> {
  const sentAt = performance.now();
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
  const allowed = await fetch(`${url}/mcp/v1/decisions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'user', id: person },
      server: 'files',
      direction: 'client_to_server',
      message,
    }),
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

/** How many decisions are made about others while rights are taken away and given back at a rate. */
async function paceUnderRevocations(
  cluster: Cluster,
  perSecond: number,
): Promise<{ undisturbed: number; disturbed: number; revocations: number; ratio: number }> {
  const [holder] = await holders(cluster, 1);
  const many = await holders(cluster, perSecond * 8);
  const decisionsPerSecond = async (seconds: number): Promise<number> => {
    const history = new History();
    const until = performance.now() + seconds * 1000;
    await Promise.all(
      Array.from({ length: CALLERS }, async (_, caller) => {
        while (performance.now() < until) await decide(cluster.replicas[caller % REPLICAS]!.url, holder!, history);
      }),
    );
    return history.allows / seconds;
  };
  await decisionsPerSecond(1);
  const undisturbed = await decisionsPerSecond(5);
  let over = false;
  let revocations = 0;
  const began = performance.now();
  const revoking = Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let next = many.pop(); next && !over; next = many.pop()) {
        const due = began + (revocations++ * 1000) / perSecond;
        await sleep(Math.max(0, due - performance.now()));
        await next.revoke();
      }
    }),
  );
  const disturbed = await decisionsPerSecond(5);
  const seconds = (performance.now() - began) / 1000;
  over = true;
  await revoking;
  return { undisturbed, disturbed, revocations: revocations / seconds, ratio: disturbed / undisturbed };
}

/** The same load on a fence with a mistake in it: the ledger or the callers must show it. */
async function tryVariants(cluster: Cluster): Promise<{ name: string; inLedger: number; byCallers: number }[]> {
  const results = [];
  for (const variant of VARIANTS) {
    const before = await allowsAfterTheirRevocation(cluster.databaseUrl);
    const undo = await plant(cluster.databaseUrl, variant);
    const { violations } = await phase(cluster, variant.name, 200, async () => undefined);
    await undo();
    results.push({
      name: variant.name,
      inLedger: (await allowsAfterTheirRevocation(cluster.databaseUrl)) - before,
      byCallers: violations,
    });
  }
  return results;
}
