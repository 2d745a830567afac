import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Api } from '../../apps/cli/src/api.js';
import { tryMapping } from '../../apps/cli/src/commands/mappings.js';
import type { Service } from '../../apps/server/src/service.js';
import { startIdentityProvider, type IdentityProvider } from '../support/identity-provider.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

const AUDIENCE = 'https://placet.example';
const SECRET = 'a-secret-of-the-job-of-32-bytes!';
let idp: IdentityProvider;
let service: TestService;
let other: Service;
let key: string;

const issuerDocument = (over = ''): string => `
{ kind: Issuer, name: company, issuer: '${idp.issuer}', groups: { prefix: 'company/' },
  subjectTokens: { audiences: ['${AUDIENCE}'] }${over} }
`;

const documents = (): string => `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: files, identity: { url: 'https://files.example.com/mcp' } }
---
{ kind: Role, name: engineer }
---
{ kind: Subject, id: bob, aliases: [{ type: user, id: company/b0b }] }
---
${issuerDocument()}
---
kind: Mapping
name: company
issuer: company
rules:
  - { name: engineers, when: [{ group: company/eng }], roles: [engineer], properties: { team: { value: core } } }
---
kind: Policy
name: files
target: { actions: ['*'], resources: ['*'] }
rules:
  - { name: engineers, effect: allow, to: ['role:engineer'] }
  - { name: bob, effect: allow, to: ['user:bob'], when: subject.assurance == "verified" }
  - { name: on-behalf, effect: allow, to: [any], when: subject.token.act.sub == "agent" && subject.token.issuer == "company" }
  - { name: team, effect: allow, to: [any], when: subject.properties.team == "asserted" }
`;

beforeAll(async () => {
  idp = await startIdentityProvider();
  service = await startTestService({ quickstart: false });
  other = await service.replica();
  const body = { files: [{ path: 'p.yaml', text: documents() }] };
  expect((await service.call('POST', '/api/v1/documents/apply', { body })).status).toBe(200);
  const rights = { subjects: ['user:ann'], subjectProperties: ['team'] };
  const made = await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights } });
  key = made.body.key;
  expect(made.status).toBe(201);
});
afterAll(async () => {
  await service.close();
  await idp.close();
});
beforeEach(() => {
  idp.away = false;
});

const seconds = (): number => Math.floor(Date.now() / 1000);
const token = (over: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> =>
  idp.sign(
    {
      iss: idp.issuer,
      aud: AUDIENCE,
      sub: '3f2c',
      iat: seconds(),
      exp: seconds() + 600,
      jti: 'j',
      groups: ['eng'],
      ...over,
    },
    { header: { typ: 'at+jwt', ...header } },
  );

const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
const mcp = (subject: object, over: object = {}, url?: string): Promise<Answer> =>
  service.call('POST', '/mcp/v1/decisions', {
    key,
    ...(url === undefined ? {} : { url }),
    body: { subject, server: 'files', direction: 'client_to_server', message, ...over },
  });
const authzen = (id: string, subjectToken: unknown, path = 'evaluation', over: object = {}): Promise<Answer> =>
  service.call('POST', `/access/v1/${path}`, {
    key,
    body: {
      subject: { type: 'user', id },
      action: { name: 'read' },
      resource: { type: 'record', id: 'r' },
      context: { subject_token: subjectToken },
      ...over,
    },
  });

async function recorded(id: string): Promise<Answer['body']> {
  return (await service.call('GET', `/api/v1/decisions/${id}`)).body;
}

describe('a decision about a subject that a token proves', () => {
  it('goes by the groups and roles that its claims give, and needs no right to speak for it', async () => {
    const answer = await mcp({ token: await token() });
    expect(answer.body).toMatchObject({ effect: 'allow', rules: [{ policy: 'files', rule: 'engineers' }] });
    const nobody = await mcp({ token: await token({ groups: [] }) });
    expect(nobody.body).toMatchObject({ effect: 'deny', reason: { code: 'no_rule_allows' } });
    const asserted = await mcp({ type: 'user', id: 'company/3f2c' });
    expect(asserted.body).toMatchObject({ code: 'subject_not_assertable' });
  });

  it('is recorded with what proved the subject, and never with the token', async () => {
    const text = await token();
    const { body } = await mcp({ token: text });
    const found = await recorded(body.evaluation_id);
    expect(found.record).toMatchObject({
      subject: 'user:company/3f2c',
      proof: {
        issuer: 'company',
        iss: idp.issuer,
        token: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        groups: { count: 1, complete: true },
        roles: { held: ['engineer'], by: [{ mapping: 'company', rule: 'engineers', role: 'engineer' }] },
      },
    });
    expect(JSON.stringify(found)).not.toContain(text.split('.')[2]);
    expect(found.explanation).toMatchObject({ consistent: true });
  });

  it('may read the token, and who acts for whom', async () => {
    const act = { sub: 'agent', act: { sub: 'gateway' } };
    expect((await mcp({ token: await token({ groups: [], act }) })).body.effect).toBe('allow');
    expect((await mcp({ token: await token({ groups: [], act: { sub: 'x' } }) })).body.effect).toBe('deny');
  });

  it('takes attributes that the host may assert, but none that the claims give', async () => {
    const properties = { team: 'asserted' };
    expect((await mcp({ token: await token({ groups: [] }), properties })).body.effect).toBe('allow');
    const { rules } = (await mcp({ token: await token(), properties })).body;
    expect(rules).toEqual([{ policy: 'files', version: expect.any(Number) as number, rule: 'engineers' }]);
  });

  it('does not know groups that the token leaves out', async () => {
    const { body } = await mcp({ token: await token({ groups: undefined }) });
    expect(body.effect).toBe('deny');
    expect((await recorded(body.evaluation_id)).record).toMatchObject({
      proof: { groups: 'unknown', roles: { held: [], possible: ['engineer'] } },
    });
  });

  it('is made for an access token of a real provider', async () => {
    idp.client({ client_id: 'job', client_secret: SECRET });
    const response = await fetch(`${idp.issuer}/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`job:${encodeURIComponent(SECRET)}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE, scope: 'api' }),
    });
    const { access_token } = (await response.json()) as { access_token: string };
    const { body } = await mcp({ token: access_token });
    expect((await recorded(body.evaluation_id)).record).toMatchObject({ subject: 'user:company/job' });
  });

  it('has a listing as well', async () => {
    const list = async (of: string) => {
      const body = {
        subject: { token: of },
        server: 'files',
        method: 'tools/list',
        result: { tools: [{ name: 'read' }] },
      };
      return (await service.call('POST', '/mcp/v1/listings', { key, body })).body.items;
    };
    expect(await list(await token())).toMatchObject([{ name: 'read', effect: 'allow' }]);
    expect(await list(await token({ groups: [] }))).toMatchObject([{ name: 'read', effect: 'deny' }]);
  });
});

describe('an AuthZEN evaluation with a token', () => {
  it.each([
    ['company/3f2c', {}, true],
    ['3f2c', {}, true],
    ['company/b0b', { sub: 'b0b', groups: [] }, true],
    ['bob', { sub: 'b0b', groups: [] }, true],
    ['b0b', { sub: 'b0b', groups: [] }, true],
    ['ann', {}, undefined],
    ['company/other', {}, undefined],
    // A bare claim that is somebody else's name here.
    ['bob', { sub: 'bob' }, undefined],
  ])('may name its subject %s', async (id, claims, expected) => {
    const { status, body } = await authzen(id, await token(claims));
    expect(body.decision).toBe(expected);
    if (expected === undefined) expect([status, body.code]).toEqual([422, 'subject_token_mismatch']);
  });

  it('takes it in a batch and for a filter, and shows it to no condition', async () => {
    const text = await token();
    const batch = await authzen('3f2c', text, 'evaluations', { evaluations: [{}, { action: { name: 'write' } }] });
    expect(batch.body.evaluations).toMatchObject([{ decision: true }, { decision: true }]);
    const filter = await authzen('3f2c', text, 'filter', { resource: { type: 'record' } });
    expect(filter.body).toMatchObject({ filter: 'all' });
    const none = await authzen('3f2c', await token({ groups: [] }), 'filter', { resource: { type: 'record' } });
    expect(none.body).toMatchObject({ filter: 'none' });
  });

  it('is refused where the token is none, and in searches', async () => {
    for (const bad of ['', 5, null, {}]) expect((await authzen('3f2c', bad)).status).toBe(400);
    const search = await authzen('3f2c', await token(), 'search/resource', { resource: { type: 'record' } });
    expect(search.body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'context.subject_token' }] });
  });
});

describe('a token that is not believed', () => {
  it('is refused without a word on what is wrong, in the log with one, and once a minute in the ledger', async () => {
    for (let count = 0; count < 5; count++) {
      const { status, body } = await mcp({ token: await token({ aud: 'https://other.example' }) });
      expect([status, body.code]).toEqual([422, 'subject_token_invalid']);
      expect(JSON.stringify(body)).not.toMatch(/audience|company/);
    }
    expect(service.log.filter((line) => line.includes('"fault":"audience"'))).toHaveLength(5);
    const rows = () =>
      service.database.store.read(service.database.tenant, (view) =>
        view.query<{ body: string }[]>(`select body from placet.ledger_record where kind = 'credential_refused'`),
      );
    await expect.poll(async () => (await rows()).filter(({ body }) => body.includes('audience'))).toHaveLength(1);
  });

  it('is not looked at for a caller who has not proven anything', async () => {
    const before = idp.requests.length;
    const { status } = await service.call('POST', '/mcp/v1/decisions', {
      key: `${key.slice(0, -8)}AAAAAAAA`,
      body: {
        subject: { token: await token({}, { kid: 'new' }) },
        server: 'files',
        direction: 'client_to_server',
        message,
      },
    });
    expect(status).toBe(401);
    expect(idp.requests).toHaveLength(before);
  });

  it('is believed while its provider is away, once its keys are known', async () => {
    idp.away = true;
    expect((await mcp({ token: await token({ jti: 'away' }) })).body.effect).toBe('allow');
    const fresh = await service.replica();
    const answer = await mcp({ token: await token() }, {}, fresh.url);
    expect([answer.status, answer.body.code]).toEqual([503, 'identity_provider_unavailable']);
  });
});

describe('a mapping that is tried out', () => {
  const tried = async (body: object, by?: string) =>
    service.call('POST', '/api/v1/mappings/try', { body, ...(by === undefined ? {} : { key: by }) });

  it('says whom a token proves, and why each rule fired or not', async () => {
    expect((await tried({ token: await token() })).body).toMatchObject({
      verified: true,
      issuer: 'company',
      subject: { type: 'user', id: 'company/3f2c' },
      groups: { names: ['company/eng'], complete: true },
      rules: [{ mapping: 'company', rule: 'engineers', outcome: 'fired', because: [] }],
      roles: { held: ['engineer'], possible: [] },
      properties: { team: 'core' },
    });
    const { body } = await tried({ issuer: 'company', claims: { sub: 'x' } });
    expect(body).toMatchObject({
      groups: null,
      rules: [{ outcome: 'error', because: [{ of: 'company/eng', why: 'groups_not_known' }] }],
      roles: { held: [], possible: ['engineer'] },
      unsure: ['team'],
    });
  });

  it('says which check a token has failed', async () => {
    const { status, body } = await tried({ token: await token({ exp: seconds() - 61, iat: seconds() - 600 }) });
    expect(status).toBe(200);
    expect(body).toMatchObject({ verified: false, issuer: 'company', refused: { check: 'expired' } });
    expect(body.roles).toBeUndefined();
  });

  it('is for administrators, of an Issuer that is there', async () => {
    expect((await tried({ token: await token() }, key)).status).toBe(403);
    expect((await tried({ issuer: 'nobody', claims: {} })).status).toBe(404);
    expect((await tried({ issuer: 'company' })).status).toBe(400);
  });

  it('can be tried from the command line, which takes tokens out of files', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'placet-')), 'token');
    writeFileSync(file, await token());
    const lines: string[] = [];
    const write = (text: string) => void lines.push(text);
    const api = new Api({ url: service.url, key: service.owner, configDirectory: '' });
    const options = { tokenFile: file, claims: undefined, issuer: undefined };
    expect(await tryMapping(api, { text: write, line: write, note: write }, options, false)).toBe(0);
    expect(lines).toContain('fired   company/engineers');
    expect(lines).toContain('subject: user:company/3f2c');
    writeFileSync(file, await token({ aud: 'x' }));
    expect(await tryMapping(api, { text: write, line: write, note: write }, options, false)).toBe(3);
    expect(lines.at(-1)).toBe('not believed (audience): it is for somebody else, by the Issuer company');
  });
});

describe('somebody who is suspended', () => {
  const suspend = (name: string) =>
    service.call('PUT', `/api/v1/suspensions/Subject/${encodeURIComponent(name)}`, { body: {} });
  const resume = (name: string) => service.call('DELETE', `/api/v1/suspensions/Subject/${encodeURIComponent(name)}`);

  it('gets no allow by a token on a replica that has not made the change, under any name', async () => {
    const text = await token({ sub: 'b0b', groups: [] });
    expect((await mcp({ token: text }, {}, other.url)).body.effect).toBe('allow');
    expect((await suspend('user:bob')).status).toBe(200);
    // Denied by the suspension, and by the deny list that goes with it: whichever is heard of first.
    expect((await mcp({ token: text }, {}, other.url)).body.effect).not.toBe('allow');
    expect((await resume('user:bob')).status).toBe(200);
    // What was issued before is over for good.
    const after = await mcp({ token: text }, {}, other.url);
    expect([after.status, after.body.code]).toEqual([422, 'subject_token_invalid']);
    // A provider's clock may be a minute ahead, so it takes as long until a new token counts.
    const later = await token({ sub: 'b0b', groups: [], iat: seconds() + 59, exp: seconds() + 600 });
    expect((await mcp({ token: later })).status).toBe(422);
  });

  it('has no token that was issued before, also where nobody has stored them', async () => {
    const text = await token({ sub: 'gone' });
    expect((await mcp({ token: text })).body.effect).toBe('allow');
    expect((await suspend('user:company/gone')).status).toBe(200);
    expect((await resume('user:company/gone')).status).toBe(200);
    expect((await mcp({ token: text })).body.code).toBe('subject_token_invalid');
    expect((await mcp({ token: await token({ sub: 'another' }) })).body.effect).toBe('allow');
  });
});

describe('an Issuer that is not there any more', () => {
  it('proves nobody on any replica, and none that has changed proves by what it was', async () => {
    const text = await token({ jti: 'last' });
    expect((await mcp({ token: text }, {}, other.url)).body.effect).toBe('allow');
    const apply = (over: string) =>
      service.call('POST', '/api/v1/documents/apply', {
        body: { files: [{ path: 'p.yaml', text: issuerDocument(over) }] },
      });
    expect((await apply(`, require: [{ claim: /hd, equals: example.com }]`)).status).toBe(200);
    const changed = await mcp({ token: text }, { at_least: 0 }, other.url);
    expect(changed.body.effect).not.toBe('allow');
    expect((await apply('')).status).toBe(200);
    await expect.poll(async () => (await mcp({ token: text }, {}, other.url)).body.effect).toBe('allow');
    const documents = '/api/v1/documents';
    for (const name of ['Mapping/company', 'Issuer/company']) {
      const { headers } = await service.call('GET', `${documents}/${name}`);
      const gone = await service.call('DELETE', `${documents}/${name}`, {
        headers: { 'If-Match': headers.get('etag')! },
      });
      expect([name, gone.status]).toEqual([name, 200]);
      expect((await mcp({ token: text }, {}, other.url)).body.effect).not.toBe('allow');
    }
    expect((await mcp({ token: text })).body.code).toBe('subject_token_invalid');
  });
});
