import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';

/** A setting that cannot be used. One sentence: which, why, and what it must be. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

const url = (protocol: RegExp, kind: string) => z.url({ protocol, error: `must be ${kind}` });

const databaseUrl = url(/^postgres(ql)?$/, 'a URL such as postgres://user:password@host:5432/database');

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
  PLACET_QUICKSTART: z.enum(['on', 'off'], { error: 'must be on or off' }).optional(),
  PLACET_PRIVATE_IDENTITY_PROVIDERS: z
    .enum(['on', 'loopback', 'off'], { error: 'must be on, loopback or off' })
    .default('loopback'),
  PLACET_LOG: z.enum(['error', 'warn', 'info'], { error: 'must be error, warn or info' }).default('info'),
} as const;

/** Settings that hold secrets; each can also be given as a file, by the same name with `_FILE`. */
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
  readonly privateIdentityProviders: 'on' | 'loopback' | 'off';
  readonly log: 'error' | 'warn' | 'info';
}

/** Reads the settings from the environment. Throws SettingError for the first one that cannot be used. */
export function readSettings(environment: Readonly<Record<string, string | undefined>> = process.env): Settings {
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
    log: read('PLACET_LOG'),
  };
}

/** A misspelt setting would otherwise do nothing, and nobody would notice. */
function refuseUnknown(environment: Readonly<Record<string, string | undefined>>): void {
  const known = new Set([...SETTING_NAMES, ...SECRETS.map((name) => `${name}_FILE`), ...CLIENT_SETTINGS]);
  const unknown = Object.keys(environment).find((name) => name.startsWith('PLACET_') && !known.has(name));
  if (unknown !== undefined)
    throw new SettingError(`There is no setting ${unknown}. docs/configuration.md lists them.`);
}

/** Settings of the command line, which often stand in the same environment. */
const CLIENT_SETTINGS = ['PLACET_URL', 'PLACET_KEY'];

function readSetting<N extends SettingName>(
  name: N,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<(typeof settings)[N]> {
  const given = emptyAsUnset(environment[name]);
  const file = SECRETS.includes(name) ? emptyAsUnset(environment[`${name}_FILE`]) : undefined;
  if (given !== undefined && file !== undefined)
    throw new SettingError(`${name} and ${name}_FILE are both set: set one of them.`);
  const value = given ?? (file === undefined ? undefined : fromFile(name, file));
  const parsed = settings[name].safeParse(value);
  if (parsed.success) return parsed.data as z.output<(typeof settings)[N]>;
  throw new SettingError(`${name} ${parsed.error.issues[0]!.message}.`);
}

const emptyAsUnset = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

function fromFile(name: SettingName, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new SettingError(
      `${name}_FILE names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}

/** Where the command line finds the service, and its key. */
export interface ClientSettings {
  readonly url: string;
  readonly key: string | undefined;
}

export function readClientSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ClientSettings {
  const parsed = url(/^https?$/, 'an http or https URL')
    .default('http://127.0.0.1:8360')
    .safeParse(emptyAsUnset(environment.PLACET_URL));
  if (!parsed.success) throw new SettingError(`PLACET_URL ${parsed.error.issues[0]!.message}.`);
  return { url: parsed.data.replace(/\/$/, ''), key: emptyAsUnset(environment.PLACET_KEY) };
}
