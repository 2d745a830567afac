import { EqualityFilter } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LdapSignIn } from '#policy';
import {
  AD_READER,
  hasActiveDirectory,
  startActiveDirectory,
  type ActiveDirectory,
} from '../../test/support/directories/active-directory.js';
import { Connection } from './connection.js';
import { Directory, type Reading } from './directory.js';
import { guidBytes, guidText, wholeOf } from './entries.js';

const ANYBODY = async () => undefined;
const NAME = `a directory (Active Directory of Samba${hasActiveDirectory ? '' : ', which is not installed here'})`;

describe.skipIf(!hasActiveDirectory)(NAME, () => {
  let server: ActiveDirectory;
  let ann: string;

  beforeAll(async () => {
    server = await startActiveDirectory();
    ann = await server.person('ann', { displayName: 'Ann Example', mail: 'ann@example.com' });
    await server.person('u8');
    const g3 = await server.group('g3', ann);
    const g2 = await server.group('g2', g3);
    const g1 = await server.group('g1', g2);
    const g4 = await server.group('g4', g1);
    await server.add(g1, 'member', g4);
  }, 120_000);
  afterAll(() => server?.close());

  const settings = (over: Partial<LdapSignIn> = {}): LdapSignIn => ({
    protocol: 'ldap',
    directory: 'active-directory',
    urls: [server.url],
    ca: server.ca,
    account: AD_READER.name,
    password: 'reader',
    people: { base: server.base },
    groups: { base: server.base, member: 'member' },
    goodForSeconds: 300,
    ...over,
  });
  const directory = (over: Partial<LdapSignIn> = {}) =>
    new Directory(settings(over), {
      password: () => AD_READER.password,
      addressesOf: async (url) => [new URL(url).hostname],
      now: Date.now,
    });
  const asAnn = (over: Partial<LdapSignIn> = {}) => directory(over).prove('ann', 'Pw-of-ann-1', ANYBODY);

  async function readingOf(id: string): Promise<Reading> {
    const told: Reading[] = [];
    await directory().read([id], async (_id, reading) => void told.push(reading));
    return told[0]!;
  }

  it.each(['ldaps', 'StartTLS'])(
    'proves a person over TLS (%s), with nested groups in a cycle and the primary one',
    async (how) => {
      expect(await asAnn({ urls: [how === 'ldaps' ? server.url : server.plainUrl] })).toMatchObject({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        login: 'ann',
        name: 'Ann Example',
        email: 'ann@example.com',
        groups: { names: ['Domain Users', 'g1', 'g2', 'g3', 'g4'], complete: true },
      });
    },
  );

  it('is nobody whose certificate is not vouched for', async () => {
    for (const url of [server.url, server.plainUrl])
      await expect(asAnn({ urls: [url], ca: undefined })).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it('proves a person by user@domain as well, as the same one', async () => {
    const { id } = await asAnn();
    expect((await directory().prove('ann@corp.test', 'Pw-of-ann-1', ANYBODY)).id).toBe(id);
    expect(guidText(guidBytes(id))).toBe(id);
  });

  it.each([
    ['no password', 'ann', ''],
    ['a wrong password', 'ann', 'Pw-of-u8-1'],
    ['somebody unknown', 'nobody', 'Pw-of-ann-1'],
    ['a star, which a filter in text would take for anybody', '*', 'Pw-of-ann-1'],
    ['a piece of a filter', 'u8)(objectClass=*', 'Pw-of-u8-1'],
    ['NUL after the user name, which the server does not see', 'u8\u0000', 'Pw-of-u8-1'],
    ['a computer', 'DC1$', 'Pw-of-u8-1'],
  ])('proves nobody by %s', async (_what, login, password) => {
    await expect(directory().prove(login, password, ANYBODY)).rejects.toMatchObject({ reason: 'not_proven' });
  });

  it('says that groups are not all of them where one cannot be found', async () => {
    const groups = { base: `OU=app,${server.base}`, member: 'member' } as const;
    expect((await asAnn({ groups })).groups).toEqual({ names: ['g1', 'g2', 'g3', 'g4'], complete: false });
  });

  it.each([
    ['disabled', 'userAccountControl', '514', '512'],
    ['expired', 'accountExpires', '129000000000000000', '0'],
  ])('says of an account that it is %s, by its attribute and not by the bind', async (state, attribute, bad, good) => {
    const { id } = await asAnn();
    await server.set(ann, attribute, bad);
    try {
      await expect(asAnn()).rejects.toMatchObject({ name: 'DirectoryError' });
      expect(await readingOf(id)).toEqual({ state });
    } finally {
      await server.set(ann, attribute, good);
    }
    expect((await readingOf(id)).state).toBe('good');
  });

  it('reads on where a server gives an attribute in pieces', async () => {
    const members: string[] = [];
    for (let index = 0; index < 45; index++) members.push(await server.group(`m${index}`));
    const big = await server.group('big', ...members);
    await using connection = await Connection.open({ url: server.url, ca: server.ca }, new URL(server.url).hostname);
    expect(await connection.proves(AD_READER.name, AD_READER.password)).toBe(true);
    const first = { scope: 'base', attributes: ['member;range=0-9'], most: 1 } as const;
    const [entry] = await connection.search(big, first);
    expect(Object.keys(entry!)).toContain('member;range=0-9');
    expect(new Set(await wholeOf(connection, entry!, 'member'))).toEqual(new Set(members));
  });

  it('gives all pages of what is looked for', async () => {
    await Promise.all(Array.from({ length: 620 }, (_, index) => server.group(`p${index}`)));
    await using connection = await Connection.open({ url: server.url, ca: server.ca }, new URL(server.url).hostname);
    await connection.proves(AD_READER.name, AD_READER.password);
    const filter = new EqualityFilter({ attribute: 'objectClass', value: 'group' });
    const found = await connection.search(`OU=app,${server.base}`, { scope: 'sub', filter, attributes: ['cn'] });
    expect(found.length).toBeGreaterThanOrEqual(620);
  });

  it('lets no connection follow on one that is over: the next password would go in the clear', async () => {
    const connection = await Connection.open({ url: server.plainUrl, ca: server.ca }, new URL(server.url).hostname);
    await connection[Symbol.asyncDispose]();
    await expect(connection.proves(AD_READER.name, AD_READER.password)).rejects.toMatchObject({
      reason: 'unreachable',
    });
  });
});
