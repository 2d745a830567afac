import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { CommandError, type Api } from '../api.js';
import type { Output } from '../output.js';

/** `access review FILE`: who has been given what, as CSV, or (`--json`) as lines of JSON. The file appears when it is whole. */
export async function reviewAccess(api: Api, output: Output, file: string, json: boolean): Promise<void> {
  const part = `${file}.part`;
  const handle = await open(part, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw new CommandError(`${part} cannot be written (${error.code}).`);
    throw new CommandError(`${part} is there: another review, or what is left of one. Remove it.`);
  });
  try {
    const lines = await written(handle, await api.stream(`/api/v1/access/review?format=${json ? 'json' : 'csv'}`));
    await handle.close();
    await rename(part, file);
    output.line(`${lines - 1} rows in ${file}`);
  } catch (error) {
    await handle.close();
    await rm(part, { force: true });
    if (error instanceof CommandError) throw error;
    throw new CommandError('the review was broken off: nothing was kept of it. Ask again.', { cause: error });
  }
}

const NEWLINE = 0x0a;

/** Writes what comes, and counts its lines: one is the heading of CSV, or the end of JSON. */
async function written(handle: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let lines = 0;
  for await (const chunk of chunks) {
    await handle.write(chunk);
    for (const byte of chunk) if (byte === NEWLINE) lines++;
  }
  return lines;
}
