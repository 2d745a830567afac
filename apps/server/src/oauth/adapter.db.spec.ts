import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitChange, OAuthStore } from '#store';
import { freshDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { PostgresAdapter } from './adapter.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
});

afterAll(() => database.close());

const adapter = (model: string, stillProven = true): PostgresAdapter =>
  new PostgresAdapter(model, {
    tenant: database.tenant,
    state: new OAuthStore(database.store),
    pepper: Buffer.alloc(32, 'p'),
    now: () => Date.now(),
    stillProven: async () => stillProven,
    endTokens: async () => undefined,
  });

const succeeded = async (tries: readonly Promise<unknown>[]): Promise<number> =>
  (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled').length;

describe('of many at the same moment, one', () => {
  it('shows an assertion', async () => {
    const shows = Array.from({ length: 8 }, () => adapter('ReplayDetection').upsert('jti', { iss: 'x' }, 60));
    expect(await succeeded(shows)).toBe(1);
  });

  it('uses a refresh token', async () => {
    await adapter('RefreshToken').upsert('value', { clientId: 'x' }, 60);
    expect(await succeeded(Array.from({ length: 8 }, () => adapter('RefreshToken').consume('value')))).toBe(1);
  });
});

describe('a client whose secret or keys are replaced while it gets a token', () => {
  it('gets none, and none is kept', async () => {
    const payload = { clientId: 'x', kind: 'ClientCredentials' };
    await expect(adapter('ClientCredentials', false).upsert('late', payload, 60)).rejects.toThrow('invalid_client');
    expect(await adapter('ClientCredentials').find('late')).toBeUndefined();
    await adapter('ClientCredentials').upsert('in time', payload, 60);
    expect(await adapter('ClientCredentials').find('in time')).toMatchObject({ clientId: 'x' });
  });
});

describe('of a grant that was ended', () => {
  const grantOf = (id: string) => adapter('Grant').upsert(id, { accountId: 'user:company/ann', clientId: 'x' }, 600);
  const token = (grantId: string) => ({ grantId, accountId: 'user:company/ann', clientId: 'x' });
  const end = () =>
    commitChange(database.store, {
      tenant: database.tenant,
      principal: 'system:test',
      keys: ['subject:user:company/ann'],
      operations: [{ op: 'end_tokens', accounts: ['user:company/ann'] }],
    });

  it.each(['AccessToken', 'RefreshToken'])('no %s is issued any more', async (model) => {
    await grantOf(`g ${model}`);
    await adapter(model).upsert(`before ${model}`, token(`g ${model}`), 60);
    await end();
    expect(await adapter(model).find(`before ${model}`)).toBeUndefined();
    await expect(adapter(model).upsert(`after ${model}`, token(`g ${model}`), 60)).rejects.toThrow('invalid_grant');
    expect(await adapter(model).find(`after ${model}`)).toBeUndefined();
  });
});
