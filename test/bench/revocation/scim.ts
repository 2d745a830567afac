import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, conclude, printTable } from '../report.js';
import { startCluster, type Cluster } from './cluster.js';
import { companyOf, type Company } from './company.js';
import { directoryOf, type Directory } from './directory.js';
import { History } from './history.js';
import { CALLERS, commonBars, decide, printPhases, replicaOf, threePhases, tryVariants } from './phases.js';
import type { Holder, MakeHolders } from './phases.js';
import { allowsAfterTheirRevocation, SUBJECT_VARIANTS } from './variants.js';
import { printWays, summarizeWays, wayBars } from './ways.js';

/**
 * Who has left, by the word of the company's directory; and how long a large one takes to be taken over.
 * @param users that are made one after the other while decisions go on
 */
export async function endUsers(replicas: number, users: number): Promise<boolean> {
  const cluster = await startCluster(replicas);
  const company = await companyOf(cluster, { scim: true, groups: 'scim', required: true });
  try {
    const directory = await directoryOf(cluster, 'company');
    const readers = await directory.group('readers');
    const desk = await cluster.administer<{ key: string }>('POST', '/api/v1/keys', {
      host: 'desk',
      rights: { subjects: ['user:*'] },
    });
    const bulk = await takeOver(cluster, directory, desk.key, users);
    const holders: MakeHolders = (_cluster, count) => holdersOf(company, directory, readers, desk.key, count);
    const phases = await threePhases(cluster, holders);
    const afterwards = await allowsAfterTheirRevocation(cluster.databaseUrl);
    const caught = await tryVariants(cluster, SUBJECT_VARIANTS, holders);
    printPhases(phases, caught);
    const ways = summarizeWays(WAYS, phases);
    printWays(ways);
    const figures = { bulk, phases: phases.map(({ ends: _each, ...row }) => row), ways, afterwards, variants: caught };
    return conclude('revocation --mode scim', figures, [
      atLeast('decisions while users are made, of those before', bulk.ratio, 0.5),
      ...commonBars(phases, afterwards, caught),
      ...wayBars(ways),
    ]);
  } finally {
    await cluster.stop();
    await company.close();
  }
}

const WAYS = ['deactivated by Okta', 'deactivated by Entra', 'deleted', 'taken out of the group'] as const;

let numbered = 0;

async function holdersOf(
  company: Company,
  directory: Directory,
  readers: string,
  key: string,
  count: number,
): Promise<Holder[]> {
  const holders: Holder[] = [];
  const members: { value: string }[] = [];
  for (let made = 0; made < count; made++) {
    const number = numbered++;
    const way = WAYS[number % WAYS.length]!;
    const sub = `s${number}`;
    const id = await directory.create(sub);
    members.push({ value: id });
    holders.push({
      who: sub,
      way,
      key,
      subject: { token: await company.tokenOf(sub) },
      address: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
      revoke: () => ended(directory, way, id, readers),
    });
  }
  for (let at = 0; at < members.length; at += 500)
    await directory.patch(`/Groups/${readers}`, { op: 'Add', path: 'members', value: members.slice(at, at + 500) });
  // Until every replica has heard of it.
  await sleep(1000);
  return holders;
}

function ended(directory: Directory, way: (typeof WAYS)[number], id: string, readers: string): Promise<void> {
  switch (way) {
    case 'deactivated by Okta':
      return directory.patch(`/Users/${id}`, { op: 'replace', value: { active: false } });
    case 'deactivated by Entra':
      return directory.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'False' });
    case 'deleted':
      return directory.call<void>('DELETE', `/Users/${id}`);
    case 'taken out of the group':
      return directory.patch(`/Groups/${readers}`, { op: 'Remove', path: 'members', value: [{ value: id }] });
  }
}

/** Makes users one after the other while everybody asks: how fast, and what is left of the decisions of before. */
async function takeOver(cluster: Cluster, directory: Directory, key: string, users: number) {
  console.log(`${users} users ...`);
  const history = new History();
  let asked = 0;
  let over = false;
  const clerk: Holder = { who: 'clerk', key, subject: { type: 'user', id: 'clerk' }, revoke: async () => undefined };
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    while (!over) {
      await decide(replicaOf(cluster, caller), clerk, history);
      asked++;
    }
  });
  const rateDuring = async (work: () => Promise<unknown>): Promise<{ rate: number; seconds: number }> => {
    const [from, began] = [asked, performance.now()];
    await work();
    const seconds = (performance.now() - began) / 1000;
    return { rate: (asked - from) / seconds, seconds };
  };
  await sleep(3000);
  const before = await rateDuring(() => sleep(10_000));
  const during = await rateDuring(async () => {
    for (let number = 0; number < users; number++) await directory.create(`bulk${number}`);
  });
  const after = await rateDuring(() => sleep(5000));
  over = true;
  await Promise.all(callers);
  const ratio = during.rate / before.rate;
  printTable(
    ['users made', 'seconds', 'users/s', 'decisions/s before', 'while', 'after', 'ratio'],
    [[users, during.seconds, users / during.seconds, before.rate, during.rate, after.rate, ratio]],
  );
  return { users, seconds: during.seconds, before: before.rate, during: during.rate, after: after.rate, ratio };
}
