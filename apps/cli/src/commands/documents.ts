import { documentText, type AnyDocument } from '#policy';
import { CommandError, type Api } from '../api.js';
import type { Output } from '../output.js';
import { pagesOf } from '../pages.js';

interface StoredBody {
  readonly kind: string;
  readonly name: string;
  readonly version: number;
  readonly document: AnyDocument;
}

interface PageBody {
  readonly items: readonly StoredBody[];
  readonly next_page_token?: string;
}

/** `get KIND NAME`: the document, as YAML. `get [KIND]`: a line for each document, with its version. */
export async function get(
  api: Api,
  output: Output,
  kind: string | undefined,
  name: string | undefined,
  json: boolean,
): Promise<void> {
  if (kind !== undefined && name !== undefined) {
    const found = await api.find<StoredBody>(documentPath(kind, name));
    if (!found) throw new CommandError(`there is no ${kind} named '${name}'${namingHint(kind, name)}.`);
    return output.text(json ? `${JSON.stringify(found, null, 2)}\n` : documentText(found.document));
  }
  for await (const item of storedDocuments(api, kind))
    output.line(json ? JSON.stringify(item) : `${item.kind} ${item.name} (version ${item.version})`);
}

/** Every document, or every one of a kind, page by page. */
export async function* storedDocuments(api: Api, kind: string | undefined): AsyncGenerator<StoredBody> {
  const query = kind === undefined ? '' : `?kind=${encodeURIComponent(kind)}`;
  for await (const { items } of pagesOf<PageBody>(api, `/api/v1/documents${query}`)) yield* items;
}

/** How documents are named that have no name of their own, for those who wrote something else. */
const NAMING: Readonly<Record<string, { readonly form: RegExp; readonly hint: string }>> = {
  Subject: { form: /^[^:]+:./s, hint: 'a Subject is named TYPE:ID, as in user:ann' },
  Resource: { form: /^[^/]*\/[^:]+:./s, hint: 'a Resource is named SERVER/TYPE:ID, or /TYPE:ID without a server' },
  Scope: { form: /^(server|host):./s, hint: 'a Scope without a name is named server:NAME or host:NAME' },
};

function namingHint(kind: string, name: string): string {
  const naming = Object.hasOwn(NAMING, kind) ? NAMING[kind] : undefined;
  return naming && !naming.form.test(name) ? `: ${naming.hint}` : '';
}

export const documentPath = (kind: string, name: string): string =>
  `/api/v1/documents/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`;
