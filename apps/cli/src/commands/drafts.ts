import type { LintFinding } from '#policy';
import { CommandError, type Api } from '../api.js';
import { printChanges, summary, type ChangedDocument, type Counts } from '../changes.js';
import { placed, plain, type Output, type Placed } from '../output.js';
import { pagesOf } from '../pages.js';
import { UsageError } from '../usage.js';
import { policyFiles, printWarnings } from './apply.js';

interface DraftBody {
  readonly name: string;
  readonly version: number;
  readonly base_revision: number;
  readonly description?: string;
  readonly changed_at: string;
  readonly seen_by: readonly { readonly person: string; readonly how: 'saved' | 'approved'; readonly at: string }[];
  readonly counts: Counts;
  readonly documents: readonly ChangedDocument[];
  readonly next_page_token?: string;
  readonly problems: readonly Placed[];
  readonly conflicts: readonly { readonly kind: string; readonly name: string; readonly revision: number }[];
  readonly warnings: readonly LintFinding[];
}

export interface DraftOptions {
  readonly prune: boolean;
  readonly deletions: readonly string[];
  readonly description: string | undefined;
  readonly base: string | undefined;
  readonly rollbackTo: string | undefined;
}

/**
 * `draft save NAME DIR`: keeps the documents of a folder as a draft, or with --rollback-to what going back would change, and
 * prints what publishing it would change.
 */
export async function saveDraft(
  api: Api,
  output: Output,
  name: string,
  directory: string | undefined,
  options: DraftOptions,
): Promise<void> {
  const { description } = options;
  const about = description === undefined ? {} : { description };
  const body = { ...contentOf(output, directory, options), ...about };
  const path = draftPath(name);
  const existing = await api.find<DraftBody>(`${path}?page_size=1`);
  await api.put(
    `${path}?page_size=1`,
    body,
    existing ? { 'If-Match': `"${existing.version}"` } : { 'If-None-Match': '*' },
  );
  await showDraft(api, output, name);
}

function contentOf(
  output: Output,
  directory: string | undefined,
  { prune, deletions, base, rollbackTo }: DraftOptions,
): object {
  const isRollback = rollbackTo !== undefined;
  if (isRollback === (directory !== undefined))
    throw new UsageError(`'draft save' needs DIR or --rollback-to REVISION`);
  if (isRollback && (prune || deletions.length > 0 || base !== undefined))
    throw new UsageError('--rollback-to stands alone: without --prune, --delete and --base');
  if (isRollback) return { rollback_to: revisionNumber(rollbackTo, '--rollback-to') };
  return {
    files: policyFiles(output, directory!),
    prune,
    deletions: deletions.map(deletion),
    ...(base === undefined ? {} : { base_revision: revisionNumber(base, '--base') }),
  };
}

/** `draft show NAME`: what publishing a draft would change, and what stands in the way. Returns what was shown. */
export async function showDraft(api: Api, output: Output, name: string): Promise<DraftBody> {
  let draft: DraftBody | undefined;
  for await (const page of pagesOf<DraftBody>(api, draftPath(name))) {
    if (draft && draft.version !== page.version)
      throw new CommandError(`the draft '${name}' was saved anew while it was read: look again.`);
    draft = page;
    printChanges(output, page.documents);
  }
  const { description, base_revision: base, counts, problems, conflicts } = draft!;
  printWarnings(output, draft!);
  for (const problem of problems) output.note(`problem: ${placed(problem)}`);
  for (const { kind, name: document, revision } of conflicts)
    output.note(
      `conflict: ${kind} ${document} was changed at revision ${revision}, after the draft was based on ${base}`,
    );
  const of = description === undefined ? '' : ` (${plain(description)})`;
  output.line(`draft ${name}${of} on revision ${base}: ${summary(counts)}; version ${draft!.version}`);
  printEyes(output, draft!);
  return draft!;
}

/** `draft approve NAME --version VERSION`: approves of the version that somebody has looked at, and of no other. */
export async function approveDraft(
  api: Api,
  output: Output,
  name: string,
  lookedAt: string | undefined,
): Promise<void> {
  if (lookedAt === undefined)
    throw new UsageError(`'draft approve' needs --version VERSION: of the draft that you have looked at (draft show)`);
  const version = versionNumber(lookedAt);
  const path = `${draftPath(name)}/approve?page_size=1`;
  const approved = await api.post<DraftBody>(path, undefined, { 'If-Match': `"${version}"` });
  output.line(`you have approved of ${name}`);
  printEyes(output, approved);
}

function printEyes(output: Output, { seen_by: seenBy }: Pick<DraftBody, 'seen_by'>): void {
  if (seenBy.length === 0) return;
  output.line(`seen by ${seenBy.map(({ person, how }) => `${plain(person)} (${how})`).join(', ')}`);
}

/** `draft list`: a line for each draft. */
export async function listDrafts(api: Api, output: Output): Promise<void> {
  for await (const { items } of pagesOf<{ readonly items: readonly DraftBody[]; readonly next_page_token?: string }>(
    api,
    '/api/v1/drafts',
  )) {
    for (const { name, base_revision: base, changed_at: at, description } of items)
      output.line(
        `${name} on revision ${base}, saved ${at}${description === undefined ? '' : `: ${plain(description)}`}`,
      );
  }
}

/** `draft delete NAME`: throws a draft away. */
export async function deleteDraft(api: Api, output: Output, name: string): Promise<void> {
  const { version } = await api.get<DraftBody>(`${draftPath(name)}?page_size=1`);
  await api.delete(draftPath(name), { 'If-Match': `"${version}"` });
  output.line(`the draft '${name}' is gone`);
}

/**
 * `publish NAME -m MESSAGE`: prints what changes, then changes it, all or nothing: this version of the draft and no other.
 * With --version VERSION it is the one that somebody has looked at before.
 */
export async function publish(
  api: Api,
  output: Output,
  name: string,
  message: string | undefined,
  lookedAt: string | undefined,
): Promise<void> {
  if (message === undefined) throw new UsageError(`'publish' needs -m MESSAGE`);
  const asked = lookedAt === undefined ? undefined : versionNumber(lookedAt);
  const { version } = await showDraft(api, output, name);
  const made = await api.post<{ readonly revision: number; readonly counts: Counts }>(
    `${draftPath(name)}/publish`,
    { message, seen: asked !== undefined },
    { 'If-Match': `"${asked ?? version}"` },
  );
  output.line(`published ${name}: ${summary(made.counts)}; revision ${made.revision}`);
}

/** A revision as a person writes it. */
export function revisionNumber(text: string, what: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${what} is the number of a revision, and not '${text}'`);
  return Number(text);
}

function versionNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--version is a number that 'draft show' says, and not '${text}'`);
  return Number(text);
}

const draftPath = (name: string): string => `/api/v1/drafts/${encodeURIComponent(name)}`;

function deletion(text: string): { readonly kind: string; readonly name: string } {
  const [, kind, name] = /^([^/]+)\/(.+)$/s.exec(text) ?? [];
  if (kind === undefined || name === undefined)
    throw new UsageError('what is deleted is written --delete KIND/NAME, as in Policy/crm');
  return { kind, name };
}
