import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { SettingError } from './setting-error.js';

/** The environment of a process, or of a test. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How long a command may take that prints a secret, in ms. */
const COMMAND_MS = 10_000;

/** The ways to give a secret: its value, a file that has it, or a command that prints it. */
export const SECRET_SUFFIXES = ['', '_FILE', '_COMMAND'] as const;

/**
 * A secret by the name of its setting: the value itself, the content of the file that `NAME_FILE` names, or what the
 * command in `NAME_COMMAND` prints. Undefined where none is given. Throws SettingError, which never has the secret in it.
 */
export function readSecret(name: string, environment: Environment): string | undefined {
  const given = SECRET_SUFFIXES.map((suffix) => `${name}${suffix}`).filter((each) => isSet(environment[each]));
  if (given.length > 1) throw new SettingError(`${given.join(' and ')} are both set: set one of them.`);
  const [setting] = given;
  if (setting === undefined) return undefined;
  const value = environment[setting]!;
  if (setting === name) return value;
  return setting === `${name}_FILE` ? fromFile(setting, value) : fromCommand(setting, value);
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

function fromFile(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new SettingError(
      `${setting} names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}

/** Runs a command without a shell and takes what it prints. Nothing of what it says is passed on, whatever becomes of it. */
function fromCommand(setting: string, line: string): string {
  const [program, ...args] = wordsOf(setting, line);
  const { status, signal, error, stdout } = spawnSync(program!, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: COMMAND_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 1024 * 1024,
  });
  const refuse = (what: string): never => {
    throw new SettingError(`The command of ${setting} ${what}.`);
  };
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ETIMEDOUT') return refuse(`did not end within ${COMMAND_MS / 1000} s`);
  if (code === 'ENOBUFS') return refuse('printed more than 1 MiB');
  if (error) return refuse(`cannot be run (${code})`);
  if (status !== 0) return refuse(status === null ? `was ended by ${signal}` : `failed with status ${status}`);
  const secret = stdout.trim();
  return secret === '' ? refuse('printed nothing') : secret;
}

/** A JSON list of texts, or words between blanks; there are no quotes and no variables, for there is no shell. */
function wordsOf(setting: string, line: string): string[] {
  const text = line.trim();
  const words = text.startsWith('[') ? listOf(text) : text.split(/\s+/);
  if (words && words.length > 0 && words[0] !== '') return words;
  throw new SettingError(
    `${setting} must be a program and its arguments between blanks, or a JSON list of texts, as in ["vault", "read", "x y"].`,
  );
}

function listOf(text: string): string[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((word) => typeof word === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}
