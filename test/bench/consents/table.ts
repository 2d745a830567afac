import pg from 'pg';
import { startIdentityProvider } from '../../support/identity-provider.js';
import { atMost, conclude, exactly, printTable } from '../report.js';
import { startCluster, type Cluster } from '../revocation/cluster.js';
import { median, quantile } from '../stats.js';
import { agreedTo, askingCompany, newHost, questionOf } from './agreed.js';

const FEW = 10_000;
const AT_A_TIME = 500_000;
/** People on whose behalf decisions are made, and how often for each. */
const PEOPLE = 100;
const TURNS = 20;

/** How long a decision takes that rests on what somebody has agreed to, by how many agreements the table has. */
export async function table(many: number): Promise<boolean> {
  const cluster = await startCluster(1);
  const idp = await startIdentityProvider();
  const database = new pg.Client(cluster.databaseUrl);
  await database.connect();
  // What is filled in refers to nothing that is not there.
  await database.query('set session_replication_role = replica');
  try {
    const boss = await askingCompany(cluster, idp, 'until: 8h');
    const key = await newHost(cluster, 'desk');
    const names = Array.from({ length: PEOPLE }, (_, at) => `p${at}`);
    for (const name of names)
      await agreedTo(cluster.replicas[0]!.url, boss, key, name, { for: 'until', seconds: 8 * 3600 });
    await fill(database, 0, FEW);
    await timed(cluster, key, names);
    const few = await timed(cluster, key, names);
    await fill(database, FEW, many);
    await timed(cluster, key, names);
    const large = await timed(cluster, key, names);
    const rows = [
      { consents: FEW, ...few },
      { consents: many, ...large },
    ];
    printTable(
      ['agreements in the table', 'decisions', 'allows', 'p50 ms', 'p99 ms'],
      rows.map((row) => [row.consents, row.decisions, row.allows, row.p50, row.p99]),
    );
    return conclude('consents', { rows }, [
      exactly(
        'decisions that were no allow',
        rows.reduce((sum, row) => sum + row.decisions - row.allows, 0),
        0,
      ),
      atMost(`p50 with ${many} / with ${FEW}`, large.p50 / few.p50, 1.5),
    ]);
  } finally {
    await database.end();
    await cluster.stop();
    await idp.close();
  }
}

/** Adds agreements of others, to what nobody asks for here, up to a number. */
async function fill(database: pg.Client, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += AT_A_TIME) {
    const end = Math.min(to, at + AT_A_TIME);
    console.log(`agreements ${at} to ${end} ...`);
    await database.query(
      `insert into placet.consent_request (tenant, id, join_key, evaluation, credential, host, agent, subject, action,
         resource_type, resource_id, content, shown, shown_digest, body_digest, status, expires_at)
       select t.id, 'fill' || i, sha256(i::text::bytea), 'e', 'k', 'desk', 'desk', 'user:f' || i, 'tools/call', 'tool', 'read', '{}', '{}',
         '', '', 'approved', now() from placet.tenant t, generate_series($1::integer, $2::integer, 100) i where t.name = 'default'`,
      [at, end - 1],
    );
    await database.query(
      `insert into placet.consent (tenant, id, request, requirement, binding, agreed, expires_at, subject, agent, server)
       select t.id, 'fill' || i, 'fill' || (i - i % 100), 0, sha256(('b' || i)::bytea), '{user:company/boss}',
         now() + interval '8 hours', 'user:f' || (i - i % 100), 'desk', 'files'
       from placet.tenant t, generate_series($1::integer, $2::integer) i where t.name = 'default'`,
      [at, end - 1],
    );
  }
  await database.query('vacuum analyze placet.consent_request, placet.consent');
}

async function timed({ replicas }: Cluster, key: string, names: readonly string[]) {
  const times: number[] = [];
  let allows = 0;
  for (let turn = 0; turn < TURNS; turn++)
    for (const name of names) {
      const began = performance.now();
      const response = await fetch(`${replicas[0]!.url}/mcp/v1/decisions`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(questionOf(name)),
      });
      const { effect } = (await response.json()) as { effect?: string };
      times.push(performance.now() - began);
      if (effect === 'allow') allows++;
    }
  return { decisions: times.length, allows, p50: median(times), p99: quantile(times, 0.99) };
}
