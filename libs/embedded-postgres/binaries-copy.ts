import { createHash } from 'node:crypto';
import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where copies may lie, best first; cleaners of temporary files pass the first by. */
const PLACES = ['/var/cache', tmpdir(), '/tmp', '/var/tmp'];

/**
 * Has a copy of the folder `root` in a place where other accounts can run it: one that an earlier start made, or a new
 * one. Root only. Null where no place will do.
 * @param runs whether the programs in a copy run under the account they are for
 */
export async function placeCopy(
  root: string,
  version: string,
  runs: (copy: string) => Promise<boolean>,
  places: readonly string[] = PLACES,
): Promise<string | null> {
  const entries = await list(root);
  const name = `placet-postgres-${version}-${fingerprint(entries)}`;
  for (const place of places) {
    if (!(await isSafe(place))) continue;
    const copy = join(place, name);
    try {
      if (!(await isIntact(copy, entries))) await make(root, entries, place, copy);
      if ((await isIntact(copy, entries)) && (await runs(copy))) return copy;
    } catch {
      // Read-only, full, or mounted without the right to execute: the next place.
    }
  }
  return null;
}

type Entry =
  | { readonly path: string; readonly kind: 'folder' }
  | { readonly path: string; readonly kind: 'file'; readonly size: number; readonly executable: boolean }
  | { readonly path: string; readonly kind: 'link'; readonly target: string };

/** Everything below a folder, in an order of its own. Refuses what root does not own or others may write, if told to. */
async function list(root: string, check: 'ours' | 'any' = 'any', path = ''): Promise<readonly Entry[]> {
  const names = (await readdir(join(root, path))).sort();
  const entries = await Promise.all(
    names.map(async (name): Promise<readonly Entry[]> => {
      const below = join(path, name);
      const stats = await lstat(join(root, below));
      if (check === 'ours' && (stats.uid !== 0 || (!stats.isSymbolicLink() && (stats.mode & 0o022) !== 0))) {
        throw new Error(`'${below}' could be another's`);
      }
      if (stats.isDirectory()) return [{ path: below, kind: 'folder' }, ...(await list(root, check, below))];
      if (stats.isSymbolicLink()) {
        return [{ path: below, kind: 'link', target: await readlink(join(root, below)) }];
      }
      return [{ path: below, kind: 'file', size: stats.size, executable: (stats.mode & 0o100) !== 0 }];
    }),
  );
  return entries.flat();
}

function fingerprint(entries: readonly Entry[]): string {
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 16);
}

/** Whether only root can put or replace something under a name in `place` that root has taken there. */
async function isSafe(place: string): Promise<boolean> {
  const stats = await lstat(place).catch(() => undefined);
  if (!stats?.isDirectory() || stats.uid !== 0) return false;
  return (stats.mode & 0o022) === 0 || (stats.mode & 0o1000) !== 0;
}

/** Whether a copy is root's alone and complete; cleaners of temporary files take single files out of it. */
async function isIntact(copy: string, entries: readonly Entry[]): Promise<boolean> {
  if (!(await isRoots(copy))) return false;
  const found = await list(copy, 'ours').catch(() => []);
  return fingerprint(found) === fingerprint(entries);
}

async function isRoots(folder: string): Promise<boolean> {
  const stats = await lstat(folder).catch(() => undefined);
  return stats !== undefined && stats.isDirectory() && stats.uid === 0 && (stats.mode & 0o022) === 0;
}

async function make(root: string, entries: readonly Entry[], place: string, copy: string): Promise<void> {
  const temporary = await mkdtemp(join(place, '.placet-postgres-'));
  try {
    for (const entry of entries) {
      const target = join(temporary, entry.path);
      if (entry.kind === 'link') await symlink(entry.target, target);
      else if (entry.kind === 'folder') await mkdir(target);
      else await copyFile(join(root, entry.path), target);
      // In so many words, as neither the umask nor the rights in the package are to be relied on.
      if (entry.kind !== 'link') await chmod(target, entry.kind === 'folder' || entry.executable ? 0o755 : 0o644);
    }
    await chmod(temporary, 0o755);
    // A damaged copy of ours goes; what another process made at this moment stays, and so does what is not ours.
    if ((await isRoots(copy)) && !(await isIntact(copy, entries))) await rm(copy, { recursive: true });
    await rename(temporary, copy).catch(() => undefined);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
