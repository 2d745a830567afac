import type { Api } from '../api.js';
import { counted, plain, type Output } from '../output.js';
import { pagesOf } from '../pages.js';
import { table } from '../table.js';
import { UsageError } from '../usage.js';

interface Consent {
  readonly id: string;
  readonly state: string;
  readonly subject: string;
  readonly agent: string;
  readonly server: string | null;
  readonly action: string;
  readonly resource: { readonly id: string };
  readonly expires_at: string;
  readonly last_used_at: string | null;
}

/** Which consents are meant. */
export interface Which {
  readonly subject?: string | undefined;
  readonly agent?: string | undefined;
  readonly server?: string | undefined;
}

const PATH = '/api/v1/consents';

/** `consent list`: what people have agreed to. */
export async function listConsents(api: Api, output: Output, which: Which, live: boolean): Promise<void> {
  const query = queryOf({ ...which, ...(live ? { live: 'true' } : {}) });
  const rows: string[][] = [];
  for await (const { items } of pagesOf<{ items: readonly Consent[]; next_page_token?: string }>(api, PATH + query)) {
    for (const { id, state, subject, agent, server, action, resource, expires_at: ends, last_used_at: used } of items) {
      const what = `${action} ${resource.id}`;
      rows.push([id, state, plain(subject), plain(agent), plain(server ?? ''), plain(what), ends, used ?? '']);
    }
  }
  const heading = ['consent', 'state', 'subject', 'agent', 'server', 'what', 'until', 'last use'];
  for (const line of table(heading, rows)) output.line(line);
}

/** `consent revoke`: one, or all of a person, an application or a server. When it returns, none of them counts any more. */
export async function revokeConsents(
  api: Api,
  output: Output,
  id: string | undefined,
  which: Which,
  reason: string | undefined,
): Promise<void> {
  if (reason === undefined) throw new UsageError("'consent revoke' needs --reason TEXT");
  if ((id === undefined) === (queryOf({ ...which }) === '')) {
    throw new UsageError("'consent revoke' needs an ID, or some of --subject, --agent and --server");
  }
  const path = id === undefined ? PATH : `${PATH}/${encodeURIComponent(id)}`;
  const { revoked } = await api.delete<{ readonly revoked: number }>(path + queryOf({ ...which, reason }));
  output.line(`${counted(revoked, 'consent')} revoked`);
}

function queryOf(members: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? '' : `?${query.toString()}`;
}
