import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateApiKey, generateSecret, parseApiKey } from '#identity';
import { MadeSecrets } from '../support/secrets.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
const answers: string[] = [];

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.close());

async function call(method: string, path: string, options: Parameters<TestService['call']>[2] = {}): Promise<Answer> {
  const answer = await service.call(method, path, options);
  answers.push(JSON.stringify([[...answer.headers], answer.status >= 400 || path === '/api/v1/me' ? answer.body : '']));
  return answer;
}

/** Everything that the database keeps, as texts. */
async function stored(): Promise<string[]> {
  const client = await service.database.connect('superuser');
  const { rows: tables } = await client.query<{ name: string }>(
    `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'placet'`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from placet.${name} t`);
    texts.push(...rows.map(({ row }) => row));
  }
  return texts;
}

const decision = {
  subject: { type: 'user', id: 'ann' },
  server: 'everything',
  direction: 'client_to_server',
  message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { message: 'x' } } },
};

describe('secrets', () => {
  it('are in no line of the log, no error, and nothing that the database keeps, whatever goes wrong', async () => {
    const made = await call('POST', '/api/v1/keys', { body: { host: 'quickstart', rights: { subjects: ['user:*'] } } });
    const { id, key } = made.body as { id: string; key: string };
    const rotated = await call('POST', `/api/v1/keys/${id}/rotate`, { body: {} });
    const wrong = generateSecret({ environment: 'test', id }).text;
    const unknown = generateApiKey('test').text;
    const elsewhere = generateSecret({ environment: 'prod', id }).text;
    const mistyped = `${wrong.slice(0, -1)}${wrong.endsWith('a') ? 'b' : 'a'}`;
    const token = randomBytes(32).toString('base64url');
    const jwt = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token}.${token}`;
    service.secrets.add(mistyped.slice(-49), token, jwt);
    const shown = [service.owner, key, rotated.body.key, wrong, unknown, elsewhere, mistyped, token, jwt] as string[];

    for (const secret of shown) {
      for (const [method, path, body] of [
        ['POST', '/mcp/v1/decisions', decision],
        ['POST', '/access/v1/evaluation', { subject: { type: 'user', id: secret } }],
        ['POST', '/mcp/v1/decisions', `{"key": "${secret}"`],
        ['GET', '/api/v1/me', undefined],
        ['GET', '/api/v1/keys', undefined],
      ] as const) {
        await call(method, path, { key: secret, body });
      }
      for (const authorization of [`Basic ${secret}`, `Bearer ${secret} ${secret}`, `bearer  ${secret}x`, secret]) {
        await call('GET', '/api/v1/me', { key: null, headers: { Authorization: authorization } });
      }
      await call('GET', '/api/v1/me', { headers: { Cookie: `__Host-placet=${secret}` }, key: null });
    }
    await call('PATCH', `/api/v1/keys/${id}`, { body: { cidrs: ['203.0.113.0/24'] } });
    await call('POST', '/mcp/v1/decisions', { key, body: decision });
    await call('DELETE', `/api/v1/keys/${id}`);
    await call('POST', '/mcp/v1/decisions', { key, body: decision });

    await service.database.cutOff(true);
    for (const secret of shown) {
      await call('POST', '/mcp/v1/decisions', { key: secret, body: decision });
      await call('GET', '/api/v1/me', { key: secret });
      await call('POST', '/api/v1/keys', { key: secret, body: { host: 'quickstart' } });
    }
    await service.database.cutOff(false);

    expect(answers.length).toBeGreaterThan(100);
    expect(service.log.some((line) => line.includes('request failed'))).toBe(true);
    expect(service.log.some((line) => line.includes('request not authenticated'))).toBe(true);
    expect(service.secrets.foundIn(service.log)).toEqual([]);
    expect(service.secrets.foundIn(answers)).toEqual([]);
    expect(service.secrets.foundIn(await stored())).toEqual([]);
  });

  it('would be found where they are', () => {
    const { text } = generateApiKey('test');
    const { secret } = parseApiKey(text)!;
    const secrets = new MadeSecrets();
    secrets.addFrom({ body: { deep: [`Bearer ${text}`], client_secret: 'correct-horse-battery-staple' } });
    expect(secrets.foundIn([`a ${text}`])).not.toEqual([]);
    expect(secrets.foundIn([`cut off: ${secret.slice(0, 30)}`])).not.toEqual([]);
    expect(secrets.foundIn(['correct-horse-battery-staple'])).toEqual(['<SECRET>']);
    expect(secrets.foundIn([text.slice(0, 30)])).toEqual([]);
  });
});
