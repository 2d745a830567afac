import { readFileSync } from 'node:fs';
import { CommandError, type Api } from '../api.js';
import { plain, type Output } from '../output.js';
import { pagesOf } from '../pages.js';
import { boundsOf, boundsText, changeOf, rightsOf, type KeyOptions } from './host-keys.js';

interface ClientOptions extends KeyOptions {
  /** A file with a JWK set. */
  readonly keys: string | undefined;
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
}

/** `client create HOST`: makes an OAuth client of a host; prints its id and, if it has one, its secret, once. */
export async function createClient(api: Api, output: Output, host: string, options: ClientOptions): Promise<void> {
  const { keys, issuer, subject } = options;
  if ((issuer === undefined) !== (subject === undefined))
    throw new CommandError('a workload is known by --issuer and --subject: write both.');
  show(
    output,
    await api.post<Shown>('/api/v1/clients', {
      host,
      rights: rightsOf(options),
      ...boundsOf(options),
      ...(keys === undefined ? {} : { keys: keySet(keys) }),
      ...(issuer === undefined ? {} : { federated: { issuer, subject } }),
    }),
  );
}

/** `client list`: the OAuth clients, one a line. */
export async function listClients(api: Api, output: Output): Promise<void> {
  for await (const { items } of pagesOf<ListedPage>(api, '/api/v1/clients'))
    for (const { id, host, authentication, cidrs, disabled_at } of items) {
      const from = cidrs === null ? '' : ` from ${cidrs.join(',')}`;
      output.line(`${id} ${plain(host)} ${authentication}${from}${disabled_at === null ? '' : ' (disabled)'}`);
    }
}

/** `client change ID`: changes what is said, and leaves the rest. `--cidr any` and `--expires never` take a bound away. */
export async function changeClient(api: Api, output: Output, id: string, options: KeyOptions): Promise<void> {
  const path = `/api/v1/clients/${encodeURIComponent(id)}`;
  const after = await api.patch<Listed>(path, await changeOf(api, 'client', path, options));
  output.line(`host ${plain(after.host)}: ${boundsText(after)}`);
}

/** `client rotate ID`: gives a client a new secret; the old one stays good for a day, or with `now` ends with its tokens. */
export async function rotateClient(api: Api, output: Output, id: string, now: boolean): Promise<void> {
  const body = now ? { overlap_seconds: 0 } : {};
  show(output, await api.post<Shown>(`/api/v1/clients/${encodeURIComponent(id)}/rotate`, body));
}

/** `client disable ID`: ends a client and its tokens at once. */
export async function disableClient(api: Api, output: Output, id: string): Promise<void> {
  await api.delete(`/api/v1/clients/${encodeURIComponent(id)}`);
  output.note(`the client ${id} is disabled`);
}

interface Shown {
  readonly id: string;
  readonly secret?: string;
}

interface Listed {
  readonly id: string;
  readonly host: string;
  readonly authentication: string;
  readonly cidrs: readonly string[] | null;
  readonly expires_at: string | null;
  readonly disabled_at: string | null;
}

interface ListedPage {
  readonly items: readonly Listed[];
  readonly next_page_token?: string;
}

function show(output: Output, { id, secret }: Shown): void {
  output.line(id);
  if (secret === undefined) return;
  output.note('its secret, shown this once:');
  output.line(secret);
}

function keySet(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CommandError(
      `${path} ${code === undefined ? 'is not JSON, and so no JWK set' : `cannot be read (${code})`}.`,
      {
        cause,
      },
    );
  }
}
