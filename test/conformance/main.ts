import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStandalone } from '../support/standalone.js';
import { hasVectors, runVectors } from './run.js';

const say = (text: string): void => void process.stderr.write(`placet: ${text}\n`);

/** Runs vectors against a service of their own. Exits with 0 if none failed, 1 if one did, 2 if none could be run. */
async function main(directories: readonly string[]): Promise<number> {
  const missing = directories.find((directory) => !hasVectors(directory));
  if (directories.length === 0 || missing !== undefined) {
    say(
      directories.length === 0
        ? 'name a folder with vectors: npm run conformance -- DIR...'
        : `there are no vectors in ${missing}: no decisions.json, fixture.json or default-mappings.json`,
    );
    return 2;
  }
  const directory = mkdtempSync(join(tmpdir(), 'placet-conformance-'));
  const service = await startStandalone({ directory, quickstart: false, progress: say });
  try {
    let failed = 0;
    for (const vectors of directories) {
      const tally = await runVectors(vectors, service, (line) => void process.stdout.write(`${line}\n`));
      process.stdout.write(`${vectors}: ${tally.passed} passed, ${tally.failed} failed, ${tally['not run']} not run\n`);
      failed += tally.failed;
    }
    return failed === 0 ? 0 : 1;
  } finally {
    await service.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

process.exit(await main(process.argv.slice(2)));
