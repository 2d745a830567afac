import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NamedSecrets } from '#config';
import { askingRule, mailPolicy, startAskingCompany, type AskingCompany, type Said } from '../support/asking.js';
import type { Cookies } from '../support/browser.js';
import { GOOD_FOR_SECONDS, openLdapIssuer, READER_SECRETS, signInByPassword } from '../support/directories/company.js';
import { hasOpenLdap, READER, startOpenLdap, type OpenLdap } from '../support/directories/open-ldap.js';
import { connectorOf, GROUP_SCHEMA, patchOf, USER_SCHEMA, type Scim } from '../support/scim.js';
import { COMPANY_SECRET, companyIssuer } from '../support/signed-in.js';

const PASSWORD = 'pw-of-lea';
let company: AskingCompany;
let urls: readonly string[];
let minutes = 60;

beforeAll(async () => {
  company = await startAskingCompany({
    attempts: { sign_in: 10_000, session: 10_000, password: 10_000 },
    secrets: NamedSecrets.read({ ...READER_SECRETS, PLACET_SECRET_DEFAULT__COMPANY: COMPANY_SECRET }),
  });
  const { service } = company;
  service.secrets.add(READER.password, PASSWORD);
  urls = [service.url, (await service.replica()).url, (await service.replica()).url];
});
afterAll(() => company.close());

beforeEach(async () => {
  // With other words nothing that was agreed to before counts.
  minutes++;
  await company.apply(mailPolicy(askingRule({ by: ['role:lead'], notSelf: true, until: `${minutes}m` })), {
    kind: 'Binding',
    name: 'leads',
    subjects: ['group:company:leads', 'group:corp:leads'],
    roles: ['lead'],
  });
});

/** What each replica says of a call with an approval, at once. */
const everywhere = (approval: string): Promise<Said[]> =>
  Promise.all(urls.map((url) => company.decide({ approval, url })));

const allowedEverywhere = (approval: string) =>
  expect
    .poll(async () => (await everywhere(approval)).map(({ effect }) => effect), { timeout: 10_000 })
    .toEqual(urls.map(() => 'allow'));

/** Somebody has agreed once, and is asked again; then they leave, and nothing of either counts. Returns what they agreed to. */
async function leaves(lead: Cookies, leave: () => Promise<unknown>, state = 'not_entitled'): Promise<string> {
  const approval = await company.approved(
    lead,
    {},
    { route: 'approvals', choice: { for: 'until', seconds: minutes * 60 } },
  );
  await allowedEverywhere(approval);
  const open = await company.ask({ arguments: { to: 'dora' } });
  await leave();
  for (const said of await everywhere(approval)) expect(said).toMatchObject({ effect: 'ask', approval: { state } });
  for (const url of urls) {
    expect((await company.answer(lead, open, { route: 'approvals', url })).status).toBeGreaterThanOrEqual(400);
    expect((await company.as(lead, 'GET', `/api/v1/approvals/${open}`, undefined, url)).status).not.toBe(200);
  }
  expect(await company.status(open)).toBe('pending');
  return approval;
}

describe('an approver whom SCIM provisions', () => {
  let scim: Scim;
  let bob: string;
  let leads: string;

  beforeAll(async () => {
    await company.apply(companyIssuer(company.idp, { provisioning: { scim: true, groups: 'scim' } }));
    scim = await connectorOf(company.service, 'company');
    const create = async (path: string, body: object): Promise<string> => {
      const answer = await scim('POST', path, body);
      expect(answer.status, JSON.stringify(answer.body)).toBe(201);
      return answer.body.id as string;
    };
    const userName = 'bob@example.com';
    bob = await create('/Users', { schemas: [USER_SCHEMA], userName, externalId: 'bob', active: true });
    leads = await create('/Groups', { schemas: [GROUP_SCHEMA], displayName: 'leads', members: [{ value: bob }] });
  });

  const users = (active: unknown) =>
    scim('PATCH', `/Users/${bob}`, patchOf({ op: 'Replace', path: 'active', value: active }));
  const member = (op: 'Add' | 'Remove') =>
    scim('PATCH', `/Groups/${leads}`, patchOf({ op, path: 'members', value: [{ value: bob }] }));

  it('approves nothing any more when they have left', async () => {
    const approval = await leaves(await company.signIn('bob'), () => users('False'), 'revoked');
    // What they had agreed to is over for good.
    await users(true);
    await company.signIn('bob');
    for (const said of await everywhere(approval)) expect(said).toMatchObject({ effect: 'ask' });
  });

  it('approves nothing any more when they are out of the group', async () => {
    const lead = await company.signIn('bob');
    const approval = await leaves(lead, () => member('Remove'));
    await member('Add');
    await allowedEverywhere(approval);
  });
});

const NAME = `an approver in a directory${hasOpenLdap ? '' : ' (OpenLDAP is not installed here)'}`;

describe.skipIf(!hasOpenLdap)(NAME, () => {
  let ldap: OpenLdap;
  let lea: string;
  let leads: string;

  beforeAll(async () => {
    ldap = await startOpenLdap();
    lea = await ldap.person('lea');
    leads = await ldap.group('leads', lea);
    await company.apply(openLdapIssuer(ldap));
  }, 60_000);
  afterAll(() => ldap?.close());

  async function signedIn(): Promise<Cookies> {
    const { cookies, answer } = await signInByPassword(company.service.url, 'lea', PASSWORD);
    expect(answer.status).toBe(303);
    return cookies;
  }
  const later = () => sleep(GOOD_FOR_SECONDS * 1000);

  it('approves nothing any more when they are out of the group, within the stated time', async () => {
    const lead = await signedIn();
    const approval = await leaves(lead, async () => {
      await ldap.set(leads, 'member', READER.dn);
      await later();
    });
    await ldap.set(leads, 'member', lea);
    await allowedEverywhere(approval);
  }, 60_000);

  it('approves nothing any more when they have left, within the stated time', async () => {
    await leaves(await signedIn(), async () => {
      await ldap.set(lea, 'employeeType', 'left');
      await later();
    });
    await ldap.set(lea, 'employeeType');
  }, 60_000);
});
