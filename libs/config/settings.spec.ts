import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NamedSecrets } from './named-secrets.js';
import { SettingError } from './setting-error.js';
import { readClientSettings, readSettings } from './settings.js';

type Environment = Readonly<Record<string, string | undefined>>;

const SECRET = 'correct-horse-battery-staple';
const PEPPER = `${SECRET}-${'p'.repeat(32)}`;
const DATABASE_URL = `postgres://placet:${SECRET}@db:5432/placet`;

let work: string;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'placet settings '));
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(work, name);
  writeFileSync(path, text);
  return path;
}

/** The one sentence that a wrong environment ends in. */
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SettingError) return error.message;
    throw error;
  }
  throw new Error('there was no refusal');
}

describe('settings', () => {
  it('have defaults with which the service starts', () => {
    expect(readSettings({})).toEqual({
      host: '127.0.0.1',
      port: 8360,
      publicUrl: undefined,
      dataDirectory: resolve('.placet'),
      database: undefined,
      environment: 'dev',
      pepper: undefined,
      bootstrapKey: undefined,
      quickstart: true,
      privateIdentityProviders: 'home',
      webhookHosts: [],
      privateWebhooks: 'off',
      fourEyesWaived: new Set(),
      tenantIdleMinutes: 30,
      log: 'info',
      trustedProxies: [],
      attempts: { api_key: 60, token: 30, sign_in: 30, password: 5, user_code: 10, session: 60 },
      secrets: NamedSecrets.NONE,
    });
  });

  it.each<[Environment, object]>([
    [
      { PLACET_HOST: '::1', PLACET_PORT: '0' },
      { host: '::1', port: 0 },
    ],
    [{ PLACET_PORT: '65535' }, { port: 65_535 }],
    [{ PLACET_PORT: '' }, { port: 8360 }],
    [{ PLACET_PUBLIC_URL: 'https://placet.example.com' }, { publicUrl: 'https://placet.example.com' }],
    [{ PLACET_PUBLIC_URL: 'https://example.com/placet/' }, { publicUrl: 'https://example.com/placet' }],
    [{ PLACET_DATA_DIR: '/var/lib/placet' }, { dataDirectory: '/var/lib/placet' }],
    [{ PLACET_DATA_DIR: 'data' }, { dataDirectory: resolve('data') }],
    [{ PLACET_FOUR_EYES_WAIVED: 'acme, default' }, { fourEyesWaived: new Set(['acme', 'default']) }],
    [{ PLACET_ENVIRONMENT: 'prod2' }, { environment: 'prod2' }],
    [
      { PLACET_QUICKSTART: 'off', PLACET_LOG: 'error' },
      { quickstart: false, log: 'error' },
    ],
    [
      { DATABASE_URL, PLACET_PEPPER: PEPPER },
      { database: { url: DATABASE_URL }, pepper: PEPPER, quickstart: false },
    ],
    [{ DATABASE_URL, PLACET_PEPPER: PEPPER, PLACET_QUICKSTART: 'on' }, { quickstart: true }],
    [
      { DATABASE_URL, DATABASE_SERVICE_URL: 'postgresql://app@db/placet', PLACET_PEPPER: PEPPER },
      { database: { url: DATABASE_URL, serviceUrl: 'postgresql://app@db/placet' } },
    ],
    // Settings of the command line, and of other programs, may stand in the same environment.
    [{ PLACET_URL: 'http://127.0.0.1:1', PLACET_KEY: 'x', HOME: '/root', PORT: 'x' }, { port: 8360 }],
  ])('%j', (environment, settings) => {
    expect(readSettings(environment)).toMatchObject(settings);
  });

  it.each<[Environment, string]>([
    [{ PLACET_PORT: 'http' }, 'PLACET_PORT must be a port number.'],
    [{ PLACET_PORT: '65536' }, 'PLACET_PORT must be a port number.'],
    [{ PLACET_PORT: '-1' }, 'PLACET_PORT must be a port number.'],
    [{ PLACET_PORT: '80.5' }, 'PLACET_PORT must be a port number.'],
    [{ PLACET_PORT: '0x50' }, 'PLACET_PORT must be a port number.'],
    [{ PLACET_PORT: '8e1' }, 'PLACET_PORT must be a port number.'],
    [{ PLACET_PORT: ' ' }, 'PLACET_PORT must be a port number.'],
    [{ PLACET_PUBLIC_URL: 'placet.example.com' }, 'PLACET_PUBLIC_URL must be an http or https URL.'],
    [{ PLACET_PUBLIC_URL: 'ftp://placet.example.com' }, 'PLACET_PUBLIC_URL must be an http or https URL.'],
    [{ PLACET_ENVIRONMENT: 'Prod' }, 'PLACET_ENVIRONMENT must be 1 to 16 lower-case letters or digits.'],
    [{ PLACET_ENVIRONMENT: 'pre-prod' }, 'PLACET_ENVIRONMENT must be 1 to 16 lower-case letters or digits.'],
    [{ PLACET_ENVIRONMENT: 'a'.repeat(17) }, 'PLACET_ENVIRONMENT must be 1 to 16 lower-case letters or digits.'],
    [
      { PLACET_FOUR_EYES_WAIVED: 'acme,' },
      'PLACET_FOUR_EYES_WAIVED must be names of tenants parted by commas, such as acme,default.',
    ],
    [{ PLACET_QUICKSTART: 'true' }, 'PLACET_QUICKSTART must be on or off.'],
    [{ PLACET_LOG: 'debug' }, 'PLACET_LOG must be error, warn or info.'],
    [{ PLACET_PROT: '1' }, 'There is no setting PLACET_PROT. docs/configuration.md lists them.'],
    [{ PLACET_PROT: '' }, 'There is no setting PLACET_PROT. docs/configuration.md lists them.'],
    [{ PLACET_PORT_FILE: '/x' }, 'There is no setting PLACET_PORT_FILE. docs/configuration.md lists them.'],
    [{ PLACET_KEY_FILE: '/x' }, 'There is no setting PLACET_KEY_FILE. docs/configuration.md lists them.'],
    [{ PLACET_PEPPER: SECRET }, 'PLACET_PEPPER must have at least 32 characters, as from: openssl rand -hex 32.'],
    [
      { DATABASE_URL },
      'PLACET_PEPPER must be set with DATABASE_URL, the same on every replica, as from: openssl rand -hex 32',
    ],
    [
      { DATABASE_SERVICE_URL: DATABASE_URL },
      'DATABASE_SERVICE_URL is set and DATABASE_URL is not: set both, or neither.',
    ],
    [
      { DATABASE_URL: `mysql://placet:${SECRET}@db/placet`, PLACET_PEPPER: PEPPER },
      'DATABASE_URL must be a URL such as postgres://user:password@host:5432/database.',
    ],
    [
      { DATABASE_URL: SECRET, PLACET_PEPPER: PEPPER },
      'DATABASE_URL must be a URL such as postgres://user:password@host:5432/database.',
    ],
    [
      { DATABASE_URL, DATABASE_SERVICE_URL: `http://app:${SECRET}@db/placet`, PLACET_PEPPER: PEPPER },
      'DATABASE_SERVICE_URL must be a URL such as postgres://user:password@host:5432/database.',
    ],
  ])('%j is refused in one sentence without the secret', (environment, sentence) => {
    const message = refusal(() => readSettings(environment));
    expect(message).toBe(sentence);
    expect(message).not.toContain(SECRET);
  });
});

describe('secrets', () => {
  it('can be files, with a line end or without', () => {
    expect(
      readSettings({
        DATABASE_URL_FILE: file('url', `${DATABASE_URL}\n`),
        DATABASE_SERVICE_URL_FILE: file('service url', DATABASE_URL),
        PLACET_PEPPER_FILE: file('pepper', `${PEPPER}\r\n`),
        PLACET_BOOTSTRAP_KEY_FILE: file('key', 'a key\n'),
      }),
    ).toMatchObject({
      database: { url: DATABASE_URL, serviceUrl: DATABASE_URL },
      pepper: PEPPER,
      bootstrapKey: 'a key',
    });
  });

  it.each<[string, () => Environment, object]>([
    ['a file that is not named', () => ({ PLACET_PEPPER_FILE: '' }), { pepper: undefined }],
    [
      'an empty variable beside a file',
      () => ({ PLACET_PEPPER: '', PLACET_PEPPER_FILE: file('pepper', PEPPER) }),
      { pepper: PEPPER },
    ],
  ])('%s', (_what, environment, settings) => {
    expect(readSettings(environment())).toMatchObject(settings);
  });

  it.each<[string, () => Environment, RegExp]>([
    [
      'a file that is not there',
      () => ({ PLACET_PEPPER_FILE: '/nowhere/pepper' }),
      /^PLACET_PEPPER_FILE names \/nowhere\/pepper, which cannot be read \(ENOENT\)\.$/,
    ],
    [
      'a file beside a value',
      () => ({ PLACET_PEPPER: PEPPER, PLACET_PEPPER_FILE: file('pepper', PEPPER) }),
      /^PLACET_PEPPER and PLACET_PEPPER_FILE are both set: set one of them\.$/,
    ],
    [
      'a folder',
      () => ({ DATABASE_URL_FILE: work }),
      /^DATABASE_URL_FILE names .*, which cannot be read \(EISDIR\)\.$/,
    ],
    [
      'a file with something else',
      () => ({ PLACET_PEPPER_FILE: file('short', SECRET) }),
      /^PLACET_PEPPER must have at least 32 characters, as from: openssl rand -hex 32\.$/,
    ],
    [
      'an empty file',
      () => ({ PLACET_PEPPER_FILE: file('empty', '\n') }),
      /^PLACET_PEPPER must have at least 32 characters, as from: openssl rand -hex 32\.$/,
    ],
    [
      'a file with no URL',
      () => ({ DATABASE_URL_FILE: file('no url', SECRET), PLACET_PEPPER: PEPPER }),
      /^DATABASE_URL must be a URL such as postgres:\/\/user:password@host:5432\/database\.$/,
    ],
  ])('%s is refused in one sentence without the secret', (_what, environment, sentence) => {
    const message = refusal(() => readSettings(environment()));
    expect(message).toMatch(sentence);
    expect(message).not.toContain(SECRET);
  });
});

describe('settings of the command line', () => {
  it.each<[Environment, object]>([
    [{}, { url: 'http://127.0.0.1:8360', key: undefined }],
    [
      { PLACET_URL: '', PLACET_KEY: '' },
      { url: 'http://127.0.0.1:8360', key: undefined },
    ],
    [
      { PLACET_URL: 'https://example.com/placet/', PLACET_KEY: SECRET },
      { url: 'https://example.com/placet', key: SECRET },
    ],
    [{ PLACET_CONFIG_DIR: '/c', XDG_CONFIG_HOME: '/x', HOME: '/h' }, { configDirectory: '/c' }],
    [{ XDG_CONFIG_HOME: '/x', HOME: '/h' }, { configDirectory: '/x/placet' }],
    [{ HOME: '/h' }, { configDirectory: '/h/.config/placet' }],
  ])('%j', (environment, settings) => {
    expect(readClientSettings(environment)).toMatchObject(settings);
  });

  it.each(['placet.example.com', 'ftp://example.com', `x ${SECRET}`])('the URL %j is refused', (url) => {
    expect(refusal(() => readClientSettings({ PLACET_URL: url, PLACET_KEY: SECRET }))).toBe(
      'PLACET_URL must be an http or https URL.',
    );
  });
});
