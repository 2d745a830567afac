import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FROM_THE_SOURCES } from './from-sources.js';

/** What a command of the command line has said, and what it exited with. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CommandOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** False: whoever would read its output goes away at once. Left out: true. */
  readonly listen?: boolean;
  /** Told once what stands on standard error when the first of it comes. */
  readonly noted?: (notes: string) => Promise<void>;
}

/** Where Node keeps the command line as it has compiled it: without that, a process takes three times as long. */
export const COMPILED = join(process.cwd(), 'node_modules/.cache/placet-command-line');

const PROGRAM = join(process.cwd(), 'apps/cli/src/main.ts');

/** Runs `placet` in a process of its own, with nothing of this process's environment, and rejects with what `noted` does. */
export async function placet(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const { environment = {}, cwd = tmpdir(), listen = true, noted } = options;
  const child = spawn(process.execPath, [...FROM_THE_SOURCES, PROGRAM, ...args], {
    cwd,
    env: { PATH: process.env.PATH, NO_COLOR: '1', NODE_COMPILE_CACHE: COMPILED, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  let answered: Promise<void> | undefined;
  if (listen) child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  else child.stdout.destroy();
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
    answered ??= noted?.(stderr).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  await answered;
  return { code, stdout, stderr };
}
