import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

/** A statement that succeeds with the notice that Postgres gives where a wait for the standby was cancelled. */
const warning = (text: string): string => `do $$ begin raise warning '${text}'; end $$`;

it('a commit that no standby has is no success, and the next one is not held to account for it', async () => {
  const canceled = warning('canceling wait for synchronous replication due to user request');
  await expect(database.store.call(canceled, [])).rejects.toMatchObject({ code: 'unknown_outcome' });
  for (let again = 0; again < 20; again++) await database.store.call('select 1', []);
  await database.store.call(warning('something else'), []);
});
