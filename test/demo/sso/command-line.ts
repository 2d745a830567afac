import { spawn } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FROM_THE_SOURCES } from '../../support/from-sources.js';

/** What a command of the command line has said, and what it exited with. */
export interface Ran {
  readonly exit: number;
  readonly output: string;
  readonly notes: string;
}

/** `placet`, in a terminal of a person who has nothing but a place to keep a sign-in. */
export class CommandLine {
  constructor(
    private readonly url: string,
    private readonly directory: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Runs a command to its end. `noted` is told what stands on standard error so far, and what it rejects with ends the command. */
  async run(args: readonly string[], noted: (notes: string) => Promise<void> = async () => {}): Promise<Ran> {
    const gone = new AbortController();
    const child = spawn(process.execPath, [...FROM, PROGRAM, ...args], {
      env: { PATH: process.env.PATH ?? '', PLACET_URL: this.url, PLACET_CONFIG_DIR: this.directory, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([gone.signal, ...(this.signal ? [this.signal] : [])]),
    });
    let [output, notes] = ['', ''];
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => {
      notes += String(chunk);
      noted(notes).catch((error: unknown) => gone.abort(error));
    });
    const exit = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(gone.signal.aborted ? (gone.signal.reason as Error) : error));
      child.once('close', resolve);
    });
    return { exit: exit ?? -1, output, notes };
  }
}

/** As built, or as the source that tests run. */
const IS_SOURCE = extname(import.meta.url) === '.ts';
const FROM = IS_SOURCE ? FROM_THE_SOURCES : [];
const PROGRAM = fileURLToPath(new URL(`../../../apps/cli/src/main.${IS_SOURCE ? 'ts' : 'js'}`, import.meta.url));
