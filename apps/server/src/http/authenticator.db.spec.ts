import type { IncomingMessage } from 'node:http';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AbuseLimits } from '#http';
import { generateApiKey, macOf, may, type AdministratorPrincipal } from '#identity';
import type { AdministratorRoleDocument } from '#policy';
import { Snapshots } from '#snapshot';
import { commitChange, SessionStore } from '#store';
import { freshDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { Changes } from '../admin/changes.js';
import { FourEyes } from '../admin/four-eyes.js';
import { Log } from '../operations/log.js';
import { Authenticator } from './authenticator.js';
import { LastUses } from './last-uses.js';
import { Gate } from './gate.js';
import { PersonSessions } from '../sign-in/person-sessions.js';
import { SessionAuthenticator } from '../sign-in/session-authenticator.js';
import { ClientAddresses } from './client-address.js';
import { PublicAddress } from './public-address.js';
import { RefusedCredentials } from './refused-credentials.js';
import { TokenPrincipals } from './token-principals.js';

const CHECK = { pepper: randomBytes(32), environment: 'test' };
const { text: KEY, key } = generateApiKey('test');

let database: TestDatabase;
/** Never told of any change: a replica whose connection is slow. */
let deaf: Snapshots;
let authenticator: Authenticator;

const commit = (
  keys: Parameters<typeof commitChange>[1]['keys'],
  ...operations: Parameters<typeof commitChange>[1]['operations']
) => commitChange(database.store, { tenant: database.tenant, principal: 'system:test', keys, operations });

const writeRole = (grants: AdministratorRoleDocument['grants'], title = 'r') =>
  commit(['administration'], {
    op: 'put_document',
    kind: 'AdministratorRole',
    name: 'r',
    body: { kind: 'AdministratorRole', name: 'r', description: title, ...(grants ? { grants } : {}) },
  });

const caller = async () => {
  const request = { headers: { authorization: `Bearer ${KEY}` } } as IncomingMessage;
  return (await authenticator.principalOf(request, '127.0.0.1')) as AdministratorPrincipal;
};

beforeAll(async () => {
  database = await freshDatabase();
  await commit([], {
    op: 'create_credential',
    id: key.id,
    principalKind: 'administrator',
    principal: 'ann',
    environment: 'test',
    rights: { roles: ['r'] },
    expiresAt: null,
    mac: macOf(key, CHECK.pepper).toString('hex'),
  });
  deaf = new Snapshots(database.store);
  const log = new Log('error');
  const limits = new AbuseLimits();
  const refusals = new RefusedCredentials(limits, { note: () => undefined });
  const gate = new Gate(database.store, deaf, CHECK, limits, refusals, () => Promise.resolve(undefined));
  const tokenless = () => Promise.reject(new Error('no tokens here'));
  const tokens = new TokenPrincipals(database.store, deaf, tokenless, tokenless);
  const people = new PersonSessions(
    database.store,
    new SessionStore(database.store),
    deaf,
    CHECK,
    limits,
    new ClientAddresses(),
  );
  authenticator = new Authenticator(
    database.store,
    deaf,
    gate,
    new LastUses(() => Promise.resolve(), log),
    tokens,
    new SessionAuthenticator(database.store, deaf, people, new PublicAddress()),
  );
});

afterAll(() => database.close());

const READ = [{ actions: ['read', 'write'] as never, on: ['Role'] as never }];

beforeEach(async () => {
  await writeRole(READ);
});

describe('an administrator whose role is taken away', () => {
  it('is found to be without it on a replica that has not heard, for the very next call', async () => {
    expect(may((await caller()).ability, 'read', 'Role')).toBe(true);
    await writeRole(undefined);
    expect(may((await caller()).ability, 'read', 'Role')).toBe(false);
  });

  const making = (between: () => Promise<unknown>) => async () => {
    const maker = await caller();
    const changes = new Changes(database.store, deaf, authenticator, new FourEyes(database.store));
    let planned = 0;
    const revision = await changes.make(maker, async () => {
      if (planned++ === 0) await between();
      return {
        keys: [],
        operations: [
          {
            op: 'put_document',
            kind: 'Suspension',
            name: 'Host:x',
            body: { kind: 'Suspension', of: 'Host', name: 'x' },
          },
        ],
      };
    });
    return { revision, planned };
  };
  const isThere = async () => {
    await deaf.refresh(database.tenant, Infinity);
    return (await deaf.of(database.tenant)).policies.documents.find('Suspension', 'Host:x') !== undefined;
  };

  it('changes nothing if that happens between its plan and the commit', async () => {
    await expect(making(() => writeRole(undefined))()).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('were changed while') as string,
    });
    expect(await isThere()).toBe(false);
  });

  it('goes on, with another look at what it plans, if its rights stayed the same', async () => {
    expect(await making(() => writeRole(READ, 'said anew'))()).toMatchObject({ planned: 2 });
    expect(await isThere()).toBe(true);
  });
});
