import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startAskingCompany, type AskingCompany } from '../support/asking.js';
import { atOnce } from '../support/at-once.js';
import type { Cookies } from '../support/browser.js';
import type { Answer } from '../support/service.js';
import { companyIssuer } from '../support/signed-in.js';

let company: AskingCompany;
let ann: Cookies;
let bob: Cookies;
let cleo: Cookies;
let dora: Cookies;
let round = 0;

const tenant = (...fourEyes: string[]) => ({
  kind: 'Tenant',
  name: 'default',
  defaults: { effect: 'deny', hostScope: {} },
  ...(fourEyes.length === 0 ? {} : { administration: { fourEyes } }),
});
const bound = (name: string, role: string, ...people: string[]) => ({
  kind: 'AdministratorBinding',
  name,
  to: people.map((person) => `user:company/${person}`),
  roles: [role],
});
const host = (name: string) => ({ kind: 'Host', name });
const guardrail = (name: string) => ({
  kind: 'Guardrail',
  name,
  reason: 'Not here.',
  effect: 'deny',
  target: { actions: ['tools/call'], resources: [`${name}_*`] },
});
const text = (documents: readonly object[]) => documents.map((each) => JSON.stringify(each)).join('\n---\n');
const files = (...documents: object[]) => [{ path: 'a.yaml', text: text(documents) }];

/** A draft of some documents, saved by somebody; its path, and its version as a condition. */
const draft = async (who: Cookies | 'key', body: object): Promise<{ path: string; is: Record<string, string> }> => {
  const path = `/api/v1/drafts/d${round++}`;
  const saved = await calls(who, 'PUT', path, body, { 'If-None-Match': '*' });
  expect(saved.status, JSON.stringify(saved.body)).toBe(201);
  return { path, is: { 'If-Match': `"${saved.body.version}"` } };
};
const calls = async (
  who: Cookies | 'key',
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
  url = company.service.url,
): Promise<Answer> => {
  if (who === 'key')
    return company.service.call(method, path, { url, headers, ...(body === undefined ? {} : { body }) });
  const answer = await who.fetch(url + path, {
    method,
    headers: { 'Placet-Request': '1', 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const said = await answer.text();
  return { status: answer.status, headers: answer.headers, body: said === '' ? undefined : JSON.parse(said) };
};
const publish = (who: Cookies | 'key', { path, is }: Awaited<ReturnType<typeof draft>>) =>
  calls(who, 'POST', `${path}/publish`, { message: 'why' }, is);
const approve = (who: Cookies | 'key', { path, is }: Awaited<ReturnType<typeof draft>>) =>
  calls(who, 'POST', `${path}/approve`, undefined, is);
const ok = async (answer: Promise<Answer>): Promise<Answer> => {
  const { status, body } = await answer;
  expect(status, JSON.stringify(body)).toBeLessThan(300);
  return answer;
};
/** A change that two people have seen. */
const change = async (...documents: object[]) => ok(publish(dora, await draft(ann, { files: files(...documents) })));
const TOO_FEW = { status: 403, body: { code: 'four_eyes_required' } };
const put = async (who: Cookies | 'key', document: { kind: string; name: string }) => {
  const path = `/api/v1/documents/${document.kind}/${document.name}`;
  const { status, headers } = await calls('key', 'GET', path);
  return calls(who, 'PUT', path, document, status === 404 ? {} : { 'If-Match': headers.get('etag')! });
};
const revisionOf = async ({ body }: Answer) =>
  (await calls('key', 'GET', `/api/v1/revisions/${body.revision}`)).body as Record<string, unknown>;

const EVERYTHING = [
  tenant('publish'),
  bound('owners', 'owner', 'ann', 'bob', 'dora'),
  bound('operators', 'operator', 'ann', 'bob', 'dora'),
  bound('authors', 'policy-author', 'cleo'),
];

beforeAll(async () => {
  company = await startAskingCompany();
  for (const sub of ['cleo', 'dora']) company.idp.people.set(sub, { sub, claims: {} });
  await company.apply(...EVERYTHING);
  [ann, bob] = [await company.signIn('ann'), await company.signIn('bob')];
  [cleo, dora] = [await company.signIn('cleo'), await company.signIn('dora')];
});
afterAll(() => company.close());

describe('where two people must have seen what is published', () => {
  it.each<[string, (who: Cookies | 'key') => Promise<Answer>]>([
    ['PUT', (who) => put(who, host('direct'))],
    ['apply', (who) => calls(who, 'POST', '/api/v1/documents/apply', { files: files(host('direct')) })],
    [
      'DELETE',
      async (who) => {
        const { headers } = await calls('key', 'GET', '/api/v1/documents/Host/desk');
        return calls(who, 'DELETE', '/api/v1/documents/Host/desk', undefined, { 'If-Match': headers.get('etag')! });
      },
    ],
    ['rollback', (who) => calls(who, 'POST', '/api/v1/rollback', { to: 1, message: 'back' })],
    ['an own draft', async (who) => publish(who, await draft(who, { files: files(host('direct')) }))],
  ])('nobody changes documents alone by %s', async (_how, attempt) => {
    for (const who of [ann, 'key'] as const) {
      const answer = await attempt(who);
      expect(answer).toMatchObject(TOO_FEW);
      expect(answer.body.seen_by).toEqual(who === 'key' ? [] : ['user:company/ann']);
    }
    expect((await calls('key', 'GET', '/api/v1/documents/Host/direct')).status).toBe(404);
    expect((await calls('key', 'GET', '/api/v1/documents/Host/desk')).status).toBe(200);
  });

  it('another publishes what one has saved, and the history says who', async () => {
    const made = await ok(publish(bob, await draft(ann, { files: files(host('two')) })));
    expect((await revisionOf(made)).seen_by).toEqual(['user:company/bob', 'user:company/ann']);
    const { body } = await calls('key', 'GET', '/api/v1/revisions?documents=true&page_size=1');
    expect(body.items[0].seen_by).toEqual(['user:company/bob', 'user:company/ann']);
  });

  it('whoever saved it publishes what another has approved of', async () => {
    const saved = await draft(ann, { files: files(host('approved')) });
    const approved = await ok(approve(bob, saved));
    expect(approved.body.seen_by).toMatchObject([
      { person: 'user:company/ann', how: 'saved' },
      { person: 'user:company/bob', how: 'approved' },
    ]);
    const made = await ok(publish(ann, saved));
    expect((await revisionOf(made)).seen_by).toEqual(['user:company/ann', 'user:company/bob']);
  });

  it('of what a key has saved two must approve, and then a key may publish it', async () => {
    const saved = await draft('key', { files: files(host('by-key')) });
    await ok(approve(bob, saved));
    expect((await ok(approve(bob, saved))).body.seen_by).toHaveLength(1);
    expect(await publish(bob, saved)).toMatchObject(TOO_FEW);
    expect(await publish('key', saved)).toMatchObject({ ...TOO_FEW, body: { seen_by: ['user:company/bob'] } });
    await ok(approve(ann, saved));
    const made = await ok(publish('key', saved));
    expect((await revisionOf(made)).seen_by).toEqual(['user:company/bob', 'user:company/ann']);
  });

  it('whoever publishes counts where they name the version that they have looked at', async () => {
    const { path, is } = await draft(ann, { files: files(host('unseen')) });
    const unseen = await publish(bob, { path, is: {} });
    expect(unseen).toMatchObject({ ...TOO_FEW, body: { seen_by: ['user:company/ann'] } });
    expect(unseen.body.detail).toContain('--version');
    expect(await calls(bob, 'POST', `${path}/publish`, { message: 'why', seen: false }, is)).toMatchObject(TOO_FEW);
    await ok(approve(bob, { path, is }));
    await ok(publish(bob, { path, is: {} }));
  });

  it('what was approved of counts for that version alone', async () => {
    const saved = await draft(ann, { files: files(host('one-more')) });
    await ok(approve(bob, saved));
    const anew = await ok(calls(ann, 'PUT', saved.path, { files: files(host('other')) }, saved.is));
    expect(anew.body.seen_by).toMatchObject([{ person: 'user:company/ann', how: 'saved' }]);
    expect(await approve(bob, saved)).toMatchObject({ status: 412 });
    expect(await publish(ann, { ...saved, is: { 'If-Match': `"${anew.body.version}"` } })).toMatchObject(TOO_FEW);
    await ok(calls(ann, 'DELETE', saved.path, undefined, { 'If-Match': `"${anew.body.version}"` }));
    const again = await calls(ann, 'PUT', saved.path, { files: files(host('third')) }, { 'If-None-Match': '*' });
    expect(again.body.seen_by).toHaveLength(1);
  });

  it('what is saved anew while somebody approves is not what they have approved of', async () => {
    const saved = await draft(ann, { files: files(host('looked-at')) });
    const [anew, approved] = await atOnce(
      company.service.database,
      () => calls(ann, 'PUT', saved.path, { files: files(host('put-in')) }, saved.is),
      () => approve(bob, saved),
    );
    expect([anew.status, approved.status]).toEqual([200, 412]);
    expect((await calls('key', 'GET', saved.path)).body.seen_by).toHaveLength(1);
  });

  it('what others have changed since must be looked at anew', async () => {
    await change(host('shared'));
    const saved = await draft(ann, { files: files({ ...host('shared'), title: 'A' }) });
    await change({ ...host('shared'), title: 'B' });
    expect(await approve(bob, saved)).toMatchObject({ status: 409, body: { code: 'draft_conflict' } });
  });

  it('going back is a draft, too', async () => {
    const made = await change(host('gone-again'));
    const saved = await draft(ann, { rollback_to: (made.body.revision as number) - 2, description: 'back' });
    expect(await publish(ann, saved)).toMatchObject(TOO_FEW);
    const back = await ok(publish(bob, saved));
    expect(back.body.documents).toEqual([{ kind: 'Host', name: 'gone-again', change: 'deleted' }]);
    const wrong = (body: object) => calls(ann, 'PUT', '/api/v1/drafts/wrong', body, { 'If-None-Match': '*' });
    expect(await wrong({ rollback_to: 1, files: files(host('x')) })).toMatchObject({ status: 400 });
    expect(await wrong({ rollback_to: 1_000_000 })).toMatchObject({ status: 404 });
  });

  it('whoever could not publish it approves of nothing', async () => {
    const saved = await draft(cleo, { files: files(host('by-author')) });
    expect(await approve(cleo, saved)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await publish(cleo, saved)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await approve('key', saved)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await approve(bob, { ...saved, is: {} })).toMatchObject({ status: 428 });
    expect(await approve(bob, { ...saved, path: '/api/v1/drafts/nowhere' })).toMatchObject({ status: 404 });
    await ok(publish(bob, saved));
    await change(
      { kind: 'AdministratorRole', name: 'drafts-only', grants: [{ actions: ['manage'], on: ['Draft'] }] },
      bound('authors', 'drafts-only', 'cleo'),
    );
    const other = await draft(ann, { files: files(host('by-owner')) });
    expect(await approve(cleo, other)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    await change(...EVERYTHING);
    const broken = await draft(ann, {
      files: files({ kind: 'Binding', name: 'b', subjects: ['user:x'], roles: ['gone'] }),
    });
    expect(await approve(bob, broken)).toMatchObject({ status: 422 });
  });

  it('whoever may not read it has not seen it', async () => {
    const blind = (actions: string[]) => ({
      kind: 'AdministratorRole',
      name: 'blind',
      grants: [
        { actions: ['manage'], on: ['Draft'] },
        { actions, on: ['Host'] },
      ],
    });
    await change(blind(['write', 'delete']), bound('authors', 'blind', 'cleo'));
    const saved = await draft(ann, { files: files(host('behind')) });
    expect(await approve(cleo, saved)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await publish(cleo, saved)).toMatchObject({ ...TOO_FEW, body: { seen_by: ['user:company/ann'] } });
    await change(blind(['read', 'write']));
    const other = await draft(ann, { files: files(host('before')) });
    await ok(approve(cleo, other));
    await change(blind(['write']));
    expect(await publish(ann, other)).toMatchObject({ ...TOO_FEW, body: { seen_by: ['user:company/ann'] } });
    await change(...EVERYTHING);
  });

  const SUSPENDED = '/api/v1/suspensions/Subject/user%3Acompany%2Fbob';
  const suspend = () => ok(calls('key', 'PUT', SUSPENDED, {}));
  const restore = async () => {
    await calls('key', 'DELETE', SUSPENDED, undefined, { 'If-Match': '*' });
    await change(...EVERYTHING);
    bob = await company.signIn('bob');
  };
  /** Bob may do this much and no more. */
  const only = (...grants: { actions: string[]; on: string[] }[]) =>
    change(
      { kind: 'AdministratorRole', name: 'less', grants },
      bound('owners', 'owner', 'ann', 'dora'),
      bound('authors', 'less', 'bob'),
    );

  describe('somebody who approved', () => {
    afterEach(restore);

    it.each<[string, () => Promise<unknown>]>([
      ['is suspended', suspend],
      [
        'may not publish any more',
        () => change(bound('owners', 'owner', 'ann', 'dora'), bound('authors', 'policy-author', 'bob')),
      ],
      ['may write such documents and not publish any more', () => only({ actions: ['manage'], on: ['Host'] })],
      [
        'may not write such documents any more',
        () => only({ actions: ['manage'], on: ['Draft', 'Policy'] }, { actions: ['read', 'delete'], on: ['Host'] }),
      ],
      [
        'may not delete such documents any more',
        () => only({ actions: ['manage'], on: ['Draft', 'Policy'] }, { actions: ['read', 'write'], on: ['Host'] }),
      ],
      [
        'is found to be whoever saved it',
        () =>
          change({
            kind: 'Subject',
            id: 'ann',
            aliases: ['ann', 'bob'].map((id) => ({ type: 'user', id: `company/${id}` })),
          }),
      ],
    ])('and %s does not count', async (_why, lose) => {
      const gone = `gone-${round}`;
      await change(host(gone));
      const saved = await draft(ann, { files: files(host('lost')), deletions: [{ kind: 'Host', name: gone }] });
      await ok(approve(bob, saved));
      await lose();
      const refused = await publish(ann, saved);
      expect(refused).toMatchObject(TOO_FEW);
      expect(refused.body.seen_by).toHaveLength(1);
      await change({ kind: 'Subject', id: 'ann' });
    });

    it('and lost the right to write drafts after they had saved one, does not count', async () => {
      const saved = await draft(bob, { files: files(host('lost-author')) });
      await ok(approve(dora, saved));
      await only({ actions: ['manage'], on: ['Host'] }, { actions: ['publish'], on: ['Draft'] });
      expect(await publish(dora, saved)).toMatchObject(TOO_FEW);
    });

    it('and was asked whether they are there at the same moment as the draft was published: never both', async () => {
      for (const first of ['suspend', 'publish'] as const) {
        const saved = await draft(ann, { files: files(host(`raced-by-${first}`)) });
        await ok(approve(bob, saved));
        const published = await (first === 'suspend'
          ? atOnce(company.service.database, suspend, () => publish(ann, saved)).then(([, second]) => second)
          : atOnce(company.service.database, () => publish(ann, saved), suspend).then(([one]) => one));
        if (first === 'suspend') expect(published).toMatchObject(TOO_FEW);
        else expect(published.status).toBe(200);
        await restore();
      }
    });
  });

  it('takes effect for a change that was planned before', async () => {
    await change(tenant());
    const [on, direct] = await atOnce(
      company.service.database,
      () => put('key', tenant('publish') as never),
      () => put('key', host('planned-before')),
    );
    expect(on.status).toBe(200);
    expect(direct).toMatchObject(TOO_FEW);
    expect((await calls('key', 'GET', '/api/v1/documents/Host/planned-before')).status).toBe(404);
  });

  it('is for documents, and stops nobody who stops something', async () => {
    await ok(calls('key', 'PUT', '/api/v1/suspensions/Server/mail', { reason: 'now' }));
    await ok(calls('key', 'DELETE', '/api/v1/suspensions/Server/mail', undefined, { 'If-Match': '*' }));
  });

  it('holds on every replica', async () => {
    const other = await company.service.replica();
    const answer = await company.service.call('PUT', '/api/v1/documents/Host/elsewhere', {
      url: other.url,
      body: host('elsewhere'),
    });
    expect(answer).toMatchObject(TOO_FEW);
  });

  it('is waived where the settings of the service say so, and the history says that', async () => {
    const other = await company.service.replica({ fourEyesWaived: new Set(['default']) });
    const made = await ok(
      company.service.call('PUT', '/api/v1/documents/Host/waived', { url: other.url, body: host('waived') }),
    );
    expect((await revisionOf(made)).seen_by).toBe('waived');
    const elsewhere = await company.service.replica({ fourEyesWaived: new Set(['acme']) });
    const refused = company.service.call('PUT', '/api/v1/documents/Host/acme', {
      url: elsewhere.url,
      body: host('acme'),
    });
    expect(await refused).toMatchObject(TOO_FEW);
  });

  it('demands of whoever approves what it demands of whoever makes such a change', async () => {
    await change({
      ...tenant('publish'),
      administration: { fourEyes: ['publish'], stepUp: { acr: ['urn:company:mfa'] } },
    });
    const plain = await draft(ann, { files: files(host('plain')) });
    await ok(approve(bob, plain));
    const rights = await draft(ann, { files: files(bound('authors', 'policy-author', 'cleo', 'eve')) });
    expect(await approve(bob, rights)).toMatchObject({ status: 401, body: { code: 'step_up_required' } });
    const strong = await company.signIn('dora', { query: 'acr=urn:company:mfa' });
    const back = await draft(ann, { files: files(tenant('publish')) });
    // Whoever holds a sign-in of Ann's that is not as good is not Ann for this.
    expect(await publish(strong, back)).toMatchObject({ ...TOO_FEW, body: { seen_by: ['user:company/dora'] } });
    await ok(approve(strong, back));
    expect(await publish('key', back)).toMatchObject({ ...TOO_FEW, body: { seen_by: ['user:company/dora'] } });
    await ok(approve(await company.signIn('ann', { query: 'acr=urn:company:mfa' }), back));
    await ok(publish('key', back));
  });
});

describe('the demand itself', () => {
  it.each<[string[], object | undefined, boolean]>([
    [['guardrails'], guardrail('pay'), true],
    [['guardrails'], host('any'), false],
    [['breakGlass'], host('any'), false],
    [['breakGlass'], tenant(), true],
    [['breakGlass'], undefined, true],
    [['guardrails', 'breakGlass'], tenant('guardrails'), true],
    [['guardrails', 'breakGlass'], tenant('breakGlass', 'guardrails'), false],
    [['guardrails'], tenant('publish', 'guardrails'), false],
    [['guardrails'], { ...tenant('guardrails'), description: 'other' }, false],
    [['guardrails'], tenant('breakGlass'), true],
  ])('%j: a change to %j wants two: %s', async (fourEyes, document, isWanted) => {
    await change(tenant(...fourEyes));
    const answer =
      document === undefined
        ? await calls('key', 'DELETE', '/api/v1/documents/Tenant/default', undefined, {
            'If-Match': (await calls('key', 'GET', '/api/v1/documents/Tenant/default')).headers.get('etag')!,
          })
        : await put('key', document as never);
    if (isWanted) expect(answer).toMatchObject(TOO_FEW);
    else expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  });

  it('is not got round by another Tenant document', async () => {
    await change(tenant('breakGlass'));
    const body = { files: files({ ...tenant(), name: 'other' }), prune: true };
    expect(await calls('key', 'POST', '/api/v1/documents/apply', body)).toMatchObject(TOO_FEW);
  });

  it('is refused where nobody signs in who could meet it, and so is what would leave nobody', async () => {
    await change(tenant());
    const { signIn: _, ...without } = companyIssuer(company.idp);
    const unmet = { status: 422, body: { code: 'documents_invalid' } };
    const off = { ...without, subjectTokens: { audiences: ['placet'] } };
    expect(
      await calls('key', 'POST', '/api/v1/documents/apply', { files: files(off, tenant('guardrails')) }),
    ).toMatchObject(unmet);
    await change(tenant('guardrails'));
    expect(await put('key', off as never)).toMatchObject(unmet);
    const [other] = await company.service
      .secondTenant('lonely')
      .then((lonely) =>
        Promise.all([lonely.call('PUT', '/api/v1/documents/Tenant/t', { body: { ...tenant('publish'), name: 't' } })]),
      );
    expect(other).toMatchObject(unmet);
  });
});

describe('breaking the glass', () => {
  const answer = (who: Cookies, id: string, why = 'the site is down') =>
    company.answer(who, id, { break_glass: why, route: 'approvals' });

  beforeAll(async () => {
    await change(tenant(), { kind: 'Role', name: 'nobody' });
    await company.apply(tenant('breakGlass'));
  });

  it('takes two people, each with a reason', async () => {
    await company.asks({ by: ['role:nobody'], breakGlass: ['user:company/bob', 'user:company/cleo'] });
    const id = await company.ask();
    const path = `${company.service.url}/t/default/requests/${id}`;
    expect(await (await bob.fetch(path)).text()).toContain('It takes two people');
    expect(await answer(bob, id)).toEqual({ status: 200, body: { status: 'pending' } });
    expect(await answer(bob, id)).toMatchObject({ status: 409, body: { code: 'already_answered' } });
    expect(await company.decide({ approval: id })).toMatchObject({ effect: 'ask', approval: { state: 'pending' } });
    const page = await (await cleo.fetch(path)).text();
    for (const words of ['has broken the glass', '<q><bdi>the site is down</bdi></q>', 'it takes two'])
      expect(page).toContain(words);
    const { body } = await company.as(cleo, 'GET', `/api/v1/approvals/${id}`);
    expect(body.unmet).toMatchObject([{ approvals: 2, agreed: 1, yours: 'agree' }]);
    expect(await company.answer(cleo, id, { route: 'approvals' })).toMatchObject({ status: 403 });
    expect(await answer(cleo, id)).toEqual({ status: 200, body: { status: 'approved' } });
    expect(await company.decide({ approval: id })).toMatchObject({ effect: 'allow' });
    expect(await company.decide({ approval: id })).toMatchObject({ effect: 'ask', approval: { state: 'used' } });
  });

  it('by one alone does not count from when the tenant wants two', async () => {
    await change(tenant());
    await company.asks({ by: ['role:nobody'], breakGlass: ['user:company/bob'] });
    const id = await company.ask();
    expect(await answer(bob, id)).toEqual({ status: 200, body: { status: 'approved' } });
    await company.apply(tenant('breakGlass'));
    expect(await company.decide({ approval: id })).toMatchObject({ effect: 'ask' });
  });
});
