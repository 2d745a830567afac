import type { Api } from '../api.js';
import { plain, type Output } from '../output.js';
import { pagesOf } from '../pages.js';
import { table } from '../table.js';

interface Person {
  readonly id: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly last_at: string;
  readonly sessions: number;
}

interface Session {
  readonly id: string;
  readonly seen_at: string;
  readonly ends_at: string;
  readonly acr: string | null;
  readonly address: string | null;
}

const PATH = '/api/v1/people';

/** `people list`: who has signed in. */
export async function listPeople(api: Api, output: Output): Promise<void> {
  const rows: string[][] = [];
  for await (const { items } of pagesOf<{ items: readonly Person[]; next_page_token?: string }>(api, PATH)) {
    for (const { id, name, email, last_at: last, sessions } of items)
      rows.push([plain(id), plain(name ?? ''), plain(email ?? ''), last, String(sessions)]);
  }
  for (const line of table(['person', 'name', 'e-mail', 'last sign-in', 'sessions'], rows)) output.line(line);
}

/** `people sessions PERSON`: where somebody is signed in. */
export async function listSessions(api: Api, output: Output, person: string): Promise<void> {
  const { items } = await api.get<{ readonly items: readonly Session[] }>(`${pathOf(person)}/sessions`);
  const rows = items.map(({ id, seen_at: seen, ends_at: ends, acr, address }) => [
    id,
    seen,
    ends,
    plain(acr ?? ''),
    address ?? '',
  ]);
  for (const line of table(['session', 'seen', 'ends', 'class', 'address'], rows)) output.line(line);
}

/** `people sign-out PERSON`: when it returns, no session of theirs is one, nor does a token count that was issued before. */
export async function signOut(api: Api, output: Output, person: string): Promise<void> {
  const { revision } = await api.post<{ readonly revision: number }>(`${pathOf(person)}/sign-out`, {});
  output.line(`${person} is signed out everywhere; revision ${revision}`);
}

const pathOf = (person: string): string => `${PATH}/${encodeURIComponent(person)}`;
