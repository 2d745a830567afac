import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_ATTEMPT_LIMITS, type AttemptClass, type AttemptLimits } from '#http';
import { normalNetwork } from '#identity';
import { allowedHost, type AllowedHost } from '#outgoing';
import { isNamedSecret, NamedSecrets } from './named-secrets.js';
import { readSecret, SECRET_SUFFIXES, type Environment } from './secrets.js';
import { SettingError } from './setting-error.js';

const url = (protocol: RegExp, kind: string) => z.url({ protocol, error: `must be ${kind}` });

const databaseUrl = url(/^postgres(ql)?$/, 'a URL such as postgres://user:password@host:5432/database');

/** Failed attempts a minute. */
const attempts = (of: AttemptClass) =>
  z
    .string()
    .refine((text) => /^[1-9]\d{0,5}$/.test(text), 'must be a number of attempts a minute, from 1 to 999999')
    .transform(Number)
    .default(DEFAULT_ATTEMPT_LIMITS[of]);

/** Networks, parted by commas. One of all addresses would have every client say where it is from. */
const proxies = z
  .string()
  .transform((text) => text.split(',').map((network) => normalNetwork(network.trim())))
  .refine(
    (networks) => networks.every((network) => network !== undefined && !network.endsWith('/0')),
    'must be addresses or networks parted by commas, such as 10.0.0.0/8,fd00::/8, and not all addresses that there are',
  )
  .transform((networks) => networks as string[])
  .default([]);

/** Hosts that may be told of what is asked, parted by commas. */
const webhookHosts = z
  .string()
  .transform((text) => text.split(',').map((host) => allowedHost(host.trim())))
  .refine(
    (hosts) => hosts.every((host) => host !== undefined),
    'must be hosts parted by commas, such as hooks.example.com,*.example.net,hooks.example.org:8443',
  )
  .transform((hosts) => hosts as AllowedHost[])
  .default([]);

/** Names of tenants, parted by commas. */
const tenants = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .refine(
    (names) => names.every((name) => /^[a-z0-9-]{1,64}$/.test(name)),
    'must be names of tenants parted by commas, such as acme,default',
  )
  .transform((names): ReadonlySet<string> => new Set(names))
  .default(new Set<string>());

/** Every setting: its name in the environment, what it may be, and what it is for. docs/configuration.md lists them. */
const settings = {
  PLACET_HOST: z.string().min(1).default('127.0.0.1'),
  PLACET_PORT: z
    .string()
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, 'must be a port number')
    .transform(Number)
    .default(8360),
  PLACET_PUBLIC_URL: url(/^https?$/, 'an http or https URL').optional(),
  PLACET_DATA_DIR: z.string().min(1).default('.placet'),
  DATABASE_URL: databaseUrl.optional(),
  DATABASE_SERVICE_URL: databaseUrl.optional(),
  PLACET_ENVIRONMENT: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/, 'must be 1 to 16 lower-case letters or digits')
    .default('dev'),
  PLACET_PEPPER: z.string().min(32, 'must have at least 32 characters, as from: openssl rand -hex 32').optional(),
  PLACET_BOOTSTRAP_KEY: z.string().optional(),
  PLACET_TRUSTED_PROXIES: proxies,
  PLACET_LIMIT_API_KEYS: attempts('api_key'),
  PLACET_LIMIT_TOKENS: attempts('token'),
  PLACET_LIMIT_SIGN_INS: attempts('sign_in'),
  PLACET_LIMIT_PASSWORDS: attempts('password'),
  PLACET_LIMIT_USER_CODES: attempts('user_code'),
  PLACET_LIMIT_SESSIONS: attempts('session'),
  PLACET_QUICKSTART: z.enum(['on', 'off'], { error: 'must be on or off' }).optional(),
  PLACET_PRIVATE_IDENTITY_PROVIDERS: z
    .enum(['on', 'loopback', 'home', 'off'], { error: 'must be on, loopback, home or off' })
    .default('home'),
  PLACET_WEBHOOK_HOSTS: webhookHosts,
  PLACET_PRIVATE_WEBHOOKS: z.enum(['on', 'loopback', 'off'], { error: 'must be on, loopback or off' }).default('off'),
  PLACET_FOUR_EYES_WAIVED: tenants,
  PLACET_TENANT_IDLE_MINUTES: z
    .string()
    .refine((text) => /^\d{1,6}$/.test(text) && Number(text) >= 1, 'must be a number of minutes, 1 or more')
    .transform(Number)
    .default(30),
  PLACET_LOG: z.enum(['error', 'warn', 'info'], { error: 'must be error, warn or info' }).default('info'),
} as const;

/** Settings that hold secrets; each can also be given as a file (`_FILE`) or by a command that prints it (`_COMMAND`). */
const SECRETS: readonly string[] = ['DATABASE_URL', 'DATABASE_SERVICE_URL', 'PLACET_PEPPER', 'PLACET_BOOTSTRAP_KEY'];

export type SettingName = keyof typeof settings;
export const SETTING_NAMES = Object.keys(settings) as readonly SettingName[];

/** The settings of this process, checked. */
export interface Settings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Under which URL others reach the service, without a slash at the end; undefined: by host and port. */
  readonly publicUrl: string | undefined;
  /** Absolute. */
  readonly dataDirectory: string;
  /** Undefined: the embedded Postgres. */
  readonly database: { readonly url: string; readonly serviceUrl?: string } | undefined;
  readonly environment: string;
  /** Undefined: one is made and kept in the data directory. */
  readonly pepper: string | undefined;
  readonly bootstrapKey: string | undefined;
  readonly quickstart: boolean;
  /** Which identity providers may be gone to beyond those of the public internet. */
  readonly privateIdentityProviders: 'on' | 'loopback' | 'home' | 'off';
  /** Hosts that webhooks of documents may be on; no other is told anything. */
  readonly webhookHosts: readonly AllowedHost[];
  /** Where they may be beyond the public internet. */
  readonly privateWebhooks: 'on' | 'loopback' | 'off';
  /** Networks of the proxies whose word is taken for the address of a client. */
  readonly trustedProxies: readonly string[];
  /** Tenants in which one person may change documents alone, though they want two to have seen it. */
  readonly fourEyesWaived: ReadonlySet<string>;
  /** How often in a minute somebody may fail, by what is tried. */
  readonly attempts: AttemptLimits;
  /** What documents name and must not have in them. */
  readonly secrets: NamedSecrets;
  /** For how long the state of a tenant that nobody uses stays in memory. */
  readonly tenantIdleMinutes: number;
  readonly log: 'error' | 'warn' | 'info';
}

/** Reads the settings from the environment. Throws SettingError for the first one that cannot be used. */
export function readSettings(environment: Environment = process.env): Settings {
  refuseUnknown(environment);
  const read = <N extends SettingName>(name: N): z.output<(typeof settings)[N]> => readSetting(name, environment);
  const url = read('DATABASE_URL');
  const serviceUrl = read('DATABASE_SERVICE_URL');
  const pepper = read('PLACET_PEPPER');
  if (url === undefined && serviceUrl !== undefined) {
    throw new SettingError('DATABASE_SERVICE_URL is set and DATABASE_URL is not: set both, or neither.');
  }
  if (url !== undefined && pepper === undefined) {
    throw new SettingError(
      'PLACET_PEPPER must be set with DATABASE_URL, the same on every replica, as from: openssl rand -hex 32',
    );
  }
  return {
    host: read('PLACET_HOST'),
    port: read('PLACET_PORT'),
    publicUrl: read('PLACET_PUBLIC_URL')?.replace(/\/$/, ''),
    dataDirectory: resolve(read('PLACET_DATA_DIR')),
    database: url === undefined ? undefined : { url, ...(serviceUrl === undefined ? {} : { serviceUrl }) },
    environment: read('PLACET_ENVIRONMENT'),
    pepper,
    bootstrapKey: read('PLACET_BOOTSTRAP_KEY'),
    // People and policies that were made up belong into no database that somebody has set up for this.
    quickstart: (read('PLACET_QUICKSTART') ?? (url === undefined ? 'on' : 'off')) === 'on',
    privateIdentityProviders: read('PLACET_PRIVATE_IDENTITY_PROVIDERS'),
    webhookHosts: read('PLACET_WEBHOOK_HOSTS'),
    privateWebhooks: read('PLACET_PRIVATE_WEBHOOKS'),
    fourEyesWaived: read('PLACET_FOUR_EYES_WAIVED'),
    trustedProxies: read('PLACET_TRUSTED_PROXIES'),
    attempts: {
      api_key: read('PLACET_LIMIT_API_KEYS'),
      token: read('PLACET_LIMIT_TOKENS'),
      sign_in: read('PLACET_LIMIT_SIGN_INS'),
      password: read('PLACET_LIMIT_PASSWORDS'),
      user_code: read('PLACET_LIMIT_USER_CODES'),
      session: read('PLACET_LIMIT_SESSIONS'),
    },
    secrets: NamedSecrets.read(environment),
    tenantIdleMinutes: read('PLACET_TENANT_IDLE_MINUTES'),
    log: read('PLACET_LOG'),
  };
}

/** A misspelt setting would otherwise do nothing, and nobody would notice. */
function refuseUnknown(environment: Environment): void {
  const secrets = SECRETS.flatMap((name) => SECRET_SUFFIXES.map((suffix) => `${name}${suffix}`));
  const known = new Set([...SETTING_NAMES, ...secrets, ...CLIENT_SETTINGS]);
  const unknown = Object.keys(environment).find(
    (name) => name.startsWith('PLACET_') && !known.has(name) && !isNamedSecret(name),
  );
  if (unknown !== undefined)
    throw new SettingError(`There is no setting ${unknown}. docs/configuration.md lists them.`);
}

/** Settings of the command line, which often stand in the same environment. */
const CLIENT_SETTINGS = ['PLACET_URL', 'PLACET_KEY', 'PLACET_CONFIG_DIR'];

function readSetting<N extends SettingName>(name: N, environment: Environment): z.output<(typeof settings)[N]> {
  const value = SECRETS.includes(name) ? readSecret(name, environment) : emptyAsUnset(environment[name]);
  const parsed = settings[name].safeParse(value);
  if (parsed.success) return parsed.data as z.output<(typeof settings)[N]>;
  throw new SettingError(`${name} ${parsed.error.issues[0]!.message}.`);
}

const emptyAsUnset = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

/** Where the command line finds the service, its key, and what it keeps of people who sign in. */
export interface ClientSettings {
  readonly url: string;
  readonly key: string | undefined;
  /** Absolute. */
  readonly configDirectory: string;
}

export function readClientSettings(environment: Environment = process.env): ClientSettings {
  const parsed = url(/^https?$/, 'an http or https URL')
    .default('http://127.0.0.1:8360')
    .safeParse(emptyAsUnset(environment.PLACET_URL));
  if (!parsed.success) throw new SettingError(`PLACET_URL ${parsed.error.issues[0]!.message}.`);
  return {
    url: parsed.data.replace(/\/$/, ''),
    key: emptyAsUnset(environment.PLACET_KEY),
    configDirectory: resolve(emptyAsUnset(environment.PLACET_CONFIG_DIR) ?? join(configHome(environment), 'placet')),
  };
}

/** Where programs keep what is a user's own (XDG Base Directory Specification). */
const configHome = ({ XDG_CONFIG_HOME, HOME }: Readonly<Record<string, string | undefined>>): string =>
  emptyAsUnset(XDG_CONFIG_HOME) ?? join(emptyAsUnset(HOME) ?? homedir(), '.config');
