import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { CommandError } from './command-error.js';
import type { SignIn } from './sign-in.js';

const signInSchema = z.strictObject({
  issuer: z.url(),
  accessToken: z.string(),
  refreshToken: z.string().optional(),
  expiresAt: z.number(),
});

/** By the URL of the service. */
const fileSchema = z.record(z.string(), signInSchema);

/** For how long another command may be at it, in ms. */
const LOCK_MS = 15_000;

/** The sign-ins of a person, in a file that nobody else can read. */
export class KeptSignIns {
  readonly #path: string;

  constructor(private readonly directory: string) {
    this.#path = join(directory, 'credentials.json');
  }

  /** Throws CommandError for a file that others may read, or that is none of ours. */
  of(url: string): SignIn | undefined {
    return this.#all()[url] as SignIn | undefined;
  }

  keep(url: string, signIn: SignIn): void {
    this.#write({ ...this.#all(), [url]: signIn });
  }

  forget(url: string): void {
    const { [url]: _, ...others } = this.#all();
    this.#write(others);
  }

  /** Does something while no other command does: two that renew one sign-in at once would end it. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const lock = `${this.#path}.lock`;
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    for (const until = Date.now() + LOCK_MS; !take(lock); await wait(100)) {
      if (Date.now() > until)
        throw new CommandError(`another command does not finish: remove ${lock} if there is none.`);
    }
    try {
      return await work();
    } finally {
      rmSync(lock, { force: true });
    }
  }

  #all(): z.output<typeof fileSchema> {
    const text = this.#read();
    if (text === undefined) return {};
    try {
      return fileSchema.parse(JSON.parse(text));
    } catch {
      throw new CommandError(`${this.#path} cannot be read: remove it, and run placet login.`);
    }
  }

  #read(): string | undefined {
    try {
      const others = process.platform === 'win32' ? 0 : statSync(this.#path).mode & 0o077;
      if (others !== 0)
        throw new CommandError(`others may read ${this.#path}: run chmod 600 on it, or placet login anew.`);
      return readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #write(all: z.output<typeof fileSchema>): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const next = `${this.#path}.${process.pid}`;
    writeFileSync(next, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 });
    chmodSync(next, 0o600);
    renameSync(next, this.#path);
  }
}

/** Whether a lock could be taken. One that somebody left behind goes after a while. */
function take(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const left = statSync(lock, { throwIfNoEntry: false });
    if (left && Date.now() - left.mtimeMs > 2 * LOCK_MS) rmSync(lock, { force: true });
    return false;
  }
}
