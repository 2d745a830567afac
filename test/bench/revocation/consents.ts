import type { Cookies } from '../../support/browser.js';
import { startIdentityProvider } from '../../support/identity-provider.js';
import { agreedTo, askingCompany, newHost, OF_ONE_HOST, questionOf } from '../consents/agreed.js';
import { conclude } from '../report.js';
import { startCluster, type Cluster } from './cluster.js';
import { commonBars, printPhases, threePhases, tryVariants, type Holder, type MakeHolders } from './phases.js';
import { allowsOnRevokedConsents, CONSENT_VARIANTS } from './variants.js';
import { printWays, summarizeWays, wayBars } from './ways.js';

/** What people have agreed to, and take back. */
export async function revokeConsents(replicas: number): Promise<boolean> {
  const cluster = await startCluster(replicas);
  const idp = await startIdentityProvider();
  try {
    const boss = await askingCompany(cluster, idp, 'until: 8h');
    const holders: MakeHolders = (_cluster, count) => holdersOf(cluster, boss, count);
    const phases = await threePhases(cluster, holders);
    const afterwards = await allowsOnRevokedConsents(cluster.databaseUrl);
    const caught = await tryVariants(cluster, CONSENT_VARIANTS, holders, allowsOnRevokedConsents);
    printPhases(phases, caught);
    const ways = summarizeWays(WAYS, phases);
    printWays(ways);
    const figures = { phases: phases.map(({ ends: _each, ...row }) => row), ways, afterwards, variants: caught };
    return conclude('revocation --mode consents', figures, [
      ...commonBars(phases, afterwards, caught),
      ...wayBars(ways),
    ]);
  } finally {
    await cluster.stop();
    await idp.close();
  }
}

const WAYS = ['revoked by an administrator', 'taken back by who agreed', 'all about one person revoked'] as const;

let numbered = 0;

/** People on whose behalf something may be read until somebody takes back that they agreed. */
async function holdersOf(cluster: Cluster, boss: Cookies, count: number): Promise<Holder[]> {
  const holders: Holder[] = [];
  let key = '';
  while (holders.length < count) {
    if (holders.length % OF_ONE_HOST === 0) key = await newHost(cluster, `desk${numbered}`);
    holders.push(await holderOf(cluster, boss, key, numbered++));
  }
  return holders;
}

async function holderOf(cluster: Cluster, boss: Cookies, key: string, number: number): Promise<Holder> {
  const who = `p${number}`;
  const way = WAYS[number % WAYS.length]!;
  const about = `subject=${encodeURIComponent(`user:${who}`)}`;
  const { url } = cluster.replicas[0]!;
  await agreedTo(url, boss, key, who, { for: 'until', seconds: 8 * 3600 });
  const { items } = await cluster.administer<{ items: readonly [{ id: string }] }>('GET', `/api/v1/consents?${about}`);
  const [{ id }] = items;
  const revocation = async (): Promise<{ revoked: number }> => {
    switch (way) {
      case 'revoked by an administrator':
        return cluster.administer('DELETE', `/api/v1/consents/${id}?reason=bench`);
      case 'all about one person revoked':
        return cluster.administer('DELETE', `/api/v1/consents?${about}&reason=bench`);
      case 'taken back by who agreed': {
        const headers = { 'Placet-Request': '1', 'Sec-Fetch-Site': 'same-origin' };
        const response = await boss.fetch(`${url}/api/v1/me/consents/${id}`, { method: 'DELETE', headers });
        return (await response.json()) as { revoked: number };
      }
    }
  };
  const { subject, tool } = questionOf(who);
  return {
    who,
    way,
    key,
    subject,
    body: { tool },
    async revoke() {
      const { revoked } = await revocation();
      if (revoked !== 1) throw new Error(`${way}: of ${id} ${revoked} consents were live`);
    },
  };
}
