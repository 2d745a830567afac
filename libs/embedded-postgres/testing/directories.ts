import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEmbeddedPostgres } from '../index.js';
import type { Installation } from './installation.js';
import { folder, postmaster, processes } from './machine.js';
import { Owner } from './owner.js';

const run = promisify(execFile);

/** A directory with a cluster that does not run. Copies of one that is made once in each spec file: initdb takes long. */
export async function stopped(): Promise<{ directory: string; file: string }> {
  const directory = join(folder(), 'data');
  mkdirSync(directory);
  await run('cp', ['-a', join(await (template ??= makeTemplate()), 'cluster'), directory]);
  return { directory, file: join(directory, 'cluster/data/postmaster.pid') };
}

let template: Promise<string> | undefined;

async function makeTemplate(): Promise<string> {
  const directory = join(folder(), 'data');
  const { stop } = await startEmbeddedPostgres({ directory, volatile: true });
  await stop();
  return directory;
}

/** A directory whose server runs on without an owner, as after `kill -9`. */
export async function leftBehind(library: Installation): Promise<{ directory: string; pid: number; url: string }> {
  const { directory } = await stopped();
  const owner = new Owner(library, directory);
  const { url, message } = await owner.outcome();
  const pid = postmaster(directory);
  await owner.kill();
  if (url === undefined || pid === undefined || !processes(pid)) throw new Error(message ?? 'the server is gone');
  return { directory, pid, url };
}
