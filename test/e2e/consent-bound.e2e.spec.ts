import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askingRule, mailPolicy, SEND, startAskingCompany, type Asked, type AskingCompany } from '../support/asking.js';
import type { Cookies } from '../support/browser.js';

let company: AskingCompany;
let ann: Cookies;
let urls: readonly string[];
let other: { readonly key: string };
let minutes = 60;

beforeAll(async () => {
  company = await startAskingCompany();
  const { service } = company;
  urls = [service.url, (await service.replica()).url, (await service.replica()).url];
  ann = await company.signIn('ann');
  await company.apply({ kind: 'Host', name: 'ide' }, { kind: 'Host', name: 'gate' }, { kind: 'Host', name: 'gate2' });
  const second = await service.secondTenant();
  const documents = [
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Server', name: 'mail', title: 'Mail' },
    policy(),
  ];
  const text = documents.map((each) => JSON.stringify(each)).join('\n---\n');
  const applied = await second.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'a.yaml', text }] } });
  expect(applied.status, JSON.stringify(applied.body)).toBe(200);
  other = { key: second.host };
});
afterAll(() => company.close());

const policy = (...rules: object[]) =>
  mailPolicy(askingRule({ by: ['subject'], uses: 1, until: `${minutes}m` }), ...rules);

beforeEach(async () => {
  // What was agreed to before is agreed to no more: the block has another digest.
  minutes++;
  await company.apply(policy(), { kind: 'Server', name: 'mail', title: 'Mail' });
});

/** What the ledger has of a decision. */
async function recordOf(id: string) {
  const client = await company.service.database.connect('superuser');
  const { rows } = await client.query<{ body: string }>(
    `select body from placet.ledger_record where kind = 'decision' and body::jsonb ->> 'evaluation_id' = $1`,
    [id],
  );
  await client.end();
  return JSON.parse(rows[0]!.body) as Record<string, unknown>;
}

const FRONTS = ['mcp', 'authzen'] as const;

describe.each(FRONTS)('an approval, named at the front %s,', (front) => {
  const base: Asked = { front, session: 's1' };

  it.each<[string, Asked]>([
    ['one byte of the arguments', { arguments: { to: 'evf' } }],
    ['one more argument', { arguments: { to: 'eve', cc: null } }],
    ['a letter that looks the same', { arguments: { to: 'еve' } }],
    ['the type of an argument', { arguments: { to: ['eve'] } }],
    ['the definition of the tool', { definition: { ...SEND, description: 'Sends a mail.' } }],
    ['the purpose', { purpose: 'fun' }],
  ])('is for nothing else: %s', async (_what, change) => {
    const approval = await company.approved(ann, base);
    expect(await company.decide({ ...base, ...change, approval })).toMatchObject({
      effect: 'ask',
      approval: { state: 'out_of_scope', reason: 'out_of_scope', next_action: 'request' },
    });
    expect(await company.decide({ ...base, approval })).toMatchObject({ effect: 'allow' });
  });

  it('is for the server as it was known', async () => {
    const approval = await company.approved(ann, base);
    await company.apply({
      kind: 'Server',
      name: 'mail',
      title: 'Mail',
      identity: { url: 'https://mail.example.com/mcp' },
    });
    for (const url of urls)
      expect(await company.decide({ ...base, url, approval })).toMatchObject({
        effect: 'ask',
        approval: { state: 'out_of_scope' },
      });
  });

  it.each<[string, () => Asked]>([
    ['another subject', () => ({ subject: 'company/bob' })],
    ['another session', () => ({ session: 's2' })],
    ['no session', () => ({ session: undefined! })],
    ['another tenant', () => other],
  ])('is denied to %s, and that is recorded', async (_who, change) => {
    const approval = await company.approved(ann, base);
    for (const url of urls) {
      const said = await company.decide({ ...base, ...change(), url, approval });
      expect(said).toMatchObject({
        effect: 'deny',
        reason: 'approval_invalid',
        approval: { next_action: 'none', reason: 'approval_unverifiable' },
      });
      expect(await recordOf(said.id)).toMatchObject({
        effect: 'deny',
        reason: 'approval_invalid',
        approval: { id: approval, state: 'invalid' },
      });
    }
    expect(await company.decide({ ...base, approval })).toMatchObject({ effect: 'allow' });
  });

  it('is denied to another host, to a gateway for it, and to another gateway than the one that asked', async () => {
    const agents = { agents: ['desk'] };
    const ide = await company.keyOf('ide');
    const [gate, second] = [await company.keyOf('gate', agents), await company.keyOf('gate2', agents)];
    const own = await company.approved(ann, base);
    const viaGate = { ...base, key: gate, agent: 'desk' };
    const through = await company.approved(ann, { ...viaGate, arguments: { to: 'bob' } });
    const denied = { effect: 'deny', reason: 'approval_invalid' };
    expect(await company.decide({ ...base, key: ide, approval: own })).toMatchObject(denied);
    expect(await company.decide({ ...viaGate, approval: own })).toMatchObject(denied);
    const toBob = { arguments: { to: 'bob' }, approval: through };
    expect(await company.decide({ ...base, ...toBob })).toMatchObject(denied);
    expect(await company.decide({ ...viaGate, key: second, ...toBob })).toMatchObject(denied);
    expect(await company.decide({ ...viaGate, ...toBob })).toMatchObject({ effect: 'allow' });
    expect(await company.decide({ ...base, approval: own })).toMatchObject({ effect: 'allow' });
  });

  it.each(['cr_AAAAAAAAAAAAAAAAAAAAAA', 'nothing', "'; drop table placet.consent; --"])(
    'is denied where there is none: %s',
    async (approval) => {
      const said = await company.decide({ ...base, approval });
      expect(said).toMatchObject({ effect: 'deny', reason: 'approval_invalid' });
      expect(await recordOf(said.id)).toMatchObject({ approval: { id: approval, state: 'invalid' } });
    },
  );

  it('is superseded by a changed consent block, for good once it was asked anew', async () => {
    const approval = await company.approved(ann, base);
    const before = policy();
    minutes++;
    await company.apply(policy());
    for (const url of urls)
      expect(await company.decide({ ...base, url, approval })).toMatchObject({
        effect: 'ask',
        approval: { state: 'superseded' },
      });
    const { body } = await company.request(base);
    await company.apply(before);
    expect(await company.decide({ ...base, approval })).toMatchObject({
      effect: 'ask',
      approval: { state: 'superseded' },
    });
    const client = await company.service.database.connect('superuser');
    const events = await client.query<{ kind: string; by: string }>(
      'select kind, by from placet.consent_event where request = $1 order by number',
      [approval],
    );
    expect(events.rows.map(({ kind }) => kind)).toEqual(['requested', 'answered', 'superseded']);
    // Whichever comes first: the new request, or the service, which looks after the change of the policy.
    expect([`request:${body.task.id}`, 'system:consents']).toContain(events.rows.at(-1)!.by);
  });

  it('lifts no deny that came between the approval and the use', async () => {
    const approval = await company.approved(ann, base);
    await company.apply(policy({ name: 'no', effect: 'deny', to: ['any'], when: `arguments.to == 'eve'` }));
    for (const url of urls)
      expect(await company.decide({ ...base, url, approval })).toMatchObject({
        effect: 'deny',
        reason: 'denied_by_rule',
        approval: { next_action: 'none' },
      });
    await company.apply(policy());
    expect(await company.decide({ ...base, approval })).toMatchObject({ effect: 'allow' });
  });
});

describe('an application that knows nothing of asks', () => {
  it('is told no, by AuthZEN, whatever comes with it', async () => {
    const approval = await company.approved(ann, { front: 'authzen' });
    for (const asked of [{}, { approval, arguments: { to: 'x' } }, { approval, subject: 'company/bob' }])
      expect((await company.decide({ front: 'authzen', ...asked })).body.decision).toBe(false);
    const many = await company.service.call('POST', '/access/v1/evaluations', {
      key: company.key,
      body: {
        subject: { type: 'user', id: 'company/ann' },
        action: { name: 'tools/call' },
        context: { server: 'mail', arguments: { to: 'x' } },
        evaluations: [{ resource: { type: 'tool', id: 'send' } }, { resource: { type: 'tool', id: 'other' } }],
      },
    });
    expect(many.body.evaluations.map(({ decision }: { decision: boolean }) => decision)).toEqual([false, false]);
  });

  it('may ask at one front and use it at the other', async () => {
    const approval = await company.approved(ann, { front: 'authzen' });
    expect(await company.decide({ front: 'mcp', approval })).toMatchObject({ effect: 'allow' });
    expect(await company.decide({ front: 'authzen', approval })).toMatchObject({
      effect: 'ask',
      approval: { state: 'used' },
    });
  });
});
