import { conclude } from '../report.js';
import { startCluster, type Cluster } from './cluster.js';
import { companyOf, type Company } from './company.js';
import { commonBars, printPhases, threePhases, tryVariants, type Holder, type MakeHolders } from './phases.js';
import { allowsAfterTheirRevocation, BLIND_VARIANTS } from './variants.js';
import { printWays, summarizeWays, wayBars } from './ways.js';

/** Who somebody is, a person or a host, and how that ends. */
export async function endPeople(replicas: number): Promise<boolean> {
  const cluster = await startCluster(replicas);
  const company = await companyOf(cluster);
  const holders: MakeHolders = (_cluster, count) => holdersOf(cluster, company, count);
  try {
    const phases = await threePhases(cluster, holders);
    const afterwards = await allowsAfterTheirRevocation(cluster.databaseUrl);
    const caught = await tryVariants(cluster, BLIND_VARIANTS, holders);
    printPhases(phases, caught);
    const ways = summarizeWays(WAYS, phases);
    printWays(ways);
    const figures = { phases: phases.map(({ ends: _each, ...row }) => row), ways, afterwards, variants: caught };
    return conclude('revocation --mode people', figures, [...commonBars(phases, afterwards, caught), ...wayBars(ways)]);
  } finally {
    await cluster.stop();
    await company.close();
  }
}

const WAYS = [
  'person by token: suspended',
  'person by token: signed out',
  'host by access token: client disabled',
  'host by access token: token revoked',
  'host by API key: key disabled',
] as const;

type Way = (typeof WAYS)[number];

let numbered = 0;

async function holdersOf(cluster: Cluster, company: Company, count: number): Promise<Holder[]> {
  const asked = await newKey(cluster);
  const drafts = Array.from({ length: count }, () => {
    const number = numbered++;
    return { number, way: WAYS[number % WAYS.length]!, sub: `p${number}` };
  });
  const aliased = drafts.filter(({ way, number }) => way === WAYS[0] && number % 2 === 0).map(({ sub }) => sub);
  await company.nameOtherwise(aliased);
  // One after the other: the test's identity provider has one keyboard.
  for (const { way, sub } of drafts) if (way === WAYS[1]) await company.signIn(sub);
  return Promise.all(
    drafts.map(async ({ number, way, sub }) => ({
      ...(await holderOf(cluster, company, way, { sub, key: asked.key, isAliased: aliased.includes(sub) })),
      way,
      address: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
    })),
  );
}

async function holderOf(
  cluster: Cluster,
  company: Company,
  way: Way,
  { sub, key, isAliased }: { readonly sub: string; readonly key: string; readonly isAliased: boolean },
): Promise<Holder> {
  const clerk = { type: 'user', id: 'clerk' };
  switch (way) {
    case 'person by token: suspended': {
      const path = suspension(isAliased ? `user:${sub}` : `user:company/${sub}`);
      const subject = { token: await company.tokenOf(sub) };
      return { who: sub, key, subject, revoke: () => cluster.administer('PUT', path, {}) };
    }
    case 'person by token: signed out': {
      const path = `/api/v1/people/${encodeURIComponent(`user:company/${sub}`)}/sign-out`;
      const subject = { token: await company.tokenOf(sub) };
      return { who: sub, key, subject, revoke: () => cluster.administer('POST', path) };
    }
    case 'host by access token: client disabled': {
      const client = await newClient(cluster);
      const revoke = () => cluster.administer<void>('DELETE', `/api/v1/clients/${client.id}`);
      return { who: client.id, key: await accessToken(cluster, client), subject: clerk, revoke };
    }
    case 'host by access token: token revoked': {
      const client = await newClient(cluster);
      const token = await accessToken(cluster, client);
      const revoke = async () => void (await atServer(cluster, client, 'revoke', { token }));
      return { who: client.id, key: token, subject: clerk, revoke };
    }
    case 'host by API key: key disabled': {
      const own = await newKey(cluster);
      const revoke = () => cluster.administer<void>('DELETE', `/api/v1/keys/${own.id}`);
      return { who: own.id, key: own.key, subject: clerk, revoke };
    }
  }
}

const suspension = (name: string): string => `/api/v1/suspensions/Subject/${encodeURIComponent(name)}`;

const DESK = { host: 'desk', rights: { subjects: ['user:*'] } };

const newKey = (cluster: Cluster): Promise<{ id: string; key: string }> =>
  cluster.administer('POST', '/api/v1/keys', DESK);

interface Client {
  readonly id: string;
  readonly secret: string;
}

const newClient = (cluster: Cluster): Promise<Client> => cluster.administer('POST', '/api/v1/clients', DESK);

async function accessToken(cluster: Cluster, client: Client): Promise<string> {
  const text = await atServer(cluster, client, 'token', { grant_type: 'client_credentials' });
  return (JSON.parse(text) as { access_token: string }).access_token;
}

/** A call of a client to our authorization server. */
async function atServer(
  { replicas }: Cluster,
  { id, secret }: Client,
  path: 'token' | 'revoke',
  form: Readonly<Record<string, string>>,
): Promise<string> {
  const response = await fetch(`${replicas[0]!.url}/t/default/oauth/${path}`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams(form),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${text}`);
  return text;
}
