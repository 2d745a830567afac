import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IdentityProvider } from '../../support/identity-provider.js';
import { startStandalone } from '../../support/standalone.js';
import { endAll, type DemoOptions } from '../demo.js';
import { Assistant } from './assistant.js';
import { CommandLine } from './command-line.js';
import { asOwner, settle, startCompany } from './company.js';
import { Person } from './person.js';

/** Everything that steps are made with. */
export interface Stage {
  readonly url: string;
  readonly idp: IdentityProvider;
  /** Where the command line keeps sign-ins. */
  readonly kept: string;
  readonly ann: Person;
  readonly bob: Person;
  readonly assistant: Assistant;
  readonly commandLine: CommandLine;
  /** Calls the administration API as the owner of the tenant. */
  owner(method: string, path: string, body?: object): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts a Placet and a company's identity provider, and saves what the one must know of the other. */
export async function openStage({ progress, signal }: DemoOptions): Promise<Stage> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'placet-sso-')));
  const ending = [async () => rmSync(directory, { recursive: true, force: true })];
  try {
    const company = await startCompany();
    ending.push(() => company.idp.close());
    signal?.throwIfAborted();
    const { secrets } = company;
    const placet = await startStandalone({ directory, quickstart: false, secrets, devicePollSeconds: 1, progress });
    ending.push(() => placet.stop());
    company.register(placet.url);
    const { url, ownerKey } = placet;
    const key = await settle(placet, company.idp);
    const kept = join(directory, 'config');
    return {
      url,
      idp: company.idp,
      kept,
      ann: new Person('ann', company.idp, url),
      bob: new Person('bob', company.idp, url),
      assistant: new Assistant(url, key),
      commandLine: new CommandLine(url, kept, signal),
      owner: (method, path, body) => asOwner(url, ownerKey, method, path, body),
      close: () => endAll(ending),
    };
  } catch (error) {
    await endAll(ending);
    throw error;
  }
}
