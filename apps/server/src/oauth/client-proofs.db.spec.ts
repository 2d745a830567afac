import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateApiKey, macOf, type KeyCheck, type RefusedCredential } from '#identity';
import { commitChange, type Operation, type StoredCredential } from '#store';
import { freshDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ClientProofs } from './client-proofs.js';
import { OAuthClients } from './clients.js';

const check: KeyCheck = { pepper: Buffer.alloc(32, 'p'), environment: 'test' };
const ADDRESS = '203.0.113.7';

let database: TestDatabase;
let clients: OAuthClients;
let proofs: ClientProofs;
const noted: RefusedCredential[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  clients = new OAuthClients(database.store, check, (about) => noted.push(about));
  proofs = new ClientProofs(database.tenant, clients);
  await change({ op: 'put_document', kind: 'Host', name: 'desk', body: { kind: 'Host', name: 'desk' } });
});
afterAll(() => database.close());

async function change(operation: Operation): Promise<void> {
  const { outcome } = await commitChange(database.store, {
    tenant: database.tenant,
    principal: 'system:test',
    keys: ['*'],
    operations: [operation],
  });
  expect(outcome).toBe('committed');
}

/** A client with a secret, or with keys; bound to a network. */
async function newClient(jwks?: object): Promise<{ id: string; text: string; stored: StoredCredential }> {
  const { text, key } = generateApiKey('test');
  await change({
    op: 'create_credential',
    id: key.id,
    credentialKind: 'client',
    principalKind: 'host',
    principal: 'desk',
    environment: 'test',
    rights: {},
    expiresAt: null,
    cidrs: ['203.0.113.0/24'],
    mac: jwks ? null : macOf(key, check.pepper).toString('hex'),
    ...(jwks ? { jwks } : {}),
  });
  return { id: key.id, text, stored: (await clients.live(database.tenant, key.id))! };
}

describe('what has proven a client', () => {
  it('proves it still until its secret is replaced', async () => {
    const { id, text } = await newClient();
    const request = {};
    expect(await proofs.bySecret(request, id, text, ADDRESS)).toBe(true);
    expect(await proofs.still(request)).toBe(true);
    const mac = macOf(generateApiKey('test').key, check.pepper).toString('hex');
    await change({ op: 'rotate_credential', id, mac, oldExpiresAt: new Date(Date.now() + 60_000).toISOString() });
    expect(await proofs.still(request)).toBe(true);
    await change({ op: 'rotate_credential', id, mac, oldExpiresAt: new Date(Date.now() - 1000).toISOString() });
    expect(await proofs.still(request)).toBe(false);
  });

  it('proves it still until its keys are replaced', async () => {
    const { id, stored } = await newClient({ keys: [{ kty: 'EC', x: 'one' }] });
    const request = {};
    expect(proofs.byKeys(request, ADDRESS)).toBe(false);
    proofs.begins(request, stored);
    expect(proofs.byKeys(request, ADDRESS)).toBe(true);
    expect(await proofs.still(request)).toBe(true);
    await change({ op: 'change_credential', id, jwks: { keys: [{ kty: 'EC', x: 'two' }] } });
    expect(await proofs.still(request)).toBe(false);
  });

  it('proves it from its networks only, and what came from elsewhere is noted', async () => {
    const { id, text, stored } = await newClient();
    const request = {};
    proofs.begins(request, stored);
    for (const address of ['198.51.100.1', 'unknown']) {
      noted.length = 0;
      expect(await proofs.bySecret(request, id, text, address)).toBe(false);
      expect(noted).toEqual([{ tenant: database.tenant, credential: id, reason: 'outside_network' }]);
      expect(proofs.byKeys(request, address)).toBe(false);
      expect(noted).toHaveLength(2);
    }
    noted.length = 0;
    // A wrong secret is not noted as one from elsewhere.
    expect(await proofs.bySecret(request, id, generateApiKey('test').text, '198.51.100.1')).toBe(false);
    expect(noted).toEqual([{ tenant: database.tenant, credential: id, reason: 'wrong_secret' }]);
  });
});
