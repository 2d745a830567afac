import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The folder of the peers: a workspace of its own, so that nobody who uses Placet installs them. */
const directory = join(repository(import.meta.dirname), 'test', 'bench', 'peers');

function repository(from: string): string {
  return existsSync(join(from, 'package-lock.json')) && existsSync(join(from, 'nest-cli.json'))
    ? from
    : repository(dirname(from));
}

/** Installs the peers if they are not there. */
export function installPeers(): void {
  if (existsSync(join(directory, 'node_modules', 'cerbos'))) return;
  console.log('installing the peers (once) ...');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['install', '--no-audit', '--no-fund'], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('the peers could not be installed: see the messages above');
}

/** A package of a peer's. */
export function requirePeer<T>(name: string): T {
  return createRequire(join(directory, 'package.json'))(name) as T;
}

/** The path of a peer's program. */
export function peerProgram(name: string): string {
  return createRequire(join(directory, 'package.json')).resolve(name);
}
