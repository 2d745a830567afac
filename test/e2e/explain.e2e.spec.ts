import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureTenant } from '#store';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
/** Keys of one host, with and without the right. */
let keys: Readonly<Record<'explained' | 'plain' | 'reader', string>>;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  await apply(DOCUMENTS);
  const keyWith = async (body: object) => (await service.call('POST', '/api/v1/keys', { body })).body.key as string;
  const rights = { subjects: ['user:*'] };
  keys = {
    explained: await keyWith({ host: 'desk', rights: { ...rights, explain: true } }),
    plain: await keyWith({ host: 'desk', rights }),
    reader: await keyWith({ administrator: 'auditor', rights: { roles: ['auditor'] } }),
  };
});
afterAll(() => service.close());

const DOCUMENTS = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: crm }
---
{ kind: Role, name: sales }
---
{ kind: Subject, id: ann, groups: [], properties: { region: emea-secret } }
---
{ kind: Binding, name: ann, subjects: ['user:ann'], roles: [sales] }
---
kind: Policy
name: crm
target: { servers: [crm], actions: [tools/call], resources: ['*'] }
rules:
  - { name: own-region, effect: allow, to: [role:sales], when: arguments.region == subject.properties.region }
  - { name: not-many, effect: deny, to: [any], when: has(arguments.to) && arguments.to.size() > 2 }
`;

async function apply(text: string): Promise<void> {
  const body = { files: [{ path: 'p.yaml', text }] };
  expect((await service.call('POST', '/api/v1/documents/apply', { body })).status).toBe(200);
}

const decide = (key: string, given: object, more: object = {}, id = 'ann') =>
  service.call('POST', '/mcp/v1/decisions', {
    key,
    body: {
      subject: { type: 'user', id },
      server: 'crm',
      direction: 'client_to_server',
      message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'query', arguments: given } },
      ...more,
    },
  });

const evaluation = (given: object, more: object = {}) => ({
  subject: { type: 'user', id: 'ann' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'query', properties: { server: 'crm' } },
  context: { arguments: given },
  ...more,
});

describe('an answer that is to be explained', () => {
  it('says what failed, how roles are reached and what would flip it, alike on both fronts, and tells no value', async () => {
    const given = { region: 'apac-private' };
    const mcp = await decide(keys.explained, given, { explain: true });
    expect(mcp.body).toMatchObject({ effect: 'deny', explanation: { step: 'allow_rules', truncated: [] } });
    expect(mcp.body.explanation.rules[0]).toMatchObject({
      rule: 'own-region',
      parts: { target: 'true', to: 'true', when: 'false' },
      failed: { text: 'arguments.region == subject.properties.region', outcome: 'false' },
    });
    expect(mcp.body.explanation.roles).toEqual([
      { role: 'sales', held: 'true', ways: [{ binding: 'ann', by: 'user:ann', through: ['sales'] }] },
    ]);
    expect(mcp.body.explanation.counterfactual).toEqual({
      change: 'copy',
      attribute: 'arguments.region',
      from: 'subject.properties.region',
      effect: 'allow',
      reason: 'allowed',
    });
    expect(JSON.stringify(mcp.body)).not.toMatch(/private|secret/);

    const body = evaluation(given, { explain: true });
    const authzen = await service.call('POST', '/access/v1/evaluation', { key: keys.explained, body });
    expect(authzen.body.decision).toBe(false);
    expect(authzen.body.context.explanation).toEqual(mcp.body.explanation);

    const flipped = await decide(keys.explained, { region: 'emea-secret' });
    expect(flipped.body.effect).toBe('allow');
  });

  it('names the role that is missing', async () => {
    const { body } = await decide(keys.explained, {}, { explain: true }, 'bob');
    expect(body.explanation.rules.map(({ rule }: { rule: string }) => rule)).toEqual(['own-region', 'not-many']);
    expect(body.explanation.roles).toEqual([{ role: 'sales', held: 'false', ways: [] }]);
  });

  it('is explained only where that is asked for', async () => {
    for (const more of [{}, { explain: false }]) {
      expect((await decide(keys.explained, {}, more)).body).not.toHaveProperty('explanation');
      const body = evaluation({}, more);
      const answer = await service.call('POST', '/access/v1/evaluation', { key: keys.explained, body });
      expect(answer.body.context).not.toHaveProperty('explanation');
    }
  });

  it('is refused to a key without the right, on every route, and nothing is decided', async () => {
    const before = await service.database.connect('superuser');
    const count = async () => (await before.query('select count(*) from placet.ledger_record')).rows[0] as object;
    const records = await count();
    const refused = [
      await decide(keys.plain, {}, { explain: true }),
      ...(await Promise.all(
        [
          ['evaluation', evaluation({}, { explain: true })] as const,
          ['evaluations', { ...evaluation({}), evaluations: [{}, { explain: true }] }] as const,
          ['evaluations', { ...evaluation({}), explain: true, evaluations: [{}] }] as const,
          ['evaluations', { ...evaluation({}), explain: true }] as const,
        ].map(([route, body]) => service.call('POST', `/access/v1/${route}`, { key: keys.plain, body })),
      )),
    ];
    for (const { status, body } of refused) {
      expect({ status, code: body.code }).toEqual({ status: 403, code: 'forbidden' });
      expect(body.detail).toContain("right 'explain'");
    }
    expect(await count()).toEqual(records);
    expect((await decide(keys.plain, {}, { explain: false })).status).toBe(200);
  });

  it('can be one of several, by a default that each may override', async () => {
    const body = { ...evaluation({}), explain: true, evaluations: [{}, { explain: false }, {}] };
    const { body: answer } = await service.call('POST', '/access/v1/evaluations', { key: keys.explained, body });
    const has = answer.evaluations.map(({ context }: { context: object }) => 'explanation' in context);
    expect(has).toEqual([true, false, true]);
  });

  it('cannot be one of very many', async () => {
    const many = (count: number) => ({ ...evaluation({}), explain: true, evaluations: new Array(count).fill({}) });
    const call = (count: number) =>
      service.call('POST', '/access/v1/evaluations', { key: keys.explained, body: many(count) });
    expect((await call(20)).status).toBe(200);
    expect((await call(21)).body).toMatchObject({ code: 'invalid_request' });
  });

  it.each(['yes', 1, null])('is a boolean, and not %j', async (explain) => {
    expect((await decide(keys.explained, {}, { explain })).body.code).toBe('invalid_request');
    const body = evaluation({}, { explain });
    const answer = await service.call('POST', '/access/v1/evaluation', { key: keys.explained, body });
    expect(answer.body.code).toBe('invalid_request');
  });

  it('is no listing', async () => {
    const body = {
      subject: { type: 'user', id: 'ann' },
      server: 'crm',
      method: 'tools/list',
      result: { tools: [] },
      explain: true,
    };
    const answer = await service.call('POST', '/mcp/v1/listings', { key: keys.explained, body });
    expect(answer.body.code).toBe('invalid_request');
  });
});

describe('a past decision', () => {
  const read = (id: string, key?: string) =>
    service.call('GET', `/api/v1/decisions/${encodeURIComponent(id)}`, key === undefined ? {} : { key });

  it('is explained from its record, with the rules as they were then', async () => {
    const { body: answer } = await decide(keys.plain, { region: 'x', to: [1, 2, 3] });
    expect(answer.effect).toBe('deny');
    await apply(DOCUMENTS.replace('size() > 2', 'size() > 9'));
    for (const key of [keys.reader, service.owner]) {
      const { status, body } = await read(answer.evaluation_id, key);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        evaluation_id: answer.evaluation_id,
        record: { kind: 'decision', host: 'desk', subject: 'user:ann', effect: 'deny', reason: 'denied_by_rule' },
        explanation: {
          step: 'deny_rules',
          reason: { code: 'denied_by_rule' },
          recomputed: { effect: 'deny', reason: 'denied_by_rule' },
          consistent: true,
        },
      });
      expect(body.explanation.rules).toEqual([
        {
          policy: 'crm',
          version: 1,
          rule: 'not-many',
          effect: 'deny',
          outcome: 'true',
          decided: true,
          text: {
            target: { servers: ['crm'], actions: ['tools/call'], resources: ['*'] },
            rule: {
              name: 'not-many',
              effect: 'deny',
              to: ['any'],
              when: 'has(arguments.to) && arguments.to.size() > 2',
            },
          },
        },
      ]);
    }
  });

  it('that was settled before any rule has nothing to recompute, and a listing no explanation', async () => {
    const { body: unknown } = await decide(keys.plain, {}, { server: 'nowhere' });
    expect((await read(unknown.evaluation_id)).body.explanation).toMatchObject({
      step: 'before_rules',
      rules: [],
      recomputed: null,
      consistent: null,
    });
    const body = { subject: { type: 'user', id: 'ann' }, server: 'crm', method: 'tools/list', result: { tools: [] } };
    const { body: list } = await service.call('POST', '/mcp/v1/listings', { key: keys.plain, body });
    expect((await read(list.evaluation_id)).body).toMatchObject({ record: { kind: 'listing' }, explanation: null });
  });

  it('is not found by a malformed, a guessed or a foreign id', async () => {
    const { body: answer } = await decide(keys.plain, {});
    const id = answer.evaluation_id as string;
    const [, writer, seq] = id.split('_');
    const wrong = [
      'x',
      'ev_0_1_AAAAAAAA',
      `ev_${writer}_${seq}_AAAAAAAA`,
      `ev_0${writer}_${seq}_${id.slice(-8)}`,
      `${id} `,
    ];
    for (const guess of [...wrong, `${id}'`, 'ev_zzzzzzzzzzz_zzzzzzzzzzz_AAAAAAAA', 'e'.repeat(3000)]) {
      const { status, body } = await read(guess);
      expect({ guess, status, code: body.code }).toEqual({ guess, status: 404, code: 'not_found' });
    }
    // The same record as another tenant's: the place and the id are right, and it is not to be seen.
    const other = await ensureTenant(service.database.address, 'other');
    const admin = await service.database.connect('superuser');
    await admin.query(`update placet.ledger_record set tenant = $1 where body::jsonb ->> 'evaluation_id' = $2`, [
      other,
      id,
    ]);
    expect((await read(id)).status).toBe(404);
  });

  it('is for administrators', async () => {
    const { body: answer } = await decide(keys.explained, {});
    expect((await read(answer.evaluation_id, keys.explained)).body.code).toBe('not_an_administrator');
    expect((await service.call('GET', `/api/v1/decisions/${answer.evaluation_id}`, { key: null })).status).toBe(401);
  });
});
