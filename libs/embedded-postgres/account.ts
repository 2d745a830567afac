import { lchown, readFile, stat } from 'node:fs/promises';
import { EmbeddedPostgresError, OTHER_DATABASE, systemCode } from './error.js';

/** An unprivileged account that Postgres runs under where we are root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account to run Postgres under, or null where we are not root and it runs as we do.
 * In this order: the owner of the cluster, the owner of the folder, `postgres`, `nobody`.
 */
export async function accountFor({
  cluster,
  directory,
}: {
  readonly cluster: string;
  readonly directory: string;
}): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;

  const known = await knownAccounts();
  const ofCluster = await owner(cluster);
  if (ofCluster) return known.find(({ uid }) => uid === ofCluster.uid) ?? ofCluster;

  // initdb, unlike Postgres, refuses an account that has no name.
  const ofDirectory = await owner(directory);
  const account =
    known.find(({ uid }) => uid === ofDirectory?.uid) ??
    known.find(({ name }) => name === 'postgres') ??
    known.find(({ name }) => name === 'nobody');
  if (account) return account;
  throw new EmbeddedPostgresError(
    'account_unusable',
    `Postgres refuses to run as root, and there is no account 'postgres' or 'nobody' to run it under: ` +
      `run Placet as an ordinary user, or ${OTHER_DATABASE}.`,
  );
}

/** Makes an account the owner of a file or folder that we have made. */
export async function handOver(path: string, { name, uid, gid }: Account): Promise<void> {
  try {
    // Of the name itself, never of what a link in a folder of the account may point to.
    await lchown(path, uid, gid);
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'account_unusable',
      `Postgres refuses to run as root, and root may not give files to the account '${name}' here ` +
        `(${systemCode(cause)}): run Placet as an ordinary user, or ${OTHER_DATABASE}.`,
      { cause },
    );
  }
}

/** Who owns a path, unless it is root or there is nothing. */
async function owner(path: string): Promise<Account | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats && stats.uid !== 0 ? { name: `${stats.uid}`, uid: stats.uid, gid: stats.gid } : undefined;
}

/** The unprivileged accounts of /etc/passwd. Ones that only a directory service knows are not looked for. */
async function knownAccounts(): Promise<readonly Account[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (!name || !uid || !gid || Number(uid) === 0) return [];
    // macOS writes the account `nobody` as -2; what `stat` says is unsigned.
    return [{ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }];
  });
}
