import { createHash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { CommandError, type Api } from '../api.js';
import { plain, type Output } from '../output.js';
import { pagesOf } from '../pages.js';
import { table } from '../table.js';

interface Tenant {
  readonly name: string;
  readonly title?: string;
  readonly suspension: { readonly since: string; readonly reason?: string } | null;
  readonly usage: { readonly documents: number; readonly credentials: number };
}

const PATH = '/api/v1/tenants';

const pathOf = (name: string): string => `${PATH}/${encodeURIComponent(name)}`;

/** `tenant create NAME`: makes a tenant; the key of its first owner is shown once. */
export async function createTenant(api: Api, output: Output, name: string, title: string | undefined): Promise<void> {
  const body = { name, ...(title === undefined ? {} : { title }) };
  const { owner_key } = await api.post<{ readonly owner_key: { readonly key: string } }>(PATH, body);
  output.note(`made the tenant '${name}'; the key of its owner, shown this once:`);
  output.line(owner_key.key);
}

/** `tenant owner-key NAME --reason TEXT`: makes a further key of an owner, which is shown once. */
export async function makeOwnerKey(api: Api, output: Output, name: string, reason: string): Promise<void> {
  const { key } = await api.post<{ readonly key: string }>(`${pathOf(name)}/owner-key`, { reason });
  output.note(`made a further key of an owner of the tenant '${name}', shown this once:`);
  output.line(key);
}

/** `tenant list`. */
export async function listTenants(api: Api, output: Output): Promise<void> {
  const rows: string[][] = [];
  for await (const { items } of pagesOf<{ items: readonly Tenant[]; next_page_token?: string }>(api, PATH)) {
    for (const { name, title = '', suspension, usage } of items) {
      const state = suspension === null ? '' : `suspended since ${suspension.since}`;
      rows.push([name, plain(title), String(usage.documents), String(usage.credentials), state]);
    }
  }
  for (const line of table(['name', 'title', 'documents', 'keys', ''], rows)) output.line(line);
}

/** `tenant suspend NAME`: when it returns, nothing that is asked for in the tenant afterwards is allowed. */
export async function suspendTenant(api: Api, output: Output, name: string, reason: string | undefined): Promise<void> {
  await api.put(`${pathOf(name)}/suspension`, reason === undefined ? {} : { reason });
  output.line(`the tenant ${name} is suspended`);
}

/** `tenant resume NAME`. */
export async function resumeTenant(api: Api, output: Output, name: string): Promise<void> {
  await api.delete(`${pathOf(name)}/suspension`);
  output.line(`the tenant ${name} goes on`);
}

/** `tenant export NAME FILE`: the file appears when it is whole. Prints its SHA-256, which a deletion must name. */
export async function exportTenant(api: Api, output: Output, name: string, file: string): Promise<void> {
  const part = `${file}.part`;
  const handle = await open(part, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw new CommandError(`${part} cannot be written (${error.code}).`);
    throw new CommandError(`${part} is there: another export, or what is left of one. Remove it.`);
  });
  try {
    const digest = await written(handle, await api.stream(`${pathOf(name)}/export`));
    await handle.close();
    await rename(part, file);
    output.line(digest);
  } catch (error) {
    await handle.close();
    await rm(part, { force: true });
    if (error instanceof CommandError) throw error;
    throw new CommandError('the export was broken off: nothing was kept of it. Export again.', { cause: error });
  }
}

const NEWLINE = 0x0a;

/** Writes an export, holds its SHA-256 against the one in its last line, and says it. Throws CommandError if it is not whole. */
async function written(handle: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  let last = Buffer.alloc(0);
  for await (const chunk of chunks) {
    await handle.write(chunk);
    // The last line is kept back: it is about all before it.
    last = Buffer.concat([last, chunk]);
    const end = last.lastIndexOf(NEWLINE, -2) + 1;
    hash.update(last.subarray(0, end));
    last = last.subarray(end);
  }
  const digest = hash.digest('hex');
  if (endOf(last.toString()) === digest) return digest;
  throw new CommandError('the export is not whole: nothing was kept of it. Export again.');
}

function endOf(line: string): unknown {
  try {
    return (JSON.parse(line) as { readonly end?: { readonly sha256?: unknown } }).end?.sha256;
  } catch {
    return undefined;
  }
}

/** `tenant delete NAME --export DIGEST`. */
export async function deleteTenant(api: Api, output: Output, name: string, digest: string | undefined): Promise<void> {
  await api.delete(`${pathOf(name)}${digest === undefined ? '' : `?export=${encodeURIComponent(digest)}`}`);
  output.line(`the tenant ${name} is deleted`);
}
