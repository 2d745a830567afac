import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { processOf } from './process.js';
import { processes, waitFor } from './testing/index.js';

const MARK_OF_TEST = 'placet-test-mark';

describe('what a process is', () => {
  // A process that ends gives its memory back first, command line included: the more it has, the longer that takes.
  it.runIf(process.platform === 'linux')('is not "other" before it is dead', async () => {
    const child = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=200M'], { argv0: MARK_OF_TEST, stdio: 'ignore' });
    await once(child, 'spawn');
    const pid = child.pid!;
    const memory = (): string => readFileSync(`/proc/${pid}/status`, 'utf8');
    await waitFor('the process to fill its memory', () => Number(/VmRSS:\s+(\d+)/.exec(memory())?.[1]) > 200_000);
    expect(await processOf(pid, MARK_OF_TEST)).toBe('ours');
    child.kill('SIGKILL');

    let state: string;
    do state = await processOf(pid, MARK_OF_TEST);
    while (state === 'ours' || state === 'ending');
    expect(processes(pid)).toBeUndefined();
  });
});
