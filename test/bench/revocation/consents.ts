import pg from 'pg';
import type { Cookies } from '../../support/browser.js';
import { startIdentityProvider } from '../../support/identity-provider.js';
import { agreedTo, askingCompany, newHost, OF_ONE_HOST, questionOf } from '../consents/agreed.js';
import { conclude } from '../report.js';
import { startCluster, type Cluster } from './cluster.js';
import { commonBars, printPhases, threePhases, tryVariants, type Holder, type MakeHolders } from './phases.js';
import { allowsOnRevokedConsents, CONSENT_VARIANTS } from './variants.js';

/** What people have agreed to, and take back. */
export async function revokeConsents(replicas: number): Promise<boolean> {
  const cluster = await startCluster(replicas);
  const idp = await startIdentityProvider();
  const database = new pg.Client(cluster.databaseUrl);
  await database.connect();
  try {
    const boss = await askingCompany(cluster, idp, 'until: 8h');
    const holders: MakeHolders = (_cluster, count) => holdersOf(cluster, database, boss, count);
    const phases = await threePhases(cluster, holders);
    const afterwards = await allowsOnRevokedConsents(cluster.databaseUrl);
    const caught = await tryVariants(cluster, CONSENT_VARIANTS, holders, allowsOnRevokedConsents);
    printPhases(phases, caught);
    const figures = { phases: phases.map(({ ends: _each, ...row }) => row), afterwards, variants: caught };
    return conclude('revocation --mode consents', figures, commonBars(phases, afterwards, caught));
  } finally {
    await database.end();
    await cluster.stop();
    await idp.close();
  }
}

let numbered = 0;

/** People on whose behalf something may be read until somebody takes back that they agreed. */
async function holdersOf(cluster: Cluster, database: pg.Client, boss: Cookies, count: number): Promise<Holder[]> {
  const holders: Holder[] = [];
  while (holders.length < count) {
    const key = await newHost(cluster, `desk${numbered}`);
    const some = Math.min(OF_ONE_HOST, count - holders.length);
    for (let at = 0; at < some; at++) holders.push(await holderOf(cluster, database, boss, key, `p${numbered++}`));
  }
  return holders;
}

async function holderOf(
  { replicas }: Cluster,
  database: pg.Client,
  boss: Cookies,
  key: string,
  name: string,
): Promise<Holder> {
  const request = await agreedTo(replicas[0]!.url, boss, key, name, { for: 'until', seconds: 8 * 3600 });
  const { subject, tool } = questionOf(name);
  return {
    who: name,
    key,
    subject,
    body: { tool },
    async revoke() {
      const { rows } = await database.query<{ ended: number }>(
        `select r.ended::integer as ended from placet.tenant t, placet.revoke_consents(t.id, 'system:bench',
           '{"epoch":0,"keys":[]}', 'system:bench', $1, null) r where t.name = 'default'`,
        [{ request }],
      );
      if (rows[0]?.ended !== 1) throw new Error(`of ${request} ${rows[0]?.ended} consents were live`);
    },
  };
}
