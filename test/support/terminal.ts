import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { placet, type Ended } from './command-line.js';
import type { TestService } from './service.js';

/** What the command line reads of its environment. */
export type Environment = Readonly<Partial<Record<'PLACET_URL' | 'PLACET_KEY', string | undefined>>>;

/** A folder in which somebody types commands. */
export interface Terminal {
  readonly work: string;
  /** One command line, as a person would type it in the folder. The key is never shown, and no fault of the program. */
  readonly placet: (args: readonly string[], environment?: Environment, listen?: boolean) => Promise<Ended>;
  /** Makes a folder of policy files in it, called `name`, anew. */
  readonly folder: (name: string, files: Readonly<Record<string, string>>) => string;
  readonly close: () => void;
}

/** Makes the folder; `close` takes it away. */
export function openTerminal(): Terminal {
  const work = mkdtempSync(join(tmpdir(), 'placet command line '));
  return {
    work,
    placet: async (args, environment = {}, listen = true) => {
      const ended = await placet(args, { environment, cwd: work, listen });
      const { PLACET_KEY: key = '' } = environment;
      const { stdout, stderr } = ended;
      if (key.length > 8) expect(stdout + stderr).not.toContain(key.slice(8));
      expect(stdout + stderr).not.toMatch(/\n\s+at /);
      return ended;
    },
    folder: (name, files) => {
      rmSync(join(work, name), { recursive: true, force: true });
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(work, name, path)), { recursive: true });
        writeFileSync(join(work, name, path), text);
      }
      return name;
    },
    close: () => rmSync(work, { recursive: true, force: true }),
  };
}

/** With the key of an administrator, if no other is given. */
export const as = (service: TestService, key = service.owner): Environment => ({
  PLACET_URL: service.url,
  PLACET_KEY: key,
});

/** At which revision a service is. */
export async function revision(service: TestService): Promise<number> {
  const { body } = await service.call('POST', '/api/v1/documents/apply', { body: { files: [] } });
  return body.revision as number;
}

/** The lines in which `get` names the documents of a service. */
export const documentNames = async (terminal: Terminal, service: TestService): Promise<string[]> =>
  (await terminal.placet(['get'], as(service))).stdout.trim().split('\n');
