import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { commitChange, type Operation } from './change.js';
import { OAuthStore, type StoredOAuthState } from './oauth-store.js';
import { PersonReader } from './person-reader.js';
import { SessionStore } from './session-store.js';

let database: TestDatabase;
let superuser: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  superuser = await database.connect('superuser');
});

afterAll(() => database.close());

const make = (...operations: Operation[]) =>
  commitChange(database.store, { tenant: database.tenant, principal: 'system:test', keys: ['*'], operations });

const rowsOf = async (statement: string): Promise<number> => (await superuser.query(statement)).rowCount ?? 0;

describe('of one person', () => {
  const begin = (id: string, person: string) =>
    new SessionStore(database.store).begin({
      tenant: database.tenant,
      person: {
        id: person,
        issuer: 'i',
        claims: {},
        name: null,
        email: null,
        denial: `subject:${person}`,
        askedAt: Date.now(),
      },
      session: {
        id,
        mac: Buffer.from(id).toString('hex'),
        upstreamSession: null,
        acr: null,
        amr: [],
        authenticatedAt: null,
        sealedHint: 'ab',
        idleMs: 60_000,
        absoluteMs: 60_000,
        begunAt: Date.now(),
        replaces: null,
        stepUp: false,
        address: null,
        userAgent: null,
      },
      about: {},
    });

  it('there are fifty live sessions at most: the oldest ends', async () => {
    await begin('of-bob', 'user:i/bob');
    for (let each = 0; each < 52; each++) expect(await begin(`s${each}`, 'user:i/ann')).toBe('signed_in');
    const reader = new PersonReader(database.store);
    const live = (await reader.sessions(database.tenant, 'user:i/ann')).map(({ id }) => id);
    expect(live).toHaveLength(50);
    expect(live).toContain('s51');
    expect(live.filter((id) => ['s0', 's1'].includes(id))).toEqual([]);
    expect(await reader.sessions(database.tenant, 'user:i/bob')).toHaveLength(1);
    expect(await rowsOf(`select from placet.session where ended_at is not null and sealed_hint is not null`)).toBe(0);
  });

  const state = new (class {
    readonly put = (model: string, id: string, grant: string | null = null, account = 'user:i/ann') =>
      new OAuthStore(database.store).put(database.tenant, {
        model,
        id,
        sealed: Buffer.from('x'),
        grant,
        userCode: null,
        client: 'c',
        account,
        expiresAt: new Date(Date.now() + 60_000).toISOString(),
      });

    readonly find = (model: string, id: string): Promise<StoredOAuthState | undefined> =>
      new OAuthStore(database.store).find(database.tenant, model, id);
  })();

  it('there are fifty sign-ins of devices at most: nothing more comes of the oldest', async () => {
    await state.put('Grant', 'of-bob', null, 'user:i/bob');
    for (let each = 0; each < 51; each++) {
      expect(await state.put('Grant', `g${each}`)).toBe(true);
      expect(await state.put('RefreshToken', `r${each}`, `g${each}`)).toBe(true);
    }
    expect(await state.find('Grant', 'g0')).toBeUndefined();
    expect(await state.find('RefreshToken', 'r0')).toBeUndefined();
    expect(await state.put('AccessToken', 'late', 'g0')).toBe(false);
    for (const id of ['g1', 'g50', 'of-bob']) expect(await state.find('Grant', id), id).toBeDefined();
    expect(await state.find('RefreshToken', 'r1')).toBeDefined();
  });

  it('a grant gives a thousand tokens at most', async () => {
    await state.put('Grant', 'busy');
    await superuser.query(
      `insert into placet.oauth_state (tenant, model, id, sealed, grant_id, expires_at)
       select $1, 'RefreshToken', 'busy' || n, '', 'busy', now() + interval '1 hour' from generate_series(1, 999) n`,
      [database.tenant],
    );
    expect(await state.put('RefreshToken', 'last', 'busy')).toBe(true);
    expect(await state.put('RefreshToken', 'more', 'busy')).toBe(false);
    expect(await state.put('AccessToken', 'more', 'busy')).toBe(false);
    expect(await state.put('AccessToken', 'other', 'g50')).toBe(true);
  });
});

describe('of a tenant', () => {
  const save = (name: string): Operation => ({
    op: 'save_draft',
    name,
    baseRevision: 0,
    body: { prune: false, documents: [], deletions: [] },
    expectedVersion: 0,
  });

  it('there are two hundred drafts at most', async () => {
    await make(...Array.from({ length: 200 }, (_, each) => save(`d${each}`)));
    await expect(make(save('more'))).rejects.toMatchObject({ code: 'quota_reached' });
    const { rows } = await superuser.query<{ version: number }>(
      `select version::int from placet.draft where name = 'd0'`,
    );
    await make({ ...save('d0'), expectedVersion: rows[0]!.version } as Operation);
    await make({ op: 'discard_draft', name: 'd1', expectedVersion: rows[0]!.version + 1 });
    expect(await make(save('more'))).toMatchObject({ outcome: 'committed' });
  });

  const suspend = (of: 'Subject' | 'Host', name: string): Operation => ({
    op: 'put_document',
    kind: 'Suspension',
    name: `${of}:${name}`,
    body: { kind: 'Suspension', of, name },
  });

  it('there are twenty thousand suspended subjects at most, and hosts can still be suspended', async () => {
    await superuser.query(`
      alter table placet.document disable trigger user;
      insert into placet.document (tenant, kind, name, version, revision, body)
        select '${database.tenant}', 'Suspension', 'Subject:user:' || n, 1, 1, '{}' from generate_series(1, 20000) n;
      alter table placet.document enable trigger user;`);
    await expect(make(suspend('Subject', 'user:more'))).rejects.toMatchObject({ code: 'quota_reached' });
    expect(await make(suspend('Host', 'h'))).toMatchObject({ outcome: 'committed' });
    expect(await make(suspend('Subject', 'user:7'))).toMatchObject({ outcome: 'committed' });
    await make({ op: 'delete_document', kind: 'Suspension', name: 'Subject:user:7' });
    expect(await make(suspend('Subject', 'user:more'))).toMatchObject({ outcome: 'committed' });
    await expect(make(suspend('Subject', 'user:7'))).rejects.toMatchObject({ code: 'quota_reached' });
  });

  const role = (name: string): Operation => ({ op: 'put_document', kind: 'Role', name, body: { kind: 'Role', name } });

  it('the versions of documents take as much as its quota says, and what takes something away goes on', async () => {
    await make(role('first'), role('second'));
    const used = async () =>
      (
        await superuser.query<{ counted: number; there: number }>(
          `select u.history_bytes::int as counted,
             (select sum(octet_length(v.body::text))::int from placet.document_version v
              where v.tenant = u.tenant and v.kind <> 'Suspension') as there
           from placet.usage u where u.tenant = $1`,
          [database.tenant],
        )
      ).rows[0]!;
    const { counted, there } = await used();
    expect(counted).toBe(there);
    await superuser.query('update placet.tenant set max_history_bytes = $1 where id = $2', [counted, database.tenant]);
    await expect(make(role('first'))).rejects.toMatchObject({ code: 'quota_reached' });
    expect(await make({ op: 'delete_document', kind: 'Role', name: 'first' })).toMatchObject({ outcome: 'committed' });
    expect(await make(suspend('Host', 'another'))).toMatchObject({ outcome: 'committed' });
    expect(await used()).toEqual({ counted, there });
    await superuser.query('update placet.tenant set max_history_bytes = null where id = $1', [database.tenant]);
    expect(await make(role('first'))).toMatchObject({ outcome: 'committed' });
  });
});
