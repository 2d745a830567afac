import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consentRows } from '../support/consent-rows.js';
import { PROBES, type Things } from '../support/probes.js';
import { startTestService, type Answer, type TestService, type TestTenant } from '../support/service.js';

/** Stands in what the second tenant has, and in nothing that the first one says. */
const SECRET = 'hidden-marker';

const SESSION = '0123456789abcdef01234567';
const REQUEST = `cr_${'a'.repeat(22)}`;

const NO_THINGS: Things = {
  name: '',
  key: '',
  client: '',
  connectorToken: '',
  session: '',
  revision: 0,
  evaluation: '',
  request: '',
  tenant: '',
};

let service: TestService;
let first: TestTenant;
let second: TestTenant;
let superuser: pg.Client;
/** What the second tenant has, and the like of it, which nobody has. */
let there: Things;
let nowhere: Things;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  superuser = await service.database.connect('superuser');
  first = await service.secondTenant('first');
  second = await service.secondTenant('second');
  there = await furnish(second);
  await settled();
  nowhere = {
    name: there.name.replace('of-second', 'of-nobody'),
    key: [...there.key].reverse().join(''),
    client: [...there.client].reverse().join(''),
    connectorToken: [...there.connectorToken].reverse().join(''),
    session: [...there.session].reverse().join(''),
    revision: there.revision + 1000,
    evaluation: there.evaluation.slice(0, -4) + [...there.evaluation.slice(-4)].reverse().join(''),
    request: `cr_${'n'.repeat(22)}`,
    tenant: 'nobody',
  };
  await first.call('PUT', '/api/v1/documents/Tenant/default', {
    body: { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
  });
});

afterAll(() => service.close());

/** Gives a tenant something of every sort, with the secret in it. */
async function furnish(tenant: TestTenant): Promise<Things> {
  const name = `thing-of-second`;
  const documents = [
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Role', name, description: SECRET },
    { kind: 'Role', name: SECRET },
    { kind: 'Host', name },
    { kind: 'Server', name, title: SECRET, identity: { url: `https://${SECRET}.example.com/mcp` } },
    { kind: 'Subject', id: name, properties: { nick: SECRET } },
    { kind: 'Subject', id: SECRET },
    { kind: 'Resource', type: 'record', id: SECRET },
    { kind: 'Issuer', name: SECRET, issuer: 'https://idp.example.com', provisioning: { scim: true } },
    {
      kind: 'Policy',
      name,
      description: SECRET,
      target: { actions: ['*'], resources: ['*'] },
      rules: [{ name: 'all', effect: 'allow', to: ['any'] }],
    },
  ];
  const made = async (answer: Promise<Answer>): Promise<Answer['body']> => {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(JSON.stringify(body));
    return body;
  };
  const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  await made(tenant.call('POST', '/api/v1/documents/apply', { body: { files: [{ path: 'a.yaml', text }] } }));
  await made(
    tenant.call('PUT', `/api/v1/drafts/${name}`, {
      body: { description: SECRET, files: [{ path: 'd.yaml', text: `{ kind: Role, name: ${SECRET}2 }` }] },
    }),
  );
  await made(tenant.call('PUT', `/api/v1/suspensions/Server/${name}`, { body: { reason: SECRET } }));
  const { id } = await made(
    tenant.call('POST', '/api/v1/keys', { body: { administrator: SECRET, rights: { roles: ['auditor'] } } }),
  );
  const { id: client } = await made(tenant.call('POST', '/api/v1/clients', { body: { host: name } }));
  const connector = await made(tenant.call('POST', '/api/v1/connector-tokens', { body: { issuer: SECRET } }));
  await superuser.query(`
    insert into placet.person (tenant, id, issuer, claims, name) values ('${tenant.id}', '${name}', 'okta', '{}', '${SECRET}');
    insert into placet.session (tenant, id, mac, person, issuer, idle_ends_at, ends_at, user_agent)
      values ('${tenant.id}', '${SESSION}', '${SESSION}', '${name}', 'okta', now() + interval '1 day', now() + interval '1 day', '${SECRET}');
    ${consentRows(tenant.id, name, REQUEST, SECRET)}`);
  const decided = await made(
    service.call('POST', '/mcp/v1/decisions', {
      key: tenant.host,
      body: {
        subject: { type: 'user', id: SECRET },
        server: name,
        direction: 'client_to_server',
        message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } },
      },
    }),
  );
  // Further than the other tenant has come, so that its number is not also one of that one's.
  for (let more = 0; more < 70; more++) {
    await made(tenant.call('POST', '/api/v1/keys', { body: { administrator: 'a', rights: { roles: ['auditor'] } } }));
  }
  const last = await made(
    tenant.call('POST', '/api/v1/documents/apply', {
      body: { files: [{ path: 'a.yaml', text: JSON.stringify({ kind: 'Role', name: `${SECRET}3` }) }] },
    }),
  );
  return {
    name,
    key: id,
    client,
    connectorToken: connector.id,
    session: SESSION,
    revision: last.revision,
    evaluation: decided.evaluation_id,
    request: REQUEST,
    tenant: tenant.name,
  };
}

/** Everything of the second tenant, as the database has it. */
async function everything(): Promise<string> {
  const { rows } = await superuser.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'placet'::regnamespace and relkind in ('r', 'p')
     and relname <> 'migration' order by 1`,
  );
  const parts: unknown[] = [];
  for (const { name } of rows) {
    const key = name === 'tenant' ? 'id' : 'tenant';
    const found = await superuser.query(
      `select to_jsonb(t)::text as row from placet.${name} t where ${key} = $1 order by 1`,
      [second.id],
    );
    parts.push([name, found.rows]);
  }
  return JSON.stringify(parts, undefined, 1);
}

/** Waits until the service has done what it does after changes, in its own time. */
async function settled(): Promise<void> {
  for (let before = '', now = await everything(); before !== now; now = await everything()) {
    before = now;
    await sleep(500);
  }
}

/** Makes the call of an operation about some things. */
async function probe(operation: string, things: Things, by: TestTenant): Promise<Answer> {
  const [method, template] = operation.split(' ') as [string, string];
  const { path = {}, query = '', headers = {}, body, as } = PROBES[operation]!(things);
  const filled = template.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    if (path[name] === undefined) throw new Error(`${operation} has no ${name}: add it in test/support/probes.ts`);
    return encodeURIComponent(path[name]);
  });
  return by.call(method, filled + query, {
    headers,
    ...(body === undefined ? {} : { body }),
    ...(as === 'host' ? { key: by.host } : {}),
  });
}

/** An answer without what is different each time, and without the names that were asked for. */
function plainly({ status, body }: Answer, things: Things): string {
  let text = `${status} ${typeof body === 'string' ? body : JSON.stringify(body)}`;
  const { name, key, client, connectorToken, session, revision, evaluation, request, tenant } = things;
  for (const known of [name, key, client, connectorToken, session, evaluation, request, `'${tenant}'`])
    text = text.replaceAll(known, 'THING');
  return (
    text
      .replaceAll(new RegExp(`\\b${revision}\\b`, 'g'), 'REVISION')
      .replaceAll(
        /"(evaluation_id|decision_id|id|key|time|now|at|evaluated_at|changed_at|valid_until)":"[^"]*"/g,
        '"$1":"-"',
      )
      .replaceAll(/"revision":\d+/g, '"revision":0')
      .replaceAll(/"next_token":"[^"]*"/g, '')
      // Of the caller itself, and other ones each time.
      .replaceAll(/"keys":\["[^\]]*\]/g, '')
      .replaceAll(/"example":"[^"]*"/g, '')
      .replaceAll(/-----BEGIN CERTIFICATE-----[^"]*/g, '')
  );
}

const OPERATIONS = Object.keys(PROBES);

describe('every operation of the API', () => {
  it('is tried', async () => {
    const { body } = await service.call('GET', '/openapi.json', { key: null });
    const there = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(OPERATIONS.sort()).toEqual(there.sort());
  });

  it.each(OPERATIONS.filter((operation) => PROBES[operation]!(NO_THINGS).shows))(
    '%s shows what a tenant has to itself',
    async (operation) => {
      const answer = await probe(operation, there, second);
      expect(answer.status).toBe(200);
      expect(JSON.stringify(answer.body)).toMatch(/hidden-marker|thing-of-second/);
    },
  );

  it.each(OPERATIONS)(
    '%s shows and changes nothing of another tenant, not even that there is something',
    async (operation) => {
      const before = await everything();
      const answer = await probe(operation, there, first);
      expect(JSON.stringify(answer.body)).not.toContain(SECRET);
      expect(answer.status).toBeLessThan(500);
      expect(await everything()).toBe(before);
      const absent = await probe(operation, nowhere, first);
      expect(plainly(answer, there)).toBe(plainly(absent, nowhere));
      if (answer.status >= 300) return;
      // What is answered is about what was asked, or about the caller's own.
      const { body } = PROBES[operation]!(there);
      const said = JSON.stringify(body ?? '') + operation;
      if (!said.includes(there.name)) expect(JSON.stringify(answer.body)).not.toContain('of-second');
    },
  );
});
