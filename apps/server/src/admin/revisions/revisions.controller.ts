import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { may, type AdministratorPrincipal } from '#identity';
import type { AdministrationObject } from '#policy';
import type { RevisionEntry, StateChange } from '#store';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { changeShownTo } from '../documents/documents.controller.js';
import type { ChangedDocumentBody } from '../documents/wire.js';
import { cursorOf, pageOf, withinSize, type Page } from '../paging.js';
import { madeChange } from './made-change.js';
import { RevisionsService } from './revisions.service.js';
import { noRevision } from './rollback-to.js';
import {
  diffQuerySchema,
  diffSchema,
  madeChangeSchema,
  revisionChangesSchema,
  revisionPageSchema,
  revisionParamsSchema,
  revisionQuerySchema,
  revisionsQuerySchema,
  rollbackSchema,
  type DiffBody,
  type DiffQuery,
  type MadeChangeBody,
  type RevisionBody,
  type RevisionChangesBody,
  type RevisionParams,
  type RevisionQuery,
  type RevisionsQuery,
  type RollbackBody,
} from './wire.js';

const documentCursor = z.tuple([z.string(), z.string()]);
const diffCursor = z.tuple([z.int(), z.string(), z.string()]);

/** Who changed what when and why, what lies between two revisions, and the way back to one. */
@Controller('api/v1')
@ApiTags('revisions')
@ApiBearerAuth()
export class RevisionsController {
  constructor(private readonly revisions: RevisionsService) {}

  @Get('revisions')
  @Requires('read', 'Revision')
  @ApiOperation({ summary: 'Who changed what when and why, newest first' })
  @ApiOkResponse({ standardSchema: revisionPageSchema })
  async list(
    @Caller() principal: AdministratorPrincipal,
    @Query({ schema: revisionsQuerySchema }) { documents, page_size, page_token }: RevisionsQuery,
  ): Promise<Page<RevisionBody>> {
    const rows = await this.revisions.reader.list(
      principal.tenant,
      documents,
      cursorOf(page_token, z.int()),
      page_size,
    );
    return pageOf(rows, page_size, revisionShownTo(principal), (last) => last.revision);
  }

  @Get('revisions/:revision')
  @Requires('read', 'Revision')
  @ApiOperation({ summary: 'One change, and what it did to each document' })
  @ApiOkResponse({ standardSchema: revisionChangesSchema })
  async get(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: revisionParamsSchema }) { revision }: RevisionParams,
    @Query({ schema: revisionQuerySchema }) { page_size, page_token }: RevisionQuery,
  ): Promise<RevisionChangesBody> {
    const { tenant } = principal;
    const { reader } = this.revisions;
    const after = cursorOf(page_token, documentCursor);
    const entry = await reader.find(tenant, revision);
    if (!entry) throw noRevision(revision);
    const cursor = after && { kind: after[0], name: after[1] };
    const rows = await reader.changesOf(tenant, revision, cursor, page_size);
    const size = withinSize(rows, page_size);
    const { items: changes, ...next } = pageOf(rows, size, changeBodyTo(principal), ({ kind, name }) => [kind, name]);
    return { ...revisionShownTo(principal)(entry), changes: [...changes], ...next };
  }

  @Get('diff')
  @Requires('read', 'Revision')
  @ApiOperation({ summary: 'Which documents differ between two revisions, suspensions apart' })
  @ApiOkResponse({ standardSchema: diffSchema })
  async diff(
    @Caller() principal: AdministratorPrincipal,
    @Query({ schema: diffQuerySchema }) { from, to, page_size, page_token }: DiffQuery,
  ): Promise<DiffBody> {
    // The token keeps what the present revision was when the first page was asked for.
    const after = cursorOf(page_token, diffCursor);
    const cursor = after && { kind: after[1], name: after[2] };
    const found = await this.revisions.reader.difference(principal.tenant, from, to ?? after?.[0], cursor, page_size);
    if (!found) throw noRevision(Math.max(from, to ?? 0));
    const size = withinSize(found.changes, page_size);
    const { items, ...next } = pageOf(found.changes, size, changeBodyTo(principal), ({ kind, name }) => [
      found.to,
      kind,
      name,
    ]);
    return { from, to: found.to, documents: [...items], ...next };
  }

  @Post('rollback')
  @Requires('publish', 'Revision')
  @HttpCode(200)
  @ApiOperation({ summary: 'Make the documents be what they were at a revision, as a new one' })
  @ApiOkResponse({ standardSchema: madeChangeSchema })
  async rollback(
    @Caller() principal: AdministratorPrincipal,
    @Body({ schema: rollbackSchema }) { to, message }: RollbackBody,
  ): Promise<MadeChangeBody> {
    return madeChange(await this.revisions.rollback(principal, to, message));
  }
}

/** A revision as far as the caller may know of it: keys, drafts and sessions, if it may read them. */
const revisionShownTo =
  ({ ability }: AdministratorPrincipal) =>
  (entry: RevisionEntry): RevisionBody => {
    const { revision, epoch, changedBy, administrator, changedAt, message, draft, rolledBackTo, documents, seenBy } =
      entry;
    return {
      revision,
      epoch,
      changed_by: changedBy,
      ...(administrator === null ? {} : { administrator }),
      changed_at: changedAt,
      ...(message === null ? {} : { message }),
      ...(draft === null ? {} : { draft }),
      ...(rolledBackTo === null ? {} : { rolled_back_to: rolledBackTo }),
      ...(seenBy === null ? {} : { seen_by: seenBy === 'waived' ? seenBy : [...seenBy] }),
      documents,
      others: entry.others.filter(({ op }) => may(ability, 'read', objectOf(op))),
    };
  };

/** What a write besides those of documents is one of. */
function objectOf(op: string): AdministrationObject {
  if (op.endsWith('_draft')) return 'Draft';
  return op.endsWith('_credential') ? 'Key' : 'Session';
}

const changeBodyTo =
  (principal: AdministratorPrincipal) =>
  ({ kind, name, before, after }: StateChange): ChangedDocumentBody => {
    const change = before === null ? 'created' : after === null ? 'deleted' : 'updated';
    return changeShownTo(principal)({ kind, name, change, before: before ?? undefined, after: after ?? undefined });
  };
