import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { ObligationHandler } from '../obligations.js';

/**
 * Handles the obligation `resolve_realpath`: Placet has proven paths to be inside of their boundary by name only, and here
 * no symbolic link may lead from them to another place. A path that does not exist yet is looked at up to where it ends.
 *
 * It looks at the file system of this process at this moment. It does not protect
 * - where the server sees other files than this process: another machine, container, or root;
 * - where the server's `~` is another folder than the stored `home` of the subject: start the server with that HOME;
 * - from whoever can put a link there between this look and the server's (for that, the server itself must open paths
 *   without following links), nor from hard links and mounts, which are no links that could be seen.
 *
 * It errs on the side of deny: a stored `home` with a link in it, another case than the folder has on a file system that
 * ignores case, and what this process may not read. On Windows everything is denied, as paths of Placet begin with `/`.
 */
export const resolveRealpath: ObligationHandler = async ({ paths }) => {
  if (!Array.isArray(paths) || paths.length === 0) throw new Error('the obligation names no paths');
  for (const path of paths as readonly unknown[]) {
    if (typeof path !== 'string') throw new Error('the obligation names what is no path');
    const resolved = await resolvedPath(path);
    if (!samePlace(resolved, path)) throw new Error(`'${path}' leads to '${resolved}'`);
  }
};

/** Where a path leads: the real path of what there is of it, and the rest by name. Rejects where that cannot be told. */
async function resolvedPath(path: string): Promise<string> {
  for (let existing = path; ; existing = dirname(existing)) {
    const real = await realpath(existing).catch(unlessMissing(path));
    if (real !== undefined) return join(real, relative(existing, path));
    // A link to nothing is there, though its end is not: whoever writes to it makes a file at that end.
    const link = await lstat(existing).catch(unlessMissing(path));
    if (link) throw new Error(`'${existing}' is a link to what does not exist`);
    if (existing === dirname(existing)) throw new Error(`'${path}' has no beginning`);
  }
}

/** Undefined for what is not there; every other failure leaves it open where the path leads. */
function unlessMissing(path: string): (error: NodeJS.ErrnoException) => undefined {
  return ({ code }) => {
    if (code !== 'ENOENT') throw new Error(`where '${path}' leads cannot be told (${code ?? 'unknown error'})`);
    return undefined;
  };
}

/** File systems that normalise give names back in another form than they were asked by; the policy has read both as one. */
const samePlace = (left: string, right: string): boolean => plain(left) === plain(right);

const plain = (path: string): string => path.normalize('NFC').split(sep).join('/');
