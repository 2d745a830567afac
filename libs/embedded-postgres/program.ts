import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Account } from './account.js';

export interface ProgramOptions {
  readonly account: Account | null;
  readonly cwd?: string;
  readonly stdio: StdioOptions;
  /** In a process group of its own, which Ctrl-C at the terminal does not reach. */
  readonly detached?: boolean;
}

/** Starts a program under an account; resolves once it runs and rejects with the system error if it cannot. */
export function startProgram(path: string, args: readonly string[], options: ProgramOptions): Promise<ChildProcess> {
  const { account, cwd, stdio, detached = false } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      stdio,
      detached,
      windowsHide: true,
      ...(cwd === undefined ? {} : { cwd }),
      // Node takes a signed number here.
      ...(account && { uid: account.uid | 0, gid: account.gid | 0 }),
      // Not ours: it holds secrets that Postgres has no need of, and variables that it would heed.
      ...(process.platform === 'win32' ? {} : { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } }),
    });
    child.once('error', reject);
    child.once('spawn', () => {
      child.off('error', reject);
      child.on('error', () => undefined);
      resolve(child);
    });
  });
}

/**
 * How a program names `folder`, which must be its working directory. As root on Linux by a link that needs no right on
 * the folders above, because the account may not have any, as below /root; a process hands it on to its children.
 */
export function folderArgument(folder: string, account: Account | null): string {
  return account && process.platform === 'linux' ? '/proc/self/cwd' : folder;
}

/** Resolves to the exit code of a program, or to the name of the signal that ended it. */
export function ended(child: ChildProcess): Promise<number | string> {
  const known = child.exitCode ?? child.signalCode;
  if (known !== null) return Promise.resolve(known);
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown')));
}
