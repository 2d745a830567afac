import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Standalone } from '../support/standalone.js';

/** A text of documents, as `placet apply` would send a file. */
export interface PolicyText {
  readonly path: string;
  readonly text: string;
}

export interface HostRights {
  readonly subjects: readonly string[];
  readonly subjectProperties?: readonly string[];
  readonly resourceProperties?: readonly string[];
}

/** The documents of a folder. */
export const policiesIn = (folder: string): PolicyText[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));

/** What came over the wire, whatever its status. */
export interface WireAnswer {
  readonly status: number;
  readonly text: string;
}

interface WireRequest {
  readonly method?: string;
  readonly contentType?: string;
  readonly body: unknown;
}

/** Calls of the REST API, as an administrator and as hosts. Whatever is not answered with success is thrown. */
export class Administrator {
  constructor(private readonly service: Pick<Standalone, 'url' | 'ownerKey'>) {}

  /** Makes these the only documents that there are. */
  async replaceAll(files: readonly PolicyText[]): Promise<void> {
    await this.call('/api/v1/documents/apply', { files, prune: true });
  }

  /** A new key for a registered host. */
  async hostKey(host: string, rights: HostRights): Promise<string> {
    const { key } = (await this.call('/api/v1/keys', { host, rights })) as { key: string };
    return key;
  }

  async call(path: string, body: unknown, key = this.service.ownerKey): Promise<unknown> {
    const { status, text } = await this.answer(path, { body }, key);
    if (status > 299) throw new Error(`POST ${path} was answered with ${status}: ${text}`);
    return JSON.parse(text);
  }

  /** A call whose answer is looked at, also where it is an error. */
  async answer(
    path: string,
    { method = 'POST', contentType = 'application/json', body }: WireRequest,
    key: string,
  ): Promise<WireAnswer> {
    const response = await fetch(this.service.url + path, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': contentType },
      body: method === 'GET' ? null : JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  }
}
