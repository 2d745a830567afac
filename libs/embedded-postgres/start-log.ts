import { open, readFile, rename, rm, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { handOver, type Account } from './account.js';
import { systemCode } from './error.js';

/** Names of the logs of starts that are under way, and of those that were cut off. */
export const START_LOG_PREFIX = 'starting-';

/** Space on a disk that counts as none, in bytes. */
const LEAST_SPACE = 65_536;

/**
 * What one start of initdb or Postgres writes. A file of its own at first, so that two starts at the same moment do not
 * mix; `keep` makes it the `postgres.log` of the folder. One earlier log is kept: it tells why the last Postgres ended.
 */
export class StartLog {
  readonly #directory: string;
  readonly #file: string;
  readonly #handle: FileHandle;

  private constructor(directory: string, file: string, handle: FileHandle) {
    this.#directory = directory;
    this.#file = file;
    this.#handle = handle;
  }

  static async open(directory: string, account: Account | null): Promise<StartLog> {
    const file = join(directory, `${START_LOG_PREFIX}${randomBytes(6).toString('hex')}.log`);
    const log = new StartLog(directory, file, await open(file, 'ax', 0o600));
    try {
      if (account) await handOver(file, account);
    } catch (error) {
      await log.discard();
      throw error;
    }
    return log;
  }

  get descriptor(): number {
    return this.#handle.fd;
  }

  async text(): Promise<string> {
    return readFile(this.#file, 'utf8');
  }

  async keep(): Promise<void> {
    await this.#handle.close();
    const current = join(this.#directory, 'postgres.log');
    await rename(current, `${current}.old`).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
    });
    await rename(this.#file, current);
  }

  async discard(): Promise<void> {
    await this.#handle.close();
    await rm(this.#file, { force: true });
  }
}

/**
 * The line of a log that tells what went wrong, without its prefix: the first failure, as others follow from it; else the
 * last line.
 */
export function tellingLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const line =
    lines.find(isFailure) ?? lines.find((each) => /error:/i.test(each)) ?? lines.at(-1) ?? 'it wrote nothing';
  return line.replace(/^.*?(FATAL|PANIC|ERROR|LOG|initdb: error):\s*/, '').trim();
}

/** Whether a log tells that Postgres itself failed. */
export function tellsOfFailure(text: string): boolean {
  return text.split('\n').some(isFailure);
}

/** Whether a log tells of a full disk, in the words of the C library, or says nothing because of it. */
export async function tellsOfFullDisk(text: string, directory: string): Promise<boolean> {
  if (text !== '') return /No space left on device|Disk quota exceeded/.test(text);
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize < LEAST_SPACE;
}

/** What is fatal to a connection only, because Postgres does not let anyone in yet, does not count. */
function isFailure(line: string): boolean {
  return /(FATAL|PANIC):/.test(line) && !/FATAL: {2}(the database system is|terminating connection)/.test(line);
}
