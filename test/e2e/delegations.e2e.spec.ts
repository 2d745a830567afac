import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askingRule, mailPolicy, startAskingCompany, type AskingCompany } from '../support/asking.js';
import type { Cookies } from '../support/browser.js';

const BOB = 'user:company/bob';
const CARA = 'user:company/cara';

let company: AskingCompany;
let ann: Cookies;
let bob: Cookies;
let cara: Cookies;
let dan: Cookies;

beforeAll(async () => {
  company = await startAskingCompany();
  for (const sub of ['cara', 'dan']) company.idp.people.set(sub, { sub, claims: { name: sub } });
  await company.apply(mailPolicy(askingRule({ by: ['role:lead'], notSelf: true, until: '1h' })));
  [ann, bob, cara, dan] = [
    await company.signIn('ann'),
    await company.signIn('bob'),
    await company.signIn('cara'),
    await company.signIn('dan'),
  ];
});
afterAll(() => company.close());

const in1Hour = () => new Date(Date.now() + 3_600_000).toISOString();
const delegate = (who: Cookies, to: string, until = in1Hour()) =>
  company.as(who, 'POST', '/api/v1/me/delegations', { to, until });
const end = (who: Cookies, id: string) => company.as(who, 'DELETE', `/api/v1/me/delegations/${id}`);

const HOUR = { choice: { for: 'until', seconds: 3600 } };

describe('somebody who was named to answer', () => {
  it('answers in that place, counts as whoever named them, and is recorded as such', async () => {
    const made = await delegate(bob, CARA);
    expect(made).toMatchObject({ status: 201, body: { from: BOB, to: CARA, ended_at: null } });
    const request = await company.ask();
    const listed = await company.as(cara, 'GET', '/api/v1/approvals');
    expect(listed.body.items).toMatchObject([{ id: request, as: 'entitled', in_place_of: BOB }]);
    expect((await company.answer(cara, request, { ...HOUR, route: 'approvals' })).body).toEqual({ status: 'approved' });
    expect(await company.decide()).toMatchObject({ effect: 'allow' });
    const { body } = await company.as(ann, 'GET', '/api/v1/me/consents');
    const detail = await company.as(ann, 'GET', `/api/v1/me/consents/${body.items[0].id}`);
    expect(detail.body.answers).toMatchObject([{ person: CARA, for_person: BOB, answer: 'agreed' }]);
    expect(detail.body.history.at(-1)).toMatchObject({
      by: CARA,
      content: { for_person: BOB, delegation: made.body.id },
    });

    // It was live when it was answered: what was answered still counts, and nothing more is.
    expect((await end(cara, made.body.id)).status).toBe(404);
    expect((await end(bob, made.body.id)).status).toBe(204);
    expect((await end(bob, made.body.id)).status).toBe(404);
    expect(await company.decide()).toMatchObject({ effect: 'allow' });
    const next = await company.ask({ arguments: { to: 'max' } });
    expect((await company.as(cara, 'GET', `/api/v1/approvals/${next}`)).status).toBe(404);

    // Whoever named them has lost the role.
    await company.apply({ kind: 'Binding', name: 'leads', subjects: ['user:company/zoe'], roles: ['lead'] });
    expect(await company.decide()).toMatchObject({ effect: 'ask' });
    await company.apply({ kind: 'Binding', name: 'leads', subjects: [BOB], roles: ['lead'] });
    expect(await company.decide()).toMatchObject({ effect: 'allow' });
    // They themselves have left.
    await company.service.call('PUT', `/api/v1/suspensions/Subject/${CARA.replace('/', '%2F')}`, { body: {} });
    expect(await company.decide()).toMatchObject({ effect: 'ask' });
    await company.service.call('DELETE', `/api/v1/suspensions/Subject/${CARA.replace('/', '%2F')}`);
    cara = await company.signIn('cara');
  });

  it('is nobody that they name in turn, nor the person concerned', async () => {
    await delegate(bob, CARA);
    await delegate(cara, 'user:company/dan');
    await delegate(bob, 'user:company/ann');
    const request = await company.ask({ arguments: { to: 'ivo' } });
    expect((await company.as(dan, 'GET', `/api/v1/approvals/${request}`)).status).toBe(404);
    expect((await company.as(ann, 'GET', `/api/v1/me/requests/${request}`)).status).toBe(404);
    expect((await company.as(cara, 'GET', `/api/v1/approvals/${request}`)).status).toBe(200);
  });

  it('answers no more once the time is over, whatever they saw before', async () => {
    const request = await company.ask({ arguments: { to: 'late' } });
    const seen = await company.as(cara, 'GET', `/api/v1/approvals/${request}`);
    expect(seen.body.in_place_of).toBe(BOB);
    const owner = await company.service.database.connect('superuser');
    await owner.query(`update placet.delegation set expires_at = now() where to_person = $1`, [CARA]);
    await owner.end();
    const answered = await company.as(cara, 'POST', `/api/v1/approvals/${request}/answer`, {
      answer: 'agree',
      shown: seen.body.shown_digest,
    });
    expect(answered.status).toBe(404);
  });

  it.each<[string, () => [Cookies, string, string?], number]>([
    ['oneself', () => [bob, BOB], 400],
    ['nobody who has signed in', () => [bob, 'user:company/nobody'], 404],
    ['for longer than 90 days', () => [bob, CARA, new Date(Date.now() + 91 * 86_400_000).toISOString()], 400],
    ['until it is past', () => [bob, CARA, new Date(Date.now() - 1000).toISOString()], 400],
  ])('is not named: %s', async (_what, how, status) => {
    expect((await delegate(...how())).status).toBe(status);
  });

  it('is named by people only', async () => {
    const body = { to: CARA, until: in1Hour() };
    expect((await company.service.call('POST', '/api/v1/me/delegations', { body })).status).toBe(404);
    const host = await company.service.call('POST', '/api/v1/me/delegations', { body, key: company.key });
    expect([host.status, host.body.code]).toEqual([403, 'not_an_administrator']);
  });

  it('is seen by both', async () => {
    await delegate(bob, CARA);
    for (const who of [bob, cara]) {
      const { body } = await company.as(who, 'GET', '/api/v1/me/delegations');
      expect(body.items[0]).toMatchObject({ from: BOB, to: CARA, ended_at: null });
    }
  });
});
