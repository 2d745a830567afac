import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LdapSignIn } from '#policy';
import {
  ber,
  BIND,
  BOUND,
  entry,
  EXTENDED,
  message,
  result,
  SEARCH,
  SEARCHED,
  startHostile,
  startListener,
  startOnTheWire,
  SUCCESS,
  text,
  type Hostile,
  type Listener,
  type OnTheWire,
} from '../../test/support/directories/hostile.js';
import { hasOpenLdap, READER, startOpenLdap, type OpenLdap } from '../../test/support/directories/open-ldap.js';
import { Directory, type Reading } from './directory.js';

const ANYBODY = async () => undefined;

describe.skipIf(!hasOpenLdap)(
  `somebody on the wire to a directory${hasOpenLdap ? '' : ' (not installed here)'}`,
  () => {
    let server: OpenLdap;
    let wire: OnTheWire;

    beforeAll(async () => {
      server = await startOpenLdap();
      await server.person('ann');
      wire = await startOnTheWire(server.url);
    });
    afterAll(async () => {
      await wire?.close();
      await server?.close();
    });

    const directory = (): Directory => {
      const settings: LdapSignIn = {
        protocol: 'ldap',
        directory: 'generic',
        urls: [wire.url],
        ca: server.ca,
        account: READER.dn,
        password: 'reader',
        people: { base: `ou=people,${server.base}` },
        goodForSeconds: 300,
      };
      const parts = { password: () => READER.password, addressesOf: async () => ['127.0.0.1'], now: Date.now };
      return new Directory(settings, parts);
    };

    it('lets through what is as it was', async () => {
      expect((await directory().prove('ann', 'pw-of-ann', ANYBODY)).login).toBe('ann');
      await expect(directory().prove('ann', 'a-wrong-one', ANYBODY)).rejects.toMatchObject({ reason: 'not_proven' });
    });

    const yes = (id: number) => message(id, result(BOUND, SUCCESS, 'x'));

    // The first message asks for TLS, and the second is the password's.
    it.each([
      ['a yes to the next question', (id: number) => yes(id)],
      ['the most of a yes, of which the first byte behind TLS is the end', (id: number) => yes(id).subarray(0, -1)],
      ['the beginning of a yes', (id: number) => yes(id).subarray(0, 4)],
    ])('proves nobody by %s, in the clear before TLS', async (_what, added) => {
      for (const id of [1, 2, 3, 4, 5]) {
        wire.adds = () => added(id);
        const proven = directory().prove('ann', 'a-wrong-one', ANYBODY);
        await expect(proven).rejects.toMatchObject({ name: 'DirectoryError' });
        await expect(
          directory()
            .prove('ann', 'pw-of-ann', ANYBODY)
            .catch(() => ({ login: 'ann' })),
        ).resolves.toMatchObject({ login: 'ann' });
      }
    });

    it.each([1, 2, 3, 4])('proves nobody by a yes on one connection alone (%i)', async (id) => {
      for (const which of [0, 1]) {
        let connection = 0;
        wire.adds = () => (connection++ === which ? yes(id).subarray(0, -1) : undefined);
        await expect(directory().prove('ann', 'a-wrong-one', ANYBODY)).rejects.toMatchObject({
          name: 'DirectoryError',
        });
      }
    });
  },
);

describe('somebody in the place of a directory, without TLS', () => {
  let listener: Listener;

  beforeAll(async () => {
    listener = await startListener();
  });
  afterAll(() => listener.close());

  const yes = (id: number) => message(id, result(BOUND, SUCCESS));
  const each = (...answers: ((id: number) => Buffer)[]) =>
    answers.map((answer) => Buffer.concat([1, 2, 3].map((id) => answer(id))));

  it.each<[string, readonly Buffer[]]>([
    ['that TLS is not known here', each((id) => message(id, result(EXTENDED, 2)), yes, yes)],
    ['that TLS is not to be had', each((id) => message(id, result(EXTENDED, 52)), yes, yes)],
    ['that TLS may begin, and yes to everything', each((id) => message(id, result(EXTENDED, SUCCESS)), yes, yes)],
    ['yes to what was not asked', each(yes, yes, yes)],
    ['noise', [Buffer.from('+OK ready\r\n')]],
    ['nothing', []],
  ])('hears no password where they say %s', async (_what, says) => {
    listener.says = says;
    const settings: LdapSignIn = {
      protocol: 'ldap',
      directory: 'generic',
      urls: [listener.url],
      account: 'cn=placet,dc=ex',
      password: 'reader',
      people: { base: 'dc=ex' },
      goodForSeconds: 300,
    };
    const secret = 'password-of-the-account';
    const parts = { password: () => secret, addressesOf: async () => ['127.0.0.1'], now: Date.now };
    const proven = new Directory(settings, parts).prove('ann', 'password-of-ann', ANYBODY);
    await expect(proven).rejects.toMatchObject({ name: 'DirectoryError', reason: 'unreachable' });
    expect(listener.heard()).toContain('1.3.6.1.4.1.1466.20037');
    expect(listener.heard()).not.toMatch(/password-of|placet|ann/);
  });
});

describe.skipIf(!hasOpenLdap)(`a directory that says what it likes${hasOpenLdap ? '' : ' (no openssl here)'}`, () => {
  const ID = '0b54c2b4-6f7f-4c8e-9a25-5b7f3f0f8a11';
  let server: Hostile;

  beforeAll(async () => {
    server = await startHostile();
  });
  afterAll(() => server?.close());

  const directory = (over: Partial<LdapSignIn> = {}): Directory => {
    const settings: LdapSignIn = {
      protocol: 'ldap',
      directory: 'generic',
      urls: [server.url],
      ca: server.ca,
      account: 'cn=placet,dc=ex',
      password: 'reader',
      people: { base: 'dc=ex' },
      goodForSeconds: 300,
      ...over,
    };
    return new Directory(settings, { password: () => 'p', addressesOf: async () => ['127.0.0.1'], now: Date.now });
  };
  /** Lets everybody in, and answers what is looked for with some messages. */
  const answering = (found: (id: number) => readonly Buffer[]) => {
    server.answer = (id, operation, socket) => {
      if (operation === BIND) socket.write(message(id, result(BOUND, SUCCESS)));
      else if (operation === SEARCH) for (const part of found(id)) socket.write(part);
    };
  };
  async function readingOf(over: Partial<LdapSignIn> = {}): Promise<Reading> {
    const told: Reading[] = [];
    await directory(over).read([ID], async (_id, reading) => void told.push(reading));
    return told[0]!;
  }
  const ann = (attributes: Record<string, string[]> = {}) =>
    entry('uid=ann,dc=ex', { uid: ['ann'], cn: ['Ann'], entryUUID: [ID], ...attributes });
  const end = (id: number, code = SUCCESS) => message(id, result(SEARCHED, code));

  it('says who somebody is, where it says it well', async () => {
    answering((id) => [message(id, ann()), end(id)]);
    expect((await directory().prove('ann', 'pw', ANYBODY)).id).toBe(ID);
    expect(await readingOf()).toMatchObject({ state: 'good', person: { login: 'ann' } });
  });

  it.each<[string, (id: number) => readonly Buffer[], string]>([
    ['two of that user name', (id) => [message(id, ann()), message(id, ann()), end(id)], 'not_proven'],
    ['more than were asked for', (id) => [...Array<Buffer>(5).fill(message(id, ann())), end(id, 4)], 'not_proven'],
    ['an id that is none', (id) => [message(id, ann({ entryUUID: ['x'] })), end(id)], 'misconfigured'],
    ['two ids', (id) => [message(id, ann({ entryUUID: [ID, ID] })), end(id)], 'misconfigured'],
    ['that another server knows (10)', (id) => [end(id, 10)], 'misconfigured'],
    [
      'that another server knows (a reference)',
      (id) => [message(id, ber(0x73, text('ldap://elsewhere.example/dc=ex'))), end(id)],
      'not_proven',
    ],
    ['that it is busy', (id) => [end(id, 51)], 'unreachable'],
    ['an answer of another kind', (id) => [message(id, result(BOUND, SUCCESS))], 'unreachable'],
  ])('proves nobody by %s', async (_what, found, reason) => {
    answering(found);
    await expect(directory().prove('ann', 'pw', ANYBODY)).rejects.toMatchObject({ name: 'DirectoryError', reason });
  });

  it.each<[string, (id: number) => Buffer]>([
    ['noise', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a message without a number', () => ber(0x30, text('x'))],
    ['a length beyond all', () => Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02, 0x01])],
    ['a length below zero', () => Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xfa, 0x02, 0x01])],
    ['an operation that there is not', (id) => message(id, ber(0x7e, text('x')))],
    ['an entry that is cut off', (id) => message(id, ber(0x64, [0x04, 0x7f, 0x61]))],
    ['very many small messages', () => Buffer.concat(Array<Buffer>(200_000).fill(message(99, ber(0x73))))],
    ['messages in messages', (id) => Array.from({ length: 5000 }).reduce<Buffer>((inner) => ber(0x30, inner), end(id))],
  ])(
    'stays nobody, and we stay up, by %s',
    async (_what, bytes) => {
      answering((id) => [bytes(id), end(id)]);
      const outcome = await directory()
        .prove('ann', 'pw', ANYBODY)
        .catch((error: unknown) => error);
      expect(outcome).toMatchObject({ name: 'DirectoryError' });
    },
    30_000,
  );

  it('is not listened to for more than a few megabytes', async () => {
    let sent = 0;
    const flood = entry('uid=ann,dc=ex', { description: ['x'.repeat(65_536)] });
    server.answer = (id, operation, socket) => {
      if (operation === BIND) return void socket.write(message(id, result(BOUND, SUCCESS)));
      const more = () => {
        let isDrained = true;
        while (isDrained && !socket.destroyed && sent < 200_000_000) {
          isDrained = socket.write(message(id, flood));
          sent += flood.length;
        }
        if (!socket.destroyed) socket.once('drain', more);
      };
      more();
    };
    await expect(directory().prove('ann', 'pw', ANYBODY)).rejects.toMatchObject({ reason: 'unreachable' });
    expect(sent).toBeLessThan(30_000_000);
  });

  it('is not waited for without an end, however long it goes on to another page', async () => {
    const group = entry('cn=g,dc=ex', { cn: ['g'] });
    const cookie = ber(0x30, ber(0x02, [0]), text('more'));
    const page = (id: number) =>
      message(id, result(SEARCHED, SUCCESS), ber(0xa0, ber(0x30, text('1.2.840.113556.1.4.319'), ber(0x04, cookie))));
    let count = 0;
    server.answer = (id, operation, socket) => {
      if (operation === BIND) return void socket.write(message(id, result(BOUND, SUCCESS)));
      if (++count === 1) return void socket.write(Buffer.concat([message(id, ann()), end(id)]));
      setTimeout(() => socket.write(Buffer.concat([message(id, group), page(id)])), 50);
    };
    const since = performance.now();
    const groups = { base: 'dc=ex', member: 'member' } as const;
    await expect(readingOf({ groups, goodForSeconds: 5 })).rejects.toMatchObject({ reason: 'unreachable' });
    expect(performance.now() - since).toBeLessThan(10_000);
    expect(count).toBeGreaterThan(20);
  }, 30_000);

  it('has not said that somebody is good where the values by which they may not be are not all there', async () => {
    const inactiveWhen = [{ attribute: 'memberOf', oneOf: ['cn=left,dc=ex'] }];
    answering((id) => [message(id, ann({ 'memberOf;range=0-1': ['cn=a,dc=ex', 'cn=b,dc=ex'] })), end(id)]);
    expect(await readingOf({ inactiveWhen })).toEqual({ state: 'unreadable' });
    answering((id) => [message(id, ann({ memberOf: ['cn=a,dc=ex', ' CN=Left,DC=ex '] })), end(id)]);
    expect(await readingOf({ inactiveWhen })).toEqual({ state: 'disabled' });
    answering((id) => [message(id, ann({ memberOf: ['cn=a,dc=ex'] })), end(id)]);
    expect(await readingOf({ inactiveWhen })).toMatchObject({ state: 'good' });
  });

  it('has not said which groups there are where a part of them is with another server', async () => {
    const groups = { base: 'dc=ex', member: 'member' } as const;
    let count = 0;
    answering((id) => {
      if (++count === 1) return [message(id, ann()), end(id)];
      return [message(id, ber(0x73, text('ldap://elsewhere.example/ou=groups,dc=ex'))), end(id)];
    });
    expect(await readingOf({ groups })).toMatchObject({ person: { groups: { names: [], complete: false } } });
  });
});
