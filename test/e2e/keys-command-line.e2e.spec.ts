import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placet as run, type Ended } from '../support/command-line.js';
import { startTestService, type TestService } from '../support/service.js';

/** The id of no key and no client. */
const NOBODY = '0'.repeat(19);

let service: TestService;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'placet keys '));
  service = await startTestService();
});

afterAll(async () => {
  await service.close();
  rmSync(work, { recursive: true, force: true });
});

const placet = (args: readonly string[], key = service.owner): Promise<Ended> =>
  run(args, { cwd: work, environment: { PLACET_URL: service.url, PLACET_KEY: key } });

/** One that a host of the quickstart is allowed. */
const decide = async (key: string): Promise<[number, string]> => {
  const { status, body } = await service.call('POST', '/mcp/v1/decisions', {
    key,
    body: {
      subject: { type: 'user', id: 'ann' },
      server: 'everything',
      direction: 'client_to_server',
      message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { message: 'x' } } },
    },
  });
  return [status, (body.effect ?? body.code) as string];
};

interface ShownKey {
  readonly id: string;
  readonly rights: Readonly<Record<string, unknown>>;
}

const idOf = (key: string): string => key.split('_')[2]!;

const keyShown = async (id: string): Promise<ShownKey> => {
  const { code, stdout } = await placet(['key', 'list', '--json']);
  expect(code).toBe(0);
  return (JSON.parse(stdout) as ShownKey[]).find((key) => key.id === id)!;
};

describe('placet key', () => {
  it('makes a key of a host with bounds, once shown, and lists it', async () => {
    const made = await placet(
      [
        'key',
        'create',
        '--host',
        'quickstart',
        '--may-speak-for',
        'user:*',
        '--scope',
        'decisions',
        '--explain',
      ].concat(
        ['--may-assert', 'region', '--may-assert-resource', 'owner', '--cidr', '127.0.0.0/8', '--cidr', '::1'],
        ['--expires', '2099-01-31'],
      ),
    );
    expect(made).toMatchObject({ code: 0, stderr: 'its key, shown this once:\n' });
    const key = made.stdout.trim();
    expect(made.stdout).toMatch(/^placet_test_\w+\n$/);
    expect(await decide(key)).toEqual([200, 'allow']);
    const listings = await service.call('POST', '/mcp/v1/listings', {
      key,
      body: { subject: { type: 'user', id: 'ann' }, server: 'everything', method: 'tools/list', result: { tools: [] } },
    });
    expect([listings.status, listings.body.code]).toEqual([403, 'insufficient_scope']);

    const listed = await placet(['key', 'list', '--host', 'quickstart']);
    const [heads, ...rows] = listed.stdout.trimEnd().split('\n');
    expect(heads).toMatch(/^ID +OF +FROM +UNTIL +LAST USED *$/);
    expect(rows.find((row) => row.startsWith(idOf(key)))).toMatch(
      / host quickstart +127\.0\.0\.0\/8,::1\/128 +2099-01-31T00:00:00\.000Z +/,
    );
    expect(listed.stdout).not.toContain('administrator');
    expect((await placet(['key', 'list'])).stdout).toContain('administrator');
    expect((await keyShown(idOf(key))).rights).toMatchObject({
      subjects: ['user:*'],
      subjectProperties: ['region'],
      resourceProperties: ['owner'],
      scopes: ['decisions'],
      explain: true,
    });
  });

  it('changes what is said of a key, which holds at once, and leaves the rest', async () => {
    const made = await placet(['key', 'create', '--host', 'quickstart', '--may-speak-for', 'user:*']);
    const key = made.stdout.trim();
    const id = idOf(key);
    expect(await placet(['key', 'change', id, '--cidr', '192.0.2.0/24', '--expires', '2099-01-31'])).toEqual({
      code: 0,
      stdout: 'host quickstart: 192.0.2.0/24, 2099-01-31T00:00:00.000Z\n',
      stderr: '',
    });
    expect(await decide(key)).toEqual([401, 'credentials_invalid']);
    expect((await placet(['key', 'change', id, '--cidr', 'any', '--expires', 'never'])).stdout).toBe(
      'host quickstart: from anywhere, no end\n',
    );
    expect(await decide(key)).toEqual([200, 'allow']);
    expect((await placet(['key', 'change', id, '--scope', 'search', '--may-act-for', 'agent-*'])).code).toBe(0);
    expect((await keyShown(id)).rights).toMatchObject({
      subjects: ['user:*'],
      scopes: ['search'],
      agents: ['agent-*'],
      explain: false,
    });
    expect(await decide(key)).toEqual([403, 'insufficient_scope']);
  });

  it('makes a key of an administrator, who may do what its roles let it', async () => {
    const made = await placet(['key', 'create', '--administrator', 'watch', '--role', 'auditor']);
    expect(made).toMatchObject({ code: 0, stderr: "the key of 'watch', shown this once:\n" });
    const key = made.stdout.trim();
    expect((await placet(['get', 'Host'], key)).stdout).toContain('Host quickstart');
    const forbidden = await placet(['key', 'create', '--host', 'quickstart'], key);
    expect(forbidden).toMatchObject({ code: 1, stdout: '' });
    expect(forbidden.stderr).toContain('no role that lets it');
    expect(await placet(['key', 'change', idOf(key), '--scope', 'search'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'placet: rights of administrators are roles, and not changed here: make another key.\n',
    });
  });

  it.each<[string, string[], number, string]>([
    ['of nobody', ['create'], 2, "'key create' needs --host NAME or --administrator NAME"],
    ['of two', ['create', '--host', 'a', '--administrator', 'b'], 2, "'key create' needs --host NAME"],
    ['of a host with a role', ['create', '--host', 'quickstart', '--role', 'owner'], 2, "'--role' is for"],
    ['of an administrator without one', ['create', '--administrator', 'b'], 2, 'needs --role ROLE'],
    ['until some day', ['create', '--host', 'quickstart', '--expires', 'soon'], 2, '--expires is a date'],
    ['of a host that is not there', ['create', '--host', 'nowhere'], 1, 'nowhere'],
    ['from no network', ['create', '--host', 'quickstart', '--cidr', 'home'], 1, 'cidrs'],
    ['with a scope that is none', ['create', '--host', 'quickstart', '--scope', 'all'], 1, 'scopes'],
    ['in nothing', ['change', 'x'], 2, "'key change' needs something to change"],
    ['that is none', ['change', 'x', '--cidr', 'any'], 1, 'not the id of a key'],
    ['that is not there', ['change', NOBODY, '--cidr', 'any'], 1, NOBODY],
  ])('says what is wrong with a key %s', async (_, args, code, message) => {
    const ended = await placet(['key', ...args]);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(ended.stderr).toMatch(/^placet: [^\n]+\n$/);
    expect(ended.stderr).toContain(message);
  });
});

describe('placet client', () => {
  const token = async (id: string, secret: string): Promise<{ status: number; token: string | undefined }> => {
    const response = await fetch(`${service.url}/t/default/oauth/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const body = (await response.json()) as { access_token?: string };
    return { status: response.status, token: body.access_token };
  };
  const listed = async (id: string): Promise<string> => {
    const { code, stdout } = await placet(['client', 'list']);
    expect(code).toBe(0);
    return stdout.split('\n').find((line) => line.startsWith(id))!;
  };

  it('makes a client with a secret, gives it another one, and ends it with its tokens', async () => {
    const made = await placet(['client', 'create', 'quickstart', '--may-speak-for', 'user:*']);
    expect(made).toMatchObject({ code: 0, stderr: 'its secret, shown this once:\n' });
    const [id, secret] = made.stdout.trim().split('\n') as [string, string];
    expect(await listed(id)).toMatch(new RegExp(`^${id} quickstart \\w+$`));
    expect((await placet(['client', 'list'])).stdout).not.toContain(secret);
    const first = await token(id, secret);
    expect(await decide(first.token!)).toEqual([200, 'allow']);

    const rotated = await placet(['client', 'rotate', id]);
    const [same, second] = rotated.stdout.trim().split('\n') as [string, string];
    expect([rotated.code, same]).toEqual([0, id]);
    expect(second).not.toBe(secret);
    for (const good of [secret, second]) expect((await token(id, good)).status).toBe(200);

    expect(await placet(['client', 'disable', id])).toEqual({
      code: 0,
      stdout: '',
      stderr: `the client ${id} is disabled\n`,
    });
    expect(await decide(first.token!)).toEqual([401, 'credentials_invalid']);
    for (const ended of [secret, second]) expect((await token(id, ended)).status).toBe(401);
    expect(await listed(id)).toMatch(/ \(disabled\)$/);
  });

  it('makes one that proves itself by its own keys, which is told no secret', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(work, 'keys.json'), JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }));
    const made = await placet(['client', 'create', 'quickstart', '--keys', 'keys.json']);
    expect(made).toEqual({ code: 0, stdout: expect.stringMatching(/^\w+\n$/) as string, stderr: '' });
    expect(await listed(made.stdout.trim())).toContain('private_key_jwt');
  });

  it.each<[string, string[], number, string]>([
    ['without a host', ['create'], 2, "'client create' needs HOST"],
    ['of a host that is not there', ['create', 'nowhere'], 1, 'nowhere'],
    ['with keys that are not there', ['create', 'quickstart', '--keys', 'x.json'], 1, 'x.json cannot be read (ENOENT)'],
    ['of half a workload', ['create', 'quickstart', '--issuer', 'company'], 1, 'write both'],
    ['that is none', ['disable', 'x'], 1, 'not the id of a client'],
    ['that is not there', ['disable', NOBODY], 1, NOBODY],
    ['that is not named', ['rotate'], 2, "'client rotate' needs ID"],
  ])('says what is wrong with a client %s', async (_, args, code, message) => {
    const ended = await placet(['client', ...args]);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(ended.stderr).toMatch(/^placet: [^\n]+\n$/);
    expect(ended.stderr).toContain(message);
  });
});
