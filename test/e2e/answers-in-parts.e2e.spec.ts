import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fieldsOf, startAnswering, type Answering, type Page } from '../support/answering.js';
import { askingRule, mailPolicy } from '../support/asking.js';
import type { Cookies } from '../support/browser.js';

const PASSWORD = 'urn:company:password';
const MFA = 'urn:company:mfa';

let company: Answering;
let ann: Cookies;
let bob: Cookies;
let carl: Cookies;
let replica: string;

beforeAll(async () => {
  company = await startAnswering();
  replica = (await company.service.replica()).url;
  company.idp.people.set('carl', { sub: 'carl', claims: { name: 'carl' } });
  await company.apply({ kind: 'Binding', name: 'carl', subjects: ['user:company/carl'], roles: ['lead'] });
  [bob, carl] = [await company.signIn('bob'), await company.signIn('carl')];
});
afterAll(() => company.close());
beforeEach(async () => {
  ann = await signedIn(PASSWORD);
});

const signedIn = (acr: string, cookies?: Cookies) =>
  company.signIn('ann', { query: new URLSearchParams({ acr }).toString(), ...(cookies ? { cookies } : {}) });

const seen = async (who: Cookies, id: string, route = 'me/requests') =>
  (await company.as(who, 'GET', `/api/v1/${route}/${id}`)).body;

const signInAs = (acr: string) => `/t/default/sign-in/company?${new URLSearchParams({ acr }).toString()}`;

describe('two requirements that want different ways of signing in', () => {
  beforeEach(() => company.asks({ by: ['subject'], assurance: PASSWORD }, { by: ['subject'], assurance: MFA }));

  it('are met one after the other, and it is said what is still required, and how', async () => {
    const id = await company.ask();
    const asked = await seen(ann, id);
    expect(asked.unmet).toEqual([
      expect.objectContaining({
        policy: 'mail',
        by: ['subject'],
        approvals: 1,
        agreed: 0,
        assurance: PASSWORD,
        yours: 'agree',
        sign_in_url: null,
      }),
      expect.objectContaining({ assurance: MFA, yours: 'sign_in', sign_in_url: signInAs(MFA) }),
    ]);
    expect(await company.answer(ann, id)).toEqual({ status: 200, body: { status: 'pending' } });
    expect((await seen(ann, id)).unmet).toMatchObject([{ assurance: MFA, agreed: 0, yours: 'sign_in' }]);
    const { body: list } = await company.as(ann, 'GET', '/api/v1/me/requests');
    const listed = list.items.find((item: { id: string }) => item.id === id);
    expect(listed.unmet).toMatchObject([{ assurance: MFA, sign_in_url: signInAs(MFA) }]);

    // What was agreed to so far lets nothing through, and once more of the same adds nothing.
    expect(await company.decide({ approval: id })).toMatchObject({ effect: 'ask', approval: { state: 'pending' } });
    expect(await company.answer(ann, id)).toMatchObject({
      status: 401,
      body: { code: 'step_up_required', sign_in_url: signInAs(MFA), acr_values: MFA },
    });

    await signedIn(MFA, ann);
    expect((await seen(ann, id)).unmet).toMatchObject([{ assurance: MFA, yours: 'agree', sign_in_url: null }]);
    expect(await company.answer(ann, id)).toEqual({ status: 200, body: { status: 'approved' } });
    expect((await seen(ann, id)).unmet).toEqual([]);
    expect(await company.decide({ approval: id })).toMatchObject({ effect: 'allow', reason: 'allowed_by_consent' });
    expect(await company.decide({ approval: id })).toMatchObject({ effect: 'ask', approval: { state: 'used' } });
  });

  it('are not met by a session that neither wants', async () => {
    await company.asks({ by: ['subject'], assurance: MFA }, { by: ['subject'], assurance: 'urn:company:phr' });
    const id = await company.ask();
    expect(await company.answer(ann, id)).toMatchObject({
      status: 401,
      body: { code: 'step_up_required', acr_values: `${MFA} urn:company:phr` },
    });
    expect((await seen(ann, id)).answers).toEqual([]);
  });

  it('are refused by one answer, whatever was agreed to before', async () => {
    const id = await company.ask();
    await company.answer(ann, id);
    expect(await company.answer(ann, id, { answer: 'refuse' })).toEqual({ status: 200, body: { status: 'denied' } });
    expect(await company.status(id)).toBe('denied');
  });

  it('are each met by whoever has signed in as it wants, at the page as well', async () => {
    const id = await company.ask();
    const at = `/t/default/requests/${id}`;
    const show = () => company.page(ann, at);
    const agree = async (page: Page) => company.page(ann, at, { ...fieldsOf(page), answer: 'uses:1' });
    const way = `${signInAs(MFA)}&${new URLSearchParams({ return_to: at }).toString()}`.replaceAll('&', '&amp;');

    const first = await show();
    expect(first.text).toContain('What is still required');
    expect(first.text).toContain(`href="${way}"`);
    expect((await agree(first)).status).toBe(303);
    const second = await show();
    expect(second.text).toContain('You have agreed');
    expect(second.text).not.toContain('type="radio"');
    expect(second.text).toContain('Take my agreement back');
    expect(second.text).toContain(`href="${way}"`);

    await signedIn(MFA, ann);
    const third = await show();
    expect(third.text).toContain('Do you agree?');
    expect(third.text).not.toContain(`href="${way}"`);
    expect((await agree(third)).status).toBe(303);
    expect(await company.status(id)).toBe('approved');
  });
});

describe('an answer that others have to join', () => {
  const approvals = 'approvals' as const;
  const own = (id: string) => `/api/v1/approvals/${id}/answer`;
  beforeEach(() => company.asks({ by: ['role:lead'], approvals: 2 }));

  it('is taken back by whoever gave it, and counts no more, nor does what came of it', async () => {
    const id = await company.ask();
    expect((await company.answer(bob, id, { route: approvals })).body).toEqual({ status: 'pending' });
    expect((await seen(carl, id, approvals)).unmet).toMatchObject([{ approvals: 2, agreed: 1, yours: 'agree' }]);
    expect((await seen(bob, id, approvals)).unmet).toMatchObject([{ approvals: 2, agreed: 1, yours: 'nothing' }]);

    expect((await company.as(carl, 'DELETE', own(id))).body.code).toBe('not_entitled');
    expect((await company.as(ann, 'DELETE', own(id))).status).toBe(404);
    for (const key of [company.key, company.service.owner])
      expect((await company.service.call('DELETE', own(id), { key })).status).toBe(403);
    expect(await company.as(bob, 'DELETE', own(id), undefined, replica)).toMatchObject({
      status: 200,
      body: { status: 'pending', revoked: 0 },
    });
    expect((await company.as(bob, 'DELETE', own(id))).body.code).toBe('not_entitled');

    expect((await company.answer(carl, id, { route: approvals })).body).toEqual({ status: 'pending' });
    expect((await seen(bob, id, approvals)).answers).toMatchObject([
      { person: 'user:company/bob', withdrawn_at: expect.any(String) as string },
      { person: 'user:company/carl', withdrawn_at: null },
    ]);
    expect((await company.answer(bob, id, { route: approvals })).body).toEqual({ status: 'approved' });
    expect((await company.as(carl, 'DELETE', own(id))).body).toEqual({ status: 'approved', revoked: 1 });
    expect(await company.decide({ approval: id })).toMatchObject({ effect: 'ask', approval: { state: 'revoked' } });
  });

  it('is taken back at its page, and given anew', async () => {
    const id = await company.ask();
    const at = `/t/default/requests/${id}`;
    await company.answer(bob, id, { route: approvals });
    const page = await company.page(bob, at);
    expect(page.text).toContain('1 of 2 have agreed');
    expect((await company.page(bob, `${at}/take-back`, fieldsOf(page))).status).toBe(303);
    const after = await company.page(bob, at);
    expect(after.text).toContain('and took it back (');
    expect(after.text).toContain('Do you agree?');
    expect((await company.page(bob, at, { ...fieldsOf(after), answer: 'refuse' })).status).toBe(303);
    expect(await company.status(id)).toBe('denied');
  });
});

describe('a person who uses an application in two sessions', () => {
  it('agrees once in each', async () => {
    await company.asks({ by: ['subject'], until: '1h' });
    for (const session of ['one', 'two']) await company.approved(ann, { session }, { choice: { for: 'session' } });
    for (const session of ['one', 'two', 'one'])
      expect(await company.decide({ session })).toMatchObject({ effect: 'allow' });
    for (const asked of [{ session: 'three' }, {}])
      expect(await company.decide(asked)).toMatchObject({ effect: 'ask' });
  });

  it('has a call of each of them agreed to, whichever comes first', async () => {
    await company.asks({ by: ['subject'], uses: 1 });
    const [one, two] = [
      await company.approved(ann, { session: 'one' }),
      await company.approved(ann, { session: 'two' }),
    ];
    expect(await company.decide({ session: 'one', approval: one })).toMatchObject({ effect: 'allow' });
    expect(await company.decide({ session: 'two', approval: two })).toMatchObject({ effect: 'allow' });
    expect(await company.decide({ session: 'two', approval: two })).toMatchObject({ effect: 'ask' });
  });
});

describe('an answer to what has changed since it was asked', () => {
  const mail = (identity?: object) => ({
    kind: 'Server',
    name: 'mail',
    title: 'Mail',
    ...(identity ? { identity } : {}),
  });
  const states = async () =>
    (await company.as(ann, 'GET', '/api/v1/me/consents')).body.items.map(({ state }: { state: string }) => state);

  it.each<[string, () => object]>([
    ['the rule asks something else', () => mailPolicy(askingRule({ by: ['subject'], until: '2h' }, 'changing'))],
    ['the rule is gone', () => mailPolicy()],
    ['the server is another', () => mail({ url: 'https://other.example.com/mcp' })],
  ])('never looks as if it counted: %s', async (_what, change) => {
    for (let round = 0; round < 4; round++) {
      await company.apply(mail(), mailPolicy(askingRule({ by: ['subject'], until: '1h' }, 'changing')));
      const to = `${round} ${_what}`;
      const id = await company.ask({ arguments: { to } });
      const { shown_digest: shown } = await seen(ann, id);
      await company.apply(change());
      // At a replica that may not have heard of it.
      const path = `/api/v1/me/requests/${id}/answer`;
      const answered = await company.as(
        ann,
        'POST',
        path,
        { answer: 'agree', shown },
        round % 2 === 0 ? replica : undefined,
      );
      expect(answered.body).toEqual({ status: 'approved' });
      expect((await states())[0]).toBe('superseded');
      const { body } = await company.as(ann, 'GET', '/api/v1/me/consents?live=true');
      expect(body.items.map(({ request }: { request: string }) => request)).not.toContain(id);
    }
  });

  it('is superseded by the very transaction that writes it, though the change came while it was written', async () => {
    await company.apply(mail(), mailPolicy(askingRule({ by: ['subject'], until: '1h' }, 'changing')));
    const id = await company.ask({ arguments: { to: 'meanwhile' } });
    const { shown_digest: shown } = await seen(ann, id);
    const superuser = await company.service.database.connect('superuser');
    const waiting = async (count: number) => {
      for (let attempt = 0; attempt < 500; attempt++) {
        const { rows } = await superuser.query(`select from pg_locks where locktype = 'advisory' and not granted`);
        if (rows.length >= count) return;
        await sleep(10);
      }
      throw new Error(`there are never ${count} that wait`);
    };
    // The change has its turn first; the answer was worked out before it.
    await superuser.query(`begin; select pg_advisory_xact_lock(placet.lock_key(id)) from placet.tenant`);
    const changed = company.apply(mail({ url: 'https://other.example.com/mcp' }));
    await waiting(1);
    const path = `/api/v1/me/requests/${id}/answer`;
    const answered = company.as(ann, 'POST', path, { answer: 'agree', shown });
    await waiting(2);
    await superuser.query('commit');
    await changed;
    expect((await answered).body).toEqual({ status: 'approved' });
    const { rows } = await superuser.query(
      `select count(*)::integer as events, count(distinct xmin::text)::integer as transactions from placet.consent_event
       where request = $1 and kind in ('answered', 'superseded')`,
      [id],
    );
    expect(rows).toEqual([{ events: 2, transactions: 1 }]);
    expect((await states())[0]).toBe('superseded');
    await superuser.end();
  });

  it('counts where nothing that it was for has changed', async () => {
    await company.apply(mail(), mailPolicy(askingRule({ by: ['subject'], until: '1h' }, 'changing')));
    const id = await company.ask({ arguments: { to: 'unchanged' } });
    await company.apply({ ...mail(), title: 'Post' });
    expect((await company.answer(ann, id)).body).toEqual({ status: 'approved' });
    expect((await states())[0]).toBe('live');
  });
});
