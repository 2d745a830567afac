import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.js';
import { MARK } from './cluster.js';
import { systemCode } from './error.js';

/**
 * What a process is to a cluster: `ours`, its server; `unmarked`, a Postgres that could be its server, but that we did
 * not start; `ending`, one that has let go of its memory, and with it of its command line, but perhaps not yet of its
 * files; `other`, anything else, and a dead one that its parent has not waited for; `none`, not there.
 */
export async function processOf(pid: number, mark: string): Promise<'ours' | 'unmarked' | 'ending' | 'other' | 'none'> {
  const words = await commandOf(pid);
  if (words === null) return 'none';
  if (words.join('') === '') return (await isDead(pid)) ? 'other' : 'ending';
  if (words.includes(mark)) return 'ours';
  const [program = ''] = words;
  const isServer = /(^|[\\/])postgres(\.exe)?$/.test(program) && !words.some((word) => word.startsWith(`${MARK}=`));
  return isServer ? 'unmarked' : 'other';
}

/** Sends a signal to a process; that it has ended meanwhile is no error. */
export async function sendSignal(
  { pgCtl }: Binaries,
  pid: number,
  signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL',
): Promise<void> {
  // Windows has no signals: Postgres listens on a pipe for them, and its own program knows how to write there.
  if (process.platform === 'win32' && signal !== 'SIGKILL') {
    await run(pgCtl, ['kill', signal.slice('SIG'.length), String(pid)]).catch(() => undefined);
    return;
  }
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

const run = promisify(execFile);

/** Whether a process of Linux without a command line is a dead one, or gone. */
async function isDead(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
  return /^[ZX]/.test(text.slice(text.lastIndexOf(')') + 2));
}

/** The words of a process's command line; null if there is no such process. */
async function commandOf(pid: number): Promise<readonly string[] | null> {
  if (process.platform === 'linux') {
    // The command line is every account's to read; the working directory would not be, even to root in a container.
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
    return text === null ? null : text.split('\0');
  }
  const query =
    process.platform === 'win32'
      ? run('powershell', [
          '-NoProfile',
          '-Command',
          `(Get-CimInstance Win32_Process -Filter ProcessId=${pid}).CommandLine`,
        ])
      : run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
  const text = (await query.catch(() => ({ stdout: '' }))).stdout.trim();
  return text === '' ? null : text.split(/\s+/);
}
