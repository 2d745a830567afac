import type { Standalone } from '../support/standalone.js';

/**
 * Tells Placet where a person's home is and as whom they sign in, as an administrator would: read the document, change it,
 * save it.
 */
export async function settlePerson(
  { url, ownerKey }: Standalone,
  subject: string,
  home: string,
  alias: { readonly type: string; readonly id: string },
): Promise<void> {
  const address = `${url}/api/v1/documents/Subject/${encodeURIComponent(subject)}`;
  const headers = { Authorization: `Bearer ${ownerKey}`, 'Content-Type': 'application/json' };
  const found = await fetch(address, { headers });
  const { document } = (await found.json()) as { document: { properties: object } };
  const changed = { ...document, aliases: [alias], properties: { ...document.properties, home } };
  const saved = await fetch(address, {
    method: 'PUT',
    headers: { ...headers, 'If-Match': found.headers.get('etag')! },
    body: JSON.stringify(changed),
  });
  if (!saved.ok) throw new Error(`the document of ${subject} could not be saved: ${await saved.text()}`);
}
