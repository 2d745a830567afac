import type { Standalone } from '../support/standalone.js';

/** What an administrator adds to what is stored of a person. */
interface Settled {
  /** As whom they sign in. */
  readonly alias: { readonly type: string; readonly id: string };
  /** Left out: it stays what it is. */
  readonly home?: string;
}

/**
 * Tells Placet as whom a person signs in, and where their home is, as an administrator would: read the document, change it,
 * save it. Rejects where there is no such document.
 */
export async function settlePerson(
  { url, ownerKey }: Pick<Standalone, 'url' | 'ownerKey'>,
  subject: string,
  { alias, home }: Settled,
): Promise<void> {
  const address = `${url}/api/v1/documents/Subject/${encodeURIComponent(subject)}`;
  const headers = { Authorization: `Bearer ${ownerKey}`, 'Content-Type': 'application/json' };
  const found = await fetch(address, { headers });
  if (!found.ok) throw new Error(`the document of ${subject} could not be read: ${await found.text()}`);
  const { document } = (await found.json()) as { document: { aliases?: (typeof alias)[]; properties: object } };
  const others = (document.aliases ?? []).filter(({ type, id }) => type !== alias.type || id !== alias.id);
  const properties = { ...document.properties, ...(home === undefined ? {} : { home }) };
  const saved = await fetch(address, {
    method: 'PUT',
    headers: { ...headers, 'If-Match': found.headers.get('etag')! },
    body: JSON.stringify({ ...document, aliases: [...others, alias], properties }),
  });
  if (!saved.ok) throw new Error(`the document of ${subject} could not be saved: ${await saved.text()}`);
}
