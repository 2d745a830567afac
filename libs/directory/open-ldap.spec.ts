import { Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LdapSignIn } from '#policy';
import { hasOpenLdap, READER, startOpenLdap, type OpenLdap } from '../../test/support/directories/open-ldap.js';
import { Connection } from './connection.js';
import { Directory, type Reading } from './directory.js';

const ANYBODY = async () => undefined;

describe.skipIf(!hasOpenLdap)(`a directory (OpenLDAP${hasOpenLdap ? '' : ', which is not installed here'})`, () => {
  let server: OpenLdap;
  let other: OpenLdap;

  beforeAll(async () => {
    server = await startOpenLdap();
    other = await startOpenLdap(['DNS:elsewhere.example']);
    const ann = await server.person('ann', { displayName: 'Ann Example' });
    const bob = await server.person('bob');
    await server.person('*');
    const inner = await server.group('inner', ann);
    const middle = await server.group('middle', inner);
    const outer = await server.group('outer', middle);
    await server.set(inner, 'member', ann, outer);
    for (let index = 0; index < 30; index++) await server.group(`many-${index}`, bob);
    await server.group('none', READER.dn);
  });
  afterAll(async () => {
    await server?.close();
    await other?.close();
  });

  const settings = (over: Partial<LdapSignIn> = {}): LdapSignIn => ({
    protocol: 'ldap',
    directory: 'generic',
    urls: [server.tlsUrl],
    ca: server.ca,
    account: READER.dn,
    password: 'reader',
    people: { base: `ou=people,${server.base}` },
    groups: { base: `ou=groups,${server.base}`, member: 'member' },
    goodForSeconds: 300,
    ...over,
  });
  const directory = (over: Partial<LdapSignIn> = {}, password = READER.password) =>
    new Directory(settings(over), { password: () => password, addressesOf: async () => ['127.0.0.1'], now: Date.now });
  const ann = (over: Partial<LdapSignIn> = {}) => directory(over).prove('ann', 'pw-of-ann', ANYBODY);

  async function readingOf(id: string, over: Partial<LdapSignIn> = {}): Promise<Reading> {
    const told: Reading[] = [];
    await directory(over).read([id], async (_id, reading) => void told.push(reading));
    return told[0]!;
  }

  it.each(['tlsUrl', 'url'] as const)('proves a person by their password over TLS (%s)', async (url) => {
    expect(await ann({ urls: [server[url]] })).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      login: 'ann',
      name: 'Ann Example',
      email: 'ann@example.com',
      groups: { names: ['inner', 'middle', 'outer'], complete: true },
      attributes: {},
    });
  });

  it.each(['tlsUrl', 'url'] as const)('is nobody whose certificate is not vouched for (%s)', async (url) => {
    await expect(ann({ urls: [server[url]], ca: undefined })).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it.each(['tlsUrl', 'url'] as const)('is nobody whose certificate is for another name (%s)', async (url) => {
    const wrong = ann({ urls: [other[url]], ca: other.ca });
    await expect(wrong).rejects.toMatchObject({ reason: 'unreachable', message: expect.stringContaining('localhost') });
  });

  it.each([
    ['a wrong password', 'ann', 'pw-of-bob'],
    ['no password, which the server would take', 'ann', ''],
    ['no user name', '', 'pw-of-ann'],
    ['spaces for a user name', '  ', 'pw-of-ann'],
    ['somebody unknown', 'nobody', 'pw-of-ann'],
    ['a filter for a user name', 'ann)(uid=*', 'pw-of-ann'],
    ['a control character in the user name', 'ann\u0000', 'pw-of-ann'],
    ['a line feed in the user name', 'ann\n', 'pw-of-ann'],
    ['NUL in the password', 'ann', 'pw-of-ann\u0000'],
    ['half a character', 'ann\ud800', 'pw-of-ann'],
  ])('proves nobody by %s', async (_what, login, password) => {
    await expect(directory().prove(login, password, ANYBODY)).rejects.toMatchObject({ reason: 'not_proven' });
  });

  it.each([
    ['no password', 'ann', ''],
    ['no user name', '', 'pw-of-ann'],
    ['spaces for a user name', '  ', 'pw-of-ann'],
    ['a control character', 'ann\u0000', 'pw-of-ann'],
    ['a line feed', 'ann\n', 'pw-of-ann'],
    ['NUL in the password', 'ann', 'pw-of-ann\u0000'],
    ['half a character', 'ann\ud800', 'pw-of-ann'],
    ['a long user name', 'a'.repeat(257), 'pw-of-ann'],
  ])('is not even asked about %s', async (_what, login, password) => {
    let asked = false;
    const addressesOf = async () => {
      asked = true;
      return ['127.0.0.1'];
    };
    const parts = { password: () => READER.password, addressesOf, now: Date.now };
    await expect(new Directory(settings(), parts).prove(login, password, ANYBODY)).rejects.toMatchObject({
      reason: 'not_proven',
    });
    expect(asked).toBe(false);
  });

  it('is not believed where it takes a name without a password', async () => {
    const dn = `uid=ann,ou=people,${server.base}`;
    // This server does: RFC 4513 calls it unauthenticated.
    const lenient = new Client({ url: server.url });
    await expect(lenient.bind(dn, '')).resolves.toBeUndefined();
    await lenient.unbind();
    await using connection = await Connection.open({ url: server.tlsUrl, ca: server.ca }, '127.0.0.1');
    expect(await connection.proves(dn, '')).toBe(false);
  });

  it('takes a star for a star', async () => {
    await expect(directory().prove('*', 'pw-of-ann', ANYBODY)).rejects.toMatchObject({ reason: 'not_proven' });
    expect((await directory().prove('*', 'pw-of-*', ANYBODY)).login).toBe('*');
  });

  it('proves nobody where two have the user name', async () => {
    const login = { people: { base: `ou=people,${server.base}`, login: ['uid', 'description'] } };
    await server.set(`uid=bob,ou=people,${server.base}`, 'description', 'ann');
    await expect(ann(login)).rejects.toMatchObject({ reason: 'not_proven' });
    await server.set(`uid=bob,ou=people,${server.base}`, 'description');
    expect((await ann(login)).login).toBe('ann');
  });

  it('tries no password that it may not', async () => {
    const refuse = async () => {
      throw new Error('too many');
    };
    await expect(directory().prove('ann', 'pw-of-ann', refuse)).rejects.toThrow('too many');
  });

  it('lists more groups than the server gives at once', async () => {
    const bob = await directory().prove('bob', 'pw-of-bob', ANYBODY);
    expect(bob.groups?.names).toHaveLength(30);
    expect(bob.groups?.complete).toBe(true);
  });

  it('tells what is wrong with its own account, and not the password', async () => {
    const wrong = directory({}, 'another-password').prove('ann', 'pw-of-ann', ANYBODY);
    await expect(wrong).rejects.toMatchObject({
      reason: 'misconfigured',
      message: expect.not.stringContaining('another-password'),
    });
  });

  it('goes on to the next server where one is away, or is not the one', async () => {
    expect((await ann({ urls: ['ldaps://localhost:1', server.tlsUrl] })).login).toBe('ann');
    expect((await ann({ urls: [other.tlsUrl, server.url] })).login).toBe('ann');
    await expect(ann({ urls: ['ldaps://localhost:1'] })).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it('goes nowhere where an address is out of reach', async () => {
    const parts = {
      password: () => READER.password,
      addressesOf: () => Promise.reject(new Error('out of reach')),
      now: Date.now,
    };
    await expect(new Directory(settings(), parts).prove('ann', 'pw-of-ann', ANYBODY)).rejects.toMatchObject({
      reason: 'unreachable',
    });
  });

  it.each([
    ['a lock for good', 'pwdAccountLockedTime', '000001010000Z', 'disabled'],
    ['an end that is over', 'shadowExpire', '10', 'expired'],
    ['what the document says', 'employeeType', 'Left', 'disabled'],
    ['what the document says, with blanks', 'employeeType', ' Left  ', 'disabled'],
  ])('lets nobody in by %s, and says so of them', async (_what, attribute, value, state) => {
    const over = { inactiveWhen: [{ attribute: 'employeeType', oneOf: ['left'] }] };
    const { id } = await ann(over);
    const dn = `uid=ann,ou=people,${server.base}`;
    await server.set(dn, attribute, value);
    try {
      await expect(ann(over)).rejects.toMatchObject({ name: 'DirectoryError' });
      expect(await readingOf(id, over)).toEqual({ state });
    } finally {
      await server.set(dn, attribute);
    }
    expect((await readingOf(id, over)).state).toBe('good');
  });

  it('lets nobody in by a password that somebody else has set and that must be changed first, and stops nobody by it', async () => {
    const { id } = await ann();
    const dn = `uid=ann,ou=people,${server.base}`;
    await server.set(dn, 'pwdReset', 'TRUE');
    try {
      await expect(ann()).rejects.toMatchObject({
        reason: 'inactive',
        message: expect.stringContaining('must change'),
      });
      expect((await readingOf(id)).state).toBe('good');
    } finally {
      await server.set(dn, 'pwdReset');
    }
    expect((await ann()).id).toBe(id);
  });

  it('knows somebody as one person however they write their user name', async () => {
    const { id } = await ann();
    const asked: string[] = [];
    for (const name of ['ANN', ' ann', 'ann ', 'A\uff4en', 'ann\u00ad'])
      await directory()
        .prove(name, 'a-wrong-one', async (found) => void asked.push(found))
        .catch(() => undefined);
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(new Set(asked)).toEqual(new Set([id]));
  });

  it('knows people by their entryUUID, wherever they are moved and whatever they are called', async () => {
    const dn = await server.person('cara');
    const { id } = await directory().prove('cara', 'pw-of-cara', ANYBODY);
    await server.admin.modifyDN(dn, `uid=cora,ou=people,${server.base}`);
    const moved = await readingOf(id);
    expect(moved).toMatchObject({ state: 'good', person: { id, login: 'cora' } });
    await server.admin.del(`uid=cora,ou=people,${server.base}`);
    expect(await readingOf(id)).toEqual({ state: 'gone' });
    expect(await readingOf('not-an-id')).toEqual({ state: 'gone' });
    await server.person('cara');
    expect((await directory().prove('cara', 'pw-of-cara', ANYBODY)).id).not.toBe(id);
  });
});
