import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askingRule, mailPolicy, startAskingCompany, type AskingCompany } from '../support/asking.js';
import type { Cookies } from '../support/browser.js';
import { companyIssuer } from '../support/signed-in.js';

let company: AskingCompany;
/** Ann by the company, and Ann by a branch of it, whose provider knows her by the same `sub`. */
let ann: Cookies;
let same: Cookies;
const NAMES = ['company/ann', 'branch/ann'] as const;

const linked = (...ids: string[]) => ({
  kind: 'Subject',
  id: 'ann',
  ...(ids.length === 0 ? {} : { aliases: ids.map((id) => ({ type: 'user', id })) }),
});
const sender = (subject: string) => ({ kind: 'Binding', name: 'senders', subjects: [subject], roles: ['sender'] });
const effects = async () => Promise.all(NAMES.map(async (subject) => (await company.decide({ subject })).effect));
beforeAll(async () => {
  company = await startAskingCompany();
  const { idp, service } = company;
  const { url } = service;
  const callbacks = ['company', 'branch'].map((issuer) => `${url}/t/default/sign-in/${issuer}/callback`);
  idp.client({ client_id: 'both', client_secret: 'a-secret-of-the-company-32-bytes', redirect_uris: callbacks });
  const signIn = { ...companyIssuer(idp).signIn, clientId: 'both' };
  await company.apply(
    companyIssuer(idp, { signIn: { ...signIn, domains: ['example.com'] } }),
    companyIssuer(idp, { name: 'branch', signIn: { ...signIn, domains: ['branch.example'] } }),
    { kind: 'Role', name: 'sender' },
    sender('user:company/ann'),
    { ...mailPolicy(), rules: [{ name: 'senders', effect: 'allow', to: ['role:sender'] }] },
  );
  ann = await company.signIn('ann');
  same = await company.signIn('ann', { issuer: 'branch' });
});
afterAll(() => company.close());

describe('somebody who is reached through two connectors', () => {
  it('is led to each by the domain of an address', async () => {
    const { url } = company.service;
    for (const [email, issuer] of [
      ['ann@example.com', 'company'],
      ['ANN@Branch.Example', 'branch'],
    ] as const) {
      const body = new URLSearchParams({ email });
      const answer = await fetch(`${url}/t/default/sign-in`, { method: 'POST', body });
      expect(answer.headers.get('refresh'), email).toBe(`0; url=/t/default/sign-in/${issuer}`);
    }
  });

  it('is two people', async () => {
    const { body } = await company.service.call('GET', '/api/v1/people');
    expect((body.items as { id: string }[]).map(({ id }) => id)).toEqual(['user:branch/ann', 'user:company/ann']);
    expect(await effects()).toEqual(['allow', 'deny']);
  });

  it('is one person from when an administrator links them, and two again from when the link is taken away', async () => {
    await company.apply(linked(...NAMES), sender('user:ann'));
    expect(await effects()).toEqual(['allow', 'allow']);
    // What is bound to one of the names alone is not theirs.
    await company.apply(sender('user:company/ann'));
    expect(await effects()).toEqual(['deny', 'deny']);
    await company.apply(linked('company/ann'), sender('user:ann'));
    expect(await effects()).toEqual(['allow', 'deny']);
  });

  it('is stopped under both names, whichever is suspended', async () => {
    await company.apply(linked(...NAMES), sender('user:ann'));
    const path = '/api/v1/suspensions/Subject/user%3Abranch%2Fann';
    await company.service.call('PUT', path, { body: {} });
    expect(await effects()).toEqual(['deny', 'deny']);
    await company.service.call('DELETE', path, { headers: { 'If-Match': '*' } });
    expect(await effects()).toEqual(['allow', 'allow']);
    same = await company.signIn('ann', { issuer: 'branch' });
    ann = await company.signIn('ann');
  });

  it('has what they agreed to under either name, and takes it back under either', async () => {
    await company.apply(linked(...NAMES), sender('user:ann'), mailPolicy(askingRule({ by: ['subject'], until: '1h' })));
    const choice = { for: 'until', seconds: 3600 };
    const approval = await company.approved(ann, { subject: 'branch/ann' }, { choice });
    for (const subject of NAMES) expect(await company.decide({ subject, approval })).toMatchObject({ effect: 'allow' });
    const { body } = await company.as(same, 'GET', '/api/v1/me/consents');
    const [consent] = (body.items as { id: string; state: string }[]).filter(({ state }) => state === 'live');
    expect(await company.as(same, 'DELETE', `/api/v1/me/consents/${consent!.id}`)).toMatchObject({ status: 200 });
    for (const subject of NAMES) expect(await company.decide({ subject, approval })).toMatchObject({ effect: 'ask' });
  });

  it('administers under the very name that is bound, and under no other', async () => {
    await company.apply(linked(...NAMES), {
      kind: 'AdministratorBinding',
      name: 'ann',
      to: ['user:company/ann'],
      roles: ['auditor'],
    });
    const reads = async (who: Cookies) => (await company.as(who, 'GET', '/api/v1/documents')).status;
    expect([await reads(ann), await reads(same)]).toEqual([200, 403]);
  });
});
