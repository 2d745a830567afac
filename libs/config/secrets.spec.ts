import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NamedSecrets, settingOf } from './named-secrets.js';
import { readSecret, type Environment } from './secrets.js';
import { readSettings } from './settings.js';

const SECRET = 'correct-horse-battery-staple-and-a-few-more';

let work: string;
let program: string;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'placet-secrets-'));
  program = join(work, 'print.mjs');
  writeFileSync(program, 'process.stdout.write(process.argv.slice(2).join("|"))');
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Words are parted at blanks, which the path of this process may have in it: there the program is found by its name. */
const list = (...words: readonly string[]) => JSON.stringify([process.execPath, ...words]);

describe('a secret', () => {
  it.each<[string, () => Environment, string | undefined]>([
    ['by its value', () => ({ X: SECRET }), SECRET],
    ['by nothing', () => ({}), undefined],
    ['by what is empty', () => ({ X: '', X_FILE: '', X_COMMAND: '' }), undefined],
    ['by a command of words', () => ({ X_COMMAND: `  node ${program}  ${SECRET} ` }), SECRET],
    ['by a command as a list', () => ({ X_COMMAND: list(program, 'two words', '$HOME "x"') }), 'two words|$HOME "x"'],
    ['without blanks at its ends', () => ({ X_COMMAND: list('-e', 'console.log("\\n a b \\n")') }), 'a b'],
    ['without a shell', () => ({ X_COMMAND: `node ${program} $HOME;ls "a b"` }), '$HOME;ls|"a|b"'],
  ])('comes %s', (_, environment, secret) => {
    expect(readSecret('X', environment())).toBe(secret);
  });

  it.each<[string, () => Environment, RegExp]>([
    ['fails', () => ({ X_COMMAND: list('-e', `console.log('${SECRET}'); process.exit(3)`) }), /failed with status 3/],
    ['is ended', () => ({ X_COMMAND: list('-e', `process.kill(process.pid, 'SIGTERM')`) }), /was ended by SIGTERM/],
    ['prints nothing', () => ({ X_COMMAND: list('-e', `console.error('${SECRET}')`) }), /printed nothing/],
    [
      'prints without end',
      () => ({ X_COMMAND: list('-e', `process.stdout.write('${SECRET}'.repeat(50_000))`) }),
      /more than 1 MiB/,
    ],
    ['is not there', () => ({ X_COMMAND: '/nowhere/program x' }), /cannot be run \(ENOENT\)/],
    ['is no list of texts', () => ({ X_COMMAND: '["a", 1]' }), /must be a program/],
    ['is no list', () => ({ X_COMMAND: `["${SECRET}"` }), /must be a program/],
    ['is blank', () => ({ X_COMMAND: ' ' }), /must be a program/],
    ['comes beside the value', () => ({ X: SECRET, X_COMMAND: 'true' }), /X and X_COMMAND are both set/],
  ])('is refused, and not told, where its command %s', (_, environment, message) => {
    expect(() => readSecret('X', environment())).toThrow(message);
    try {
      readSecret('X', environment());
    } catch (error) {
      expect((error as Error).message).not.toContain(SECRET);
    }
  });

  it('is not waited for without end', { timeout: 30_000 }, () => {
    const began = performance.now();
    expect(() => readSecret('X', { X_COMMAND: list('-e', 'setInterval(() => {}, 1000)') })).toThrow(
      'did not end within 10 s',
    );
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  it('of the settings can come by a command', () => {
    expect(readSettings({ PLACET_PEPPER_COMMAND: list(program, SECRET) }).pepper).toBe(SECRET);
    expect(() => readSettings({ PLACET_PORT_COMMAND: 'true' })).toThrow('There is no setting PLACET_PORT_COMMAND');
  });
});

describe('a named secret', () => {
  it.each([
    ['PLACET_SECRET_DEFAULT__ENTRA', 'default', 'entra'],
    ['PLACET_SECRET_ACME_CORP__ENTRA_SIGN_IN', 'acme-corp', 'entra-sign.in'],
    ['PLACET_SECRET_A__FILE', 'a', 'file'],
  ])('%s is that of %s, %s', (setting, tenant, name) => {
    expect(NamedSecrets.read({ [setting]: SECRET }).of(tenant, name)).toBe(SECRET);
    expect(NamedSecrets.read({ [setting]: SECRET }).of('other', name)).toBeUndefined();
    expect(readSettings({ [setting]: SECRET }).secrets.of(tenant, name)).toBe(SECRET);
  });

  it('comes from files and commands', () => {
    const file = join(work, 'secret');
    writeFileSync(file, `${SECRET}\n`);
    const secrets = NamedSecrets.read({
      PLACET_SECRET_A__ONE_FILE: file,
      PLACET_SECRET_A__TWO_COMMAND: list(program, 'two'),
      PLACET_SECRET_A__THREE: '',
    });
    expect(['one', 'two', 'three', 'one-file'].map((name) => secrets.of('a', name))).toEqual([
      SECRET,
      'two',
      undefined,
      undefined,
    ]);
  });

  it.each([
    'PLACET_SECRET_A',
    'PLACET_SECRET___B',
    'PLACET_SECRET_A__',
    'PLACET_SECRET_A___B',
    'PLACET_SECRET_A__B__C',
    'PLACET_SECRET_a__b',
  ])('is not called %s', (setting) => {
    expect(() => readSettings({ [setting]: 'x' })).toThrow(setting);
  });

  it.each([
    ['a.b', 'c'],
    ['a_b', 'c'],
    ['A', 'c'],
    ['a--b', 'c'],
    ['a-', 'c'],
    ['', 'c'],
    ['a', ''],
    ['a', 'b--c'],
    ['a', '-b'],
    ['a', 'b-file'],
    ['a', 'b.command'],
  ])('there is none of %j, %j', (tenant, name) => {
    expect(settingOf(tenant, name)).toBeUndefined();
  });

  it('is of one tenant only', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '_', '1', 'file'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(part, part, part, part, (tenant, name, otherTenant, otherName) => {
        const setting = settingOf(tenant, name);
        if (setting === undefined || setting !== settingOf(otherTenant, otherName)) return;
        expect(otherTenant).toBe(tenant);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('proxies and limits', () => {
  it.each<[Environment, object]>([
    [
      { PLACET_TRUSTED_PROXIES: '10.0.0.1/8, fd00::1 ,::ffff:192.0.2.1' },
      { trustedProxies: ['10.0.0.0/8', 'fd00::1/128', '192.0.2.1/32'] },
    ],
    [
      { PLACET_WEBHOOK_HOSTS: 'Hooks.example.com, *.example.net:443,[::1]:8080' },
      {
        webhookHosts: [
          { below: false, name: 'hooks.example.com', port: '' },
          { below: true, name: 'example.net', port: '' },
          { below: false, name: '[::1]', port: '8080' },
        ],
      },
    ],
    [{ PLACET_LIMIT_USER_CODES: '3' }, { attempts: { user_code: 3, api_key: 60 } }],
  ])('%j', (environment, settings) => {
    expect(readSettings(environment)).toMatchObject(settings);
  });

  it.each([
    ['PLACET_TRUSTED_PROXIES', '0.0.0.0/0'],
    ['PLACET_TRUSTED_PROXIES', '10.0.0.0/8,::/0'],
    ['PLACET_TRUSTED_PROXIES', 'proxy.example.org'],
    ['PLACET_TRUSTED_PROXIES', '10.0.0.0/8,'],
    ['PLACET_WEBHOOK_HOSTS', '*'],
    ['PLACET_WEBHOOK_HOSTS', '*.com'],
    ['PLACET_WEBHOOK_HOSTS', '*.10.0.0.1'],
    ['PLACET_WEBHOOK_HOSTS', 'https://hooks.example.com'],
    ['PLACET_WEBHOOK_HOSTS', 'hooks.example.com:65536'],
    ['PLACET_WEBHOOK_HOSTS', 'hooks.example.com,'],
    ['PLACET_PRIVATE_WEBHOOKS', 'home'],
    ['PLACET_LIMIT_API_KEYS', '0'],
    ['PLACET_LIMIT_API_KEYS', '1e3'],
    ['PLACET_LIMIT_SESSIONS', '-1'],
  ])('%s cannot be %s', (name, value) => {
    expect(() => readSettings({ [name]: value })).toThrow(`${name} must be`);
  });
});
