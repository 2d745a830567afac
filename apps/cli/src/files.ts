import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { parseDocuments } from '#policy';
import { CommandError } from './api.js';

/** A policy file: its path as the person wrote it, and its text. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string;
}

/** Files whose documents belong together, and what the person called them. */
export interface DocumentFiles {
  readonly name: string;
  readonly files: readonly PolicyFile[];
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

/**
 * The sets of documents that some paths stand for: all of them together are one, as for `apply`. Documents of which more
 * than one is a Tenant cannot be one set: then each path is a set by itself, and a folder without files of its own one set
 * for each folder in it.
 */
export function documentSets(paths: readonly string[]): DocumentFiles[] {
  const files = paths.flatMap(readPolicyFiles);
  const set = { name: paths.join(' '), files };
  const parsed = files.map(({ path, text }) => parseDocuments({ file: path, text }));
  const tenants = parsed.flatMap(({ documents }) => documents.filter(({ document }) => document.kind === 'Tenant'));
  if (tenants.length < 2) return [set];
  const parts = paths.length > 1 ? paths : foldersOf(paths[0]!);
  return parts.length === 0 ? [set] : parts.flatMap((part) => documentSets([part]));
}

/** The folders with policy files in a folder that has no such files of its own; none where it has. */
function foldersOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [];
  const found = below(path);
  const inside = found.map((file) => relative(path, file).split(sep));
  if (inside.some((parts) => parts.length === 1)) return [];
  return [...new Set(inside.map(([folder]) => join(path, folder!)))];
}
