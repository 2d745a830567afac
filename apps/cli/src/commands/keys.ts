import { ENVIRONMENT, generateApiKey } from '#identity';
import { documentText } from '#policy';
import { CommandError, type Api } from '../api.js';
import type { Output } from '../output.js';
import { createKey, type RightsOptions } from './host-keys.js';
import { documentPath, storedDocuments } from './documents.js';

export interface HostOptions extends RightsOptions {
  readonly title: string | undefined;
}

/** `host create NAME`: registers a host if there is none of that name, and makes a key for it, which is shown once. */
export async function createHost(api: Api, output: Output, name: string, options: HostOptions): Promise<void> {
  const path = documentPath('Host', name);
  if ((await api.find(path)) === undefined) {
    const document = { kind: 'Host', name, ...(options.title === undefined ? {} : { title: options.title }) };
    await api.put(path, document, { 'If-None-Match': '*' });
    output.note(`registered the host '${name}'`);
  }
  const bounded = await isBounded(api, name);
  await createKey(api, output, name, { ...options, cidrs: [], expires: undefined });
  if (!bounded)
    output.note(
      `'${name}' is denied everything until a Scope names it. Apply this one, or less:\n\n${wideScope(name)}`,
    );
}

/** Whether anything says what a host may be used for: a Scope of its own, or the tenant's default. */
async function isBounded(api: Api, host: string): Promise<boolean> {
  for await (const { document } of storedDocuments(api, 'Scope'))
    if (document.kind === 'Scope' && document.host === host) return true;
  for await (const { document } of storedDocuments(api, 'Tenant'))
    if (document.kind === 'Tenant' && document.defaults.hostScope !== undefined) return true;
  return false;
}

const wideScope = (host: string): string =>
  `${documentText({ kind: 'Scope', host })}servers: { allow: ['*'] }\nactions: { allow: ['*'] }`;

/** `key new`: makes a key without asking any service, for PLACET_BOOTSTRAP_KEY. */
export function newKey(output: Output, environment: string): void {
  if (!ENVIRONMENT.test(environment))
    throw new CommandError('an environment is called by 1 to 16 lower-case letters or digits.');
  output.line(generateApiKey(environment).text);
}
