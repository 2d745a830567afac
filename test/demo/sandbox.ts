import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that everything of one run lives in, with the home of the person whom the demo is about. */
export interface Sandbox {
  readonly directory: string;
  /** Without symbolic links in it, as a stored `home` must be. */
  readonly home: string;
  /** What the company's servers have received. */
  readonly journal: string;
  remove(): void;
}

/** What nobody in the demo may get to see. */
export const PRIVATE_KEY = 'not-a-real-private-key';

export function makeSandbox(): Sandbox {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'placet-demo-')));
  const home = join(directory, 'home', 'ann');
  const journal = join(directory, 'journal');
  const write = (path: string, text: string) => {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  write('Documents/Projects/plan.md', '# Plan\nShip on Friday.\n');
  write('Documents/Personal/diary.txt', 'Dear diary\n');
  write('.ssh/id_rsa', `${PRIVATE_KEY}\n`);
  symlinkSync('../../.ssh/id_rsa', join(home, 'Documents', 'Projects', 'notes.txt'));
  writeFileSync(journal, '');
  return { directory, home, journal, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
