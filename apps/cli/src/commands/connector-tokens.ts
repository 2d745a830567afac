import type { Api } from '../api.js';
import { plain, type Output } from '../output.js';
import { pagesOf } from '../pages.js';
import { table } from '../table.js';
import { boundsOf, boundsText, type BoundsOptions } from './host-keys.js';

const PATH = '/api/v1/connector-tokens';

interface Shown {
  readonly id: string;
  readonly token: string;
}

interface Listed {
  readonly id: string;
  readonly issuer: string;
  readonly cidrs: readonly string[] | null;
  readonly expires_at: string | null;
  readonly disabled_at: string | null;
  readonly last_used_at: string | null;
}

/** `connector-token create ISSUER`: makes a token by which a directory provisions people; prints its id and, once, the token. */
export async function createConnectorToken(
  api: Api,
  output: Output,
  issuer: string,
  bounds: BoundsOptions,
): Promise<void> {
  show(output, await api.post<Shown>(PATH, { issuer, ...boundsOf(bounds) }));
}

/** `connector-token list`: every one, and when it was last used, to within minutes. */
export async function listConnectorTokens(api: Api, output: Output, json: boolean): Promise<void> {
  const tokens: Listed[] = [];
  const path = `${PATH}?page_size=200`;
  for await (const { items } of pagesOf<{ items: readonly Listed[]; next_page_token?: string }>(api, path))
    tokens.push(...items);
  if (json) return output.line(JSON.stringify(tokens, null, 2));
  const rows = tokens.map((token) => [token.id, plain(token.issuer), boundsText(token), token.last_used_at ?? 'never']);
  for (const line of table(['ID', 'OF', 'BOUNDS', 'LAST USED'], rows)) output.line(line);
}

/** `connector-token rotate ID`: gives one a new secret; the old one stays good for a day, or with `now` ends at once. */
export async function rotateConnectorToken(api: Api, output: Output, id: string, now: boolean): Promise<void> {
  show(output, await api.post<Shown>(`${PATH}/${encodeURIComponent(id)}/rotate`, now ? { overlap_seconds: 0 } : {}));
}

/** `connector-token disable ID`: ends one at once. */
export async function disableConnectorToken(api: Api, output: Output, id: string): Promise<void> {
  await api.delete(`${PATH}/${encodeURIComponent(id)}`);
  output.note(`the token ${id} is disabled`);
}

function show(output: Output, { id, token }: Shown): void {
  output.line(id);
  output.note('the token, shown this once:');
  output.line(token);
}
