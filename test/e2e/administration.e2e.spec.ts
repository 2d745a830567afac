import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  await apply('kind: Role\nname: employee\n---\nkind: Host\nname: desk\n');
});

afterAll(() => service.close());

const apply = (text: string, more: object = {}): Promise<Answer> =>
  service.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'test.yaml', text }], ...more } });

const put = (kind: string, name: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  service.call('PUT', `/api/v1/documents/${kind}/${encodeURIComponent(name)}`, { body, headers });

const YAML = { 'Content-Type': 'application/yaml' };

describe('documents', () => {
  it('are saved, read back, changed and deleted by their version', async () => {
    const created = await put('Role', 'sales', { kind: 'Role', name: 'sales' });
    expect(created).toMatchObject({ status: 201, body: { documents: [{ change: 'created', version: 1 }] } });
    expect(created.headers.get('etag')).toBe('"1"');

    const changed = { kind: 'Role', name: 'sales', inherits: ['employee'] };
    expect(await put('Role', 'sales', changed)).toMatchObject({ status: 428, body: { code: 'precondition_required' } });
    expect(await put('Role', 'sales', changed, { 'If-Match': '"7"' })).toMatchObject({
      status: 412,
      body: { code: 'version_mismatch' },
    });
    expect(await put('Role', 'sales', changed, { 'If-None-Match': '*' })).toMatchObject({
      status: 409,
      body: { code: 'already_exists' },
    });
    expect(await put('Role', 'sales', changed, { 'If-Match': '"1"' })).toMatchObject({
      status: 200,
      body: { documents: [{ change: 'updated', version: 2 }] },
    });

    const read = await service.call('GET', '/api/v1/documents/Role/sales');
    expect(read).toMatchObject({ status: 200, body: { kind: 'Role', name: 'sales', version: 2, document: changed } });
    expect(read.headers.get('etag')).toBe('"2"');

    const path = '/api/v1/documents/Role/sales';
    expect(await service.call('DELETE', path)).toMatchObject({ status: 428 });
    expect(await service.call('DELETE', path, { headers: { 'If-Match': '"1"' } })).toMatchObject({ status: 412 });
    expect(await service.call('DELETE', path, { headers: { 'If-Match': '"2"' } })).toMatchObject({
      status: 200,
      body: { documents: [{ change: 'deleted' }] },
    });
    expect(await service.call('GET', path)).toMatchObject({ status: 404 });
    expect(await service.call('DELETE', path, { headers: { 'If-Match': '"2"' } })).toMatchObject({ status: 404 });

    const versions = await service.call('GET', `${path}/versions`);
    expect(
      versions.body.items.map((item: { version: number; document: unknown }) => [item.version, item.document]),
    ).toEqual([
      [3, null],
      [2, changed],
      [1, { kind: 'Role', name: 'sales' }],
    ]);
    expect(versions.body.items[0].changed_by).toMatch(/^key:/);
    expect(await service.call('GET', `${path}/versions/2`)).toMatchObject({ status: 200, body: { document: changed } });
    expect(await service.call('GET', `${path}/versions/9`)).toMatchObject({ status: 404 });
  });

  it('change nothing when they are as they were', async () => {
    const before = await apply('kind: Role\nname: same\n');
    const again = await apply('# a comment\nname: same\nkind: Role\n');
    expect(again.body).toMatchObject({
      revision: before.body.revision,
      documents: [{ change: 'unchanged', version: 1 }],
    });
  });

  it('have names with any characters in their paths', async () => {
    const id = 'a/b c?d#e%2F@x.org';
    expect(await put('Subject', `user:${id}`, { kind: 'Subject', id })).toMatchObject({ status: 201 });
    const read = await service.call('GET', `/api/v1/documents/Subject/${encodeURIComponent(`user:${id}`)}`);
    expect(read.body).toMatchObject({ name: `user:${id}`, document: { kind: 'Subject', type: 'user', id } });
  });

  it('come in pages', async () => {
    await apply(Array.from({ length: 7 }, (_, at) => `kind: Resource\ntype: record\nid: r${at}\n`).join('---\n'));
    const seen: string[] = [];
    let token = '';
    do {
      const { body } = await service.call('GET', `/api/v1/documents?kind=Resource&page_size=3${token}`);
      seen.push(...body.items.map((item: { name: string }) => item.name));
      token = body.next_page_token === undefined ? '' : `&page_token=${body.next_page_token}`;
    } while (token !== '');
    expect(seen).toEqual(Array.from({ length: 7 }, (_, at) => `/record:r${at}`));
    const all = await service.call('GET', '/api/v1/documents?page_size=500');
    const names = all.body.items.map((item: { kind: string; name: string }) => `${item.kind} ${item.name}`);
    expect(names).toEqual([...names].sort());
  });

  it.each([
    ['page_size=0', 'page_size'],
    ['page_size=501', 'page_size'],
    ['page_size=x', 'page_size'],
    ['page_token=x', 'page_token'],
    ['page_token=bnVsbA', 'page_token'],
    ['kind=Nothing', 'kind'],
    ['unknown=1', 'unknown'],
  ])('are not listed by %s', async (query, named) => {
    const answer = await service.call('GET', `/api/v1/documents?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.detail).toContain(named);
  });

  it('are taken as YAML, too', async () => {
    expect(await put('Role', 'yaml', 'kind: Role # a role\nname: yaml\n', YAML)).toMatchObject({ status: 201 });
  });

  it.each<[string, string, object]>([
    [
      'an unknown field',
      'kind: Role\nname: x\nparent: y\n',
      { code: 'unknown_field', line: 3, column: 1, path: 'parent' },
    ],
    ['an unknown kind', 'kind: Rule\nname: x\n', { code: 'unknown_kind', line: 1 }],
    [
      'a clause that nothing enforces',
      'kind: Scope\nserver: s\nrateLimit: { requests: 1 }\n',
      { code: 'not_supported_yet', line: 3 },
    ],
    [
      'a missing to',
      'kind: Policy\nname: p\ntarget: { actions: ["*"], resources: ["*"] }\nrules:\n  - name: r\n    effect: allow\n',
      { code: 'invalid', rule: 'r', path: 'rules.0.to', line: 5 },
    ],
    [
      'an unknown variable',
      policy('nope.x == 1'),
      {
        code: 'condition',
        rule: 'r',
        line: 8,
        column: 11,
        message: expect.stringContaining('Unknown variable: nope') as unknown,
      },
    ],
    ['a type error', policy('subject.id == 1'), { code: 'condition', rule: 'r', line: 8 }],
    [
      'an unknown role',
      'kind: Binding\nname: b\nsubjects: ["user:a"]\nroles: [nobody]\n',
      { code: 'unknown_role', line: 4, column: 9 },
    ],
    [
      'a cycle of roles',
      'kind: Role\nname: a\ninherits: [b]\n---\nkind: Role\nname: b\ninherits: [a]\n',
      { code: 'role_cycle', line: 3 },
    ],
    ['a name twice', 'kind: Role\nname: twice\n---\nkind: Role\nname: twice\n', { code: 'duplicate_name', line: 5 }],
    ['a key twice', 'kind: Role\nname: x\nname: y\n', { code: 'syntax', line: 3 }],
    ['an anchor', 'kind: Role\nname: &a x\ndescription: *a\n', { code: 'syntax', line: 3 }],
  ])('with %s are refused, with the place', async (_what, text, problem) => {
    const answer = await apply(text);
    expect(answer).toMatchObject({ status: 422, body: { code: 'documents_invalid' } });
    expect(answer.body.errors[0]).toMatchObject({ file: 'test.yaml', ...problem });
    expect(answer.body.errors[0].column).toBeGreaterThan(0);
  });

  it('are all saved, or none', async () => {
    const answer = await apply('kind: Role\nname: good\n---\nkind: Role\nname: bad\ninherits: [missing]\n');
    expect(answer.status).toBe(422);
    expect(await service.call('GET', '/api/v1/documents/Role/good')).toMatchObject({ status: 404 });
  });

  it('are only looked at by validate, and by a dry run', async () => {
    const files = [{ path: 'x.yaml', text: 'kind: Role\nname: maybe\n' }];
    expect(
      (await service.call('POST', '/api/v1/documents/validate', { body: { files } })).body.documents,
    ).toMatchObject([{ change: 'created', name: 'maybe' }]);
    expect((await apply('kind: Role\nname: maybe\n', { dry_run: true })).body.revision).toBeUndefined();
    expect(await service.call('GET', '/api/v1/documents/Role/maybe')).toMatchObject({ status: 404 });
  });

  it('are answered with warnings, by whichever way they come, and are saved nonetheless', async () => {
    const text = 'kind: Scope\nname: doubtful\nserver: nowhere\nactions: { allow: [tools/list] }\n';
    const warning = {
      code: 'unknown_server',
      message: "there is no server 'nowhere': add a Server document, or mend the name",
      document: { kind: 'Scope', name: 'doubtful' },
      path: 'server',
      line: 3,
      column: 9,
    };
    const files = [{ path: 'x.yaml', text }];
    for (const way of ['validate', 'apply', 'apply']) {
      const { body } = await service.call('POST', `/api/v1/documents/${way}`, { body: { files } });
      expect(body.warnings).toEqual([{ ...warning, file: 'x.yaml' }]);
    }
    const replaced = await put('Scope', 'doubtful', text.replace('list', 'call'), { ...YAML, 'If-Match': '"1"' });
    expect(replaced).toMatchObject({ status: 200, body: { warnings: [warning] } });
    const answer = await service.call('DELETE', '/api/v1/documents/Scope/doubtful', { headers: { 'If-Match': '"2"' } });
    expect(answer).toMatchObject({ status: 200, body: { warnings: [] } });
  });

  it('must be the one that the path names', async () => {
    expect(await put('Role', 'one', { kind: 'Role', name: 'other' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
    expect(await put('Role', 'one', { kind: 'Host', name: 'one' })).toMatchObject({ status: 400 });
    expect(await put('Role', 'one', 'kind: Role\nname: one\n---\nkind: Role\nname: two\n', YAML)).toMatchObject({
      status: 400,
    });
    expect(await put('Role', 'one', '', YAML)).toMatchObject({ status: 400 });
    expect(await put('Nothing', 'one', {})).toMatchObject({ status: 400 });
  });

  it('that others rely on stay: a role that a binding names', async () => {
    await apply('kind: Role\nname: held\n---\nkind: Binding\nname: holder\nsubjects: ["user:x"]\nroles: [held]\n');
    const answer = await service.call('DELETE', '/api/v1/documents/Role/held', { headers: { 'If-Match': '"1"' } });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ code: 'in_use' }] } });
  });

  it('go with --prune if they are not in the set, and only then', async () => {
    const other = await startTestService({ quickstart: false });
    try {
      const files = (...names: string[]) =>
        names.map((name) => ({ path: `${name}.yaml`, text: `kind: Role\nname: ${name}\n` }));
      const send = (body: object) => other.call('POST', '/api/v1/documents/apply', { body });
      await send({ files: files('a', 'b') });
      await send({ files: files('a') });
      expect((await other.call('GET', '/api/v1/documents/Role/b')).status).toBe(200);
      await send({ files: files('a'), prune: true });
      expect((await other.call('GET', '/api/v1/documents/Role/b')).status).toBe(404);
    } finally {
      await other.close();
    }
  });

  it('changed by ten at once end up as one of them, and nine are told', async () => {
    await put('Role', 'contended', { kind: 'Role', name: 'contended' });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        put('Role', 'contended', { kind: 'Role', name: 'contended', description: `by ${at}` }, { 'If-Match': '"1"' }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 412)]);
  });

  it('changed by twenty in different places at once are all changed', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => put('Host', `host-${at}`, { kind: 'Host', name: `host-${at}` })),
    );
    expect(answers.every(({ status }) => status === 201)).toBe(true);
  });
});

function policy(condition: string): string {
  return `kind: Policy\nname: p\ntarget: { actions: ["*"], resources: ["*"] }\nrules:\n  - name: r\n    effect: allow\n    to: [any]\n    when: ${condition}\n`;
}

describe('keys', () => {
  const newKey = async (body: object): Promise<Answer> => service.call('POST', '/api/v1/keys', { body });

  it('are made, shown once, listed without secrets, and ended', async () => {
    const made = await newKey({ host: 'desk', rights: { subjects: ['user:*'] } });
    expect(made.status).toBe(201);
    const { id, key } = made.body;
    expect(await service.call('GET', '/api/v1/me', { key })).toMatchObject({
      status: 200,
      body: { host: 'desk', key: id, rights: { subjects: ['user:*'], explain: false } },
    });
    const shown = await service.call('GET', `/api/v1/keys/${id}`);
    expect(shown.body).toMatchObject({
      id,
      host: 'desk',
      environment: 'test',
      disabled_at: null,
      secrets: [{ expires_at: null }],
    });
    expect(JSON.stringify(shown.body)).not.toContain(key.split('_')[3]);
    const listed = await service.call('GET', '/api/v1/keys?host=desk');
    expect(listed.body.items.map((item: { id: string }) => item.id)).toContain(id);
    expect((await service.call('DELETE', `/api/v1/keys/${id}`)).status).toBe(204);
    expect((await service.call('DELETE', `/api/v1/keys/${id}`)).status).toBe(204);
    expect(await service.call('GET', '/api/v1/me', { key })).toMatchObject({ status: 401 });
  });

  it('can be rotated without a body; what has no type is a body without members', async () => {
    const { id } = (await newKey({ host: 'desk' })).body;
    const headers = { Authorization: `Bearer ${service.owner}` };
    const post = async (path: string, more: Record<string, string> = {}) => {
      const response = await fetch(`${service.url}${path}`, { method: 'POST', headers: { ...headers, ...more } });
      return { status: response.status, ...((await response.json()) as { detail?: string }) };
    };
    expect(await post(`/api/v1/keys/${id}/rotate`)).toMatchObject({ status: 201, key: expect.any(String) as string });
    expect(await post('/api/v1/documents/apply')).toMatchObject({ status: 400, detail: "'files' is missing" });
    expect(await post('/api/v1/keys')).toMatchObject({
      status: 400,
      detail: expect.stringContaining('a key is for one host') as string,
    });
    const typed = await post(`/api/v1/keys/${id}/rotate`, { 'Content-Type': 'application/json' });
    expect(typed).toMatchObject({ status: 400, detail: 'the body: there is nothing here' });
  });

  it.each([
    [{ host: 'desk', rights: { subjects: 'user:*' } }, 'rights.subjects: must be a list'],
    [{ host: 'desk', rights: { subject: [] } }, "rights: there is no member 'subject' here"],
    [{ host: 'desk', rights: { roles: ['owner'] } }, "rights: there is no member 'roles' here"],
    [{ administrator: 'ann', rights: {} }, "rights: 'roles' is missing"],
  ])('made with %j is told what is wrong', async (body, detail) => {
    expect((await service.call('POST', '/api/v1/keys', { body })).body).toMatchObject({ status: 400, detail });
  });

  it('can be rotated: both secrets are good for a while, then the new one only', async () => {
    const { id, key: first } = (await newKey({ host: 'desk' })).body;
    const second = (await service.call('POST', `/api/v1/keys/${id}/rotate`, { body: {} })).body.key;
    expect(second.split('_').slice(0, 3)).toEqual(first.split('_').slice(0, 3));
    for (const key of [first, second]) expect((await service.call('GET', '/api/v1/me', { key })).status).toBe(200);
    const third = (await service.call('POST', `/api/v1/keys/${id}/rotate`, { body: { overlap_seconds: 0 } })).body.key;
    for (const key of [first, second]) expect((await service.call('GET', '/api/v1/me', { key })).status).toBe(401);
    expect((await service.call('GET', '/api/v1/me', { key: third })).status).toBe(200);
  });

  it.each<[string, object, number]>([
    ['a host that is not registered', { host: 'nobody' }, 404],
    ['nobody', {}, 400],
    ['two at once', { host: 'desk', administrator: 'x' }, 400],
    ['rights of the other kind', { host: 'desk', rights: { roles: ['owner'] } }, 400],
    ['an administrator without a role', { administrator: 'x' }, 400],
    ['a time in the past', { host: 'desk', expires_at: '2020-01-01T00:00:00Z' }, 400],
    ['an unknown member', { host: 'desk', scopes: [] }, 400],
  ])('are not made for %s', async (_what, body, status) => {
    expect((await newKey(body)).status).toBe(status);
  });

  it('expire', async () => {
    const expires = new Date(Date.now() + 1200).toISOString();
    const { key } = (await newKey({ host: 'desk', expires_at: expires })).body;
    expect((await service.call('GET', '/api/v1/me', { key })).body.expires_at).toBe(expires);
    await new Promise((resolve) => setTimeout(resolve, 1300));
    expect((await service.call('GET', '/api/v1/me', { key })).status).toBe(401);
  });

  it('that are not there are not found', async () => {
    const id = 'a'.repeat(19);
    expect((await service.call('GET', `/api/v1/keys/${id}`)).status).toBe(404);
    expect((await service.call('POST', `/api/v1/keys/${id}/rotate`, { body: {} })).status).toBe(404);
    expect((await service.call('DELETE', `/api/v1/keys/${id}`)).status).toBe(404);
    expect((await service.call('GET', '/api/v1/keys/short')).status).toBe(400);
  });
});

describe('rights', () => {
  const routes: [string, string, unknown][] = [
    ['GET', '/api/v1/documents', undefined],
    ['POST', '/api/v1/documents/validate', { files: [] }],
    ['POST', '/api/v1/documents/apply', { files: [] }],
    ['PUT', '/api/v1/documents/Role/x', { kind: 'Role', name: 'x' }],
    ['DELETE', '/api/v1/documents/Role/x', undefined],
    ['GET', '/api/v1/documents/Role/x/versions', undefined],
    ['GET', '/api/v1/keys', undefined],
    ['POST', '/api/v1/keys', { host: 'desk' }],
    ['DELETE', `/api/v1/keys/${'a'.repeat(19)}`, undefined],
  ];

  it.each(routes)('%s %s is closed to everybody without a key, and to hosts', async (method, path, body) => {
    expect(await service.call(method, path, { key: null, body })).toMatchObject({ status: 401 });
    const { key } = (await service.call('POST', '/api/v1/keys', { body: { host: 'desk' } })).body;
    expect(await service.call(method, path, { key, body })).toMatchObject({
      status: 403,
      body: { code: 'not_an_administrator' },
    });
  });

  it('to read do not include to write', async () => {
    const { key } = (
      await service.call('POST', '/api/v1/keys', { body: { administrator: 'auditor', rights: { roles: ['auditor'] } } })
    ).body;
    for (const [method, path, body] of routes) {
      const { status } = await service.call(method, path, { key, body });
      const reads = method === 'GET';
      expect([method, path, status === 403]).toEqual([method, path, !reads]);
    }
  });

  it('end with the key, at once, also for reading', async () => {
    const { id, key } = (
      await service.call('POST', '/api/v1/keys', { body: { administrator: 'second', rights: { roles: ['owner'] } } })
    ).body;
    expect((await service.call('GET', '/api/v1/documents', { key })).status).toBe(200);
    await service.call('DELETE', `/api/v1/keys/${id}`);
    expect((await service.call('GET', '/api/v1/documents', { key })).status).toBe(401);
  });
});

describe('operations', () => {
  it('tell whether the service is alive and ready', async () => {
    expect(await service.call('GET', '/healthz', { key: null })).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await service.call('GET', '/readyz', { key: null })).toMatchObject({
      status: 200,
      body: { status: 'ready', database: true, snapshot: true },
    });
  });

  it('show metrics in the text format of Prometheus', async () => {
    const { body, headers } = await service.call('GET', '/metrics', { key: null });
    expect(headers.get('content-type')).toContain('version=0.0.4');
    for (const line of body.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[^}]*\})? [0-9.e+-]+)$/);
    for (const name of [
      'http_requests_total',
      'http_request_seconds_bucket',
      'decisions_total',
      'commit_batch_size',
      'tenant_epoch',
      'tenant_revision',
    ]) {
      expect(body).toContain(`placet_${name}`);
    }
  });

  it('serve the description of the API, and a page that shows it', async () => {
    const { body } = await service.call('GET', '/openapi.json', { key: null });
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/mcp/v1/decisions', '/access/v1/evaluation', '/api/v1/documents/{kind}/{name}']),
    );
    expect(await service.call('GET', '/docs', { key: null })).toMatchObject({ status: 200 });
  });

  it('answer every error as a problem', async () => {
    for (const [path, status] of [
      ['/nothing', 404],
      ['/api/v1/documents/Role/%E0%A4%A', 400],
    ] as const) {
      expect(await service.call('GET', path)).toMatchObject({ status, body: { status } });
    }
  });
});
