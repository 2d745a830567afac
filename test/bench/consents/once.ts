import pg from 'pg';
import { startIdentityProvider } from '../../support/identity-provider.js';
import { atLeast, conclude, exactly, printTable } from '../report.js';
import { startCluster } from '../revocation/cluster.js';
import { agreedTo, askingCompany, newHost, OF_ONE_HOST, questionOf } from './agreed.js';

const REPLICAS = 3;
const AT_ONCE = 100;

/** An agreement to one call, used by a hundred at once on three replicas: how many are allowed? */
export async function once(rounds: number): Promise<boolean> {
  const cluster = await startCluster(REPLICAS);
  const idp = await startIdentityProvider();
  try {
    const boss = await askingCompany(cluster, idp, 'uses: 1');
    let key = '';
    const outcomes = { allow: 0, ask: 0, deny: 0, none: 0 };
    const wrong: number[] = [];
    for (let round = 0; round < rounds; round++) {
      if (round % OF_ONE_HOST === 0) key = await newHost(cluster, `desk${round}`);
      const name = `p${round}`;
      const id = await agreedTo(cluster.replicas[0]!.url, boss, key, name, { for: 'uses', uses: 1 });
      const body = JSON.stringify({ ...questionOf(name), approval: { id } });
      const effects = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, at) => effectOf(cluster.replicas[at % REPLICAS]!.url, key, body)),
      );
      for (const effect of effects) outcomes[effect]++;
      const allows = effects.filter((effect) => effect === 'allow').length;
      if (allows !== 1) wrong.push(allows);
    }
    const recorded = await mostAllowsOfOne(cluster.databaseUrl);
    printTable(['what came of them', 'times'], Object.entries(outcomes));
    return conclude('consents --mode once', { rounds, atOnce: AT_ONCE, outcomes, wrong, recorded }, [
      exactly('rounds with another number of allows than one', wrong.length, 0),
      exactly('most allows in the ledger on one agreement', recorded, 1),
      atLeast('uses that were tried', outcomes.allow + outcomes.ask + outcomes.deny + outcomes.none, rounds * AT_ONCE),
    ]);
  } finally {
    await cluster.stop();
    await idp.close();
  }
}

async function effectOf(url: string, key: string, body: string): Promise<'allow' | 'ask' | 'deny' | 'none'> {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/mcp/v1/decisions`, { method: 'POST', headers, body }).catch(() => undefined);
  if (!response) return 'none';
  const text = await response.text();
  return response.ok ? (JSON.parse(text) as { effect: 'allow' | 'ask' | 'deny' }).effect : 'none';
}

async function mostAllowsOfOne(databaseUrl: string): Promise<number> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const { rows } = await client.query<{ most: number | null }>(
    `select max(n)::integer as most from (
       select count(*) as n from placet.ledger_record, jsonb_array_elements_text(body::jsonb -> 'consents') id
       where kind = 'decision' and body::jsonb ->> 'effect' = 'allow' and body::jsonb ? 'consents' group by id
     ) each`,
  );
  await client.end();
  return rows[0]!.most ?? 0;
}
