import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Source } from '#policy';

/** The policies that a new tenant starts with. */
export function quickstartSources(): Source[] {
  const directory = join(repository(import.meta.dirname), 'examples', 'quickstart');
  return readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => ({ file: join('examples', 'quickstart', file), text: readFileSync(join(directory, file), 'utf8') }));
}

/** The folder of the package, above this file: as sources and as built, files are at different depths. */
function repository(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const above = dirname(from);
  if (above === from) throw new Error('the folder of the package is not to be found');
  return repository(above);
}
