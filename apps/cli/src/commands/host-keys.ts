import { CommandError, type Api } from '../api.js';
import { plain, type Output } from '../output.js';
import { pagesOf } from '../pages.js';
import { table } from '../table.js';
import { UsageError } from '../usage.js';

/** What a key of a host may do. */
export interface RightsOptions {
  readonly subjects: readonly string[];
  readonly subjectProperties: readonly string[];
  readonly resourceProperties: readonly string[];
  readonly explain: boolean;
  readonly scopes: readonly string[];
  readonly agents: readonly string[];
}

/** What bounds a key besides. */
export interface BoundsOptions {
  readonly cidrs: readonly string[];
  /** A date, or `never`. */
  readonly expires: string | undefined;
}

/** What is said of a key besides whose it is. */
export type KeyOptions = RightsOptions & BoundsOptions;

interface Key {
  readonly id: string;
  readonly host?: string;
  readonly administrator?: string;
  readonly rights: Readonly<Record<string, unknown>>;
  readonly cidrs: readonly string[] | null;
  readonly expires_at: string | null;
  readonly disabled_at: string | null;
  readonly last_used_at: string | null;
}

/** `key create --host NAME`: makes a key for a registered host, which is shown once. */
export async function createKey(api: Api, output: Output, host: string, options: KeyOptions): Promise<void> {
  const body = { host, rights: rightsOf(options), ...boundsOf(options) };
  const { key } = await api.post<{ key: string }>('/api/v1/keys', body);
  output.note('its key, shown this once:');
  output.line(key);
}

/** `key create --administrator NAME`: with roles that whoever makes it has itself. It is shown once. */
export async function createAdministratorKey(
  api: Api,
  output: Output,
  name: string,
  { roles, ...bounds }: BoundsOptions & { readonly roles: readonly string[] },
): Promise<void> {
  if (roles.length === 0) throw new UsageError("'key create --administrator' needs --role ROLE, once or more often");
  const body = { administrator: name, rights: { roles }, ...boundsOf(bounds) };
  const { key } = await api.post<{ key: string }>('/api/v1/keys', body);
  output.note(`the key of '${name}', shown this once:`);
  output.line(key);
}

/** `key change ID`: changes what is said, and leaves the rest. `--cidr any` and `--expires never` take a bound away. */
export async function changeKey(api: Api, output: Output, id: string, options: KeyOptions): Promise<void> {
  const path = `/api/v1/keys/${encodeURIComponent(id)}`;
  const after = await api.patch<Key>(path, await changeOf(api, 'key', path, options));
  output.line(`${whose(after)}: ${boundsText(after)}`);
}

/** What is to change of a key or client at a path: of its rights those that are said, and of its bounds. Throws UsageError. */
export async function changeOf(api: Api, what: string, path: string, options: KeyOptions): Promise<object> {
  const { cidrs, expires } = options;
  const rights = rightsOf(options);
  const before = Object.keys(rights).length === 0 ? undefined : await api.get<Key>(path);
  if (before && before.host === undefined)
    throw new CommandError('rights of administrators are roles, and not changed here: make another key.');
  const change = {
    ...(before ? { rights: { ...before.rights, ...rights } } : {}),
    ...(cidrs.length === 0 ? {} : { cidrs: cidrs.includes('any') ? null : cidrs }),
    ...(expires === undefined ? {} : { expires_at: dateOf(expires) }),
  };
  if (Object.keys(change).length > 0) return change;
  throw new UsageError(`'${what} change' needs something to change, as --cidr or --scope`);
}

/** Bounds of something new, as the API takes them. */
export function boundsOf({ cidrs, expires }: BoundsOptions): object {
  const expiresAt = expires === undefined ? null : dateOf(expires);
  return { ...(cidrs.length === 0 ? {} : { cidrs }), ...(expiresAt === null ? {} : { expires_at: expiresAt }) };
}

/** From where a key or client may be used, and until when. */
export const boundsText = (bound: Pick<Key, 'cidrs' | 'expires_at' | 'disabled_at'>): string =>
  `${bound.cidrs?.join(', ') ?? 'from anywhere'}, ${endOf(bound)}`;

/** `key list`: every key, and when it was last used, to within minutes. */
export async function listKeys(api: Api, output: Output, host: string | undefined, json: boolean): Promise<void> {
  const keys: Key[] = [];
  const path = `/api/v1/keys?page_size=200${host === undefined ? '' : `&host=${encodeURIComponent(host)}`}`;
  for await (const { items } of pagesOf<{ items: readonly Key[]; next_page_token?: string }>(api, path))
    keys.push(...items);
  if (json) return output.line(JSON.stringify(keys, null, 2));
  const rows = keys.map((key) => [
    key.id,
    plain(whose(key)),
    key.cidrs?.join(',') ?? 'anywhere',
    endOf(key),
    key.last_used_at ?? 'never',
  ]);
  for (const line of table(['ID', 'OF', 'FROM', 'UNTIL', 'LAST USED'], rows)) output.line(line);
}

/** Rights as the API takes them: only what was said. The service gives the others their defaults. */
export function rightsOf({ explain, ...lists }: RightsOptions): Record<string, unknown> {
  const { subjects, subjectProperties, resourceProperties, scopes, agents } = lists;
  const said = Object.entries({ subjects, subjectProperties, resourceProperties, scopes, agents }).filter(
    ([, list]) => list.length > 0,
  );
  return { ...Object.fromEntries(said), ...(explain ? { explain } : {}) };
}

const whose = ({ host, administrator }: Key): string =>
  host === undefined ? `administrator ${administrator}` : `host ${host}`;

const endOf = ({ disabled_at: disabled, expires_at: expires }: Pick<Key, 'disabled_at' | 'expires_at'>): string =>
  disabled === null ? (expires ?? 'no end') : `ended ${disabled}`;

function dateOf(text: string): string | null {
  if (text === 'never') return null;
  const date = new Date(text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(date.getTime())) return date.toISOString();
  throw new UsageError(`--expires is a date, as in 2027-01-31 or 2027-01-31T12:00:00Z, or never; and not '${text}'`);
}
