import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, conclude } from '../report.js';
import { startCluster, type Cluster } from './cluster.js';
import { History } from './history.js';
import {
  CALLERS,
  commonBars,
  decide,
  printPhases,
  replicaOf,
  threePhases,
  tryVariants,
  type Holder,
} from './phases.js';
import { allowsAfterTheirRevocation, VARIANTS } from './variants.js';

/** Rights that are granted by bindings and by keys, and taken away. */
export async function revokeGrants(replicas: number): Promise<boolean> {
  const cluster = await startCluster(replicas);
  try {
    await cluster.administer('POST', '/api/v1/documents/apply', { files: [{ path: 'bench.yaml', text: COMPANY }] });
    const phases = await threePhases(cluster, holders);
    const afterwards = await allowsAfterTheirRevocation(cluster.databaseUrl);
    const pace = await paceUnderRevocations(cluster, 200);
    const caught = await tryVariants(cluster, VARIANTS, holders);
    printPhases(phases, caught);
    return conclude(
      'revocation',
      { phases: phases.map(({ ends: _each, ...row }) => row), afterwards, pace, variants: caught },
      [
        ...commonBars(phases, afterwards, caught),
        atLeast('decisions with 200 revocations a second / without', pace.ratio, 0.5),
      ],
    );
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
        return { who: name, subject: { type: 'user', id: name }, key: shared.key, revoke };
      }
      const { id, key } = await newKey(cluster);
      const subject = { type: 'user', id: someone };
      return { who: id, subject, key, revoke: () => cluster.administer('DELETE', `/api/v1/keys/${id}`) };
    }),
  );
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
        while (performance.now() < until) await decide(replicaOf(cluster, caller), holder!, history);
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
