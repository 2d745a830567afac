import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './api.js';

/** A policy file: its path as the person wrote it, and its text. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string;
}

/** Every `.yaml`, `.yml` and `.json` file in a folder and below, in order; hidden ones and node_modules are left out. */
export function readPolicyFiles(directory: string): PolicyFile[] {
  try {
    const files = statSync(directory).isDirectory() ? below(directory) : [directory];
    if (files.length > 0) return files.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
  } catch (cause) {
    throw new CommandError(`${directory} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause });
  }
  throw new CommandError(`there is no .yaml, .yml or .json file in ${directory}.`);
}

function below(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return below(path);
      return /\.(ya?ml|json)$/.test(entry.name) ? [path] : [];
    });
}
