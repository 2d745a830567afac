import type { Entry } from 'ldapts';
import type { LdapSignIn } from '#policy';
import { stateOf } from './account-state.js';
import { Connection } from './connection.js';
import { textOf, textsOf } from './entries.js';
import { DirectoryError, isOfTls } from './errors.js';
import { SidNames } from './groups.js';
import { addressesOf, type DirectoryParts, type Examined } from './parts.js';
import { attributesOf, groupsMethod, idOf, people, personOf } from './people.js';
import type { Server } from './secured-socket.js';

/** RFC 2696: answers in pages. */
const PAGED = '1.2.840.113556.1.4.319';

/** Between a directory's clock and ours, in ms: by more, accounts expire at another time than people believe. */
const CLOCK_TOLERANCE_MS = 60_000;

/** For all that is looked at at one server, in ms. */
const ALL_MS = 30_000;

/** Tries every server of a directory, each by itself, as far as that goes without a person. */
export async function examineServers(settings: LdapSignIn, parts: DirectoryParts, examined: Examined): Promise<void> {
  await examined.step('secret', () => {
    parts.password();
    return `the secret '${settings.password}' is set`;
  });
  for (const url of settings.urls) await examineServer(url, settings, parts, examined);
}

async function examineServer(
  url: string,
  settings: LdapSignIn,
  parts: DirectoryParts,
  { step, unknown }: Examined,
): Promise<void> {
  const { ca, account } = settings;
  let addresses: readonly string[] = [];
  const isFound = await step('server', async () => {
    addresses = await addressesOf(parts, url);
    if (addresses.length === 0) throw new DirectoryError('unreachable', `${url}: the name has no address`);
    return `${url} is at ${addresses.join(', ')}`;
  });
  if (!isFound) return;
  let connection: Connection | undefined;
  try {
    connection = await connected(step, url, () => firstOpen({ url, ca }, addresses));
    if (!connection) return;
    const open = connection;
    const isIn = await step('reading_account', async () => {
      if (await open.proves(account, parts.password())) return `${url} lets in ${account}`;
      throw new DirectoryError('misconfigured', `${url} does not let in ${account}: look at its password`);
    });
    if (!isIn) return;
    const root = await rootOf(open).catch(() => undefined);
    await sayPaging(url, root, { step, unknown });
    await examinePeople(url, open, settings, parts, { step, unknown });
    await sayClock(url, root, parts.now(), { step, unknown });
  } finally {
    await connection?.[Symbol.asyncDispose]();
  }
}

/** A server that is there at all is told apart from one whose certificate is not good. */
async function connected(
  step: Examined['step'],
  url: string,
  open: () => Promise<Connection>,
): Promise<Connection | undefined> {
  const made = await open().catch((error: unknown) => error as Error);
  if (!(made instanceof Connection)) {
    const { message } = made;
    await step(isOfTls(made) ? 'tls' : 'server', () => {
      throw new DirectoryError('unreachable', message.startsWith(url) ? message : `${url}: ${message}`);
    });
    return undefined;
  }
  await step('tls', () => {
    const shown = made.certificate;
    if (!shown) throw new DirectoryError('unreachable', `${url} has shown no certificate`);
    return `${url}: its certificate is good for ${shown.names}, until ${shown.validUntil.toISOString()}`;
  });
  return made;
}

/** A connection to the first address that answers. Of what else there is, a bad certificate says more than silence. */
async function firstOpen(server: Server, addresses: readonly string[]): Promise<Connection> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await Connection.open(server, address, performance.now() + ALL_MS);
    } catch (error) {
      if (!isOfTls(failure)) failure = error;
    }
  }
  throw failure;
}

async function rootOf(connection: Connection): Promise<Entry | undefined> {
  const attributes = ['supportedControl', 'currentTime'];
  const [root] = await connection.search('', { scope: 'base', attributes, most: 1 });
  return root;
}

async function sayPaging(url: string, root: Entry | undefined, { step, unknown }: Examined): Promise<void> {
  const controls = root ? textsOf(root, 'supportedControl') : [];
  if (controls.length === 0) return unknown('paging', `${url} does not say whether it answers in pages`);
  await step('paging', () => {
    if (controls.includes(PAGED)) return `${url} answers in pages`;
    throw new DirectoryError('misconfigured', `${url} does not answer in pages (${PAGED})`);
  });
}

async function examinePeople(
  url: string,
  connection: Connection,
  settings: LdapSignIn,
  parts: DirectoryParts,
  { step, unknown }: Examined,
): Promise<void> {
  const { base } = settings.people;
  let person: Entry | undefined;
  const found = await step('people', async () => {
    const some = await connection.some(base, { filter: people(settings), attributes: attributesOf(settings) });
    person = some[0];
    if (!person)
      throw new DirectoryError(
        'misconfigured',
        `${url}: nobody is found below ${base} that ${settings.account} may read`,
      );
    const states = some.map((each) => stateOf(each, settings, parts.now()));
    for (const each of some) idOf(each, settings);
    return `${url}: people are found below ${base}; of the first ${some.length} accounts ${counted(states)}`;
  });
  if (!found || !person) return;
  const sample = person;
  if (!settings.groups) return unknown('memberships', groupsMethod(settings));
  await step('memberships', async () => {
    const { groups } = await personOf(connection, sample, idOf(sample, settings), settings, new SidNames());
    const { names, complete } = groups!;
    if (!complete)
      throw new DirectoryError(
        'misconfigured',
        `${url}: not all groups of an account can be read (${names.length} can)`,
      );
    return `${url}: ${groupsMethod(settings)}; an account is in ${names.length}`;
  });
}

const counted = (states: readonly string[]): string =>
  [...new Set(states)].map((state) => `${states.filter((each) => each === state).length} ${state}`).join(', ');

async function sayClock(url: string, root: Entry | undefined, now: number, { step, unknown }: Examined): Promise<void> {
  const text = root ? textOf(root, 'currentTime') : undefined;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(text ?? '') ?? [];
  if (year === undefined)
    return unknown('clock', `${url} does not say its time; ours is ${new Date(now).toISOString()}`);
  const theirs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  await step('clock', () => {
    const apart = `${url}: its clock is ${Math.round(Math.abs(theirs - now) / 1000)} s from ours`;
    if (Math.abs(theirs - now) <= CLOCK_TOLERANCE_MS) return apart;
    throw new DirectoryError('misconfigured', apart);
  });
}
