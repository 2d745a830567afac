import { createHash, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type Service } from '../../apps/server/src/service.js';
import { curl, type CurlAnswer } from '../support/curl.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let replica: Service;
let server: string;

beforeAll(async () => {
  service = await startTestService();
  replica = await service.replica();
  server = `${service.url}/t/default`;
});

afterAll(() => service.close());

const RIGHTS = { subjects: ['user:*'], explain: true };

interface Client {
  readonly id: string;
  readonly secret: string;
}

async function newClient(more: object = {}): Promise<Client> {
  const { status, body } = await service.call('POST', '/api/v1/clients', {
    body: { host: 'quickstart', rights: RIGHTS, ...more },
  });
  expect(status, JSON.stringify(body)).toBe(201);
  return body as Client;
}

const form = (members: Readonly<Record<string, string>>): string[] =>
  Object.entries(members).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]);

const GRANT = { grant_type: 'client_credentials' };

/** A token by HTTP Basic. */
const byBasic = ({ id, secret }: Client, members: Readonly<Record<string, string>> = GRANT, at = server) =>
  curl('-u', `${id}:${secret}`, ...form(members), `${at}/oauth/token`);

async function tokenOf(client: Client): Promise<string> {
  const { status, body } = await byBasic(client);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.access_token as string;
}

const ASKED = {
  subject: { type: 'user', id: 'ann' },
  server: 'file-server',
  direction: 'client_to_server',
  message: {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'read_text_file', arguments: { path: '~/Documents/Projects/plan.md' } },
  },
};

const decide = (key: string, url = service.url): Promise<Answer> =>
  service.call('POST', '/mcp/v1/decisions', { key, body: ASKED, url });

const effectOf = ({ status, body }: Answer): unknown => (status === 200 ? body.effect ?? body.decision : status);

describe('a client with a secret', () => {
  it('gets a token by curl, and decides with it as with a key', async () => {
    const client = await newClient();
    const { status, body, headers } = await byBasic(client);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'decide',
    });
    expect(headers.get('cache-control')).toBe('no-store');
    const byToken = await decide(body.access_token as string);
    const byKey = await decide(service.host);
    expect(byToken.status, JSON.stringify(byToken.body)).toBe(200);
    expect(effectOf(byToken)).toEqual(effectOf(byKey));
    expect(effectOf(await decide(body.access_token as string, replica.url))).toEqual(effectOf(byKey));
  });
});
