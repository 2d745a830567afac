import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Service } from '../../apps/server/src/service.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let other: Service;
let host: string;

const BASE = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: files }
---
{ kind: Role, name: reader }
---
{ kind: Policy, name: reading, target: { servers: [files], actions: [tools/call], resources: [read] },
  rules: [{ name: all, effect: allow, to: [any] }] }
`;

const policy = (effect: string, name = 'reading') =>
  `{ kind: Policy, name: ${name}, target: { servers: [files], actions: [tools/call], resources: [read] },
     rules: [{ name: all, effect: ${effect}, to: [any] }] }`;
const role = (name: string, description: string) =>
  `{ kind: Role, name: ${name}, description: ${JSON.stringify(description)} }`;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  other = await service.replica();
  await apply(BASE);
  host = (await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights: { subjects: ['*'] } } })).body.key;
});
afterAll(() => service.close());

/** Every test begins with the same documents and no drafts. */
beforeEach(async () => {
  const { body } = await service.call('GET', '/api/v1/drafts');
  for (const { name, version } of body.items as { name: string; version: number }[])
    await service.call('DELETE', `/api/v1/drafts/${name}`, match(version));
  await apply(BASE, { prune: true });
});

const match = (version: number) => ({ headers: { 'If-Match': `"${version}"` } });
const files = (text: string) => [{ path: 'draft.yaml', text }];
const apply = (text: string, more: object = {}, query = ''): Promise<Answer> =>
  service.call('POST', `/api/v1/documents/apply${query}`, { body: { files: files(text), ...more } });
const save = (name: string, text: string, more: object = {}, options: object = {}): Promise<Answer> =>
  service.call('PUT', `/api/v1/drafts/${name}`, { body: { files: files(text), ...more }, ...options });
const publish = (name: string, options: object = {}): Promise<Answer> =>
  service.call('POST', `/api/v1/drafts/${name}/publish`, { body: { message: 'because' }, ...options });
const rollback = (to: number, options: object = {}): Promise<Answer> =>
  service.call('POST', '/api/v1/rollback', { body: { to, message: 'back' }, ...options });
const get = (path: string): Promise<Answer> => service.call('GET', path);
const revision = async (): Promise<number> => (await get('/api/v1/diff?from=0&page_size=1')).body.to as number;

/** The effect that a replica gives. */
async function ask(url = service.url): Promise<string> {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
  const body = { subject: { type: 'user', id: 'ann' }, server: 'files', direction: 'client_to_server', message };
  const answer = await service.call('POST', '/mcp/v1/decisions', { key: host, url, body });
  return answer.status === 200 ? (answer.body.effect as string) : String(answer.status);
}

describe('a draft', () => {
  it('is saved, shown beside what is published, changed by its version, and thrown away', async () => {
    const before = await revision();
    const saved = await save('crm', policy('deny'), { description: 'stop reading' });
    expect(saved).toMatchObject({
      status: 201,
      body: {
        name: 'crm',
        base_revision: before,
        description: 'stop reading',
        prune: false,
        counts: { created: 0, updated: 1, deleted: 0, unchanged: 0 },
        documents: [{ kind: 'Policy', name: 'reading', change: 'updated' }],
        problems: [],
        conflicts: [],
      },
    });
    expect(saved.body.documents[0].before.rules[0].effect).toBe('allow');
    expect(saved.body.documents[0].after.rules[0].effect).toBe('deny');
    const { version } = saved.body as { version: number };
    expect(saved.headers.get('etag')).toBe(`"${version}"`);
    expect(await ask()).toBe('allow');

    const shown = await get('/api/v1/drafts/crm');
    expect(shown.body).toEqual(saved.body);
    expect(shown.headers.get('etag')).toBe(`"${version}"`);
    expect((await get('/api/v1/drafts')).body.items).toMatchObject([{ name: 'crm', version }]);

    expect(await save('crm', policy('allow'))).toMatchObject({ status: 428, body: { code: 'precondition_required' } });
    const none = { headers: { 'If-None-Match': '*' } };
    expect(await save('crm', policy('allow'), {}, none)).toMatchObject({
      status: 409,
      body: { code: 'already_exists' },
    });
    expect(await save('crm', policy('allow'), {}, match(version + 7))).toMatchObject({ status: 412 });
    const again = await save('crm', policy('allow'), {}, match(version));
    expect(again).toMatchObject({ status: 200, body: { counts: { unchanged: 1, updated: 0 } } });
    expect(again.body.description).toBeUndefined();

    expect(await service.call('DELETE', '/api/v1/drafts/crm')).toMatchObject({ status: 428 });
    expect(await service.call('DELETE', '/api/v1/drafts/crm', match(version))).toMatchObject({ status: 412 });
    expect(await service.call('DELETE', '/api/v1/drafts/crm', match(again.body.version))).toMatchObject({
      status: 204,
    });
    expect(await get('/api/v1/drafts/crm')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await publish('crm')).toMatchObject({ status: 404 });
  });

  it('changes the revision and not the epoch, so that it holds up no decision', async () => {
    const numbers = async () => (await get('/api/v1/revisions?page_size=1')).body.items[0] as Record<string, unknown>;
    const before = await numbers();
    await save('crm', policy('deny'));
    expect(await numbers()).toMatchObject({
      revision: (before.revision as number) + 1,
      epoch: before.epoch,
      documents: 0,
      others: [{ op: 'save_draft', name: 'crm' }],
    });
  });

  it('may be incomplete: what does not fit yet is shown with its diff, and hinders the publication only', async () => {
    const text = '{ kind: Binding, name: b, subjects: ["user:ann"], roles: [nobody] }';
    const saved = await save('crm', text);
    expect(saved).toMatchObject({
      status: 201,
      body: {
        problems: [{ code: 'unknown_role', document: { kind: 'Binding', name: 'b' }, path: 'roles.0' }],
        documents: [{ kind: 'Binding', name: 'b', change: 'created' }],
      },
    });
    const before = await revision();
    const refused = await publish('crm');
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'documents_invalid', errors: [{ code: 'unknown_role' }] },
    });
    expect(refused.body.errors[0].line).toBeUndefined();
    expect(await revision()).toBe(before);
    await apply('{ kind: Role, name: nobody }');
    expect((await get('/api/v1/drafts/crm')).body.problems).toEqual([]);
    expect(await publish('crm')).toMatchObject({ status: 200, body: { counts: { created: 1 } } });
  });

  it.each<[string, string, object, number, string]>([
    ['what cannot be parsed', 'kind: Role\nname: [', {}, 422, ''],
    ['an unknown member', 'kind: Role\nname: x\nparent: y\n', {}, 422, "there is no member 'parent' here"],
    ['a name twice', `${role('x', 'a')}\n---\n${role('x', 'b')}`, {}, 422, "there is another Role named 'x'"],
    ['a suspension', '{ kind: Suspension, of: Host, name: desk }', {}, 422, 'kind is one of'],
    [
      'a document that is deleted too',
      role('x', 'a'),
      { deletions: [{ kind: 'Role', name: 'x' }] },
      400,
      "the Role 'x'",
    ],
    ['the deletion of a suspension', '', { deletions: [{ kind: 'Suspension', name: 'x' }] }, 400, 'a kind is one of'],
    ['a base that is not there yet', '', { base_revision: 999_999 }, 400, 'there is no revision 999999 yet'],
    ['an unknown member of the body', '', { dry_run: true }, 400, "'dry_run'"],
  ])('is not saved with %s', async (_what, text, more, status, detail) => {
    const refused = await save('wrong', text, more);
    expect([refused.status, refused.body.detail]).toEqual([status, expect.stringContaining(detail)]);
    expect(await get('/api/v1/drafts/wrong')).toMatchObject({ status: 404 });
  });

  it('has a name as documents have', async () => {
    expect(await save('a%20b', policy('deny'))).toMatchObject({ status: 400 });
    expect(await save('x'.repeat(129), policy('deny'))).toMatchObject({ status: 400 });
  });

  it('is shown page by page, of one version of it', async () => {
    const many = Array.from({ length: 7 }, (_, at) => role(`r${at}`, 'x')).join('\n---\n');
    const { body } = await save('many', many);
    const first = await get('/api/v1/drafts/many?page_size=3');
    const second = await get(`/api/v1/drafts/many?page_size=5&page_token=${first.body.next_page_token}`);
    const names = [first, second].flatMap((page) => page.body.documents.map(({ name }: { name: string }) => name));
    expect(names).toEqual(Array.from({ length: 7 }, (_, at) => `r${at}`));
    expect(second.body.next_page_token).toBeUndefined();
    expect(second.body.counts).toMatchObject({ created: 7 });
    await save('many', many, {}, match(body.version));
    const stale = await get(`/api/v1/drafts/many?page_token=${first.body.next_page_token}`);
    expect(stale).toMatchObject({ status: 400, body: { detail: expect.stringContaining('begin again') as string } });
  });

  it('can hold more than other bodies', async () => {
    const long = 'x'.repeat(1900);
    const many = Array.from({ length: 900 }, (_, at) => role(`r${at}`, long)).join('\n---\n');
    expect(await save('large', many)).toMatchObject({ status: 201, body: { counts: { created: 900 } } });
    const { body } = await get('/api/v1/drafts/large?page_size=500');
    expect(body.documents).toHaveLength(500);
    expect(await publish('large')).toMatchObject({ status: 200, body: { counts: { created: 900 } } });
  });
});

describe('publishing', () => {
  it('makes all of it hold at once, on every replica, and the draft is gone', async () => {
    const before = await revision();
    await save('stop', `${policy('deny')}\n---\n${role('writer', 'new')}`, {
      deletions: [
        { kind: 'Role', name: 'reader' },
        { kind: 'Role', name: 'never' },
      ],
    });
    expect(await ask(other.url)).toBe('allow');
    const published = await publish('stop');
    expect(await ask(other.url)).toBe('deny');
    expect(published).toMatchObject({
      status: 200,
      body: {
        revision: before + 2,
        counts: { created: 1, updated: 1, deleted: 1, unchanged: 0 },
        documents: [
          { kind: 'Policy', name: 'reading', change: 'updated' },
          { kind: 'Role', name: 'writer', change: 'created' },
          { kind: 'Role', name: 'reader', change: 'deleted' },
        ],
      },
    });
    expect(await get('/api/v1/drafts/stop')).toMatchObject({ status: 404 });
    expect((await get(`/api/v1/revisions/${before + 2}`)).body).toMatchObject({
      message: 'because',
      draft: 'stop',
      administrator: 'owner',
      documents: 3,
      others: [{ op: 'discard_draft', name: 'stop' }],
      changes: [
        { kind: 'Policy', name: 'reading', change: 'updated' },
        { kind: 'Role', name: 'reader', change: 'deleted' },
        { kind: 'Role', name: 'writer', change: 'created' },
      ],
    });
  });

  it('of a whole state deletes what is not in it, and never a suspension', async () => {
    await service.call('PUT', '/api/v1/suspensions/Server/files', { body: { reason: 'an incident' } });
    await apply(role('extra', 'x'));
    await save('whole', BASE, { prune: true });
    expect(await publish('whole')).toMatchObject({ body: { documents: [{ name: 'extra', change: 'deleted' }] } });
    expect(await ask()).toBe('deny');
    await service.call('DELETE', '/api/v1/suspensions/Server/files');
    expect(await ask()).toBe('allow');
  });

  it('is refused where others have changed the same since, and names it; saving again is the way on', async () => {
    const { body: draft } = await save('stop', `${policy('deny')}\n---\n${role('writer', 'new')}`);
    await apply(role('reader', 'by another'));
    expect((await get('/api/v1/drafts/stop')).body.conflicts).toEqual([]);
    const { revision: changed } = (await apply(policy('allow', 'reading').replace('all,', 'everybody,'))).body;
    const conflict = { kind: 'Policy', name: 'reading', revision: changed };
    expect((await get('/api/v1/drafts/stop')).body.conflicts).toEqual([conflict]);
    const before = await revision();
    expect(await publish('stop')).toMatchObject({
      status: 409,
      body: {
        code: 'draft_conflict',
        conflicts: [conflict],
        detail: expect.stringContaining(`the Policy 'reading' changed after revision ${draft.base_revision}`) as string,
      },
    });
    expect(await revision()).toBe(before);
    expect(await ask()).toBe('allow');

    await save('stop', policy('deny'), {}, match(draft.version));
    expect((await publish('stop')).status).toBe(200);
    expect(await ask()).toBe('deny');
  });

  it('tells of conflicts before it tells of mistakes, so that mending these does not pass over those', async () => {
    await save('stop', `${policy('deny')}\n---\n{ kind: Role, name: r, inherits: [nobody] }`);
    await apply(policy('allow').replace('all,', 'everybody,'));
    expect(await publish('stop')).toMatchObject({ status: 409, body: { code: 'draft_conflict' } });
  });

  it.each<[string, () => Promise<Answer>, object, string[]]>([
    [
      'was deleted',
      () => apply(BASE.replace(/---\n\{ kind: Role, name: reader \}\n/, ''), { prune: true }),
      {},
      ['reader'],
    ],
    ['is new and would be pruned', () => apply(role('extra', 'x')), { prune: true }, ['extra']],
    ['is as the draft wants it', () => apply(role('reader', 'mine')), {}, []],
    ['is another', () => apply(role('extra', 'x')), {}, []],
  ])('what %s since: %#', async (_what, change, more, names) => {
    await save(
      'mine',
      more === undefined ? '' : BASE.replace('name: reader }', 'name: reader, description: mine }'),
      more,
    );
    expect((await change()).status).toBe(200);
    const { conflicts } = (await get('/api/v1/drafts/mine')).body as { conflicts: { name: string }[] };
    expect(conflicts.map(({ name }) => name)).toEqual(names);
    expect((await publish('mine')).status).toBe(names.length > 0 ? 409 : 200);
  });

  it('goes by the base that the author names', async () => {
    const base = await revision();
    await apply(policy('allow').replace('all,', 'everybody,'));
    await save('old', policy('deny'), { base_revision: base });
    expect(await publish('old')).toMatchObject({ status: 409, body: { code: 'draft_conflict' } });
  });

  it('of the version that was looked at, where the client says which', async () => {
    const { body: first } = await save('stop', policy('deny'));
    const { body: second } = await save('stop', role('reader', 'only this'), {}, match(first.version));
    expect(await publish('stop', match(first.version))).toMatchObject({ status: 412 });
    expect(await ask()).toBe('allow');
    expect(await publish('stop', match(second.version))).toMatchObject({ status: 200 });
  });

  it('needs a message, of one line', async () => {
    await save('stop', policy('deny'));
    for (const body of [{}, { message: '' }, { message: '  ' }, { message: 'a\nb' }, { message: 'x'.repeat(1001) }])
      expect(await publish('stop', { body })).toMatchObject({ status: 400 });
    expect(await ask()).toBe('allow');
  });

  it('what is as it should be already ends the draft, and changes no document', async () => {
    await save('same', policy('allow'));
    expect(await publish('same')).toMatchObject({ status: 200, body: { counts: { unchanged: 1 }, documents: [] } });
    expect(await get('/api/v1/drafts/same')).toMatchObject({ status: 404 });
  });

  it('one draft ten times at once, on two replicas: exactly one does it', async () => {
    for (let round = 0; round < 5; round++) {
      await save('race', role('raced', `in round ${round}`));
      const before = await revision();
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, at) => publish('race', { url: at % 2 === 0 ? service.url : other.url })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 404)]);
      expect(await revision()).toBe(before + 1);
    }
  });

  it('while the draft is saved anew: what holds is the one or the other, and nothing is lost', async () => {
    for (let round = 0; round < 10; round++) {
      const { body: first } = await save('race', role('raced', `${round} first`));
      const [published, saved] = await Promise.all([
        publish('race'),
        save('race', role('raced', `${round} second`), {}, { ...match(first.version), url: other.url }),
      ]);
      const { description } = (await get('/api/v1/documents/Role/raced')).body.document as { description: string };
      expect(published.status).toBe(200);
      if (description === `${round} first`) expect([404, 412]).toContain(saved.status);
      else expect(description).toBe(`${round} second`);
      expect(await get('/api/v1/drafts/race')).toMatchObject({ status: 404 });
    }
  });
});

describe('the history', () => {
  it('says who changed what when and why, by whichever way', async () => {
    const since = await revision();
    const why = (text: string) => `?message=${encodeURIComponent(text)}`;
    await apply(role('a', 'x'), {}, why('to apply 你好'));
    const path = '/api/v1/documents/Role/a';
    await service.call('PUT', `${path}${why('to put')}`, { body: { kind: 'Role', name: 'a' }, ...match(1) });
    const { headers } = await get(path);
    await service.call('DELETE', `${path}${why('to delete')}`, { headers: { 'If-Match': headers.get('etag')! } });
    await service.call('PUT', '/api/v1/suspensions/Host/desk', { body: { reason: 'to stop' } });
    await service.call('DELETE', '/api/v1/suspensions/Host/desk');
    await rollback(since + 1);
    const { items } = (await get('/api/v1/revisions?page_size=6')).body as { items: Record<string, unknown>[] };
    expect(items.map(({ revision: at, message, documents }) => [at, message, documents])).toEqual([
      [since + 6, 'back', 1],
      [since + 5, undefined, 1],
      [since + 4, 'to stop', 1],
      [since + 3, 'to delete', 1],
      [since + 2, 'to put', 1],
      [since + 1, 'to apply 你好', 1],
    ]);
    expect(items[0]).toMatchObject({ rolled_back_to: since + 1, administrator: 'owner' });
    expect(items[0]!.changed_by).toMatch(/^key:/);
    expect(Date.parse(items[0]!.changed_at as string)).toBeGreaterThan(Date.parse('2026-01-01'));
    expect((await get(`/api/v1/revisions/${since + 4}`)).body.changes).toMatchObject([
      { kind: 'Suspension', name: 'Host:desk', change: 'created' },
    ]);
  });

  it('comes in pages, newest first, with and without what changed no document', async () => {
    await save('noise', policy('deny'));
    const pages = async (query: string) => {
      const seen: { revision: number; documents: number }[] = [];
      let token = '';
      do {
        const { body } = await get(`/api/v1/revisions?page_size=7${query}${token}`);
        seen.push(...(body.items as typeof seen));
        token = body.next_page_token === undefined ? '' : `&page_token=${body.next_page_token}`;
      } while (token !== '');
      return seen;
    };
    const all = await pages('');
    expect(all.map((entry) => entry.revision)).toEqual(
      Array.from({ length: await revision() }, (_, at) => all.length - at),
    );
    expect(await pages('&documents=true')).toEqual(all.filter(({ documents }) => documents > 0));
  });

  it.each([
    ['/api/v1/revisions/0', 404],
    ['/api/v1/revisions/999999', 404],
    ['/api/v1/revisions/x', 400],
    ['/api/v1/revisions?documents=perhaps', 400],
    ['/api/v1/revisions?page_token=x', 400],
    ['/api/v1/diff', 400],
    ['/api/v1/diff?from=999999', 404],
    ['/api/v1/diff?from=0&to=999999', 404],
    ['/api/v1/diff?from=-1', 400],
    ['/api/v1/diff?from=1&page_size=501', 400],
  ])('%s is a %i', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });

  it('has every change that a replica was asked for which had not heard of the one before', async () => {
    await apply(role('turn', 'on'));
    for (let round = 0; round < 20; round++) {
      await apply(role('turn', 'off'));
      // To a replica that is behind it is as it should be already.
      await service.call('POST', '/api/v1/documents/apply', {
        url: other.url,
        body: { files: files(role('turn', 'on')) },
      });
      const { document } = (await get('/api/v1/documents/Role/turn')).body;
      expect([round, document.description]).toEqual([round, 'on']);
    }
  });

  it('has what was asked of a replica that had not heard of what it is about', async () => {
    for (let round = 0; round < 20; round++) {
      const path = `/api/v1/documents/Role/fresh-${round}`;
      await service.call('PUT', path, { body: { kind: 'Role', name: `fresh-${round}` } });
      const { status } = await service.call('DELETE', path, { url: other.url, ...match(1) });
      expect([round, status]).toEqual([round, 200]);
    }
  });

  it('has a message of one line, and passes over none that is mistyped', async () => {
    const before = await revision();
    expect(await apply(role('a', 'y'), {}, '?message=a%0Ab')).toMatchObject({ status: 400 });
    expect(await apply(role('a', 'y'), {}, '?messsage=a')).toMatchObject({ status: 400 });
    expect(await revision()).toBe(before);
  });
});

describe('the difference between two revisions', () => {
  it('has both bodies, either way round, page by page', async () => {
    const from = await revision();
    await apply(`${policy('deny')}\n---\n${role('new', 'x')}`);
    const { body: made } = await service.call('POST', '/api/v1/documents/apply', {
      body: {
        files: files(
          BASE.replace(/---\n\{ kind: Role, name: reader \}\n/, '').replace('effect: allow', 'effect: deny'),
        ),
        prune: true,
      },
    });
    const { body } = await get(`/api/v1/diff?from=${from}`);
    expect(body).toMatchObject({
      from,
      to: made.revision,
      documents: [
        { kind: 'Policy', name: 'reading', change: 'updated' },
        { kind: 'Role', name: 'reader', change: 'deleted', before: { kind: 'Role', name: 'reader' } },
      ],
    });
    expect(body.documents[0].before.rules[0].effect).toBe('allow');
    expect(body.documents[0].after.rules[0].effect).toBe('deny');
    const back = await get(`/api/v1/diff?from=${made.revision}&to=${from}`);
    expect(back.body.documents.map(({ change }: { change: string }) => change)).toEqual(['updated', 'created']);

    const first = await get(`/api/v1/diff?from=${from}&page_size=1`);
    await apply(role('later', 'x'));
    const second = await get(`/api/v1/diff?from=${from}&page_size=1&page_token=${first.body.next_page_token}`);
    expect([first, second].map((page) => [page.body.to, page.body.documents[0].name])).toEqual([
      [made.revision, 'reading'],
      [made.revision, 'reader'],
    ]);
    expect(second.body.next_page_token).toBeUndefined();
  });
});

describe('rolling back', () => {
  it('creates, restores and changes back, as a new revision, and nobody is decided for by what was', async () => {
    const to = await revision();
    for (let round = 0; round < 10; round++) {
      await apply(
        `${BASE.replace(/---\n\{ kind: Role, name: reader \}\n/, '').replace('effect: allow', 'effect: deny')}---\n${role('new', `${round}`)}`,
        { prune: true },
      );
      expect([round, await ask(other.url)]).toEqual([round, 'deny']);
      const before = await revision();
      const { body } = await rollback(to);
      expect([round, await ask(other.url)]).toEqual([round, 'allow']);
      expect(body).toMatchObject({
        revision: before + 1,
        counts: { created: 1, updated: 1, deleted: 1, unchanged: 0 },
      });
      expect((await get(`/api/v1/diff?from=${to}`)).body.documents).toEqual([]);
      // And there again: what it allowed is not allowed when the call has returned.
      await rollback(before);
      expect([round, await ask(other.url)]).toEqual([round, 'deny']);
      await rollback(to);
    }
  });

  it('never takes a suspension back, and makes none', async () => {
    const to = await revision();
    await apply(role('reader', 'changed'));
    await service.call('PUT', '/api/v1/suspensions/Server/files', { body: {} });
    const suspended = await revision();
    await rollback(to);
    expect(await ask()).toBe('deny');
    await service.call('DELETE', '/api/v1/suspensions/Server/files');
    await rollback(suspended);
    expect((await get('/api/v1/suspensions')).body.items).toEqual([]);
    expect(await ask()).toBe('allow');
  });

  it('leaves keys as they are; those that ended with their host stay ended', async () => {
    const to = await revision();
    await apply('{ kind: Host, name: temporary }');
    const between = await revision();
    const { id } = (await service.call('POST', '/api/v1/keys', { body: { host: 'temporary' } })).body as { id: string };
    const disabledAt = async () => (await get(`/api/v1/keys/${id}`)).body.disabled_at as string | null;
    await apply(role('reader', 'x'));
    await rollback(between);
    expect(await disabledAt()).toBeNull();
    await rollback(to);
    const ended = await disabledAt();
    expect(ended).not.toBeNull();
    await rollback(between);
    expect(await disabledAt()).toBe(ended);
  });

  it('where there is nothing to do makes no revision, also on a replica that is behind', async () => {
    const to = await revision();
    expect(await rollback(to)).toMatchObject({ status: 200, body: { revision: to, documents: [] } });
    for (let round = 0; round < 20; round++) {
      await apply(role('reader', `round ${round}`));
      const { body } = await rollback(to, { url: other.url });
      expect([round, body.counts]).toEqual([round, { created: 0, updated: 1, deleted: 0, unchanged: 0 }]);
    }
  });

  it.each([
    [{ to: 999_999, message: 'x' }, 404],
    [{ to: 0, message: 'x' }, 400],
    [{ to: 1 }, 400],
    [{ to: 1, message: '' }, 400],
    [{ to: '1', message: 'x' }, 400],
    [{ to: 1, message: 'x', suspensions: true }, 400],
  ])('by %j is refused with %i', async (body, status) => {
    expect((await service.call('POST', '/api/v1/rollback', { body })).status).toBe(status);
  });

  it('to what is wrong today is refused, whole, and says why', async () => {
    // A document as an older version may have let it in: written past the checks of this one.
    const { body: bad } = await apply(role('relic', 'x'));
    const superuser = await service.database.connect('superuser');
    await superuser.query('set session_replication_role = replica');
    await superuser.query(
      `update placet.document_version set body = '{"kind":"Role","name":"relic","colour":"red"}'
       where kind = 'Role' and name = 'relic' and revision = $1`,
      [bad.revision],
    );
    await apply(role('relic', 'y'));
    const before = await revision();
    expect(await rollback(bad.revision as number)).toMatchObject({
      status: 422,
      body: {
        code: 'documents_invalid',
        detail: expect.stringContaining(`what was saved at revision ${bad.revision} is not valid any more`) as string,
        errors: [{ code: 'unknown_field', document: { kind: 'Role', name: 'relic' } }],
      },
    });
    expect(await revision()).toBe(before);
  });

  it('while others save what depends on nothing: what it makes is exactly what was', async () => {
    const to = await revision();
    const put = (name: string, url = service.url) =>
      service.call('PUT', `/api/v1/documents/Host/${name}`, { url, body: { kind: 'Host', name } });
    for (let round = 0; round < 20; round++) {
      await put(`old-${round}`);
      const writers = Array.from({ length: 4 }, (_, at) => put(`new-${round}-${at}`, at % 2 ? service.url : other.url));
      const [{ body }] = await Promise.all([rollback(to), ...writers]);
      const { documents } = (await get(`/api/v1/diff?from=${to}&to=${body.revision}`)).body;
      expect([round, documents]).toEqual([round, []]);
    }
  });

  it('several times at once to two revisions ends at one of them, exactly', async () => {
    const one = await revision();
    await apply(`${policy('deny')}\n---\n${role('reader', 'two')}\n---\n${role('more', 'two')}`);
    const two = await revision();
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, at) => rollback(at % 2 ? one : two, { url: at % 3 ? service.url : other.url })),
    );
    for (const { status } of answers) expect([200, 503]).toContain(status);
    const differences = await Promise.all(
      [one, two].map(async (to) => (await get(`/api/v1/diff?from=${to}`)).body.documents.length as number),
    );
    expect(differences.filter((count) => count === 0)).toHaveLength(1);
  });
});

describe('drafts, publishing, the history and rolling back', () => {
  const routes: [string, string, unknown, boolean][] = [
    ['GET', '/api/v1/drafts', undefined, true],
    ['GET', '/api/v1/drafts/x', undefined, true],
    ['PUT', '/api/v1/drafts/x', { files: [] }, false],
    ['DELETE', '/api/v1/drafts/x', undefined, false],
    ['POST', '/api/v1/drafts/x/publish', { message: 'x' }, false],
    ['GET', '/api/v1/revisions', undefined, true],
    ['GET', '/api/v1/revisions/1', undefined, true],
    ['GET', '/api/v1/diff?from=0', undefined, true],
    ['POST', '/api/v1/rollback', { to: 1, message: 'x' }, false],
  ];

  it.each(routes)(
    '%s %s is for administrators, and to change something for owners',
    async (method, path, body, reads) => {
      expect(await service.call(method, path, { key: null, body })).toMatchObject({ status: 401 });
      expect(await service.call(method, path, { key: host, body })).toMatchObject({ status: 403 });
      const { key } = (
        await service.call('POST', '/api/v1/keys', {
          body: { administrator: 'auditor', rights: { roles: ['auditor'] } },
        })
      ).body;
      expect((await service.call(method, path, { key, body })).status === 403).toBe(!reads);
    },
  );
});
