import { readFileSync } from 'node:fs';
import { createMongoAbility, subject } from '@casl/ability';
import { unpackRules } from '@casl/ability/extra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atOnce } from '../support/at-once.js';
import { PUBLIC_KEY } from '../support/probes.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let client: string;
let connectorToken: string;

beforeAll(async () => {
  service = await startTestService();
  client = (await service.call('POST', '/api/v1/clients', { body: { host: 'quickstart' } })).body.id as string;
  await write({ kind: 'Issuer', name: 'okta', issuer: 'https://okta.example', provisioning: { scim: true } });
  const token = await service.call('POST', '/api/v1/connector-tokens', { body: { issuer: 'okta' } });
  connectorToken = token.body.id as string;
});

afterAll(async () => {
  await service.close();
});

const newKey = async (roles: readonly string[], key?: string) =>
  service.call('POST', '/api/v1/keys', { body: { administrator: 'ann', rights: { roles } }, ...(key ? { key } : {}) });
const keyOf = async (...roles: string[]): Promise<string> => (await newKey(roles)).body.key as string;
const idOf = (key: string) => key.split('_')[2]!;

const write = async (document: { kind: string; name: string; [member: string]: unknown }, key?: string) => {
  const path = `/api/v1/documents/${document.kind}/${document.name}`;
  const { headers, status } = await service.call('GET', path);
  const condition: Record<string, string> =
    status === 404 ? { 'If-None-Match': '*' } : { 'If-Match': headers.get('etag')! };
  return service.call('PUT', path, { body: document, headers: condition, ...(key ? { key } : {}) });
};
const role = (name: string, ...grants: object[]) => ({
  kind: 'AdministratorRole',
  name,
  ...(grants[0] ? { grants } : {}),
});

interface Operation {
  readonly 'x-placet-right': string | { readonly action: string; readonly each?: boolean };
}
const { paths } = JSON.parse(readFileSync('openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
};
const routes = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, operation]): [string, string, Operation['x-placet-right']][] =>
    typeof operation['x-placet-right'] === 'string' ? [] : [[method.toUpperCase(), path, operation['x-placet-right']]],
  ),
);

/** A request that is right but for who makes it. */
const PARTS: Readonly<Record<string, string>> = {
  kind: 'Host',
  name: 'quickstart',
  version: '1',
  revision: '1',
  of: 'Host',
  evaluation_id: 'ev_1_6_9xmynYUF',
};
const BODIES: Readonly<Record<string, unknown>> = {
  '/api/v1/documents/apply': { files: [{ path: 'a.yaml', text: '{ kind: Host, name: quickstart, title: Mine }' }] },
  '/api/v1/documents/validate': { files: [] },
  '/api/v1/documents/{kind}/{name}': { kind: 'Host', name: 'quickstart', title: 'Mine' },
  '/api/v1/drafts/{name}': { files: [] },
  '/api/v1/drafts/{name}/publish': { message: 'x' },
  '/api/v1/rollback': { to: 1, message: 'x' },
  '/api/v1/keys': { host: 'quickstart' },
  '/api/v1/keys/{id}': { cidrs: null },
  '/api/v1/clients': { host: 'quickstart' },
  '/api/v1/connector-tokens': { issuer: 'okta' },
  '/api/v1/clients/{id}': { cidrs: null },
  '/api/v1/clients/{id}/keys': { keys: { keys: [PUBLIC_KEY] } },
  '/api/v1/tenants/{name}/owner-key': { reason: 'x' },
  '/api/v1/access/subjects': { resource: { id: 'x', type: 'account' }, action: { name: 'read' } },
  '/api/v1/access/capabilities': { subject: { id: 'ann' } },
};
const QUERIES: Readonly<Record<string, string>> = {
  '/api/v1/access/capabilities': '?format=casl&subject=user:ann&host=quickstart',
  '/api/v1/diff': '?from=0',
};

const ask = (method: string, path: string, key: string) => {
  const id = path.includes('/clients/')
    ? client
    : path.includes('/connector-tokens/')
      ? connectorToken
      : idOf(service.host);
  const filled = path.replace(/\{(\w+)\}/g, (_, part: string) =>
    part === 'id' ? id : encodeURIComponent(PARTS[part]!),
  );
  const query = method === 'GET' ? (QUERIES[path] ?? '') : '';
  const headers = path.includes('{kind}') && ['PUT', 'DELETE'].includes(method) ? { 'If-Match': '"1"' } : undefined;
  return service.call(method, filled + query, {
    key,
    ...(method === 'GET' || method === 'DELETE' ? {} : { body: BODIES[path] ?? {} }),
    ...(headers ? { headers } : {}),
  });
};

describe('every route', () => {
  it.each(routes)('%s %s is closed to who has no role for it', async (method, path) => {
    const key = await keyOf('user');
    expect(await ask(method, path, key)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect((await service.call('GET', '/api/v1/me', { key })).body).toMatchObject({ rights: { roles: ['user'] } });
  });

  it.each(routes)('%s %s is closed to who may do everything to things of other names', async (method, path, right) => {
    await write(role('elsewhere', { actions: ['manage'], on: ['all'], names: ['nowhere', 'nowhere-*'] }));
    const { status, body } = await ask(method, path, await keyOf('elsewhere'));
    const isList = method === 'GET' && !path.includes('{') && typeof right === 'object' && right.each === true;
    if (isList) expect([status, body.items]).toEqual([200, []]);
    // Of which Issuer a test is, only who began it is told.
    else if (path === '/api/v1/sign-in-tests/{id}') expect([status, body.code]).toEqual([404, 'not_found']);
    else expect([status, body.code]).toEqual([403, 'forbidden']);
  });
});

describe('who publishes', () => {
  it('writes only what it may write, by whatever way', async () => {
    await write(
      role(
        'policies',
        { actions: ['publish', 'read'], on: ['Draft', 'Revision'] },
        { actions: ['write', 'delete'], on: ['Role'], names: ['p-*'] },
      ),
    );
    const key = await keyOf('policies', 'policy-author');
    const files = (text: string) => ({ files: [{ path: 'a.yaml', text }] });
    const good = '{ kind: Role, name: p-1 }';
    const mixed = `${good}\n---\n{ kind: Role, name: q }`;
    const apply = (text: string, more: object = {}) =>
      service.call('POST', '/api/v1/documents/apply', { key, body: { ...files(text), ...more } });
    expect((await apply(good)).status).toBe(200);
    expect((await apply(mixed)).body).toMatchObject({
      code: 'forbidden',
      detail: expect.stringContaining("the Role 'q'") as string,
    });
    expect((await apply(good, { prune: true })).body).toMatchObject({ code: 'forbidden' });
    expect((await apply('{ kind: AdministratorRole, name: p-1 }')).body).toMatchObject({ code: 'forbidden' });

    const save = (text: string) =>
      service.call('PUT', '/api/v1/drafts/d', { key, body: files(text), headers: { 'If-None-Match': '*' } });
    const publish = () => service.call('POST', '/api/v1/drafts/d/publish', { key, body: { message: 'x' } });
    expect((await save(mixed)).status).toBe(201);
    expect((await publish()).body).toMatchObject({ code: 'forbidden' });
    const { headers } = await service.call('GET', '/api/v1/drafts/d', { key });
    await service.call('DELETE', '/api/v1/drafts/d', { key, headers: { 'If-Match': headers.get('etag')! } });
    await save('{ kind: Role, name: p-2 }');
    expect((await publish()).status).toBe(200);
    // Back to when there was another AdministratorRole.
    await write(role('since-then'));
    expect((await service.call('POST', '/api/v1/rollback', { key, body: { to: 1, message: 'x' } })).body).toMatchObject(
      { code: 'forbidden' },
    );
  });

  it('sees no contents of documents that it may not read', async () => {
    await write(role('blind', { actions: ['read'], on: ['Revision', 'Draft'] }));
    const key = await keyOf('blind');
    const { body } = await service.call('GET', '/api/v1/diff?from=0', { key });
    expect(body.documents.length).toBeGreaterThan(3);
    for (const document of body.documents) expect(document).not.toHaveProperty('after');
    const { body: seen } = await service.call('GET', '/api/v1/diff?from=0');
    expect(seen.documents[0]).toHaveProperty('after');
    const { body: list } = await service.call('GET', '/api/v1/revisions', { key });
    expect(list.items.flatMap(({ others }: { others: { op: string }[] }) => others.map(({ op }) => op))).not.toContain(
      'create_credential',
    );
  });
});

describe('nobody gives what they do not have', () => {
  let limited: string;

  beforeAll(async () => {
    await write(
      role(
        'limited',
        { actions: ['read'], on: ['all'] },
        {
          actions: ['write', 'rotate', 'delete', 'grant'],
          on: ['Key', 'AdministratorRole', 'AdministratorBinding', 'Mapping', 'Issuer'],
        },
      ),
    );
    limited = await keyOf('limited');
  });

  const EXCEEDS = { status: 403, body: { code: 'grant_exceeds_own' } };

  it('not by a key', async () => {
    expect(await newKey(['owner'], limited)).toMatchObject(EXCEEDS);
    expect(await newKey(['limited', 'publisher'], limited)).toMatchObject(EXCEEDS);
    expect((await newKey(['limited', 'user'], limited)).status).toBe(201);
    expect(await newKey(['operator'], await keyOf('owner'))).toMatchObject(EXCEEDS);
    const own = idOf((await newKey(['user'], limited)).body.key as string);
    const change = (roles: string[]) =>
      service.call('PATCH', `/api/v1/keys/${own}`, { key: limited, body: { rights: { roles } } });
    expect(await change(['owner'])).toMatchObject(EXCEEDS);
    expect((await change(['limited'])).status).toBeLessThan(300);
    expect((await newKey(['nobody'], limited)).body).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('not by a key of somebody stronger, which could be taken over', async () => {
    const id = idOf(await keyOf('publisher'));
    expect(await service.call('POST', `/api/v1/keys/${id}/rotate`, { key: limited, body: {} })).toMatchObject(EXCEEDS);
    expect(await service.call('DELETE', `/api/v1/keys/${id}`, { key: limited })).toMatchObject(EXCEEDS);
    expect(
      (await service.call('POST', `/api/v1/keys/${idOf(limited)}/rotate`, { key: limited, body: {} })).status,
    ).toBe(201);
  });

  it('not by keys of administrators at all without the right to grant', async () => {
    const registrar = await keyOf('registrar');
    expect(await newKey(['user'], registrar)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const id = idOf(await keyOf('user'));
    expect((await service.call('DELETE', `/api/v1/keys/${id}`, { key: registrar })).status).toBe(403);
    const { status } = await service.call('POST', '/api/v1/keys', { key: registrar, body: { host: 'quickstart' } });
    expect(status).toBe(201);
  });

  it('nor asks less of those who do more, by whatever way', async () => {
    const publisher = await keyOf('publisher');
    const { body: found } = await service.call('GET', '/api/v1/documents/Tenant/default');
    const before = found.document as object;
    const apply = (document: object, key: string) =>
      service.call('POST', '/api/v1/documents/apply', {
        key,
        body: { files: [{ path: 't.yaml', text: JSON.stringify(document) }] },
      });
    const strict = { ...before, administration: { stepUp: { acr: ['mfa'] } }, signIn: { idleMinutes: 5 } };
    expect(await apply(strict, publisher)).toMatchObject(EXCEEDS);
    const owner = await keyOf('owner');
    const { status, body: made } = await apply(strict, owner);
    expect(status).toBe(200);
    expect(await apply({ ...strict, administration: {} }, publisher)).toMatchObject(EXCEEDS);
    expect(await apply({ ...strict, signIn: { idleMinutes: 60 } }, publisher)).toMatchObject(EXCEEDS);
    expect((await apply({ ...strict, description: 'ours' }, publisher)).status).toBe(200);
    const { version } = (await service.call('GET', '/api/v1/documents/Tenant/default')).body;
    const headers = { 'If-Match': `"${version}"` };
    expect(await service.call('DELETE', '/api/v1/documents/Tenant/default', { key: publisher, headers })).toMatchObject(
      EXCEEDS,
    );
    const back = { key: publisher, body: { to: (made.revision as number) - 1, message: 'as it was' } };
    expect(await service.call('POST', '/api/v1/rollback', back)).toMatchObject(EXCEEDS);
    const draft = { files: [{ path: 't.yaml', text: JSON.stringify(before) }] };
    await service.call('PUT', '/api/v1/drafts/weaker', { key: publisher, body: draft });
    const published = await service.call('POST', '/api/v1/drafts/weaker/publish', {
      key: publisher,
      body: { message: 'weaker' },
    });
    expect(published).toMatchObject(EXCEEDS);
    expect((await apply(before, owner)).status).toBe(200);
  });

  it('not by a role, a binding or a mapping', async () => {
    expect(await write(role('wide', { actions: ['publish'], on: ['Draft'] }), limited)).toMatchObject(EXCEEDS);
    expect(await write(role('limited', { actions: ['manage'], on: ['all'] }), limited)).toMatchObject(EXCEEDS);
    const binding = { kind: 'AdministratorBinding', name: 'b', to: ['user:entra/1'] };
    expect(await write({ ...binding, roles: ['owner'] }, limited)).toMatchObject(EXCEEDS);
    expect((await write({ ...binding, roles: ['limited'] }, limited)).status).toBe(201);
    expect((await write({ kind: 'Issuer', name: 'entra', issuer: 'https://login.example' }, limited)).status).toBe(201);
    const mapping = { kind: 'Mapping', name: 'm', issuer: 'entra' };
    const rules = (...administration: string[]) => [{ name: 'r', when: 'always', administration }];
    expect(await write({ ...mapping, rules: rules('owner') }, limited)).toMatchObject(EXCEEDS);
    expect((await write({ ...mapping, rules: rules('limited') }, limited)).status).toBe(201);
    expect((await write({ ...mapping, rules: rules('auditor', 'owner') })).status).toBe(200);
    // Now this issuer says who is an owner.
    const moved = { kind: 'Issuer', name: 'entra', issuer: 'https://mine.example' } as never;
    expect(await write(moved, limited)).toMatchObject(EXCEEDS);
    await write({ ...mapping, rules: rules('limited') });
  });

  it('not by an Issuer on which workloads of hosts rest, whose clients are not theirs to write', async () => {
    const cluster = { kind: 'Issuer', name: 'cluster', issuer: 'https://cluster.example', workloads: {} };
    const federated = { issuer: 'cluster', subject: 'system:serviceaccount:shop:desk' };
    const federate = (key: string) =>
      service.call('POST', '/api/v1/clients', { key, body: { host: 'quickstart', federated } });
    const remove = async (name: string, key: string) => {
      const { headers } = await service.call('GET', `/api/v1/documents/Issuer/${name}`);
      const condition = { 'If-Match': headers.get('etag')! };
      return service.call('DELETE', `/api/v1/documents/Issuer/${name}`, { key, headers: condition });
    };
    const apply = (documents: readonly object[], key: string, prune = false) =>
      service.call('POST', '/api/v1/documents/apply', {
        key,
        body: {
          files: [{ path: 'i.yaml', text: documents.map((each) => JSON.stringify(each)).join('\n---\n') }],
          prune,
        },
      });
    const written = async () => (await service.call('GET', '/api/v1/documents/Issuer/cluster')).body.document as object;
    // As long as nothing rests on it, it is anybody's who may write Issuers.
    expect((await write(cluster, limited)).status).toBe(201);
    const elsewhere = { ...cluster, issuer: 'https://mine.example' };
    expect((await write(elsewhere, limited)).status).toBe(200);
    expect((await write(cluster, limited)).status).toBe(200);
    const { id } = (await federate(await keyOf('registrar'))).body;

    const refused = await write(elsewhere, limited);
    expect(refused).toMatchObject(EXCEEDS);
    expect(refused.body.detail).toContain("the host 'quickstart'");
    expect(await write({ ...cluster, jwksUri: 'https://mine.example/keys' }, limited)).toMatchObject(EXCEEDS);
    const { workloads: _, ...without } = cluster;
    expect(await write(without, limited)).toMatchObject(EXCEEDS);
    expect(await remove('cluster', limited)).toMatchObject(EXCEEDS);
    expect(await apply([elsewhere], limited)).toMatchObject(EXCEEDS);
    expect(await written()).toMatchObject(cluster);

    await write(role('half', { actions: ['write'], on: ['Client'], names: ['quickstart'] }));
    const both = await keyOf('limited', 'half');
    expect((await write({ ...elsewhere, description: 'moved' }, both)).status).toBe(200);
    expect((await remove('cluster', both)).status).toBe(200);
    // What is left of it waits for an Issuer of that name.
    expect(await write(elsewhere, limited)).toMatchObject(EXCEEDS);
    expect((await service.call('DELETE', `/api/v1/clients/${id}`)).status).toBe(204);
    expect((await write(elsewhere, limited)).status).toBe(201);
  });

  it('not by an Issuer at the same time as a workload comes to rest on it', async () => {
    const { url } = await service.replica();
    const registrar = await keyOf('registrar');
    const issuer = { kind: 'Issuer', name: 'racing', issuer: 'https://racing.example' };
    await write({ ...issuer, workloads: {} }, limited);
    await service.call('GET', '/api/v1/me', { key: registrar, url });
    const federated = { issuer: 'racing', subject: 'desk' };
    const [moved, made] = await atOnce(
      service.database,
      () => write(issuer, limited),
      () => service.call('POST', '/api/v1/clients', { key: registrar, url, body: { host: 'quickstart', federated } }),
    );
    expect(moved.status).toBe(200);
    expect(made).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('a role that is taken away', () => {
  it('is gone on a replica at once, for reading and for writing', async () => {
    const { url } = await service.replica();
    await write(role('fading', { actions: ['read', 'write'], on: ['Role'] }));
    const key = await keyOf('fading');
    const onReplica = (method: string, path: string, more: object = {}) =>
      service.call(method, path, { key, url, ...more });
    for (let round = 0; round < 5; round++) {
      await write(role('fading', { actions: ['read', 'write'], on: ['Role'] }));
      expect((await onReplica('GET', '/api/v1/documents?kind=Role')).status).toBe(200);
      await write(role('fading'));
      expect((await onReplica('GET', '/api/v1/documents?kind=Role')).status).toBe(403);
      const put = { body: { kind: 'Role', name: `r${round}` }, headers: { 'If-None-Match': '*' } };
      expect((await onReplica('PUT', `/api/v1/documents/Role/r${round}`, put)).status).toBe(403);
    }
  });

  it('between the plan and the commit stops the change', async () => {
    const { url } = await service.replica();
    const grants = { actions: ['read', 'write'], on: ['Role'] };
    let refused = 0;
    for (let round = 0; round < 6; round++) {
      await write(role('racing', grants));
      const key = await keyOf('racing');
      const name = `race-${round}`;
      const options = { key, url, body: { kind: 'Role', name }, headers: { 'If-None-Match': '*' } };
      const [taken, made] = await Promise.all([
        write(role('racing')),
        service.call('PUT', `/api/v1/documents/Role/${name}`, options),
      ]);
      expect(taken.status).toBe(200);
      expect([201, 403]).toContain(made.status);
      if (made.status === 403) refused++;
      // What was made was made before the role went.
      else expect(made.body.revision).toBeLessThan(taken.body.revision as number);
    }
    expect(refused).toBeLessThanOrEqual(6);
  });
});

describe('capabilities', () => {
  const abilityOf = (rules: unknown) => createMongoAbility(unpackRules(rules as never) as never);

  it('of the caller stand in /me', async () => {
    const { body } = await service.call('GET', '/api/v1/me', { key: await keyOf('registrar') });
    const ability = abilityOf(body.capabilities);
    expect(ability.can('write', subject('Server', { name: 'x' }))).toBe(true);
    expect(ability.can('write', subject('Policy', { name: 'x' }))).toBe(false);
  });

  it('of a subject through a host are the plain allows, to administrators and to the host itself', async () => {
    const query = (who: string, host = '&host=quickstart') =>
      `/api/v1/access/capabilities?format=casl&subject=${who}${host}&page_size=500`;
    const { body } = await service.call('GET', query('user:ann'));
    const ability = abilityOf(body.rules);
    const { items } = (
      await service.call('POST', '/api/v1/access/capabilities', {
        body: { subject: { id: 'ann' }, host: 'quickstart', effects: ['allow', 'ask', 'deny'], page_size: 500 },
      })
    ).body as {
      items: {
        server?: string;
        resource: { type: string; id: string };
        action: { name: string };
        effect: string;
        conditional: boolean;
      }[];
    };
    let allowed = 0;
    for (const { server, resource, action, effect, conditional } of items) {
      const can = ability.can(
        action.name,
        subject(resource.type, { id: resource.id, ...(server === undefined ? {} : { server }) }),
      );
      if (can) expect([effect, conditional]).toEqual(['allow', false]);
      if (can) allowed++;
    }
    expect(allowed).toBeGreaterThan(0);
    const own = await service.call('GET', query('user:ann', ''), { key: service.host });
    expect(own.body.rules).toEqual(body.rules);
    const other = await service.call('GET', query('user:ann', '&host=other'), { key: service.host });
    expect(other).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const { key } = (
      await service.call('POST', '/api/v1/keys', { body: { host: 'quickstart', rights: { subjects: ['user:bob'] } } })
    ).body;
    expect(await service.call('GET', query('user:ann', ''), { key })).toMatchObject({
      status: 403,
      body: { code: 'subject_not_assertable' },
    });
  });
});
