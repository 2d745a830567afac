import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { placeCopy } from './binaries-copy.js';
import { startEmbeddedPostgres } from './index.js';
import {
  folder,
  installLibrary,
  hasOrdinaryUser,
  isRoot,
  NOBODY,
  Owner,
  postmaster,
  processes,
  query,
  stopped,
  type Installation,
} from './testing/index.js';

let library: Installation;
beforeAll(() => void (library = installLibrary('linked')));
afterAll(() => library.remove());

const below = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name));

describe.skipIf(!isRoot)('as root (skipped: the tests do not run as root)', () => {
  it('runs under an unprivileged account that owns all of its files, below a folder that only root may enter', async () => {
    const root = folder();
    const directory = join(root, 'data');
    const { url, stop } = await startEmbeddedPostgres({ directory, volatile: true });
    await query(url, 'CREATE TABLE written ()');
    const server = processes(postmaster(directory)!);
    await stop();
    const owners = new Set([directory, ...below(directory)].map((path) => lstatSync(path).uid));
    expect(statSync(root).mode & 0o777).toBe(0o700);
    expect(statSync(root).uid).toBe(0);
    expect(server!.uid).not.toBe(0);
    expect([...owners]).toEqual([server!.uid]);
  });

  it('runs under the owner of the directory, who can go on without root', async (context) => {
    const root = folder({ of: NOBODY });
    const directory = join(root, 'data');
    mkdirSync(directory);
    execFileSync('chown', [`${NOBODY.uid}:${NOBODY.gid}`, directory]);
    const asRoot = await startEmbeddedPostgres({ directory, volatile: true });
    const server = processes(postmaster(directory)!);
    await asRoot.stop();
    expect(server!.uid).toBe(NOBODY.uid);
    if (!hasOrdinaryUser) return context.skip('this checkout is closed to others than root');
    const owner = new Owner(library, directory, { as: NOBODY });
    const outcome = await owner.outcome();
    await owner.stop();
    expect(outcome).toMatchObject({ how: 'started' });
  });

  it('runs under the account of the cluster, whoever owns the directory', async () => {
    const directory = join(folder(), 'data');
    mkdirSync(directory);
    const first = await startEmbeddedPostgres({ directory, volatile: true });
    const before = processes(postmaster(directory)!)!.uid;
    await first.stop();
    execFileSync('chown', [String(NOBODY.uid), directory]);
    const second = await startEmbeddedPostgres({ directory, volatile: true });
    const after = processes(postmaster(directory)!)!.uid;
    await second.stop();
    expect(after).toBe(before);
  });

  it('runs from a copy of the programs where the account cannot reach them, made once', async () => {
    const closed = installLibrary('copied', { closed: true });
    onTestFinished(() => closed.remove());
    // So that it is not the copy of this machine's own installation, which may be in use.
    writeFileSync(join(closed.native, `of test ${process.pid}`), '');
    const directory = join(dirname(closed.script), 'some data');

    const owner = new Owner(closed, directory);
    const outcome = await owner.outcome();
    const program = readFileSync(`/proc/${postmaster(directory)}/cmdline`, 'utf8').split('\0')[0]!;
    const copy = dirname(dirname(program));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    const made = statSync(copy);
    const rights = below(copy).map((path) => lstatSync(path));
    await owner.stop();

    const again = new Owner(closed, directory);
    const outcomeAgain = await again.outcome();
    await again.stop();
    expect(outcome).toMatchObject({ how: 'started' });
    expect(outcomeAgain).toMatchObject({ how: 'started' });
    expect(copy).toMatch(/\/placet-postgres-18\.[\d.]+-[0-9a-f]{16}$/);
    expect(rights.filter((each) => each.uid !== 0 || (!each.isSymbolicLink() && each.mode & 0o022))).toEqual([]);
    expect(statSync(copy).ino).toBe(made.ino);
  });
});

const hasSetpriv = isRoot && spawnSync('setpriv', ['--version']).status === 0;

describe.skipIf(!hasSetpriv)('as root with less rights, as in a container (skipped: not root, or no setpriv)', () => {
  it('is adopted and stopped where root may not look into other processes', async () => {
    const { directory } = await stopped();
    const first = new Owner(library, directory, { without: '-sys_ptrace,-sys_admin' });
    await first.outcome();
    await first.kill();
    const second = new Owner(library, directory, { without: '-sys_ptrace,-sys_admin' });
    const outcome = await second.outcome();
    const pid = postmaster(directory)!;
    await second.stop();
    expect(outcome).toMatchObject({ how: 'adopted' });
    expect(processes(pid)).toBeUndefined();
  });

  it.each([
    { name: 'change to another account', without: '-setuid,-setgid', says: 'may not change to the account' },
    { name: 'give files away', without: '-chown', says: 'may not give files to the account' },
  ])('says so where root may not $name', async ({ without, says }) => {
    const { code, message } = await new Owner(library, join(folder(), 'data'), { without }).outcome();
    expect(code).toBe('account_unusable');
    expect(message).toContain(says);
    expect(message).toMatch(/^[^\n]*: run Placet as an ordinary user, or set DATABASE_URL[^\n]*\.$/);
  });
});

describe.skipIf(!isRoot)('the copy of the programs (skipped: the tests do not run as root)', () => {
  const runs = () => Promise.resolve(true);

  /** Something to copy, and a place to copy it to. */
  function source() {
    const root = folder();
    mkdirSync(join(root, 'native/bin'), { recursive: true });
    mkdirSync(join(root, 'place'), { mode: 0o755 });
    writeFileSync(join(root, 'native/bin/postgres'), 'program', { mode: 0o700 });
    writeFileSync(join(root, 'native/data'), 'data', { mode: 0o600 });
    return { native: join(root, 'native'), place: join(root, 'place') };
  }

  it('is readable to all, written by root only, and used again', async () => {
    const { native, place } = source();
    const first = await placeCopy(native, '18.4', runs, [place]);
    const { ino } = statSync(first!);
    const second = await placeCopy(native, '18.4', runs, [place]);
    expect(second).toBe(first);
    expect(statSync(second!).ino).toBe(ino);
    expect(readdirSync(place)).toHaveLength(1);
    const modes = ['', 'bin', 'bin/postgres', 'data'].map((name) => statSync(join(first!, name)).mode & 0o777);
    expect(modes).toEqual([0o755, 0o755, 0o755, 0o644]);
  });

  it('is another for other programs', async () => {
    const { native, place } = source();
    const first = await placeCopy(native, '18.4', runs, [place]);
    writeFileSync(join(native, 'data'), 'longer data');
    expect(await placeCopy(native, '18.4', runs, [place])).not.toBe(first);
  });

  it.each([
    { name: 'lacks a file', damage: (copy: string) => rmSync(join(copy, 'data')) },
    { name: 'has a file of another', damage: (copy: string) => execFileSync('chown', ['1', join(copy, 'data')]) },
    { name: 'has a file that others may write', damage: (copy: string) => chmodSync(join(copy, 'data'), 0o666) },
  ])('is made anew if it $name', async ({ damage }) => {
    const { native, place } = source();
    const copy = await placeCopy(native, '18.4', runs, [place]);
    const { ino } = statSync(copy!);
    damage(copy!);
    expect(await placeCopy(native, '18.4', runs, [place])).toBe(copy);
    expect(statSync(copy!).ino).not.toBe(ino);
    expect(statSync(join(copy!, 'data'))).toMatchObject({ uid: 0, mode: 0o100644 });
  });

  it.each([
    { name: 'another owns it', damage: (copy: string) => execFileSync('chown', ['1', copy]) },
    { name: 'others may write it', damage: (copy: string) => chmodSync(copy, 0o777) },
  ])('is left alone, and not used, where $name', async ({ damage }) => {
    const { native, place } = source();
    const copy = await placeCopy(native, '18.4', runs, [place]);
    const { ino } = statSync(copy!);
    damage(copy!);
    expect(await placeCopy(native, '18.4', runs, [place])).toBeNull();
    expect(statSync(copy!).ino).toBe(ino);
  });

  it.each([
    { name: 'anyone may rename it', damage: (place: string) => chmodSync(place, 0o777) },
    { name: 'another owns the place', damage: (place: string) => execFileSync('chown', ['1', place]) },
  ])('is not put where $name', async ({ damage }) => {
    const { native, place } = source();
    damage(place);
    expect(await placeCopy(native, '18.4', runs, [place])).toBeNull();
  });

  it('goes to the next place where it does not run', async () => {
    const { native, place } = source();
    const other = source().place;
    const copy = await placeCopy(native, '18.4', (path) => Promise.resolve(path.startsWith(other)), [place, other]);
    expect(dirname(copy!)).toBe(other);
  });
});

describe.skipIf(!hasOrdinaryUser)('as an ordinary user (skipped: this checkout is closed to others than root)', () => {
  const as = isRoot ? { as: NOBODY } : {};

  it('starts, is adopted after kill -9, and stops', async () => {
    const directory = join(folder(isRoot ? { of: NOBODY } : {}), 'data');
    const first = new Owner(library, directory, as);
    const started = await first.outcome();
    const server = processes(postmaster(directory)!);
    await first.kill();
    const second = new Owner(library, directory, as);
    const adopted = await second.outcome();
    const pid = postmaster(directory)!;
    await second.stop();
    expect(started).toMatchObject({ how: 'started' });
    expect(adopted).toMatchObject({ how: 'adopted', url: started.url });
    expect(server!.uid).toBe(isRoot ? NOBODY.uid : process.getuid!());
    expect(processes(pid)).toBeUndefined();
  });
});
