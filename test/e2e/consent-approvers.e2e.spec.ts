import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askingRule, mailPolicy, startAskingCompany, type AskingCompany, type Said } from '../support/asking.js';
import type { Cookies } from '../support/browser.js';
import { companyIssuer } from '../support/signed-in.js';

let company: AskingCompany;
let ann: Cookies;
let bob: Cookies;
let carl: Cookies;
let urls: readonly string[];
let minutes = 60;

const leads = (...subjects: string[]) => ({ kind: 'Binding', name: 'leads', subjects, roles: ['lead'] });
const groupOf = (sub: string, ...groups: string[]) => company.idp.people.set(sub, { sub, claims: { groups } });

beforeAll(async () => {
  company = await startAskingCompany();
  const { service } = company;
  urls = [service.url, (await service.replica()).url, (await service.replica()).url];
  await company.apply({ kind: 'Role', name: 'lead' });
});
afterAll(() => company.close());

beforeEach(async () => {
  minutes++;
  await company.apply(
    companyIssuer(company.idp),
    mailPolicy(askingRule({ by: ['role:lead'], notSelf: true, uses: 1, until: `${minutes}m` })),
    leads('user:company/bob', 'user:company/carl', 'group:company:leads'),
    { kind: 'Subject', type: 'user', id: 'ann', aliases: [{ type: 'user', id: 'company/ann' }] },
  );
  for (const sub of ['ann', 'bob', 'carl', 'dora']) groupOf(sub, 'staff');
  [ann, bob, carl] = [await company.signIn('ann'), await company.signIn('bob'), await company.signIn('carl')];
});

/** What each replica says of a call with an approval, at once. */
const everywhere = (approval: string): Promise<Said[]> =>
  Promise.all(urls.map((url) => company.decide({ approval, url })));

const byApprover = (who: Cookies) => company.approved(who, {}, { route: 'approvals' });

interface Loss {
  readonly lose: () => Promise<unknown>;
  readonly regain: () => Promise<unknown>;
}

const ok = async (method: string, path: string, body?: object, more: object = {}): Promise<void> => {
  const answer = await company.service.call(method, path, { ...(body === undefined ? {} : { body }), ...more });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
};

const suspension = '/api/v1/suspensions/Subject/user%3Acompany%2Fbob';

/** Ways in which whoever agreed is not entitled any more. */
const LOSSES: Readonly<Record<string, () => Loss>> = {
  'the binding was removed': () => ({
    lose: () => company.apply(leads('user:company/carl')),
    regain: () => company.apply(leads('user:company/bob')),
  }),
  'the role is not among those that the rule names any more': () => ({
    lose: () => company.apply({ ...leads('user:company/bob'), roles: ['other'] }),
    regain: () => company.apply(leads('user:company/bob')),
  }),
  'the person was suspended': () => ({
    lose: () => ok('PUT', suspension, {}),
    regain: () => ok('DELETE', suspension, undefined, { headers: { 'If-Match': '*' } }),
  }),
  'the issuer does not sign people in any more': () => {
    const issuer = companyIssuer(company.idp);
    const { signIn: _signIn, ...without } = issuer;
    return {
      lose: () => company.apply({ ...without, subjectTokens: { audiences: ['placet'] } }),
      regain: () => company.apply(issuer),
    };
  },
};

describe('an approval counts only while whoever gave it may give it:', () => {
  beforeAll(() => company.apply({ kind: 'Role', name: 'other' }));

  it.each(Object.entries(LOSSES))('not on any replica, as soon as %s', async (_why, loss) => {
    const approval = await byApprover(bob);
    const { lose, regain } = loss();
    await lose();
    for (const said of await everywhere(approval))
      expect(said).toMatchObject({ effect: 'ask', approval: { state: 'not_entitled' } });
    await regain();
    const effects = (await everywhere(approval)).map(({ effect }) => effect);
    expect(effects.toSorted()).toEqual(['allow', 'ask', 'ask']);
  });

  it('not after the binding has expired, with no change at all', async () => {
    const expires = new Date(Date.now() + 3000).toISOString();
    await company.apply({ ...leads('user:company/bob'), expires });
    const approval = await byApprover(bob);
    await sleep(Math.max(0, Date.parse(expires) - Date.now()) + 50);
    for (const said of await everywhere(approval))
      expect(said).toMatchObject({ effect: 'ask', approval: { state: 'not_entitled' } });
  });

  it('not after the next sign-in said that the group is gone', async () => {
    groupOf('dora', 'leads');
    const dora = await company.signIn('dora');
    const approval = await byApprover(dora);
    groupOf('dora', 'staff');
    await company.signIn('dora');
    for (const said of await everywhere(approval))
      expect(said).toMatchObject({ effect: 'ask', approval: { state: 'not_entitled' } });
    groupOf('dora', 'leads');
    await company.signIn('dora');
    expect((await everywhere(approval)).filter(({ effect }) => effect === 'allow')).toHaveLength(1);
  });

  it('not after it turned out that the approver is the person concerned', async () => {
    const approval = await byApprover(bob);
    await company.apply({
      kind: 'Subject',
      type: 'user',
      id: 'ann',
      aliases: [
        { type: 'user', id: 'company/ann' },
        { type: 'user', id: 'company/bob' },
      ],
    });
    for (const said of await everywhere(approval))
      expect(said).toMatchObject({ effect: 'ask', approval: { state: 'not_entitled' } });
  });
});

describe('nobody approves what they ask for themselves', () => {
  /** What comes of an answer by somebody who is not to give one, and of the request. */
  async function refused(who: Cookies): Promise<void> {
    const { body } = await company.request();
    const { id } = body.task as { id: string };
    for (const route of ['approvals', 'me/requests'] as const)
      expect((await company.answer(who, id, { route })).status, route).toBe(404);
    expect(await company.decide({ approval: id })).toMatchObject({ effect: 'ask', approval: { state: 'pending' } });
  }

  it('under the name that the request has', async () => {
    await company.apply(leads('user:company/ann', 'user:ann', 'group:company:staff'));
    await refused(ann);
  });

  it('under another name of theirs', async () => {
    const aliases = ['company/ann', 'company/dora'].map((id) => ({ type: 'user', id }));
    await company.apply(leads('user:company/dora', 'user:ann', 'group:company:staff'), {
      kind: 'Subject',
      type: 'user',
      id: 'ann',
      aliases,
    });
    await refused(await company.signIn('dora'));
  });

  it('with a key, a token, or the credential of a host', async () => {
    const { body } = await company.request();
    const { id } = body.task as { id: string };
    const { service, key } = company;
    for (const credential of [service.owner, key])
      for (const route of ['approvals', 'me/requests']) {
        const given = { key: credential, body: { answer: 'agree', shown: '0'.repeat(64) } };
        const answer = await service.call('POST', `/api/v1/${route}/${id}/answer`, given);
        expect([401, 403], `${route}: ${answer.status}`).toContain(answer.status);
      }
    expect(await company.decide({ approval: id })).toMatchObject({ approval: { state: 'pending' } });
  });
});

describe('two people who answer at once', () => {
  it('have one answer, and the other is told so', async () => {
    for (let round = 0; round < 10; round++) {
      const { body } = await company.request({ arguments: { round } });
      const { id } = body.task as { id: string };
      const [one, two] = round % 2 === 0 ? (['agree', 'refuse'] as const) : (['agree', 'agree'] as const);
      const answers = await Promise.all([
        company.answer(bob, id, { route: 'approvals', answer: one, url: urls[round % 3]! }),
        company.answer(carl, id, { route: 'approvals', answer: two, url: urls[(round + 1) % 3]! }),
      ]);
      const [won] = answers.filter(({ status }) => status === 200);
      const [lost] = answers.filter(({ status }) => status !== 200);
      expect(lost, JSON.stringify(answers)).toMatchObject({
        status: 409,
        body: { code: 'already_answered', status: 409, request_status: (won!.body as { status: string }).status },
      });
    }
  });

  it('are counted once each, where two are wanted', async () => {
    minutes++;
    await company.apply(mailPolicy(askingRule({ by: ['role:lead'], approvals: 2, uses: 1, until: `${minutes}m` })));
    for (let round = 0; round < 5; round++) {
      const { body } = await company.request({ arguments: { round } });
      const { id } = body.task as { id: string };
      const answers = await Promise.all([
        company.answer(bob, id, { route: 'approvals', url: urls[0]! }),
        company.answer(carl, id, { route: 'approvals', url: urls[1]! }),
        company.answer(bob, id, { route: 'approvals', url: urls[2]! }),
      ]);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(1);
      const statuses = answers.filter(({ status }) => status === 200).map((each) => each.body.status as string);
      expect(statuses.toSorted()).toEqual(['approved', 'pending']);
      expect(await company.decide({ arguments: { round }, approval: id })).toMatchObject({ effect: 'allow' });
    }
  });
});
