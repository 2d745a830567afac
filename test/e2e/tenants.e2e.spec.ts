import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../apps/server/src/service.js';
import { startTestService, type TestService, type TestTenant } from '../support/service.js';

let service: TestService;
let other: Service;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  other = await service.replica();
});

afterAll(() => service.close());

const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Server, name: files, identity: { url: 'https://files.example.com/mcp' } }
---
kind: Policy
name: all
target: { actions: ['*'], resources: ['*'] }
rules: [{ name: all, effect: allow, to: [any] }]
`;

const ask = async (tenant: TestTenant, url?: string) => {
  const { status, body } = await service.call('POST', '/mcp/v1/decisions', {
    key: tenant.host,
    body: {
      subject: { type: 'user', id: 'ann' },
      server: 'files',
      direction: 'client_to_server',
      message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } },
    },
    ...(url === undefined ? {} : { url }),
  });
  return status === 200 ? body.effect : `${status} ${body.code}`;
};

/** A tenant in which everything is allowed. */
async function company(name: string): Promise<TestTenant> {
  const tenant = await service.secondTenant(name);
  const body = { files: [{ path: 'p.yaml', text: DOCUMENTS }] };
  expect((await tenant.call('POST', '/api/v1/documents/apply', { body })).status).toBe(200);
  return tenant;
}

const operate = (method: string, path: string, body?: unknown) =>
  service.call(method, `/api/v1/tenants${path}`, body === undefined ? {} : { body });

const suspend = (name: string) => operate('PUT', `/${name}/suspension`, { reason: 'not paid' });

/** The lines of an export as values, and its text. */
async function exported(name: string) {
  const { status, body } = await operate('POST', `/${name}/export`);
  expect(status).toBe(200);
  const text = body as string;
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { lines, text, digest: lines.at(-1).end.sha256 as string };
}

const records = async (tenant: string, kind: string) => {
  const rows = await service.database.store.read(tenant, (view) =>
    view.query<{ body: string }[]>('select body from placet.ledger_record where kind = $1 order by seq', [kind]),
  );
  return rows.map(({ body }) => JSON.parse(body).about);
};

describe('a tenant', () => {
  it('is made with a key for its owner, and can be asked in at once', async () => {
    const tenant = await company('acme');
    expect((await tenant.call('GET', '/api/v1/me')).body).toMatchObject({ administrator: 'owner', tenant: tenant.id });
    expect(await ask(tenant)).toBe('allow');
    expect(await ask(tenant, other.url)).toBe('allow');
    const { body } = await operate('GET', '');
    expect(body.items.map((each: { name: string }) => each.name)).toEqual(['acme', 'default']);
    expect((await operate('GET', '?page_size=1')).body.next_page_token).toEqual(expect.any(String));
    expect((await operate('GET', '/acme')).body).toMatchObject({
      suspension: null,
      export: null,
      usage: { documents: 4, credentials: 2 },
    });
  });

  it.each(['default', 't', 'system', 'Upper', '1st', 'a--b', 'a-', 'a_b', 'a'.repeat(41), ''])(
    'is not called %j',
    async (name) => {
      expect((await operate('POST', '', { name })).body.code).toBe('invalid_request');
    },
  );

  it('is not made twice, not by twenty at once either', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => operate('POST', '', { name: 'race' })));
    expect(made.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  });

  it('is operated by nobody but an owner of the home tenant, whatever there is', async () => {
    const acme = await service.secondTenant('other-owner');
    const reader = await service.call('POST', '/api/v1/keys', {
      body: { administrator: 'r', rights: { roles: ['auditor'] } },
    });
    const calls: [string, string, unknown?][] = [
      ['GET', ''],
      ['POST', '', { name: 'mine' }],
      ['GET', '/acme'],
      ['GET', '/nobody'],
      ['PUT', '/acme/suspension', {}],
      ['DELETE', '/acme/suspension'],
      ['PUT', '/acme/quotas', {}],
      ['POST', '/acme/export'],
      ['POST', '/acme/owner-key', { reason: 'x' }],
      ['DELETE', '/acme?export='.padEnd(77, 'a')],
    ];
    for (const [method, path, body] of calls) {
      for (const key of [acme.owner, reader.body.key as string]) {
        const options = body === undefined ? { key } : { key, body };
        const answer = await service.call(method, `/api/v1/tenants${path}`, options);
        expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 403, 'forbidden']);
      }
    }
  });

  it('is not made by an operator whose key ends while it is being made', async () => {
    const made = await service.call('POST', '/api/v1/keys', {
      body: { administrator: 'op', rights: { roles: ['owner', 'operator'] } },
    });
    const { id, key } = made.body;
    const [, answer] = await Promise.all([
      service.call('DELETE', `/api/v1/keys/${id}`),
      service.call('POST', '/api/v1/tenants', { key, body: { name: 'late' } }),
    ]);
    const isThere = (await operate('GET', '/late')).status === 200;
    expect(isThere).toBe(answer.status === 201);
    expect((await service.call('POST', '/api/v1/tenants', { key, body: { name: 'later' } })).status).toBe(401);
  });
});

describe('a suspension by the operator', () => {
  it('ends every allow on every replica, and nobody of the tenant can lift it or do anything', async () => {
    const tenant = await company('paused');
    expect(await ask(tenant, other.url)).toBe('allow');
    expect((await suspend('paused')).status).toBe(200);
    expect(await ask(tenant)).toBe('403 tenant_suspended');
    expect(await ask(tenant, other.url)).toBe('403 tenant_suspended');
    const calls: [string, string][] = [
      ['GET', '/api/v1/me'],
      ['GET', '/api/v1/documents'],
      ['DELETE', '/api/v1/tenants/paused/suspension'],
      ['DELETE', '/api/v1/suspensions/Tenant/default'],
    ];
    for (const [method, path] of calls) {
      expect((await tenant.call(method, path)).body.code, path).toBe('tenant_suspended');
      expect((await tenant.call(method, path, { url: other.url })).body.code, path).toBe('tenant_suspended');
    }
    expect((await operate('GET', '/paused')).body.suspension).toMatchObject({ reason: 'not paid' });
    expect((await suspend('paused')).status).toBe(200);
    expect((await operate('DELETE', '/paused/suspension')).status).toBe(200);
    expect(await ask(tenant)).toBe('allow');
    expect((await operate('DELETE', '/paused/suspension')).body.code).toBe('precondition_required');
    expect(await records(tenant.id, 'tenant')).toEqual([
      { action: 'created', by: 'operator' },
      { action: 'suspended', reason: 'not paid', by: 'operator' },
      { action: 'suspended', reason: 'not paid', by: 'operator' },
      { action: 'resumed', by: 'operator' },
    ]);
    const home = await records(service.database.tenant, 'tenant');
    expect(home).toContainEqual({
      action: 'suspended',
      reason: 'not paid',
      tenant: 'paused',
      by: expect.stringMatching(/^key:/) as string,
    });
    expect((await tenant.call('GET', '/api/v1/revisions')).body.items[0]).toMatchObject({
      changed_by: 'system:operator',
      others: [{ op: 'resume_tenant' }],
    });
  });

  it('is told to nobody whose key is not good', async () => {
    const tenant = await company('quiet');
    await suspend('quiet');
    const wrong = `${tenant.owner.slice(0, -49)}${service.owner.slice(-49)}`;
    expect((await tenant.call('GET', '/api/v1/me', { key: wrong })).body.code).toBe('credentials_invalid');
  });

  it('holds for whoever was being decided about: no allow that was asked for afterwards, under load', async () => {
    const tenant = await company('loaded');
    let suspendedAt = Infinity;
    const late: string[] = [];
    const until = performance.now() + 1500;
    const asking = Array.from({ length: 8 }, async (_value, index) => {
      while (performance.now() < until) {
        const askedAt = performance.now();
        const answer = await ask(tenant, index % 2 ? other.url : undefined);
        if (askedAt > suspendedAt && answer === 'allow') late.push(answer);
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await suspend('loaded');
    suspendedAt = performance.now();
    await Promise.all(asking);
    expect(late).toEqual([]);
  });

  it('is not of the home tenant', async () => {
    expect((await suspend('default')).body.code).toBe('invalid_request');
    expect((await suspend('nobody')).body.code).toBe('not_found');
  });
});

describe('a further key of an owner', () => {
  const lost = (name: string, body: unknown = { reason: 'the only key has expired' }) =>
    operate('POST', `/${name}/owner-key`, body);

  it('lets whoever has lost all of theirs come back, and both tenants can read that it was made, and why', async () => {
    const tenant = await company('locked-out');
    await tenant.call('GET', '/api/v1/me', { url: other.url });
    const superuser = await service.database.connect('superuser');
    const id = tenant.owner.split('_')[2]!;
    await superuser.query('alter table placet.credential disable trigger user');
    await superuser.query(`update placet.credential set expires_at = now() - interval '1 day' where id = $1`, [id]);
    await superuser.query('alter table placet.credential enable trigger user');
    expect((await tenant.call('GET', '/api/v1/me')).status).toBe(401);

    const { status, body } = await lost('locked-out');
    expect(status).toBe(201);
    const key = body.key as string;
    for (const url of [service.url, other.url]) {
      const me = await tenant.call('GET', '/api/v1/me', { key, url });
      expect(me.body).toMatchObject({ tenant: tenant.id, administrator: 'owner', rights: { roles: ['owner'] } });
    }
    const more = { key, body: { administrator: 'second', rights: { roles: ['owner'] } } };
    expect((await tenant.call('POST', '/api/v1/keys', more)).status).toBe(201);
    expect(await ask(tenant)).toBe('allow');

    const said = { action: 'owner_key_made', credential: body.id as string, reason: 'the only key has expired' };
    expect((await records(tenant.id, 'tenant')).at(-1)).toEqual({ ...said, by: 'operator' });
    expect((await records(service.database.tenant, 'tenant')).at(-1)).toEqual({
      ...said,
      tenant: 'locked-out',
      by: `key:${service.owner.split('_')[2]}`,
    });
    const history = (await tenant.call('GET', `/api/v1/revisions/${body.revision}`, { key })).body;
    expect(history).toMatchObject({
      changed_by: 'system:operator',
      message: 'the only key has expired',
      others: [{ op: 'create_credential', id: body.id }],
    });
    const all = JSON.stringify([await records(tenant.id, 'change'), await records(tenant.id, 'tenant'), history]);
    expect(all).not.toContain(key.split('_').at(-1)!.slice(0, 43));
  });

  it.each<[string, unknown]>([
    ['without a reason', {}],
    ['with an empty one', { reason: ' ' }],
    ['with other rights', { reason: 'x', roles: ['operator'] }],
  ])('is not made %s', async (_what, body) => {
    expect(await lost('locked-out', body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('is not one of the home tenant, where it would make an owner of an operator, nor of one that is not there', async () => {
    const made = { body: { administrator: 'op', rights: { roles: ['owner', 'operator'] } } };
    const { key } = (await service.call('POST', '/api/v1/keys', made)).body;
    const refused = await service.call('POST', '/api/v1/tenants/default/owner-key', { key, body: { reason: 'x' } });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(refused.body.detail).toContain('PLACET_BOOTSTRAP_KEY');
    expect((await lost('nobody')).body.code).toBe('not_found');
  });

  it('takes the right to rotate, and no other right to tenants', async () => {
    await company('delegated');
    const roleOf = async (name: string, actions: string[]) => {
      const text = JSON.stringify({ kind: 'AdministratorRole', name, grants: [{ actions, on: ['Tenancy'] }] });
      await service.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'r.yaml', text }] } });
      const made = { body: { administrator: name, rights: { roles: [name] } } };
      return (await service.call('POST', '/api/v1/keys', made)).body.key as string;
    };
    const attempt = async (key: string) =>
      (await service.call('POST', '/api/v1/tenants/delegated/owner-key', { key, body: { reason: 'x' } })).status;
    expect(await attempt(await roleOf('all-but', ['read', 'write', 'suspend', 'export', 'delete']))).toBe(403);
    expect(await attempt(await roleOf('only', ['rotate']))).toBe(201);
  });

  it('is none of a suspended tenant before that goes on, and counts towards its quota', async () => {
    const tenant = await company('held');
    await suspend('held');
    const { key } = (await lost('held')).body;
    expect((await tenant.call('GET', '/api/v1/me', { key })).body.code).toBe('tenant_suspended');
    await operate('DELETE', '/held/suspension');
    expect((await tenant.call('GET', '/api/v1/me', { key })).status).toBe(200);
    await operate('PUT', '/held/quotas', { credentials: 3 });
    expect(await lost('held')).toMatchObject({ status: 409, body: { code: 'quota_reached' } });
    expect((await operate('GET', '/held')).body.usage.credentials).toBe(3);
  });
});

describe('an export', () => {
  it('has everything but secrets, and says how much and what that comes to', async () => {
    const tenant = await company('whole');
    await ask(tenant);
    const { lines, text, digest } = await exported('whole');
    expect(lines[0]).toMatchObject({ placet_export: 1, tenant: { id: tenant.id, name: 'whole' } });
    const body = text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1);
    expect(createHash('sha256').update(body).digest('hex')).toBe(digest);
    expect(lines.at(-1).end.lines).toBe(lines.length - 1);
    const tables = new Set(lines.map(({ table }) => table as string | undefined));
    for (const table of [
      'document',
      'document_version',
      'revision',
      'change',
      'credential',
      'credential_secret',
      'ledger_record',
    ])
      expect(tables).toContain(table);
    for (const key of [tenant.owner, tenant.host]) expect(text).not.toContain(key.split('_').at(-1)!.slice(0, 43));
    expect(text).not.toContain('"mac"');
    expect(text).not.toContain(service.database.tenant);
    expect((await operate('GET', '/whole')).body.export.sha256).toBe(digest);
    expect(await records(tenant.id, 'export')).toMatchObject([
      { action: 'begun' },
      { action: 'finished', sha256: digest },
    ]);
  });

  it('of a tenant that is not there is none', async () => {
    expect((await operate('POST', '/nobody/export')).body.code).toBe('not_found');
  });
});

describe('a deletion', () => {
  it('needs a suspension and an export since which nothing has changed, and leaves nothing but a line about it', async () => {
    const tenant = await company('gone');
    expect(await ask(tenant)).toBe('allow');
    expect(await ask(tenant, other.url)).toBe('allow');
    const remove = (digest?: string) => operate('DELETE', `/gone${digest === undefined ? '' : `?export=${digest}`}`);
    expect((await remove()).body.code).toBe('precondition_required');
    const early = await exported('gone');
    expect((await remove(early.digest)).body.code).toBe('precondition_required');
    await suspend('gone');
    expect((await remove(early.digest)).body.code).toBe('version_mismatch');
    const { digest } = await exported('gone');
    expect((await remove('0'.repeat(64))).body.code).toBe('version_mismatch');
    expect((await remove(digest)).status).toBe(204);

    const superuser = await service.database.connect('superuser');
    const { rows } = await superuser.query<{ name: string; key: string }>(
      `select relname as name, case relname when 'tenant' then 'id' else 'tenant' end as key from pg_class
       where relnamespace = 'placet'::regnamespace and relkind in ('r', 'p') and relname <> 'migration'`,
    );
    for (const { name, key } of rows) {
      const left = await superuser.query(`select from placet.${name} where ${key} = $1`, [tenant.id]);
      expect([name, left.rowCount]).toEqual([name, 0]);
    }
    const tombstones = await superuser.query('select * from placet.deleted_tenant');
    expect(tombstones.rows).toMatchObject([
      { tenant: service.database.tenant, name: 'gone', id: tenant.id, export_digest: digest },
    ]);
    for (const url of [service.url, other.url]) {
      for (const key of [tenant.owner, tenant.host])
        expect([401, 404]).toContain((await tenant.call('GET', '/api/v1/me', { key, url })).status);
      expect(['401 credentials_invalid', '404 tenant_unknown']).toContain(await ask(tenant, url));
    }
    const eventually = async () => (await Promise.all([ask(tenant), ask(tenant, other.url)])).join();
    await expect.poll(eventually).toBe('401 credentials_invalid,401 credentials_invalid');
    expect((await operate('POST', '', { name: 'gone' })).body.code).toBe('already_exists');
    expect((await operate('GET', '/gone')).body.code).toBe('not_found');
    expect(await records(service.database.tenant, 'tenant')).toContainEqual(
      expect.objectContaining({ action: 'deleted', tenant: 'gone', export: digest }),
    );
    const metrics = await service.call('GET', '/metrics');
    expect(metrics.body).not.toContain(tenant.id);
  });

  it('is not of the home tenant', async () => {
    expect((await operate('DELETE', `/default?export=${'0'.repeat(64)}`)).body.code).toBe('invalid_request');
  });
});

describe('quotas', () => {
  const quotas = (name: string, body: unknown) => operate('PUT', `/${name}/quotas`, body);
  const role = (tenant: TestTenant, name: string, description?: string) =>
    tenant.call('POST', '/api/v1/documents/apply', {
      body: {
        files: [{ path: 'r.yaml', text: JSON.stringify({ kind: 'Role', name, description: description ?? name }) }],
      },
    });

  it('bound what is stored, and what was there before may still be changed and deleted', async () => {
    const tenant = await company('small');
    const { usage } = (await operate('GET', '/small')).body;
    expect((await quotas('small', { documents: usage.documents + 1 })).status).toBe(200);
    expect((await role(tenant, 'one')).status).toBe(200);
    const second = await role(tenant, 'two');
    expect([second.status, second.body.code]).toEqual([409, 'quota_reached']);
    expect(second.body.detail).toContain(`${usage.documents + 1} documents`);
    expect((await role(tenant, 'one', 'another')).status).toBe(200);
    await quotas('small', { documents: 2 });
    expect((await role(tenant, 'one', 'a third')).status).toBe(200);
    expect((await tenant.call('DELETE', '/api/v1/documents/Role/one', { headers: { 'If-Match': '"3"' } })).status).toBe(
      200,
    );
    expect((await role(tenant, 'one')).body.code).toBe('quota_reached');
    expect((await operate('GET', '/small')).body).toMatchObject({
      quotas: { documents: 2, credentials: 2000 },
      usage: { documents: usage.documents },
    });
    await quotas('small', { documents: null, document_bytes: 5000 });
    const draft = {
      files: [{ path: 'r.yaml', text: JSON.stringify({ kind: 'Role', name: 'd', description: 'x'.repeat(900) }) }],
    };
    const saved = await Promise.all(
      Array.from({ length: 12 }, (_value, index) => tenant.call('PUT', `/api/v1/drafts/d${index}`, { body: draft })),
    );
    expect(new Set(saved.map(({ status }) => status))).toEqual(new Set([201, 409]));
  });

  it('hinder nobody from stopping something: who has all that they may have can suspend, disable and delete', async () => {
    const tenant = await company('full');
    const { usage } = (await operate('GET', '/full')).body;
    const made = await tenant.call('POST', '/api/v1/keys', {
      body: { administrator: 'r', rights: { roles: ['auditor'] } },
    });
    expect((await quotas('full', { documents: 0, document_bytes: 0, credentials: 0 })).status).toBe(200);
    expect((await role(tenant, 'more')).body.code).toBe('quota_reached');
    expect(await ask(tenant)).toBe('allow');
    const suspensions = '/api/v1/suspensions';
    const reason = { reason: 'x'.repeat(500) };
    for (const what of ['Subject/user:ann', 'Server/files', 'Tenant/default']) {
      expect((await tenant.call('PUT', `${suspensions}/${what}`, { body: reason })).status, what).toBe(200);
      expect(await ask(tenant), what).toBe('deny');
      expect((await operate('GET', '/full')).body.usage, what).toMatchObject({ documents: usage.documents });
      expect((await tenant.call('DELETE', `${suspensions}/${what}`)).status, what).toBe(200);
      expect(await ask(tenant), what).toBe('allow');
    }
    expect((await tenant.call('DELETE', `/api/v1/keys/${made.body.id}`)).status).toBe(204);
    const gone = await tenant.call('DELETE', '/api/v1/documents/Policy/all', { headers: { 'If-Match': '"1"' } });
    expect(gone.status).toBe(200);
    expect(await ask(tenant)).toBe('deny');
  });

  it('bound what all versions of documents take, and what takes something away goes on', async () => {
    const tenant = await company('history');
    const before = (await operate('GET', '/history')).body;
    expect(before.quotas.history_bytes).toBe(4 * 1024 ** 3);
    expect((await role(tenant, 'kept')).status).toBe(200);
    const { usage } = (await operate('GET', '/history')).body;
    expect(usage.history_bytes).toBeGreaterThan(before.usage.history_bytes);
    expect((await quotas('history', { history_bytes: usage.history_bytes })).status).toBe(200);
    const more = await role(tenant, 'kept', 'another');
    expect([more.status, more.body.code]).toEqual([409, 'quota_reached']);
    const gone = await tenant.call('DELETE', '/api/v1/documents/Role/kept', { headers: { 'If-Match': '"1"' } });
    expect(gone.status).toBe(200);
    expect((await operate('GET', '/history')).body.usage.history_bytes).toBe(usage.history_bytes);
    await quotas('history', { history_bytes: null });
    expect((await role(tenant, 'kept')).status).toBe(200);
  });

  it('bound keys, those that have ended not among them', async () => {
    const tenant = await service.secondTenant('few-keys');
    await quotas('few-keys', { credentials: 3 });
    const key = () =>
      tenant.call('POST', '/api/v1/keys', { body: { administrator: 'r', rights: { roles: ['auditor'] } } });
    const third = await key();
    expect(third.status).toBe(201);
    expect((await key()).body.code).toBe('quota_reached');
    await tenant.call('DELETE', `/api/v1/keys/${third.body.id}`);
    expect((await key()).status).toBe(201);
  });

  it('bound decisions a second, of one tenant, and not by those whose key is not good', async () => {
    const tenant = await company('slow');
    await quotas('slow', { decisions_per_second: 5 });
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(tenant)));
    const most = 5 + 5 * ((performance.now() - began) / 1000) + 1;
    expect(answers.filter((answer) => answer === 'allow').length).toBeLessThanOrEqual(most);
    expect(answers).toContain('429 quota_exceeded');
    const neighbour = await company('neighbour');
    expect(await ask(neighbour)).toBe('allow');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const wrong = `${tenant.host.slice(0, -49)}${service.owner.slice(-49)}`;
    await Promise.all(Array.from({ length: 40 }, () => ask({ ...tenant, host: wrong })));
    expect(await ask(tenant)).toBe('allow');
  });
});
