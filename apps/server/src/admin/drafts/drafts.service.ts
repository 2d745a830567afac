import { setImmediate as turn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Refusal } from '#http';
import type { AdministratorPrincipal } from '#identity';
import { documentName, duplicateNames, parseDocuments, subjectKey, type SourceDocument } from '#policy';
import type { Snapshots } from '#snapshot';
import {
  DraftReader,
  RevisionReader,
  type ChangedDocument,
  type DraftContent,
  type Operation,
  type Store,
  type StoredDraft,
} from '#store';
import type { Changes } from '../changes.js';
import { permitDocuments, permitReading } from '../grants.js';
import { invalid, type AppliedChange, type DocumentsService } from '../documents/documents.service.js';
import { documentKey, type Hindrance, type Plan, type PlannedDocument, type Wanted } from '../documents/plan.js';
import { readStored } from '../documents/stored.js';
import { checkPrecondition, type Precondition } from '../preconditions.js';
import { rollbackTo } from '../revisions/rollback-to.js';
import type { DraftFilesBody, PublicationBody } from './wire.js';

/** A draft, and what publishing it now would come to. */
export interface ReviewedDraft {
  readonly draft: StoredDraft;
  readonly outcome: Plan | Hindrance;
  readonly conflicts: readonly ChangedDocument[];
}

/** Changes that are being prepared: saved, looked at, and published as one. */
@Injectable()
export class DraftsService {
  readonly reader: DraftReader;
  readonly #revisions: RevisionReader;

  constructor(
    store: Store,
    private readonly snapshots: Snapshots,
    private readonly changes: Changes,
    private readonly documents: DocumentsService,
  ) {
    this.reader = new DraftReader(store);
    this.#revisions = new RevisionReader(store);
  }

  /** A draft as it is, beside what is published at this moment. */
  async review(tenant: string, name: string): Promise<ReviewedDraft> {
    const { draft, changed } = await this.#findWithChanges(tenant, name);
    await this.snapshots.refresh(tenant, Infinity);
    const { wanted, problems } = await wantedOf(draft);
    const outcome = problems.length > 0 ? { problems, documents: [] } : await this.documents.review(tenant, wanted);
    return { draft, outcome, conflicts: conflictsAmong(outcome.documents, changed) };
  }

  /**
   * Saves a draft, new or anew. Throws Refusal for documents that are wrong by themselves; what does not fit the others, or
   * not yet, is shown and hinders only the publication.
   */
  async save(
    principal: AdministratorPrincipal,
    name: string,
    body: DraftFilesBody,
    expected: Precondition,
  ): Promise<'created' | 'updated'> {
    const parsed = body.rollback_to === undefined ? await contentOf(body) : undefined;
    await this.snapshots.refresh(principal.tenant, Infinity);
    const { revision } = await this.snapshots.of(principal.tenant);
    // What is read is of that revision or a later one: what was changed in between is in conflict with it.
    const content = parsed ?? (await this.#contentOfRollback(principal.tenant, body, revision));
    const baseRevision = body.base_revision ?? revision;
    if (baseRevision > revision) {
      throw new Refusal('invalid_request', `base_revision: there is no revision ${baseRevision} yet`);
    }
    let saved: 'created' | 'updated' = 'created';
    await this.#write(principal, async () => {
      const existing = await this.reader.find(principal.tenant, name);
      checkPrecondition(`the draft '${name}'`, existing?.version, expected, () => noDraft(name));
      saved = existing ? 'updated' : 'created';
      const expectedVersion = existing?.version ?? 0;
      return { op: 'save_draft', name, baseRevision, body: content, expectedVersion, person: personOf(principal) };
    });
    return saved;
  }

  /**
   * Writes down that a person has looked at a version of a draft and would publish it. Throws Refusal for what is no person,
   * for whoever may not make the very change, and where it could not be published as it is.
   */
  async approve(principal: AdministratorPrincipal, name: string, expected: Precondition): Promise<void> {
    const person = personOf(principal);
    if (person === null)
      throw new Refusal('forbidden', 'a person approves, signed in: nobody knows whose eyes those of a key are');
    await this.#write(principal, async () => {
      const { draft, outcome, conflicts } = await this.review(principal.tenant, name);
      checkPrecondition(`the draft '${name}'`, draft.version, expected, () => noDraft(name));
      permitDocuments(principal, outcome.documents);
      permitReading(principal, outcome.documents);
      if ('problems' in outcome) throw invalid(outcome.problems);
      refuseConflicts(draft, conflicts);
      const kinds = [...new Set(outcome.documents.flatMap((one) => (one.change === 'unchanged' ? [] : [one.kind])))];
      return { op: 'approve_draft', name, expectedVersion: draft.version, person, kinds };
    });
  }

  /** Throws a draft away. */
  async discard(principal: AdministratorPrincipal, name: string, expected: Precondition): Promise<void> {
    await this.#write(principal, async () => {
      const found = await this.reader.find(principal.tenant, name);
      if (!found) throw noDraft(name);
      checkPrecondition(`the draft '${name}'`, found.version, expected, () => noDraft(name));
      return { op: 'discard_draft', name, expectedVersion: found.version };
    });
  }

  /**
   * Makes a draft hold, as one revision, and the draft is gone. Throws Refusal with everything that is wrong with it, or
   * with what others have changed since it was based.
   */
  async publish(
    principal: AdministratorPrincipal,
    name: string,
    { message, seen }: PublicationBody,
    expected: Precondition,
  ): Promise<AppliedChange> {
    const { tenant } = principal;
    await this.snapshots.refresh(tenant, Infinity);
    return this.documents.make(principal, async () => {
      const { draft, changed } = await this.#findWithChanges(tenant, name);
      if (expected !== undefined)
        checkPrecondition(`the draft '${name}'`, draft.version, expected, () => noDraft(name));
      const { wanted, problems } = await wantedOf(draft);
      if (problems.length > 0) throw invalid(problems);
      return {
        wanted,
        about: { message, draft: name },
        also: [{ op: 'discard_draft', name, expectedVersion: draft.version }],
        draft: { name, seenBy: draft.seenBy, isLookedAt: expected !== undefined && seen },
        // INVARIANT: who has seen it is looked at on the state that it is published on.
        isOfWholeState: true,
        guard: (documents) => refuseConflicts(draft, conflictsAmong(documents, changed)),
      };
    });
  }

  async #contentOfRollback(
    tenant: string,
    { rollback_to: to, description }: DraftFilesBody,
    revision: number,
  ): Promise<DraftContent> {
    const { documents, deletions } = await rollbackTo(this.#revisions, tenant, to!, revision);
    const about = description === undefined ? {} : { description };
    return { ...about, prune: false, documents: documents.map(({ document }) => document), deletions };
  }

  async #findWithChanges(
    tenant: string,
    name: string,
  ): Promise<{ readonly draft: StoredDraft; readonly changed: readonly ChangedDocument[] }> {
    const found = await this.reader.findWithChanges(tenant, name);
    if (!found) throw noDraft(name);
    return found;
  }

  /** A draft decides nothing, so that saving it or throwing it away touches nothing. */
  async #write(principal: AdministratorPrincipal, operation: () => Promise<Operation>): Promise<void> {
    await this.changes.make(principal, async () => ({ keys: [], operations: [await operation()] }));
  }
}

/** What a draft holds, once it can be read. Throws Refusal. */
async function contentOf({ files, deletions, prune, description }: DraftFilesBody): Promise<DraftContent> {
  const parsed: ReturnType<typeof parseDocuments>[] = [];
  for (const { path, text } of files) {
    parsed.push(parseDocuments({ file: path, text }));
    // Between files decisions go on.
    await turn();
  }
  const sources = parsed.flatMap(({ documents }) => documents);
  const problems = [...parsed.flatMap((source) => source.problems), ...duplicateNames(sources)];
  if (problems.length > 0) throw invalid(problems);
  const saved = new Set(sources.map(({ document }) => documentKey(document.kind, documentName(document))));
  const both = deletions.find(({ kind, name }) => saved.has(documentKey(kind, name)));
  if (both) {
    throw new Refusal(
      'invalid_request',
      `deletions: the ${both.kind} '${both.name}' is among the files as well: leave one of them out`,
    );
  }
  return {
    ...(description === undefined ? {} : { description }),
    prune,
    documents: sources.map(({ document }) => document),
    deletions,
  };
}

/** The person who makes a change; null for a key. */
const personOf = ({ subject }: AdministratorPrincipal): string | null =>
  subject && subjectKey(subject.type, subject.id);

async function wantedOf({ documents, deletions, prune }: StoredDraft): Promise<{
  readonly wanted: Wanted;
  readonly problems: Hindrance['problems'];
}> {
  const read: { documents: readonly SourceDocument[]; problems: Hindrance['problems'] } = await readStored(documents);
  return { wanted: { sources: [], documents: read.documents, deletions, prune }, problems: read.problems };
}

/** What a draft would change and others have changed since it was based. What is as the draft wants it is none. */
function conflictsAmong(documents: readonly PlannedDocument[], changed: readonly ChangedDocument[]): ChangedDocument[] {
  const planned = new Set(
    documents.flatMap(({ kind, name, change }) => (change === 'unchanged' ? [] : [documentKey(kind, name)])),
  );
  return changed.filter(({ kind, name }) => planned.has(documentKey(kind, name)));
}

/** More conflicts than this are not listed. */
const LISTED = 100;

function refuseConflicts({ name, baseRevision }: StoredDraft, conflicts: readonly ChangedDocument[]): void {
  const [first] = conflicts;
  if (!first) return;
  const more = conflicts.length > 1 ? ` and ${conflicts.length - 1} more` : '';
  throw new Refusal(
    'draft_conflict',
    `the ${first.kind} '${first.name}'${more} changed after revision ${baseRevision}, on which the draft '${name}' was written: ` +
      'look at what changed (GET /api/v1/diff), take it over, and save the draft again',
    { conflicts: conflicts.slice(0, LISTED) },
  );
}

const noDraft = (name: string): Refusal => new Refusal('not_found', `there is no draft named '${name}'`);
