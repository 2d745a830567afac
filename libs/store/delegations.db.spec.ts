import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONSENT_ID, consentRows } from '../../test/support/consent-rows.js';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { ConsentStore } from './consent-store.js';
import { ConsentView } from './consent-view.js';
import { DelegationStore } from './delegation-store.js';

const BOB = 'user:okta/bob';
const LEA = `${BOB}-delegator`;
const SERVICE = { principal: 'system:test', proof: { epoch: 0, keys: [] } };
const GONE = { principal: 'session:gone', proof: { epoch: 0, keys: [] } };

let database: TestDatabase;
let run: (statement: string) => Promise<unknown>;
let consents: ConsentStore;
let delegations: DelegationStore;

beforeAll(async () => {
  database = await freshDatabase();
  const superuser = await database.connect('superuser');
  run = (statement) => superuser.query(statement);
  consents = new ConsentStore(database.store);
  delegations = new DelegationStore(database.store);
  await run(
    `insert into placet.person (tenant, id, issuer, claims) values ('${database.tenant}', '${BOB}', 'okta', '{}');
     ${consentRows(database.tenant, BOB)}`,
  );
});
afterAll(() => database.close());

const given = (delegation: string, forPerson: string) => ({
  person: BOB,
  answer: 'agreed' as const,
  choice: null,
  brokeGlass: null,
  forPerson,
  delegation,
  session: 's',
  acr: null,
  amr: [],
  authenticatedAt: null,
  link: null,
  shown: '',
});

describe('an answer in the place of another', () => {
  let request = 0;
  beforeEach(() =>
    run(`insert into placet.consent_request (tenant, id, join_key, evaluation, credential, host, agent, subject, action,
        resource_type, resource_id, content, shown, shown_digest, body_digest, expires_at)
      values ('${database.tenant}', 'r${++request}', '${request}', 'e', 'k', 'h', 'h', 'user:ann', 'a', 'tool', 't', '{}', '{}', '',
        '', now() + interval '1 day')`),
  );

  it.each<[string, string, string, string, string]>([
    ['is taken while it was delegated', 'd', LEA, '', 'answered'],
    ['is refused in the place of somebody else', 'd', 'user:okta/max', '', 'delegation'],
    ['is refused by a delegation that is not there', 'none', LEA, '', 'delegation'],
    ['is refused once that is over', 'd', LEA, `expires_at = now() - interval '1 second'`, 'delegation'],
    ['is refused once that was taken back', 'd', LEA, 'ended_at = now()', 'delegation'],
    [
      'is refused where somebody else was named',
      'd',
      LEA,
      `to_person = '${LEA}', from_person = '${BOB}'`,
      'delegation',
    ],
  ])('%s', async (_what, delegation, other, change, outcome) => {
    if (change !== '') await run(`update placet.delegation set ${change} where id = 'd'`);
    const answer = await consents.answer(
      ...([database.tenant, SERVICE, `r${request}`, 0, given(delegation, other), 'pending', []] as const),
    );
    expect(answer.outcome).toBe(outcome);
    await run(`update placet.delegation set expires_at = now() + interval '1 day', ended_at = null, from_person = '${LEA}',
      to_person = '${BOB}' where id = 'd'`);
  });
});

describe('whoever is gone meanwhile', () => {
  it('revokes, delegates and ends nothing', async () => {
    const which = { id: CONSENT_ID };
    expect(await consents.revoke(database.tenant, GONE, BOB, which, null)).toEqual({ outcome: 'principal', ended: 0 });
    const until = new Date(Date.now() + 60_000).toISOString();
    const made = { id: 'e', from: BOB, to: LEA, until };
    expect(await delegations.delegate(database.tenant, GONE, made)).toBe('principal');
    expect(await delegations.end(database.tenant, GONE, LEA, 'd')).toBe('principal');
    expect((await delegations.of(database.tenant, BOB)).map(({ id, endedAt }) => [id, endedAt])).toEqual([['d', null]]);
  });
});

describe('a revocation', () => {
  it('says which consents it means', async () => {
    await expect(consents.revoke(database.tenant, SERVICE, BOB, {}, null)).rejects.toThrow();
  });

  it('ends what has expired as well, and does not say that it was revoked', async () => {
    await run(`update placet.consent set expires_at = now() - interval '1 second'`);
    const ended = await consents.revoke(database.tenant, SERVICE, BOB, { id: CONSENT_ID }, null);
    expect(ended).toEqual({ outcome: 'revoked', ended: 0 });
    const found = await new ConsentView(database.store).find(database.tenant, CONSENT_ID);
    expect(found!.consent).toMatchObject({ state: 'expired', endedFor: null, endedAt: expect.any(Number) as number });
  });
});
