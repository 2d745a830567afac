// Runs a compiled entry point of the repository, building first if a source is newer than the build.
// Usage: node tools/run.mjs apps/server/src/main.js [arguments]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');
const stamp = join(root, 'dist', '.sources');

/** Fingerprint of every input of the build: path, size and modification time. */
function fingerprint() {
  const hash = createHash('sha256');
  const visit = (path) => {
    const stat = statSync(path);
    if (stat.isDirectory()) {
      for (const name of readdirSync(path).sort()) if (name !== 'node_modules') visit(join(path, name));
    } else if (path.endsWith('.ts') || path.endsWith('.json')) {
      hash.update(`${path}\0${stat.size}\0${stat.mtimeMs}\n`);
    }
  };
  for (const name of ['apps', 'libs', 'migrations', 'test', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json']) {
    visit(join(root, name));
  }
  return hash.digest('hex');
}

function builtFrom() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}

const sources = fingerprint();
if (builtFrom() !== sources) {
  process.stderr.write('placet: building (only after a change of the sources) ...\n');
  // Into a folder of its own, and then in one step into its place: two commands may find the same change at once.
  const fresh = join(root, `dist-${process.pid}`);
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (built.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    process.stderr.write('placet: the build failed; see the messages above.\n');
    process.exit(1);
  }
  writeFileSync(join(fresh, '.sources'), sources);
  putInPlace(fresh);
}

/** Makes a new build the one that runs. Where another process was faster, its build is as good. */
function putInPlace(fresh) {
  const old = join(root, `dist-${process.pid}-old`);
  try {
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
    renameSync(fresh, join(root, 'dist'));
  } catch (error) {
    if (builtFrom() !== sources) throw error;
  }
  for (const path of [fresh, old]) rmSync(path, { recursive: true, force: true });
}

// npm does not hand SIGTERM on to what it runs: it dies, and so does the shell between. We must not live on unnoticed.
if (process.env.npm_lifecycle_event !== undefined && process.platform !== 'win32') {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 200).unref();
}

const [entry, ...args] = process.argv.slice(2);
const path = join(root, 'dist', entry);
process.argv = [process.argv[0], path, ...args];
await import(pathToFileURL(path).href);
