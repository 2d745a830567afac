import { CommandError, type Api } from '../api.js';
import { countsOf, printChanges, summary, type ChangedDocument, type Counts } from '../changes.js';
import { counted, plain, type Output } from '../output.js';
import { pagesOf } from '../pages.js';
import { UsageError } from '../usage.js';
import { revisionNumber } from './drafts.js';

interface RevisionBody {
  readonly revision: number;
  readonly changed_by: string;
  readonly administrator?: string;
  readonly changed_at: string;
  readonly message?: string;
  readonly draft?: string;
  readonly rolled_back_to?: number;
  readonly seen_by?: readonly string[] | 'waived';
  readonly documents: number;
  readonly others: readonly {
    readonly op: string;
    readonly id?: string;
    readonly principal?: string;
    readonly name?: string;
  }[];
}

interface RevisionPage {
  readonly items: readonly RevisionBody[];
  readonly next_page_token?: string;
}

interface DiffPage {
  readonly to: number;
  readonly documents: readonly ChangedDocument[];
  readonly next_page_token?: string;
}

/** `history`: a line for each change of documents, newest first; with `all`, for every change. */
export async function history(api: Api, output: Output, all: boolean): Promise<void> {
  const path = `/api/v1/revisions?documents=${!all}`;
  for await (const { items } of pagesOf<RevisionPage>(api, path)) for (const item of items) output.line(lineOf(item));
}

/** `diff [FROM [TO]]`: what differs between two revisions; without any, what the last change of documents did. */
export async function diff(api: Api, output: Output, from: string | undefined, to: string | undefined): Promise<void> {
  const { since, query } = await range(api, from, to);
  const total = { created: 0, updated: 0, deleted: 0 };
  let until = since;
  for await (const page of pagesOf<DiffPage>(api, `/api/v1/diff?${query}`)) {
    printChanges(output, page.documents);
    const { created, updated, deleted } = countsOf(page.documents);
    total.created += created;
    total.updated += updated;
    total.deleted += deleted;
    until = page.to;
  }
  output.line(`${summary(total)} between revision ${since} and ${until}`);
}

/** `rollback REVISION -m MESSAGE`: makes the documents be what they were at a revision. */
export async function rollback(api: Api, output: Output, to: string, message: string | undefined): Promise<void> {
  const revision = revisionNumber(to, 'REVISION');
  if (message === undefined) throw new UsageError(`'rollback' needs -m MESSAGE`);
  const made = await api.post<{
    readonly revision: number;
    readonly counts: Counts;
    readonly documents: readonly ChangedDocument[];
  }>('/api/v1/rollback', { to: revision, message });
  for (const { kind, name, change } of made.documents) output.line(`${kind} ${name} (${change})`);
  if (made.documents.length === 0) return output.line(`nothing to do: the documents are those of revision ${revision}`);
  output.line(`rolled back to revision ${revision}: ${summary(made.counts)}; revision ${made.revision}`);
}

async function range(
  api: Api,
  from: string | undefined,
  to: string | undefined,
): Promise<{ readonly since: number; readonly query: string }> {
  if (from !== undefined) {
    const since = revisionNumber(from, 'FROM');
    return { since, query: `from=${since}${to === undefined ? '' : `&to=${revisionNumber(to, 'TO')}`}` };
  }
  const { items } = await api.get<RevisionPage>('/api/v1/revisions?documents=true&page_size=1');
  const [last] = items;
  if (!last) throw new CommandError('no document has been changed yet.');
  return { since: last.revision - 1, query: `from=${last.revision - 1}&to=${last.revision}` };
}

function lineOf({ revision, changed_at: at, administrator, changed_by: by, ...entry }: RevisionBody): string {
  const who = administrator === undefined ? by : `${administrator} (${by})`;
  const message = entry.message === undefined ? '' : `: ${plain(entry.message)}`;
  return `${revision}  ${at}  ${plain(who)}  ${whatOf(entry)}${message}`;
}

function whatOf({
  documents,
  others,
  draft,
  rolled_back_to: rolledBackTo,
  seen_by: seenBy,
}: Omit<RevisionBody, 'revision' | 'changed_at' | 'changed_by'>): string {
  const changed = `${counted(documents, 'document')}${eyes(seenBy)}`;
  if (draft !== undefined) return `published ${draft}, ${changed}`;
  if (rolledBackTo !== undefined) return `rolled back to ${rolledBackTo}, ${changed}`;
  const besides = others.map(({ op, principal, name, id }) =>
    `${op} ${plain(principal ?? name ?? id ?? '')}`.replaceAll('_', ' '),
  );
  return [...(documents > 0 ? [changed] : []), ...besides].join(', ') || 'nothing';
}

/** Which people had seen a change, where two must have. */
function eyes(seenBy: RevisionBody['seen_by']): string {
  if (seenBy === undefined) return '';
  return seenBy === 'waived' ? ', seen by one alone (waived)' : `, seen by ${seenBy.map(plain).join(' and ')}`;
}
