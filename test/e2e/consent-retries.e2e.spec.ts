import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askingRule, mailPolicy, startAskingCompany, type Asked, type AskingCompany } from '../support/asking.js';
import type { Cookies } from '../support/browser.js';

let company: AskingCompany;
let ann: Cookies;
let replica: string;
let minutes = 60;

beforeAll(async () => {
  company = await startAskingCompany();
  ann = await company.signIn('ann');
  replica = (await company.service.replica()).url;
  await company.apply({ kind: 'Host', name: 'ide' }, { kind: 'Host', name: 'gate' });
});
afterAll(() => company.close());

beforeEach(async () => {
  minutes++;
  await company.apply(mailPolicy(askingRule({ by: ['subject'], uses: 1, until: `${minutes}m` })));
});

const retry = (continues: string, more: Asked = {}): Asked => ({ requestState: 'opaque', continues, ...more });

/** An allow that took the only use of what was agreed to. */
async function begun(asked: Asked = {}): Promise<{ id: string; approval: string }> {
  const approval = await company.approved(ann, asked);
  const said = await company.decide({ ...asked, approval });
  expect(said).toMatchObject({ effect: 'allow', reason: 'allowed_by_consent' });
  return { id: said.id, approval };
}

async function database(statement: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
  const client = await company.service.database.connect('superuser');
  const { rows } = await client.query<Record<string, unknown>>(statement, values);
  await client.end();
  return rows;
}

describe('a retry after input_required', () => {
  it('goes on with the call and takes no use, five times, on any replica, and that is recorded', async () => {
    const { id, approval } = await begun();
    let named = id;
    for (let round = 0; round < 5; round++) {
      const asked = retry(named, { url: round % 2 === 0 ? company.service.url : replica, approval });
      const said = await company.decide(asked);
      expect(said).toMatchObject({
        effect: 'allow',
        reason: 'allowed_by_consent',
        continues: { evaluation_id: id, state: 'met' },
      });
      const [record] = await database(
        `select body::jsonb -> 'continues' as continues from placet.ledger_record where body::jsonb ->> 'evaluation_id' = $1`,
        said.id,
      );
      expect(record).toEqual({ continues: { id, state: 'met' } });
      // The host may name the first evaluation, or the one before.
      if (round % 2 === 0) named = said.id;
    }
    expect(await company.decide(retry(id))).toMatchObject({
      effect: 'ask',
      continues: { evaluation_id: id, state: 'over' },
    });
    expect(await company.decide(retry(named))).toMatchObject({ effect: 'ask', continues: { state: 'over' } });
  });

  it('takes no use of what has several', async () => {
    await company.apply(mailPolicy(askingRule({ by: ['subject'], uses: 3 })));
    const approval = await company.approved(ann, {}, { choice: { for: 'uses', uses: 2 } });
    const { id } = await company.decide({ approval });
    expect(await company.decide(retry(id, { approval }))).toMatchObject({ effect: 'allow' });
    expect(await company.decide({ approval })).toMatchObject({ effect: 'allow' });
    expect(await company.decide({ approval })).toMatchObject({ effect: 'ask', approval: { state: 'used' } });
  });

  it.each<[string, Asked, string]>([
    ['with other arguments', { arguments: { to: 'evf' } }, 'differs'],
    ['with one more argument', { arguments: { to: 'eve', cc: 'x' } }, 'differs'],
    ['about another subject', { subject: 'company/bob' }, 'differs'],
    ['in another session', { session: 's2' }, 'differs'],
    ['of another definition', { definition: { name: 'send', inputSchema: {} } }, 'ended'],
    ['for another purpose', { purpose: 'fun' }, 'ended'],
  ])('%s is a new call, which nobody has agreed to', async (_what, change, state) => {
    const { id } = await begun();
    expect(await company.decide(retry(id, change))).toMatchObject({
      effect: 'ask',
      continues: { evaluation_id: id, state },
    });
    expect(await company.decide(retry(id))).toMatchObject({ effect: 'allow' });
  });

  it('with other arguments is a new call, although the agreement is bound to one of them only', async () => {
    await company.apply(mailPolicy(askingRule({ by: ['subject'], uses: 1, bind: ['to'], show: ['to'] })));
    const { id } = await begun({ arguments: { to: 'eve', body: 'a' } });
    const other = { arguments: { to: 'eve', body: 'b' } };
    expect(await company.decide(retry(id, other))).toMatchObject({ effect: 'ask', continues: { state: 'differs' } });
  });

  it('of another host is a new call, and so is one of what was never allowed, or by nobody', async () => {
    const { id } = await begun();
    const ide = await company.keyOf('ide');
    expect(await company.decide(retry(id, { key: ide }))).toMatchObject({
      effect: 'ask',
      continues: { state: 'differs' },
    });
    // A gateway that acts for the very application is another host.
    const gate = await company.keyOf('gate', { agents: ['desk'] });
    expect(await company.decide(retry(id, { key: gate, agent: 'desk' }))).toMatchObject({
      effect: 'ask',
      continues: { state: 'differs' },
    });
    const asked = await company.decide({ arguments: { to: 'x' } });
    const guessed = `${id.slice(0, -8)}AAAAAAAA`;
    for (const named of [asked.id, guessed, 'ev_1_1_AAAAAAAA', 'ev_zzzzzzzzzzz_1_AAAAAAAA', 'x'])
      expect(await company.decide(retry(named))).toMatchObject({ effect: 'ask', continues: { state: 'unknown' } });
  });

  it('of another tenant is a new call', async () => {
    const { id } = await begun();
    const second = await company.service.secondTenant('retries');
    const documents = [
      { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
      { kind: 'Server', name: 'mail' },
      mailPolicy(askingRule({ by: ['subject'] })),
    ];
    const text = documents.map((each) => JSON.stringify(each)).join('\n---\n');
    await second.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'a.yaml', text }] } });
    expect(await company.decide(retry(id, { key: second.host }))).toMatchObject({
      effect: 'ask',
      continues: { state: 'unknown' },
    });
  });

  it.each<[string, string, string]>([
    ['was taken back', `ended_for = 'revoked'`, 'ended'],
    ['has expired', 'expires_at = clock_timestamp()', 'ended'],
  ])('is a new call once what was agreed to %s', async (_what, change, state) => {
    const { id, approval } = await begun();
    await database(`update placet.consent set ${change} where request = $1`, approval);
    expect(await company.decide(retry(id))).toMatchObject({ effect: 'ask', continues: { state } });
  });

  it('is a new call after ten minutes', async () => {
    const { id, approval } = await begun();
    await database(
      `update placet.consent_use u set at = u.at - interval '10 minutes'
       from placet.consent c where c.id = u.consent and c.request = $1`,
      approval,
    );
    expect(await company.decide(retry(id))).toMatchObject({ effect: 'ask', continues: { state: 'over' } });
  });

  it('is denied by what forbids it now', async () => {
    const { id } = await begun();
    await company.apply(
      mailPolicy(askingRule({ by: ['subject'], uses: 1, until: `${minutes}m` }), {
        name: 'no',
        effect: 'deny',
        to: ['any'],
      }),
    );
    expect(await company.decide(retry(id))).toMatchObject({ effect: 'deny', continues: { state: 'not_needed' } });
  });

  it('is one: a call that is sent once more without what the server said is none', async () => {
    const { id } = await begun();
    const answer = await company.service.call('POST', '/mcp/v1/decisions', {
      key: company.key,
      body: {
        subject: { type: 'user', id: 'company/ann' },
        server: 'mail',
        direction: 'client_to_server',
        message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'send', arguments: { to: 'eve' } } },
        continues: { evaluation_id: id },
      },
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('at the same time on both replicas goes on five times in all', async () => {
    const { id } = await begun();
    const said = await Promise.all(
      Array.from({ length: 16 }, (_, at) =>
        company.decide(retry(id, { url: at % 2 === 0 ? company.service.url : replica })),
      ),
    );
    expect(said.filter(({ effect }) => effect === 'allow')).toHaveLength(5);
  });
});
