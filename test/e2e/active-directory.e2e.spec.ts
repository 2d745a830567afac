import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NamedSecrets } from '#config';
import type { Cookies } from '../support/browser.js';
import {
  AD_READER,
  hasActiveDirectory,
  startActiveDirectory,
  type ActiveDirectory,
} from '../support/directories/active-directory.js';
import type { TestDatabase } from '../support/database.js';
import {
  activeDirectoryIssuer,
  GOOD_FOR_SECONDS,
  READER_SECRETS,
  signInByPassword,
} from '../support/directories/company.js';
import { startTestService, type TestService } from '../support/service.js';

const NAME = `sign-in by Active Directory (Samba${hasActiveDirectory ? '' : ', which is not installed here'})`;
const PASSWORD = 'Pw-of-ann-1';
const DOCUMENTS = [
  { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
  { kind: 'Host', name: 'desk' },
  { kind: 'Server', name: 'files' },
  {
    kind: 'Mapping',
    name: 'corp',
    issuer: 'corp',
    rules: [{ name: 'all', when: [{ group: 'corp:g1' }], administration: ['auditor'] }],
  },
  {
    kind: 'Policy',
    name: 'all',
    target: { actions: ['*'], resources: ['*'] },
    rules: [{ name: 'all', effect: 'allow', to: ['any'] }],
  },
];

describe.skipIf(!hasActiveDirectory)(NAME, () => {
  let server: ActiveDirectory;
  let service: TestService;
  let urls: readonly string[];
  let ann: string;
  let g3: string;
  let host: string;
  let superuser: Awaited<ReturnType<TestDatabase['connect']>>;

  beforeAll(async () => {
    server = await startActiveDirectory();
    ann = await server.person('ann', { displayName: 'Ann Example' });
    await server.person('bob');
    g3 = await server.group('g3', ann);
    await server.group('g1', await server.group('g2', g3));
    service = await startTestService({
      quickstart: false,
      attempts: { sign_in: 10_000, session: 10_000, password: 10_000 },
      secrets: NamedSecrets.read(READER_SECRETS),
    });
    service.secrets.add(AD_READER.password, PASSWORD, 'Pw-of-bob-1');
    superuser = await service.database.connect('superuser');
    urls = [service.url, (await service.replica()).url, (await service.replica()).url];
    const text = [activeDirectoryIssuer(server), ...DOCUMENTS].map((each) => JSON.stringify(each)).join('\n---\n');
    const body = { files: [{ path: 'test.yaml', text }] };
    expect(await service.call('POST', '/api/v1/documents/apply', { body })).toMatchObject({ status: 200 });
    const rights = { subjects: ['*'] };
    host = (await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights } })).body.key;
  }, 180_000);
  afterAll(async () => {
    await service?.close();
    await server?.close();
  });

  const me = async (cookies: Cookies) => {
    const answer = await cookies.fetch(`${service.url}/api/v1/me`);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  async function signedIn(name: string): Promise<{ readonly cookies: Cookies; readonly id: string }> {
    const { cookies, answer } = await signInByPassword(service.url, name, `Pw-of-${name}-1`);
    expect(answer.status).toBe(303);
    const { rows } = await superuser.query<{ id: string }>(
      `select id from placet.person where claims ->> 'preferred_username' = $1`,
      [name],
    );
    return { cookies, id: rows[0]!.id.replace('user:', '') };
  }
  /** The effect and the reason at each replica. */
  const everywhere = (id: string): Promise<string[]> =>
    Promise.all(
      urls.map(async (url) => {
        const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
        const { body } = await service.call('POST', '/mcp/v1/decisions', {
          key: host,
          url,
          body: { subject: { type: 'user', id }, server: 'files', direction: 'client_to_server', message },
        });
        return `${body.effect} ${body.reason?.code}`;
      }),
    );
  const all = (answer: string) => urls.map(() => answer);

  it('gives the role that a Mapping has for a group in which their groups are', async () => {
    const { cookies, id } = await signedIn('ann');
    expect(id).toMatch(/^corp\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect((await me(cookies)).body).toMatchObject({ rights: { roles: ['auditor'] } });
    const bob = await signedIn('bob');
    expect(JSON.stringify((await me(bob.cookies)).body)).not.toContain('auditor');
  }, 30_000);

  it('takes it away within the stated time when the innermost group has lost its member', async () => {
    const { cookies } = await signedIn('ann');
    const rights = async () => JSON.stringify((await me(cookies)).body);
    expect(await rights()).toContain('auditor');
    await server.set(g3, 'member');
    await sleep(GOOD_FOR_SECONDS * 1000);
    expect(await rights()).not.toContain('auditor');
    await server.set(g3, 'member', ann);
    await expect.poll(rights, { timeout: 10_000 }).toContain('auditor');
  }, 40_000);

  it.each([
    ['disabled', 'userAccountControl', '514', '512'],
    ['expired', 'accountExpires', '129000000000000000', '0'],
  ])(
    'stops whoever is %s, on every replica within the stated time',
    async (_state, attribute, bad, good) => {
      const { cookies, id } = await signedIn('ann');
      await expect.poll(() => everywhere(id), { timeout: 10_000 }).toEqual(all('allow allowed'));
      await server.set(ann, attribute, bad);
      await sleep(GOOD_FOR_SECONDS * 1000);
      try {
        expect(await everywhere(id)).toEqual(all('deny suspended'));
        expect((await me(cookies)).status).toBe(401);
        expect((await signInByPassword(service.url, 'ann', PASSWORD)).answer.status).toBe(403);
      } finally {
        await server.set(ann, attribute, good);
      }
      await expect.poll(() => everywhere(id), { timeout: 10_000 }).toEqual(all('allow allowed'));
      expect((await me(cookies)).status).toBe(401);
    },
    60_000,
  );
});
