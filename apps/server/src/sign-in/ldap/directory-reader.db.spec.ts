import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NamedSecrets } from '#config';
import { documentName, type AnyDocument, type IssuerDocument, type SuspensionDocument } from '#policy';
import { Snapshots } from '#snapshot';
import { commitChange, DirectoryStore, type Operation } from '#store';
import { freshDatabase, type TestDatabase } from '../../../../../test/support/database.js';
import {
  hasOpenLdap,
  READER,
  startOpenLdap,
  type OpenLdap,
} from '../../../../../test/support/directories/open-ldap.js';
import { Changes, type Standing } from '../../admin/changes.js';
import { FourEyes } from '../../admin/four-eyes.js';
import { Log } from '../../operations/log.js';
import { Directories } from './directories.js';
import { DirectoryReader } from './directory-reader.js';

const NAME = `replicas that read a directory${hasOpenLdap ? '' : ' (OpenLDAP is not installed here)'}`;

describe.skipIf(!hasOpenLdap)(NAME, () => {
  let ldap: OpenLdap;
  let database: TestDatabase;
  let ann: string;
  let annDn: string;
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    ldap = await startOpenLdap();
    database = await freshDatabase();
    annDn = await ldap.person('ann');
    const { searchEntries } = await ldap.admin.search(annDn, { attributes: ['entryUUID'] });
    ann = `user:corp/${String(searchEntries[0]!['entryUUID'])}`;
    await write(put(issuer()));
    const superuser = await database.connect('superuser');
    await superuser.query(
      `insert into placet.person (tenant, id, issuer, claims) values ($1, $2, 'corp', '{"groups": ["admins"]}')`,
      [database.tenant, ann],
    );
  }, 60_000);
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
    await database?.close();
    await ldap?.close();
  });
  beforeEach(async () => {
    await ldap.set(annDn, 'employeeType');
  });

  const issuer = (): IssuerDocument =>
    ({
      kind: 'Issuer',
      name: 'corp',
      issuer: 'ldap://ex.test',
      subjectType: 'user',
      signIn: {
        protocol: 'ldap',
        directory: 'generic',
        urls: [ldap.url],
        ca: ldap.ca,
        account: READER.dn,
        password: 'reader',
        people: { base: `ou=people,${ldap.base}` },
        inactiveWhen: [{ attribute: 'employeeType', oneOf: ['left'] }],
        goodForSeconds: 5,
      },
    }) as unknown as IssuerDocument;

  const put = (body: AnyDocument): Operation => ({
    op: 'put_document',
    kind: body.kind,
    name: documentName(body),
    body,
  });
  const write = (...operations: Operation[]) =>
    commitChange(database.store, { tenant: database.tenant, principal: 'system:test', keys: ['*'], operations });

  /** What one replica has for reading directories. With a gate, it plans, and is frozen before it sends what it has planned. */
  function replica(gate?: { planned(): void; readonly open: Promise<void> }): DirectoryReader {
    const { store } = database;
    const snapshots = new Snapshots(store);
    const nobody: Standing = { again: async (principal) => principal };
    const changes = new Changes(store, snapshots, nobody, new FourEyes(store));
    const make: Changes['make'] = (maker, plan, testing) =>
      changes.make(
        maker,
        async () => {
          const planned = await plan();
          if (planned) gate?.planned();
          if (planned) await gate?.open;
          return planned;
        },
        testing,
      );
    const directories = new Directories({
      outgoing: { addressesOf: async () => ['127.0.0.1'] },
      secrets: NamedSecrets.read({ PLACET_SECRET_DEFAULT__READER: READER.password }),
      now: () => store.clock.now(),
    });
    const reader = new DirectoryReader({
      store,
      snapshots,
      changes: { make },
      directories,
      log: new Log('error', () => undefined),
    });
    closing.push(() => snapshots.close());
    return reader;
  }

  /** One reading by a replica of its own, to its end. */
  async function read(): Promise<void> {
    const before = await asOf();
    const reader = replica();
    reader.start();
    await expect.poll(asOf, { timeout: 10_000, interval: 20 }).not.toBe(before);
    await reader.close();
  }

  /** A replica that is frozen when it has planned; the result lets it go on, and waits for its end. */
  async function frozenAfterPlanning(): Promise<() => Promise<void>> {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    let planned: () => void = () => undefined;
    const hasPlanned = new Promise<void>((resolve) => (planned = resolve));
    const reader = replica({ planned: () => planned(), open: opened });
    reader.start();
    await hasPlanned;
    return async () => {
      open();
      await reader.close();
    };
  }

  const asOf = async () => (await new DirectoryStore(database.store).readings(database.tenant)).get('corp');
  const suspension = async (): Promise<SuspensionDocument | undefined> => {
    const rows = await database.store.read(database.tenant, (view) =>
      view.query<{ body: SuspensionDocument | null }[]>(
        `select body from placet.document where kind = 'Suspension' and name = $1`,
        [`Subject:${ann}`],
      ),
    );
    return rows[0]?.body ?? undefined;
  };

  it('stand by what the last one has found, where an older one that would lift it is held up', async () => {
    await ldap.set(annDn, 'employeeType', 'left');
    await read();
    expect(await suspension()).toMatchObject({ by: 'corp' });
    await ldap.set(annDn, 'employeeType');
    const goOn = await frozenAfterPlanning();
    await ldap.set(annDn, 'employeeType', 'left');
    await read();
    await goOn();
    expect(await suspension()).toMatchObject({ by: 'corp' });
  }, 30_000);

  it('stop nobody by what was read before they were good again', async () => {
    await read();
    expect(await suspension()).toBeUndefined();
    await ldap.set(annDn, 'employeeType', 'left');
    const goOn = await frozenAfterPlanning();
    await ldap.set(annDn, 'employeeType');
    await read();
    await goOn();
    expect(await suspension()).toBeUndefined();
  }, 30_000);

  it('leave alone what an administrator has written meanwhile', async () => {
    const byHand: SuspensionDocument = { kind: 'Suspension', of: 'Subject', name: ann, reason: 'by hand' };
    await ldap.set(annDn, 'employeeType', 'left');
    const stop = await frozenAfterPlanning();
    await write(put(byHand));
    await stop();
    expect(await suspension()).toEqual(byHand);
    await write({ op: 'delete_document', kind: 'Suspension', name: `Subject:${ann}` });
    await read();
    expect(await suspension()).toMatchObject({ by: 'corp' });
    await ldap.set(annDn, 'employeeType');
    const lift = await frozenAfterPlanning();
    await write(put(byHand));
    await lift();
    expect(await suspension()).toEqual(byHand);
  }, 30_000);
});
