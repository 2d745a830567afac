import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { atOnce } from '../support/at-once.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let own: TestService;
/** A key that is as strong as an owner's, and not one. */
let strong: string;

const ISSUER = { kind: 'Issuer', name: 'entra', issuer: 'https://login.example', signIn: { clientId: 'placet' } };
const BOUND = { kind: 'AdministratorBinding', name: 'b', to: ['user:entra/1'], roles: ['owner'] };
const ANN = { kind: 'Subject', id: 'ann', aliases: [{ type: 'user', id: 'entra/1' }] };
const LAST = { status: 409, body: { code: 'last_owner' } };

beforeEach(async () => {
  own = await startTestService({ quickstart: false });
  strong = own.owner;
  const on = ['all', 'Tenancy', 'Guardrail'];
  await apply({ kind: 'AdministratorRole', name: 'strong', grants: [{ actions: ['manage'], on }] });
  strong = await newKey('strong');
});

afterEach(() => own.close());

const idOf = (key: string) => key.split('_')[2]!;

const newKey = async (...roles: string[]) =>
  (
    await own.call('POST', '/api/v1/keys', {
      body: { administrator: 'x', rights: { roles } },
      key: strong,
    })
  ).body.key as string;

const applied = (documents: readonly object[], more: object = {}, prune = false) => {
  const text = documents.map((each) => JSON.stringify(each)).join('\n---\n');
  return own.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'a.yaml', text }], prune }, ...more });
};
async function apply(...documents: readonly object[]): Promise<void> {
  expect((await applied(documents)).status).toBe(200);
}

const end = (key: string, url?: string) =>
  own.call('DELETE', `/api/v1/keys/${idOf(key)}`, { key: strong, ...(url === undefined ? {} : { url }) });

const remove = async (kind: string, name: string, url?: string): Promise<Answer> => {
  const path = `/api/v1/documents/${kind}/${name}`;
  const { headers } = await own.call('GET', path, { key: strong });
  return own.call('DELETE', path, {
    key: strong,
    headers: { 'If-Match': headers.get('etag')! },
    ...(url === undefined ? {} : { url }),
  });
};

const suspend = (of: string, name: string, key = strong, url?: string) =>
  own.call('PUT', `/api/v1/suspensions/${of}/${encodeURIComponent(name)}`, {
    key,
    body: { reason: 'an incident' },
    ...(url === undefined ? {} : { url }),
  });

describe('the last owner', () => {
  it('by a key stays one', async () => {
    expect(await end(own.owner)).toMatchObject(LAST);
    const lessened = { body: { rights: { roles: ['auditor'] } } };
    expect(await own.call('PATCH', `/api/v1/keys/${idOf(own.owner)}`, lessened)).toMatchObject(LAST);
    expect((await own.call('GET', '/api/v1/me')).body.rights.roles).toEqual(['owner', 'operator']);
  });

  it.each<[string, object[]]>([
    ['somebody of an Issuer that is not there', [BOUND]],
    ['somebody of an Issuer that nobody signs in by', [{ ...ISSUER, signIn: undefined, workloads: {} }, BOUND]],
    ['a group', [ISSUER, { ...BOUND, to: ['group:entra/admins'] }]],
  ])('by a key stays one beside a binding to %s', async (_what, documents) => {
    await apply(...documents);
    expect(await end(own.owner)).toMatchObject(LAST);
  });

  it('by a key stays one beside somebody who is suspended', async () => {
    await apply(ISSUER, BOUND);
    expect((await suspend('Subject', 'user:entra/1')).status).toBe(200);
    expect(await end(own.owner)).toMatchObject(LAST);
  });

  it('who can sign in stays one, whatever is done to documents', async () => {
    await apply(ISSUER, BOUND);
    expect((await end(own.owner)).status).toBe(204);
    const as = { key: strong };
    expect(await remove('AdministratorBinding', 'b')).toMatchObject(LAST);
    expect(await remove('Issuer', 'entra')).toMatchObject(LAST);
    expect(await applied([{ ...BOUND, expires: '2020-01-01T00:00:00Z' }], as)).toMatchObject(LAST);
    expect(await applied([{ ...BOUND, to: ['user:elsewhere/1'] }], as)).toMatchObject(LAST);
    expect(await applied([{ ...ISSUER, signIn: undefined, workloads: {} }], as)).toMatchObject(LAST);
    expect(await applied([{ ...ISSUER, subjectType: 'robot' }], as)).toMatchObject(LAST);
    expect(await applied([{ ...ISSUER, description: 'ours' }], as)).toMatchObject({ status: 200 });
  });

  it('who can sign in is not suspended, under any name; another one is', async () => {
    await apply(ISSUER, BOUND, ANN);
    await end(own.owner);
    const publisher = await newKey('publisher');
    for (const name of ['user:entra/1', 'user:ann']) {
      const refused = await suspend('Subject', name, publisher);
      expect([name, refused]).toMatchObject([name, LAST]);
      expect(refused.body.detail).toContain('suspend the Tenant');
    }
    expect((await own.call('GET', '/api/v1/suspensions', { key: strong })).body.items).toEqual([]);
    expect((await suspend('Subject', 'user:entra/2', publisher)).status).toBe(200);
    // All may be stopped at once, for that can be lifted.
    expect((await suspend('Tenant', 'default', publisher)).status).toBe(200);
    await newKey('owner');
    expect((await suspend('Subject', 'user:ann', publisher)).status).toBe(200);
  });

  it('is not made one of those who are suspended', async () => {
    await apply(ISSUER, BOUND);
    await end(own.owner);
    expect((await suspend('Subject', 'user:ann')).status).toBe(200);
    const publisher = await newKey('publisher');
    expect(await applied([ANN], { key: publisher })).toMatchObject(LAST);
    await newKey('owner');
    expect((await applied([ANN], { key: publisher })).status).toBe(200);
  });

  it('is left where both are ended at the same time, on two replicas, by somebody as strong', async () => {
    const { url } = await own.replica();
    let left = own.owner;
    for (let round = 0; round < 4; round++) {
      const both = [left, await newKey('owner')] as const;
      await own.call('GET', '/api/v1/me', { key: both[1], url });
      const ended = await Promise.all([end(both[0]), end(both[1], url)]);
      expect(ended.map(({ status }) => status).sort()).toEqual([204, 409]);
      left = both[ended.findIndex(({ status }) => status === 409)]!;
      expect((await own.call('GET', '/api/v1/me', { key: left })).status).toBe(200);
    }
  });

  it('is left where somebody is suspended while, on another replica, it becomes one of theirs', async () => {
    const { url } = await own.replica();
    await apply(ISSUER, BOUND);
    await end(own.owner);
    await own.call('GET', '/api/v1/me', { key: strong, url });
    const alias = () => applied([ANN], { key: strong });
    const [made, late] = await atOnce(own.database, alias, () => suspend('Subject', 'user:ann', strong, url));
    expect([made, late]).toMatchObject([{ status: 200 }, LAST]);
    await remove('Subject', 'user:ann');
    const [done, refused] = await atOnce(own.database, () => suspend('Subject', 'user:ann', strong, url), alias);
    expect([done, refused]).toMatchObject([{ status: 200 }, LAST]);
  });

  it('does not keep anybody else from being suspended while much changes', async () => {
    let isOver = false;
    const busy = Array.from({ length: 4 }, async (_value, index) => {
      for (let round = 0; !isOver; round++) await applied([{ kind: 'Host', name: `h-${index}`, title: `${round}` }]);
    });
    const suspended: number[] = [];
    for (let round = 0; round < 20; round++) suspended.push((await suspend('Subject', `user:entra/${round}`)).status);
    isOver = true;
    await Promise.all(busy);
    expect(new Set(suspended)).toEqual(new Set([200]));
  });

  it.each<[string, (url: string) => Promise<Answer>, number]>([
    ['its binding goes', (url) => remove('AdministratorBinding', 'b', url), 200],
    ['its Issuer goes', (url) => remove('Issuer', 'entra', url), 200],
    ['it is suspended', (url) => suspend('Subject', 'user:entra/1', strong, url), 200],
    ['it gets a suspended name', (url) => applied([ANN], { key: strong, url }), 200],
  ])('is left where the last key is ended while %s on another replica, in either order', async (_what, other, done) => {
    const { url } = await own.replica();
    await apply(ISSUER, BOUND);
    await suspend('Subject', 'user:ann');
    await own.call('GET', '/api/v1/me', { key: strong, url });
    const first = await atOnce(
      own.database,
      () => end(own.owner),
      () => other(url),
    );
    expect(first).toMatchObject([{ status: 204 }, LAST]);
    const further = await newKey('owner');
    await own.call('GET', '/api/v1/me', { key: further, url });
    const second = await atOnce(
      own.database,
      () => other(url),
      () => end(further),
    );
    expect(second).toMatchObject([{ status: done }, LAST]);
  });
});
