import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdministratorPrincipal } from '#identity';
import { Snapshots } from '#snapshot';
import { commitChange } from '#store';
import { freshDatabase, type TestDatabase } from '../../../../../test/support/database.js';
import { Changes } from '../changes.js';
import { FourEyes } from '../four-eyes.js';
import { DocumentsService } from './documents.service.js';

let database: TestDatabase;
let snapshots: Snapshots;
let documents: DocumentsService;
let principal: AdministratorPrincipal;

beforeAll(async () => {
  database = await freshDatabase();
  snapshots = new Snapshots(database.store);
  documents = new DocumentsService(
    database.store,
    snapshots,
    new Changes(
      database.store,
      snapshots,
      { again: () => Promise.reject(new Error('nobody')) },
      new FourEyes(database.store),
    ),
    database.tenant,
  );
  await commitChange(database.store, {
    tenant: database.tenant,
    principal: 'system:test',
    keys: ['*'],
    operations: [
      {
        op: 'create_credential',
        id: 'owner',
        principalKind: 'administrator',
        principal: 'owner',
        environment: 'test',
        rights: { roles: ['owner'] },
        expiresAt: null,
        mac: '00',
      },
    ],
  });
  principal = { kind: 'service', tenant: database.tenant, name: 'test' } as unknown as AdministratorPrincipal;
});

afterAll(async () => {
  await snapshots.close();
  await database.close();
});

const host = (name: string) => ({ sources: [{ text: `{ kind: Host, name: ${name} }` }], deletions: [], prune: false });

describe('a change of the whole state', () => {
  it('is told anew where another came between what it was told by and the plan', async () => {
    let asked = 0;
    await documents.make(principal, async () => {
      // What is read here is of this moment; then another change is made, and this replica hears of it at once.
      const others = [...(await snapshots.of(database.tenant)).policies.documents.all('Host')].length;
      if (asked++ === 0) await documents.apply(principal, host('between'), {});
      return { wanted: host(`after-${others}`), about: {}, isOfWholeState: true };
    });
    const names = [...(await snapshots.of(database.tenant)).policies.documents.all('Host')].map(
      ({ document }) => document.name,
    );
    expect([asked, names.sort()]).toEqual([2, ['after-1', 'between']]);
  });
});
